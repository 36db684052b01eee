'use strict'

// The host that is an addon of Node.js: loads it, and connects this JavaScript environment to it.

const { createError } = require('../errors.js')

const platform = `${process.platform}-${process.arch}`

/**
 * The one built here, or that of the platform's package: of the two for Linux, npm installs the one that loads. Bundlers find
 * an addon by a literal name, and know that a `require` in a `try` may fail.
 */
function load() {
  const causes = []
  switch (platform) {
    case 'darwin-arm64':
      try {
        return require('../../mikir.darwin-arm64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/darwin-arm64')
      } catch (cause) {
        causes.push(cause)
      }
      break
    case 'darwin-x64':
      try {
        return require('../../mikir.darwin-x64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/darwin-x64')
      } catch (cause) {
        causes.push(cause)
      }
      break
    case 'linux-arm64':
      try {
        return require('../../mikir.linux-arm64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/linux-arm64-gnu')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/linux-arm64-musl')
      } catch (cause) {
        causes.push(cause)
      }
      break
    case 'linux-x64':
      try {
        return require('../../mikir.linux-x64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/linux-x64-gnu')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/linux-x64-musl')
      } catch (cause) {
        causes.push(cause)
      }
      break
    case 'win32-arm64':
      try {
        return require('../../mikir.win32-arm64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/win32-arm64-msvc')
      } catch (cause) {
        causes.push(cause)
      }
      break
    case 'win32-x64':
      try {
        return require('../../mikir.win32-x64.node')
      } catch (cause) {
        causes.push(cause)
      }
      try {
        return require('@mikir/win32-x64-msvc')
      } catch (cause) {
        causes.push(cause)
      }
      break
    default:
      // Built from source, where no path is known beforehand.
      try {
        return require('node:module').createRequire(__filename)(`../../mikir.${platform}.node`)
      } catch (cause) {
        causes.push(cause)
      }
  }
  throw loadError(causes.find(({ code }) => code !== 'MODULE_NOT_FOUND') ?? causes[0])
}

function loadError(cause) {
  const file = `mikir.${platform}.node`
  const error = new Error(
    [
      `mikir could not load its native addon for ${platform} on Node.js ${process.version}:`,
      `  ${cause.message.split('\n')[0]}`,
      cause.code === 'MODULE_NOT_FOUND'
        ? `There is no ${file} and no package of mikir for this platform: optional dependencies were left out, it was packed on another platform, or it is not built yet.`
        : 'It is there but does not load: it may be damaged, or built for another system library (glibc, musl) or Node.js.',
      'To build it here, with Rust 1.89 or newer (https://rustup.rs):',
      `  cd ${require('node:path').join(__dirname, '../..')}`,
      '  node scripts/build.js'
    ].join('\n'),
    { cause }
  )
  error.code = 'ERR_MIKIR_LOAD'
  return error
}

const addon = load().connect(createError, () => {})

module.exports = Object.assign(addon, {
  name: 'addon',
  // The numbers that both sides know: src/engine/border.rs.
  border: JSON.parse(addon.border),
  // Buffers are the engine's own, which counts and frees them.
  allocate: (_, bytes) => new ArrayBuffer(bytes),
  view: (buffer, Numbers, offset, length) => new Numbers(buffer, offset, length)
})
