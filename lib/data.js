'use strict'

// Users' data on their way into the addon: rows, flat arrays or examples, each mistake with its place and a
// cure. Data cross once: plain arrays in chunks through one scratch array, typed arrays as they are.

const { isSharedArrayBuffer } = require('node:util').types
const {
  MATRIX,
  SINGLE,
  VECTOR,
  allocate,
  checkArguments,
  cureOf,
  cureOfVector,
  isNumbers,
  kindOf,
  lengthOf,
  plainView,
  plural
} = require('./check.js')
const { invalidLength, invalidType, outOfRange, outOfRangeSaid, weighedTwice } = require('./errors.js')
const host = require('./host.js')

/** The parts of a data set, by the numbers that the addon knows them by. */
const { inputs: INPUTS, targets: TARGETS, sampleWeights: SAMPLE_WEIGHTS } = host.border.parts

/** How many numbers of plain arrays cross at a time. */
const CHUNK = 1 << 16

/** The scratch array of each precision, while nobody uses it. */
const scratches = { f64: undefined, f32: undefined }

const MISSING = 'remove the row, or fill in a number'

/** How targets are written that a loss refuses. */
const TARGETS_OF = {
  crossEntropy: 'write a class as a row of zeros with a 1 in its place',
  binaryCrossEntropy: 'write no as 0 and yes as 1',
  hinge: 'write no as -1 and yes as 1'
}

/**
 * The arguments of a method that takes `(inputs, targets)` or `(examples)`, and options after them where
 * `options` is 1.
 */
function readArguments(method, args, options) {
  checkArguments(method, args.length, 1, 2 + options)
  if (isExamples(args[0], args[1])) {
    checkArguments(method, args.length, 1, 1 + options)
    return { data: { examples: args[0] }, options: args[1] }
  }
  checkArguments(method, args.length, 2, 2 + options)
  return { data: { prefix: '', inputs: args[0], targets: args[1] }, options: args[2] }
}

/** Whether the first argument holds examples rather than rows. */
function isExamples(first, second) {
  if (!Array.isArray(first)) return false
  const element = first[0]
  const isObject = typeof element === 'object' && element !== null && !isList(element)
  if (isObject && 'input' in element) return true
  // Neither: then the second argument tells what was meant.
  return (isObject || first.length === 0) && !isList(second)
}

function isList(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value) || kindOf(value) !== undefined
}

/**
 * Puts data into a data set of the addon, to be handed on or dropped there.
 * @param {{ model: object, buffer: ArrayBuffer }} network
 * @param {object} data - `{ examples }`, or `{ prefix, inputs, targets }` with what stands before their names in
 *   errors
 * @param {unknown} [sampleWeights]
 * @param {{ isStep?: boolean, isOfGradients?: boolean }} [use] - whether the rows are those of a trainer's step, whose
 *   weights may be negative and whose targets may be gradients of the outputs
 * @returns {number} the data set
 */
function createDataSet(
  { model, buffer },
  data,
  sampleWeights,
  { isStep = false, isOfGradients = false } = {}
) {
  const [inputs, targets] = sourcesOf(data, model, isOfGradients)
  const weights = weightsOf(data, sampleWeights, inputs.count)
  const number = host.createData(buffer, isOfGradients)
  const scratch = takeScratch(model.precision)
  try {
    append(number, INPUTS, inputs, scratch)
    append(number, TARGETS, targets, scratch)
    if (weights !== undefined) append(number, SAMPLE_WEIGHTS, weights, scratch)
    const wrong = host.checkData(number, isStep)
    if (wrong !== undefined) throw refusal(JSON.parse(wrong), targets, weights, TARGETS_OF[model.loss])
    return number
  } catch (error) {
    host.dropData(number)
    throw error
  } finally {
    scratches[model.precision] = scratch
  }
}

function takeScratch(precision) {
  const Numbers = precision === 'f64' ? Float64Array : Float32Array
  const scratch = scratches[precision] ?? allocate(Numbers, 'the data', CHUNK)
  // Reading users' data may run code of theirs that comes here.
  scratches[precision] = undefined
  return scratch
}

// A source is a part of the data as its user wrote it: `count` rows of `width` numbers, read one by one (`read`)
// or flat (`numbers`), and `place`, the name of a row or of a number in errors.

