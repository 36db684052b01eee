'use strict'

// Loads the addon and connects this JavaScript environment to it.

const { createError } = require('./errors.js')

const target = `${process.platform}-${process.arch}`
const file = `mikir.${target}.node`

/** Bundlers find the addon by a literal path, and know that a `require` in a `try` may fail. */
function load() {
  try {
    switch (target) {
      case 'darwin-arm64':
        return require('../mikir.darwin-arm64.node')
      case 'darwin-x64':
        return require('../mikir.darwin-x64.node')
      case 'linux-arm64':
        return require('../mikir.linux-arm64.node')
      case 'linux-x64':
        return require('../mikir.linux-x64.node')
      case 'win32-arm64':
        return require('../mikir.win32-arm64.node')
      case 'win32-x64':
        return require('../mikir.win32-x64.node')
      default:
        // Built from source, where no path is known beforehand.
        return require('node:module').createRequire(__filename)(`../${file}`)
    }
  } catch (cause) {
    throw loadError(cause)
  }
}

function loadError(cause) {
  const error = new Error(
    [
      `mikir could not load its native addon for ${process.platform}-${process.arch} on Node.js ${process.version}:`,
      `  ${cause.message.split('\n')[0]}`,
      cause.code === 'MODULE_NOT_FOUND'
        ? `This package carries no ${file}: it was packed on another platform, or not built yet.`
        : `${file} is there but does not load: it may be damaged, or built for another system library (glibc, musl) or Node.js.`,
      'To build it here, with Rust 1.89 or newer (https://rustup.rs):',
      `  cd ${require('node:path').join(__dirname, '..')}`,
      '  node scripts/build.js'
    ].join('\n'),
    { cause }
  )
  error.code = 'ERR_MIKIR_LOAD'
  return error
}

const native = load().connect(createError, () => {})
// The numbers that both sides know: src/engine/border.rs.
native.border = JSON.parse(native.border)

module.exports = native
