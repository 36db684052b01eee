'use strict'

// Checks of what users pass, and the copies of it into a network's own memory.

const { isAnyArrayBuffer, isDataView, isDate, isFloat32Array, isFloat64Array, isPromise, isProxy, isSet } =
  require('node:util').types
const {
  argumentCount,
  invalidLength,
  invalidType,
  invalidTypeSaid,
  outOfMemory,
  outOfRange,
  unknownOption
} = require('./errors.js')
const { maxParameters } = require('./host.js')

const MATRIX = 'an array of rows or a typed array of numbers'
const VECTOR = 'an array or a typed array of numbers'
/** What a number must be in a network of `precision: 'f32'`. */
const SINGLE = 'a number that single precision can hold'

/** The typed arrays whose elements are numbers. */
const NUMBERS = new Set([
  ...['Float64Array', 'Float32Array', 'Float16Array', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray'],
  ...['Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array']
])

/** What a typed array is of, whatever properties it has been given over its own. */
const [lengthOf, bufferOf, offsetOf, kindOf] = ['length', 'buffer', 'byteOffset', Symbol.toStringTag].map(
  (name) => {
    const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float64Array.prototype), name)
    return Function.prototype.call.bind(get)
  }
)

/** Refuses a call with fewer than `least` or more than `most` arguments. */
function checkArguments(name, count, least, most = least) {
  if (count < least || count > most) throw wrongArguments(name, count, least, most)
}

function wrongArguments(name, count, least, most) {
  const rule = least === most ? plural(least, 'argument') : `${least} to ${plural(most, 'argument')}`
  return argumentCount(rule, name, count)
}

/** A number of inputs or neurons. */
function checkCount(name, value) {
  const rule = `an integer from 1 to ${maxParameters}`
  if (typeof value !== 'number') throw invalidType(rule, name, value)
  if (!Number.isInteger(value) || value < 1 || value > maxParameters) throw outOfRange(rule, name, value)
  return value
}

/** An integer in [0, 2^53). */
function checkSeed(name, value) {
  const rule = 'an integer from 0 to 9007199254740991'
  if (typeof value !== 'number') throw invalidType(rule, name, value)
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(rule, name, value)
  return value + 0
}

/** A finite number. */
function checkFinite(name, value) {
  if (typeof value !== 'number') throw invalidType('a finite number', name, value)
  if (!Number.isFinite(value)) throw outOfRange('a finite number', name, value)
  return value
}

/** An object's properties, with no keys but the `known` ones, where they are given. */
function checkOptions(name, options, known) {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidType('an object', name, options)
  }
  const properties = propertiesOf(name, options)
  if (known === undefined) return properties
  for (const key of Object.keys(properties)) {
    if (!known.includes(key)) throw unknownOption(known, name, key)
  }
  return properties
}

/** The collections whose entries `Object.fromEntries` takes. */
const COLLECTIONS = ['FormData', 'Headers', 'Map', 'URLSearchParams']

/** How many prototypes an object may have: a proxy can have ever more. */
const MOST_PROTOTYPES = 100

/**
 * An object whose own properties are those that are meant as options: the object's own, and those that it inherits from
 * an object of defaults or from the getters of a class. What has its content elsewhere is refused.
 */
function propertiesOf(name, object) {
  let holder = Object.getPrototypeOf(object)
  if (holder === null || isRoot(holder)) return object
  const kind = Object.prototype.toString.call(object).slice('[object '.length, -1)
  if (kind !== 'Object') {
    const cure = COLLECTIONS.includes(kind) ? 'make one of it with Object.fromEntries()' : undefined
    throw invalidTypeSaid('a plain object', name, `a value of kind ${kind.slice(0, 40)}`, cure)
  }
  const keys = new Set(Object.keys(object))
  for (let i = 0; holder !== null && !isRoot(holder); i++) {
    if (i === MOST_PROTOTYPES) {
      throw invalidTypeSaid(`an object of at most ${MOST_PROTOTYPES} prototypes`, name, 'one of more')
    }
    for (const [key, { enumerable, get }] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      // Methods are none.
      if (enumerable || get !== undefined) keys.add(key)
    }
    holder = Object.getPrototypeOf(holder)
  }
  // Where a key `__proto__` is like any other.
  const properties = Object.create(null)
  for (const key of keys) properties[key] = object[key]
  return properties
}

/** Whether this is the `Object.prototype` of any realm: what all objects inherit is meant for none. */
function isRoot(object) {
  return object === Object.prototype || Object.hasOwn(object, 'isPrototypeOf')
}

