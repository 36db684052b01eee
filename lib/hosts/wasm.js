'use strict'

// The host WebAssembly: what src/wasm/mod.rs exports, as the functions that every host has.

const { createError } = require('../errors.js')
const { nextTurn } = require('../turn.js')

/** For how long a fit holds the event loop at a time, in milliseconds: half the time of a picture. */
const SLICE = 8

/** How many numbers of rows cross at a time: memory for all of them at once would be needed twice. */
const CHUNK = 1 << 16

/** From so many bytes on, memory that is asked for is not there before it is used. */
const LARGE = 1 << 17

/** What typed arrays are there, by their kind, and the names in `src/wasm/mod.rs` of what makes room for them. */
const PUSHES = {
  Uint8Array: [Uint8Array, 'push_bytes'],
  Float64Array: [Float64Array, 'push_doubles'],
  Float32Array: [Float32Array, 'push_singles']
}

/** What a part of a reply is of, by its number there. */
const PARTS = [Uint8Array, Uint32Array, Float64Array]

/** What a call came to, by its number there. */
const [NOTHING, FALSE, TRUE, NUMBER, TEXT, ARRAY, PARTS_OF_REPLY] = Array(7).keys()

/** A buffer in the memory of the module. */
class Handle {
  /** As many bytes that nobody uses, where the system gives them for nothing: the engine looks for garbage when it holds
   * much, and does not see the module's memory. */
  weight

  constructor(number, bytes) {
    this.number = number
    if (bytes >= LARGE) this.weight = new ArrayBuffer(bytes)
  }
}

/**
 * @param {WebAssembly.Module} module
 * @param {object} system - what there is beside the language
 * @param {TextDecoder} system.decoder - of UTF-8
 * @param {TextEncoder} system.encoder
 * @param {() => number} system.now - milliseconds
 * @param {() => number} system.random - an integer that nobody chose
 * @param {(name: string) => Uint8Array} system.readFile - the content of a file, or throws why not
 * @param {(name: string, bytes?: Uint8Array) => void} system.writeFile - makes a file or replaces it, all at once, or
 *   throws why not; without bytes only finds out whether it can be expected to succeed
 */
