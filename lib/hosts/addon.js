'use strict'

// The host that is an addon of Node.js: loads it, and connects this JavaScript environment to it.

const { createError } = require('../errors.js')

const platform = `${process.platform}-${process.arch}`

/** Bundlers find an addon by a literal name, and know that a `require` in a `try` may fail. */
const ADDONS = {
  'darwin-arm64': [() => require('../../mikir.darwin-arm64.node'), () => require('@mikir/darwin-arm64')],
  'darwin-x64': [() => require('../../mikir.darwin-x64.node'), () => require('@mikir/darwin-x64')],
  'linux-arm64': [
    () => require('../../mikir.linux-arm64.node'),
    () => require('@mikir/linux-arm64-gnu'),
    () => require('@mikir/linux-arm64-musl')
  ],
  'linux-x64': [
    () => require('../../mikir.linux-x64.node'),
    () => require('@mikir/linux-x64-gnu'),
    () => require('@mikir/linux-x64-musl')
  ],
  'win32-arm64': [() => require('../../mikir.win32-arm64.node'), () => require('@mikir/win32-arm64-msvc')],
  'win32-x64': [() => require('../../mikir.win32-x64.node'), () => require('@mikir/win32-x64-msvc')]
}

/** Where the platform has none of these, it may be built from source. */
const BUILT = [() => require('node:module').createRequire(__filename)(`../../mikir.${platform}.node`)]

/** The one built here, or that of the platform's package: of the two for Linux, npm installs the one that loads. */
function load() {
  const causes = []
  for (const attempt of ADDONS[platform] ?? BUILT) {
    try {
      return attempt()
    } catch (error) {
      causes.push(error)
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