/** An array of `count` elements. */
function checkArray(name, value, count) {
  if (!Array.isArray(value)) throw invalidType(`an array of ${plural(count, 'element')}`, name, value)
  if (value.length !== count) throw invalidLength(plural(count, 'element'), name, value.length)
  return value
}

/**
 * Copies `count` numbers from `vector` into `target`, from `start` on. Whether they are finite is checked
 * by the core, which sees them all at once.
 */
function copyVector(name, vector, count, target, start) {
  // Small, so that the engine inlines it: the rest is in functions of its own.
  if (!Array.isArray(vector)) return copyTypedArray(name, vector, count, target, start)
  if (vector.length !== count) throw wrongLength(name, vector.length, count)
  for (let i = 0; i < count; i++) {
    const x = vector[i]
    if (typeof x !== 'number') throw wrongElement(name, i, x)
    target[start + i] = x
  }
}

function copyTypedArray(name, vector, count, target, start) {
  if (!isNumbers(vector)) throw invalidType(VECTOR, name, vector, cureOfVector(vector))
  if (lengthOf(vector) !== count) throw wrongLength(name, lengthOf(vector), count)
  target.set(vector, start)
}

function wrongElement(name, i, value) {
  return invalidType('a finite number', `${name}[${i}]`, value, cureOf(value))
}

/** Whether a value is a typed array of numbers, of whatever realm. */
function isNumbers(value) {
  return NUMBERS.has(kindOf(value))
}

/** What makes a number of a value that is none. */
function cureOf(value) {
  if (typeof value === 'string' || typeof value === 'bigint') return 'convert it with Number()'
  if (typeof value === 'boolean') return 'write 1 for true and 0 for false'
  if (isDate(value)) return 'convert it to a number, such as its getTime() / 86400000 for days'
  return value === null || value === undefined ? 'fill in a number' : undefined
}

/** What makes a vector of a value that is none. */
function cureOfVector(value) {
  if (isProxy(value)) return 'pass what is behind the proxy (in Vue toRaw()), or a copy'
  if (kindOf(value)?.startsWith('Big')) return 'convert it with Float64Array.from(array, Number)'
  if (isDataView(value)) return 'make a typed array of its buffer'
  if (isAnyArrayBuffer(value)) return 'make a typed array of it, such as new Float64Array(buffer)'
  if (isSet(value)) return 'convert it with Array.from()'
  if (isPromise(value)) return 'await it first'
  if (typeof value === 'string') return 'split it, and convert the parts with Number()'
  if (value === null) return 'fill in a row of numbers'
  if (['function', 'symbol', 'undefined'].includes(typeof value)) return undefined
  const isSingle = typeof value !== 'object' || isDate(value)
  return isSingle ? 'write one row as an array of numbers too' : 'put its numbers into an array'
}

/** The same, and refuses numbers that are NaN or infinite. */
function copyFinite(name, vector, count, target, start) {
  copyVector(name, vector, count, target, start)
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(target[start + i])) throw outOfRange('a finite number', `${name}[${i}]`, vector[i])
  }
}

/** A typed array of zeros. */
function allocate(Numbers, name, count) {
  try {
    return new Numbers(count)
  } catch (cause) {
    throw outOfMemory(name, count * Numbers.BYTES_PER_ELEMENT, cause)
  }
}

/**
 * The same numbers as a typed array of this realm, of no class of the user's and with no properties of its own: the same
 * memory where they are floats of 32 or 64 bits, else a copy.
 */
function plainView(array) {
  if (!isFloat64Array(array) && !isFloat32Array(array)) return new Float64Array(array)
  const Numbers = isFloat64Array(array) ? Float64Array : Float32Array
  const length = lengthOf(array)
  // One whose memory went elsewhere has length 0 and can have no view.
  return length === 0 ? new Numbers(0) : new Numbers(bufferOf(array), offsetOf(array), length)
}

function wrongLength(name, length, count) {
  return invalidLength(plural(count, 'number'), name, length)
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

module.exports = {
  MATRIX,
  SINGLE,
  VECTOR,
  allocate,
  bufferOf,
  checkArguments,
  checkArray,
  checkCount,
  checkFinite,
  checkOptions,
  checkSeed,
  copyFinite,
  copyVector,
  cureOf,
  cureOfVector,
  isNumbers,
  kindOf,
  lengthOf,
  offsetOf,
  plainView,
  plural,
  propertiesOf
}