function connect(module, { decoder, encoder, now, random, readFile, writeFile }) {
  /** Hands an answer over while Rust waits for it. */
  const answer = (work) => {
    let [status, bytes] = [0, undefined]
    try {
      bytes = work()
    } catch (error) {
      status = 1
      bytes = encoder.encode(error.message)
    }
    if (bytes !== undefined) view(Uint8Array, exports.inbox(bytes.length), bytes.length).set(bytes)
    return status
  }
  const textAt = (address, length) => decoder.decode(view(Uint8Array, address, length))
  const imports = {
    now,
    readFile: (path, length) => answer(() => readFile(textAt(path, length))),
    writeFile: (path, pathLength, address, length, isProbe) =>
      answer(() => {
        writeFile(textAt(path, pathLength), isProbe ? undefined : view(Uint8Array, address, length))
      })
  }
  const { exports } = new WebAssembly.Instance(module, { host: imports })
  const { memory } = exports
  // A view of memory that has grown is empty: it is made anew for each use. Addresses come as integers with a sign.
  const view = (Numbers, address, length) => new Numbers(memory.buffer, address >>> 0, length)

  const part = (i) =>
    view(PARTS[exports.part_kind(i)], exports.part_address(i), exports.part_length(i)).slice()
  const textOf = (i) => textAt(exports.part_address(i), exports.part_length(i))

  const thrown = () => {
    const error = createError(textOf(0), textOf(1))
    exports.end()
    return error
  }

  /** The error of a panic, which leaves the module of no use. */
  const broken = (cause) => {
    if (!(cause instanceof WebAssembly.RuntimeError)) return cause
    const received = `one (${cause.message}): please report it`
    return createError('ERR_MIKIR_INTERNAL', `Expected no panic for WebAssembly but received ${received}`)
  }

  const guarded = (work) => {
    try {
      return work()
    } catch (error) {
      throw broken(error)
    }
  }

  const push = (value) => {
    switch (typeof value) {
      case 'number':
        return exports.push_number(value)
      case 'boolean':
        return exports.push_flag(value)
      case 'function':
        return exports.push_wake()
      case 'string': {
        const bytes = encoder.encode(value)
        return view(Uint8Array, exports.push_text(bytes.length), bytes.length).set(bytes)
      }
    }
    if (value === undefined || value === null) return exports.push_nothing()
    if (value instanceof Handle) return exports.push_buffer(value.number)
    const [Numbers, makeRoom] = PUSHES[value[Symbol.toStringTag]]
    view(Numbers, exports[makeRoom](value.length), value.length).set(value)
  }

  const reply = (outcome) => {
    switch (outcome) {
      case NOTHING:
        return undefined
      case FALSE:
        return false
      case TRUE:
        return true
      case NUMBER:
        return exports.reply_number()
      case TEXT:
        return textOf(0)
      case ARRAY:
        return part(0)
      case PARTS_OF_REPLY:
        return [textOf(0), ...Array.from({ length: exports.reply_parts() - 1 }, (_, i) => part(i + 1))]
      default:
        throw thrown()
    }
  }

  /** The function at a place of the table of functions; it writes into the arguments at `fills`. */
  const functionAt = (place, fills) =>
    function call(...parameters) {
      const result = guarded(() => {
        exports.begin()
        for (const value of parameters) push(value)
        const replied = reply(exports.call(place))
        for (const i of fills) {
          const filled = parameters[i]
          filled.set(view(filled.constructor, exports.argument_address(i), filled.length))
        }
        exports.end()
        return replied
      })

      // What another host would do on a thread is done.
      const wake = parameters.find((value) => typeof value === 'function')
      if (wake !== undefined) nextTurn(wake)
      return result
    }

  const fast = (body) => (handle) => {
    if (guarded(() => body(handle.number))) throw thrown()
  }

  exports.describe()
  const { functions, ...constants } = JSON.parse(textOf(0))
  const host = {
    ...constants,
    ...Object.fromEntries(functions.map(([name, fills], place) => [name, functionAt(place, fills)])),
    predict: fast(exports.predict),
    train: fast(exports.train),
    step: fast(exports.step)
  }

  const dropped = new FinalizationRegistry((number) => exports.drop_buffer(number))
  const scopes = new Set()
  let scopeCount = 0
  const { appendData, sliceFit } = host

  return Object.assign(host, {
    name: 'wasm',
    allocate(owner, bytes) {
      const number = guarded(() => exports.create_buffer(bytes))
      if (number < 0) throw new RangeError('WebAssembly has no more memory')
      dropped.register(owner, number)
      return new Handle(number, bytes)
    },
    view(handle, Numbers, offset, length) {
      return view(Numbers, exports.buffer_address(handle.number) + offset, length)
    },
    appendData(data, kind, numbers, total) {
      for (let start = 0; start < numbers.length; start += CHUNK) {
        const place = appendData(data, kind, numbers.subarray(start, start + CHUNK), total)
        if (place >= 0) return place
      }
      return -1
    },
    /** Trains in slices between which the event loop turns. */
    startFit(fit, _, wake) {
      const slice = () => {
        let isDone = true
        try {
          isDone = sliceFit(fit, SLICE)
        } finally {
          wake()
          if (!isDone) nextTurn(slice)
        }
      }
      nextTurn(slice)
    },
    within(body) {
      const scope = scopeCount++
      scopes.add(scope)
      try {
        body(scope)
      } finally {
        scopes.delete(scope)
      }
    },
    isWithin: (scope) => scopes.has(scope),
    drawSeed: random
  })
}

module.exports = { connect }
