'use strict'

// One sentence for every mistake: `Expected <rule> for <name> but received <value>`, a cure after a colon where
// one is known, and a stable code.

const { types } = require('node:util')

/** A value of the wrong kind. */
function invalidType(rule, name, value, cure) {
  return invalidTypeSaid(rule, name, describe(value), cure)
}

/** The same where the value is in words already. */
function invalidTypeSaid(rule, name, received, cure) {
  return coded(new TypeError(sentence(rule, name, received, cure)), 'ERR_MIKIR_INVALID_TYPE')
}

/** A value of the right kind outside its range. */
function outOfRange(rule, name, value, cure) {
  return outOfRangeSaid(rule, name, describe(value), cure)
}

/** The same where the value is in words already. */
function outOfRangeSaid(rule, name, received, cure) {
  return coded(new RangeError(sentence(rule, name, received, cure)), 'ERR_MIKIR_OUT_OF_RANGE')
}

/** An option of a fit that a trainer has no use for. */
function notForTrainer(key, value, cure) {
  const message = sentence(`no ${key}`, 'the options of a trainer', describe(value), cure)
  return coded(new TypeError(message), 'ERR_MIKIR_INVALID_COMBINATION')
}

/** An option that has no meaning beside others. */
function invalidCombination(rule, name, value, cure) {
  const message = sentence(rule, name, describe(value), cure)
  return coded(new TypeError(message), 'ERR_MIKIR_INVALID_COMBINATION')
}

/** Examples that have weights beside weights in the options. */
function weighedTwice(value) {
  const message = sentence(
    'no sampleWeights',
    'examples that have a weight',
    describe(value),
    'write all weights in one of both'
  )
  return coded(new TypeError(message), 'ERR_MIKIR_INVALID_COMBINATION')
}

/** A collection with the wrong number of elements. */
function invalidLength(rule, name, length, cure) {
  return coded(new RangeError(sentence(rule, name, length, cure)), 'ERR_MIKIR_INVALID_LENGTH')
}

/** A call with missing or extra arguments. */
function argumentCount(rule, name, count) {
  return coded(new TypeError(sentence(rule, name, count)), 'ERR_MIKIR_ARGUMENT_COUNT')
}

/** An option that does not exist. */
function unknownOption(known, name, key) {
  return coded(
    new TypeError(sentence(`only ${known.map((option) => `'${option}'`).join(', ')}`, name, describe(key))),
    'ERR_MIKIR_UNKNOWN_OPTION'
  )
}

/** The system had no memory for numbers that mikir's own limits allow. */
function outOfMemory(name, bytes, cause) {
  const error = new RangeError(sentence('enough free memory', name, `a need of ${bytes} bytes`), { cause })
  return coded(error, 'ERR_MIKIR_OUT_OF_MEMORY')
}

/** A call that would change what a fit is training. */
function busy(name, running) {
  const message = sentence(
    'a network that is not training',
    `${name}()`,
    `one in ${running}()`,
    'wait until it has ended, or work on a clone()'
  )
  return coded(new Error(message), 'ERR_MIKIR_BUSY')
}

/** Something that the host cannot do. */
function unsupported(rule, name, received, cure) {
  return coded(new Error(sentence(rule, name, received, cure)), 'ERR_MIKIR_UNSUPPORTED')
}

/** A file, or bytes or JSON like one, whose content is not what it should be; `received` in words. */
function corruptFile(rule, name, received, cause) {
  return coded(new Error(sentence(rule, name, received), { cause }), 'ERR_MIKIR_CORRUPT_FILE')
}

/** A file that the system does not read. */
function unreadable(file, cause) {
  const message = sentence('a file that can be read', `'${file}'`, cause.message)
  return coded(new Error(message, { cause }), 'ERR_MIKIR_FILE')
}

/** The classes of the errors that are found in the addon; all others are of `RangeError`. */
const CLASSES = {
  ERR_MIKIR_INVALID_TYPE: TypeError,
  ERR_MIKIR_UNKNOWN_OPTION: TypeError,
  ERR_MIKIR_INVALID_COMBINATION: TypeError,
  ERR_MIKIR_DIVERGED: Error,
  ERR_MIKIR_FILE: Error,
  ERR_MIKIR_CORRUPT_FILE: Error,
  ERR_MIKIR_INTERNAL: Error
}

/** An error of the addon, which calls this: its own errors would be none of a test runner's realm. */
function createError(code, message) {
  const error = new (CLASSES[code] ?? RangeError)(message)
  Error.captureStackTrace?.(error, createError)
  return coded(error, code)
}

function sentence(rule, name, received, cure) {
  return `Expected ${rule} for ${name} but received ${received}${cure === undefined ? '' : `: ${cure}`}`
}

function coded(error, code) {
  // Like Node's own errors: visible in the stack and in logs, and the name stays that of the class.
  error.code = code
  return error
}

/** Objects of which more can be said than that they are some, without a property that could be anything. */
const KINDS = [
  [types.isProxy, 'a proxy'],
  [types.isDate, 'a Date'],
  [types.isMap, 'a Map'],
  [types.isSet, 'a Set'],
  [types.isPromise, 'a promise'],
  [types.isDataView, 'a DataView'],
  [types.isAnyArrayBuffer, 'an ArrayBuffer'],
  [types.isBigInt64Array, 'a BigInt64Array'],
  [types.isBigUint64Array, 'a BigUint64Array'],
  [types.isTypedArray, 'a typed array']
]

/** A short text for any value; never runs code of the value's own. */
function describe(value) {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`
    case 'bigint':
      return `${value}n`
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length} element${value.length === 1 ? '' : 's'}`
      return KINDS.find(([is]) => is(value))?.[1] ?? 'an object'
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

module.exports = {
  argumentCount,
  busy,
  corruptFile,
  createError,
  describe,
  invalidCombination,
  invalidLength,
  invalidType,
  invalidTypeSaid,
  notForTrainer,
  outOfMemory,
  outOfRange,
  outOfRangeSaid,
  unknownOption,
  unreadable,
  unsupported,
  weighedTwice
}
