'use strict'

// Options as plain JSON. What they may be, and every default, is written once, in the core
// (src/nn/network/options.rs); here is refused only what JSON cannot carry there.

const { checkFinite, propertiesOf } = require('./check.js')
const { invalidLength, invalidType } = require('./errors.js')

const DEEPEST = 8
/** Values in all: an object may be written at several places, and is copied to each. */
const MOST = 100_000

/** A copy of `value` made of plain objects, arrays, strings, booleans, null and finite numbers. */
function plain(name, value) {
  return copy(name, value, 0, { name, left: MOST })
}

/** `whole` counts how many values there may still be. */
function copy(name, value, depth, whole) {
  if (whole.left-- === 0) throw invalidLength(`at most ${MOST} values in all`, whole.name, 'more')
  switch (typeof value) {
    case 'number':
      return checkFinite(name, value)
    case 'string':
      // Half of a surrogate pair has no place in JSON.
      return value.toWellFormed()
    case 'boolean':
      return value
    case 'object':
      if (value === null) return null
      if (depth === DEEPEST) throw invalidType(`options nested at most ${DEEPEST} deep`, name, value)
      if (Array.isArray(value)) return plainArray(name, value, depth, whole)
      return plainObject(name, value, depth, whole)
    default:
      throw invalidType('a number, a string, an array or an object', name, value)
  }
}

function plainArray(name, array, depth, whole) {
  if (array.length > MOST) throw invalidLength(`at most ${MOST} elements`, name, array.length)
  // Not map(): it would leave holes, and JSON would make null of them.
  return Array.from(array, (element, i) => copy(`${name}[${i}]`, element, depth + 1, whole))
}

function plainObject(name, object, depth, whole) {
  // Without a prototype: a key `__proto__` is a key like any other.
  const plainCopy = Object.create(null)
  for (const [key, value] of Object.entries(propertiesOf(name, object))) {
    // An undefined option is one that is left out.
    if (value !== undefined) plainCopy[key.toWellFormed()] = copy(`${name}.${key}`, value, depth + 1, whole)
  }
  return plainCopy
}

module.exports = { plain }
