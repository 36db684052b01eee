'use strict'

// What mikir uses of other modules of Node.js, where there is none. There are no files: whoever names one is told so.

const { unsupported } = require('../errors.js')

function noFiles() {
  throw unsupported(
    'Node.js, Deno or Bun',
    'files',
    'a browser',
    'fetch() what you read, and let the user download what toJSON(), toONNX() and their like give'
  )
}

/** A short text that is the same for the same content: FNV-1a. */
class Hash {
  #state = 0xcbf29ce484222325n

  update(content) {
    const bytes =
      typeof content === 'string'
        ? new TextEncoder().encode(content)
        : new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
    for (const byte of bytes) {
      this.#state = BigInt.asUintN(64, (this.#state ^ BigInt(byte)) * 0x100000001b3n)
    }
    return this
  }

  digest() {
    return this.#state.toString(16)
  }
}

module.exports = {
  // node:async_hooks: a page has no contexts of asynchronous calls.
  AsyncResource: { bind: (body) => body },
  // node:crypto
  createHash: () => new Hash(),
  // node:fs/promises, node:path and node:url
  extname: noFiles,
  fileURLToPath: noFiles,
  readFile: noFiles,
  resolve: noFiles,
  // node:os
  availableParallelism: () => 1
}
