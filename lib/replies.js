'use strict'

// What a host replies, as users have it.

/**
 * Measures as users have them, from what a host replies.
 * @param {[string, Float64Array, Float64Array?]} parts - the names as JSON, the numbers, and the confusion matrix
 */
function measuresOf([names, numbers, matrix]) {
  const measures = Object.fromEntries(JSON.parse(names).map((name, i) => [name, numbers[i]]))
  if (matrix === undefined) return measures
  const side = Math.sqrt(matrix.length)
  const row = (k) => Array.from(matrix.subarray(k * side, (k + 1) * side))
  return { ...measures, confusionMatrix: Array.from({ length: side }, (_, k) => row(k)) }
}

/** The bytes of a file; in Node.js a Buffer. */
function fileOf(bytes) {
  return typeof Buffer === 'undefined' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

module.exports = { fileOf, measuresOf }
