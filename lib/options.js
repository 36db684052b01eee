'use strict'

// Options as plain JSON. What they may be, and every default, is written once, in the core
// (src/nn/options.rs); here is refused only what JSON cannot carry there.

const { checkFinite, propertiesOf } = require('./check.js')
const { invalidLength, invalidType } = require('./errors.js')

const DEEPEST = 8
const LONGEST = 100_000

/** A copy of `value` made of plain objects, arrays, strings, booleans, null and finite numbers. */
function plain(name, value, depth = 0) {
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
      if (Array.isArray(value)) return plainArray(name, value, depth)
      return plainObject(name, value, depth)
    default:
      throw invalidType('a number, a string, an array or an object', name, value)
  }
}

function plainArray(name, array, depth) {
  if (array.length > LONGEST) throw invalidLength(`at most ${LONGEST} elements`, name, array.length)
  // Not map(): it would leave holes, and JSON would make null of them.
  return Array.from(array, (element, i) => plain(`${name}[${i}]`, element, depth + 1))
}

function plainObject(name, object, depth) {
  // Without a prototype: a key `__proto__` is a key like any other.
  const copy = Object.create(null)
  for (const [key, value] of Object.entries(propertiesOf(name, object))) {
    // An undefined option is one that is left out.
    if (value !== undefined) copy[key.toWellFormed()] = plain(`${name}.${key}`, value, depth + 1)
  }
  return copy
}

module.exports = { plain }
