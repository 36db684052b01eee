'use strict'

// The host in pages: WebAssembly, which is in the bundle.

const { connect } = require('../hosts/wasm.js')
const { readFile } = require('./node.js')

/** Filled by `start`, before any other module of mikir is loaded. */
const host = {}

/**
 * @param {string} packed - the module, gzipped, in base64
 */
async function start(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  const module = await WebAssembly.compile(await new Response(unpacked).arrayBuffer())
  Object.assign(
    host,
    connect(module, {
      decoder: new TextDecoder('utf-8', { ignoreBOM: true }),
      encoder: new TextEncoder(),
      now: () => performance.now(),
      random() {
        const [high, low] = crypto.getRandomValues(new Uint32Array(2))
        return (high & 0xffff) * 2 ** 32 + low
      },
      readFile,
      writeFile: readFile
    })
  )
}

module.exports = { host, start }