/** Inputs and targets, as many rows each. */
function sourcesOf(data, { inputCount, loss, outputCount }, isOfGradients) {
  const { examples, name = 'examples', prefix, inputs, targets } = data
  const takesClasses = loss === 'crossEntropy' && !isOfGradients
  if (examples !== undefined) {
    if (examples.length === 0) throw invalidLength('at least 1 example', name, 0)
    const outputs = withCureOfNames(columnOf(name, examples, 'output', outputCount), takesClasses)
    const isClass = takesClasses && typeof examples[0]?.output === 'number'
    return [columnOf(name, examples, 'input', inputCount), isClass ? oneHot(outputs) : outputs]
  }
  const [x, t] = [`${prefix}inputs`, `${prefix}targets`]
  const rows = matrixOf(x, inputs, inputCount)
  const areClasses = takesClasses && isListOfNumbers(targets, rows.count)
  const sources = [
    rows,
    areClasses
      ? oneHot(classesOf(t, targets, outputCount))
      : withCureOfNames(matrixOf(t, targets, outputCount), takesClasses)
  ]
  const [{ count }, { count: targetCount }] = sources
  if (count === 0) throw invalidLength('at least 1 row', x, 0)
  if (targetCount !== count) throw invalidLength(`${plural(count, 'row')}, as many as ${x},`, t, targetCount)
  return sources
}

/** Whether targets are a number a row: rows of one number are written as arrays, or are as many as all targets. */
function isListOfNumbers(targets, count) {
  if (Array.isArray(targets)) return typeof targets[0] === 'number'
  return isNumbers(targets) && count > 0 && lengthOf(targets) === count
}

/** Targets that are rows, with what to do where they are the names of classes. */
function withCureOfNames(source, takesClasses) {
  const names = takesClasses
    ? 'number the classes from 0, or write a class as a row of zeros with a 1 in its place'
    : `write each row as an array of ${plural(source.width, 'number')}`
  return { ...source, cure: (value) => (typeof value === 'string' ? names : source.cure?.(value)) }
}

/** Classes by their numbers, from 0 on. */
function classesOf(name, numbers, width) {
  return { count: numbers.length, width, read: (row) => numbers[row], place: (row) => `${name}[${row}]` }
}

/** The same as rows of zeros with a 1 in the place of the class. */
function oneHot({ count, width, read, place }) {
  const row = new Float64Array(width)
  const rule = `a class from 0 to ${width - 1}`
  return {
    count,
    width,
    read(i) {
      const number = read(i)
      if (typeof number !== 'number') throw invalidType(rule, place(i), number, cureOf(number))
      if (!Number.isInteger(number) || number < 0 || number >= width) throw outOfRange(rule, place(i), number)
      row.fill(0)
      row[number] = 1
      return row
    },
    place
  }
}

/** How much each row counts, where somebody said it. */
function weightsOf({ examples, name = 'examples' }, sampleWeights, count) {
  const isWeighted = examples?.some((example) => example?.weight !== undefined)
  if (!isWeighted) {
    return sampleWeights === undefined ? undefined : listOf('options.sampleWeights', sampleWeights, count)
  }
  if (sampleWeights !== undefined) throw weighedTwice(sampleWeights)
  const weights = examples.map(({ weight = 1 }) => weight)
  return {
    ...listOf(name, weights, count),
    place: (_, row) => (row === undefined ? name : `${name}[${row}].weight`)
  }
}

function matrixOf(name, rows, width) {
  if (!Array.isArray(rows)) return flatOf(name, rows, width)
  const single = `write each row as an array of ${plural(width, 'number')}, a single one as [row]`
  // Before the rows are counted: it is what was meant.
  if (typeof rows[0] === 'number') throw invalidType(VECTOR, `${name}[0]`, rows[0], single)
  return {
    count: rows.length,
    width,
    read: (row) => rows[row],
    cure: (value) => (typeof value === 'number' ? single : undefined),
    place: (row, column) => `${name}[${row}]${column === undefined ? '' : `[${column}]`}`
  }
}

function flatOf(name, array, width) {
  if (!isNumbers(array)) throw invalidType(MATRIX, name, array, cureOfVector(array))
  const length = lengthOf(array)
  if (length % width !== 0) throw invalidLength(`a multiple of ${plural(width, 'number')}`, name, length)
  return {
    count: length / width,
    width,
    numbers: plainView(array),
    place: (row, column) =>
      column === undefined
        ? `${name} (row ${row})`
        : `${name}[${row * width + column}] (row ${row}, column ${column})`
  }
}

function columnOf(name, examples, key, width) {
  return {
    count: examples.length,
    width,
    read(row) {
      const example = examples[row]
      if (typeof example === 'object' && example !== null && !isList(example)) return example[key]
      throw invalidType('an object with `input` and `output`', `${name}[${row}]`, example)
    },
    place: (row, column) => `${name}[${row}].${key}${column === undefined ? '' : `[${column}]`}`
  }
}

