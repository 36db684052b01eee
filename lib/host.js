'use strict'

// The host that runs: the addon, or WebAssembly where it is asked for or the addon does not load.

const { createError } = require('./errors.js')

/** The environment variable that decides. */
const VARIABLE = 'MIKIR_HOST'

function choose() {
  const wanted = process.env[VARIABLE] ?? ''
  if (wanted === 'wasm') return require('./hosts/wasm-node.js')
  if (wanted !== '' && wanted !== 'addon') {
    const message = `Expected 'addon' or 'wasm' for ${VARIABLE} but received '${wanted}'`
    throw createError('ERR_MIKIR_OUT_OF_RANGE', message)
  }
  try {
    return require('./hosts/addon.js')
  } catch (error) {
    if (wanted === 'addon' || error.code !== 'ERR_MIKIR_LOAD') throw error
    return fallBack(error)
  }
}

/** WebAssembly instead of the addon. */
function fallBack(error) {
  let host
  try {
    host = require('./hosts/wasm-node.js')
  } catch {
    // The package has none: the error of the addon has the cure.
    throw error
  }
  const [first, cause] = error.message.split('\n')
  process.emitWarning(
    `${first} ${cause.trim()}. It runs on WebAssembly, on one thread, instead. Cure: reinstall mikir without --omit=optional, or build it with node scripts/build.js; MIKIR_HOST=wasm is silent.`,
    { code: 'MIKIR_HOST' }
  )
  return host
}

module.exports = choose()