/** A number for each of so many rows: itself a single row. */
function listOf(name, vector, rows) {
  return {
    count: 1,
    width: rows,
    read: () => vector,
    place: (_, row) => (row === undefined ? name : `${name}[${row}]`)
  }
}

/** Copies a source into a part of a data set. */
function append(data, part, source, scratch) {
  if (source.numbers === undefined) appendRows(data, part, source, scratch)
  else if (isSharedArrayBuffer(source.numbers.buffer)) appendShared(data, part, source, scratch)
  else appendChunk(data, part, source, source.numbers)
}

/** Memory that other threads can change is read here, once. */
function appendShared(data, part, source, scratch) {
  const { numbers } = source
  for (let start = 0; start < numbers.length; start += scratch.length) {
    const count = Math.min(scratch.length, numbers.length - start)
    scratch.set(numbers.subarray(start, start + count))
    appendChunk(data, part, source, scratch.subarray(0, count))
  }
}

function appendRows(data, part, source, scratch) {
  const { count, width } = source
  /** How many numbers the scratch holds. */
  let held = 0
  for (let row = 0; row < count; row++) {
    const vector = source.read(row)
    checkVector(source, row, vector)
    for (let column = 0; column < width; ) {
      const end = Math.min(width, column + scratch.length - held)
      copy(source, row, vector, column, end, scratch, held)
      held += end - column
      column = end
      if (held < scratch.length) continue
      appendChunk(data, part, source, scratch)
      held = 0
    }
  }
  if (held > 0) appendChunk(data, part, source, scratch.subarray(0, held))
}

/** Copies the columns from `start` to `end` of a row into the scratch. */
function copy(source, row, vector, start, end, scratch, held) {
  if (Array.isArray(vector)) copyArray(source, row, vector, start, end, scratch, held)
  else if (end - start === source.width) scratch.set(vector, held)
  else scratch.set(plainView(vector).subarray(start, end), held)
}

function copyArray(source, row, array, start, end, scratch, held) {
  const shift = held - start
  for (let column = start; column < end; column++) {
    const x = array[column]
    if (typeof x !== 'number') throw notNumber(source.place(row, column), x)
    scratch[shift + column] = x
  }
}

/** Hands numbers over, and refuses what is not finite. */
function appendChunk(data, part, source, chunk) {
  const { count, width } = source
  const place = host.appendData(data, part, chunk, count * width)
  if (place >= 0) throw notFinite(source, Math.floor(place / width), place % width)
}

function checkVector({ cure, place, width }, row, vector) {
  const isArray = Array.isArray(vector)
  if (!isArray && !isNumbers(vector))
    throw invalidType(VECTOR, place(row), vector, cure?.(vector) ?? cureOfVector(vector))
  const length = isArray ? vector.length : lengthOf(vector)
  if (length !== width) throw invalidLength(plural(width, 'number'), place(row), length)
}

function notNumber(name, value) {
  const isMissing = value === null || value === undefined
  return invalidType('a finite number', name, value, isMissing ? MISSING : cureOf(value))
}

function notFinite(source, row, column) {
  const { numbers, place, read, width } = source
  const value = numbers === undefined ? read(row)[column] : numbers[row * width + column]
  return Number.isFinite(value)
    ? outOfRange(SINGLE, place(row, column), value)
    : outOfRange('a finite number', place(row, column), value, MISSING)
}

/**
 * Rows as one flat typed array: floats of 32 or 64 bits as they are, all others copied into one of 64.
 * @returns {Float64Array | Float32Array}
 */
function flatRows(name, rows, width) {
  const source = matrixOf(name, rows, width)
  const { count, numbers } = source
  // A copy where other threads can change the memory; it is cheap beside the prediction.
  if (numbers !== undefined) return isSharedArrayBuffer(numbers.buffer) ? numbers.slice() : numbers
  const flat = allocate(Float64Array, name, count * width)
  for (let row = 0; row < count; row++) {
    const vector = source.read(row)
    checkVector(source, row, vector)
    copy(source, row, vector, 0, width, flat, row * width)
  }
  return flat
}

/** The error for what the addon's check of all data found. */
function refusal({ part, row, column, expected, received }, targets, weights, cure) {
  if (part === SAMPLE_WEIGHTS) {
    return outOfRangeSaid(expected, weights.place(0, row < 0 ? undefined : row), received)
  }
  return outOfRangeSaid(expected, targets.place(row, column < 0 ? undefined : column), received, cure)
}

module.exports = { createDataSet, flatRows, readArguments }
