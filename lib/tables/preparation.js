'use strict'

// From the cells of a table to the inputs of a network, as it was learnt from rows of training.
//
// A number becomes its distance from the mean in standard deviations, softly held within 5, and its place between quantiles
// of the training rows: of each interval between two, how much of it is below the number, minus 1/2 ("piecewise linear
// encoding", Gorishniy, Rubachev & Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning"). A word
// becomes an input for each word that is not rare, and one for all others. Two words that are all there are become one
// input, -1 or 1. Of a date there are its time, month, weekday and hour. What is missing is the median and is said by an
// input of its own, if it was missing in training too; or no word at all.

const { corruptFile, describe, invalidType } = require('../errors.js')
const { MISSING } = require('./column.js')

/** So many intervals have about equally many rows each. */
const INTERVALS = 20
/** Numbers are held within this: see `encodeNumber`. */
const FARTHEST = 1e150
/** Words in fewer rows are rare: at most these, and at least 2, or a hundredth of the rows. */
const RARE = 10
/** The most words of a column that have an input of their own. */
const MOST_WORDS = 100

/** The parts of a date, as numbers; the time in days. */
const PARTS = {
  time: (ms) => ms / 86_400_000,
  month: (ms) => new Date(ms).getUTCMonth() + 1,
  weekday: (ms) => new Date(ms).getUTCDay(),
  hour: (ms) => new Date(ms).getUTCHours()
}

/**
 * What `columns` teach: how each becomes inputs. Those that say nothing are left out.
 * @param {Column[]} columns
 */
function featuresOf(columns) {
  return columns.flatMap((column) => {
    switch (column.kind) {
      case 'constant':
      case 'identifier':
        return []
      case 'number':
        return numberOf(column, column.numbers)
      case 'date':
        return Object.keys(PARTS).flatMap((part) => {
          const numbers = column.numbers.map((ms) => (Number.isNaN(ms) ? ms : PARTS[part](ms)))
          return numberOf(column, numbers).map((feature) => ({ ...feature, part }))
        })
      default:
        return wordOf(column)
    }
  })
}

function numberOf({ name, length }, numbers) {
  const sorted = numbers
    .filter((x) => !Number.isNaN(x))
    .map((x) => Math.max(-FARTHEST, Math.min(FARTHEST, x)))
    .sort()
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (sorted.length === 0) return []
  const hasGaps = sorted.length < length
  if (first === last && !hasGaps) return []
  const quantile = (share) => {
    const place = share * (sorted.length - 1)
    const low = Math.floor(place)
    const next = sorted[Math.min(low + 1, sorted.length - 1)]
    return sorted[low] + (place - low) * (next - sorted[low])
  }
  // Divided first: sums of large numbers overflow.
  const mean = sorted.reduce((sum, x) => sum + x / sorted.length, 0)
  const size = Math.max(last - mean, mean - first)
  const deviation =
    size * Math.sqrt(sorted.reduce((sum, x) => sum + ((x - mean) / size) ** 2 / sorted.length, 0))
  const bins = []
  for (let k = 0; k <= INTERVALS; k++) {
    const edge = quantile(k / INTERVALS)
    // What is divided by less than that may be infinite.
    if (bins.length === 0 || edge - bins.at(-1) > 1e-300) bins.push(edge)
  }
  return [
    {
      column: name,
      kind: 'number',
      median: quantile(0.5),
      mean,
      scale: deviation > 1e-300 ? 1 / deviation : 0,
      hasGaps,
      bins: bins.length > 2 ? bins : []
    }
  ]
}

function wordOf(column) {
  const rare = Math.min(RARE, Math.max(2, Math.ceil(column.length / 100)))
  const counts = column.counts()
  const words = counts
    .filter(([, count]) => count >= rare)
    .slice(0, MOST_WORDS)
    .map(([word]) => word)
  const hasOther = words.length < counts.length
  const isSilent = words.length === 0 || (words.length === 1 && !hasOther && !column.codes.includes(MISSING))
  return isSilent ? [] : [{ column: column.name, kind: 'word', words, hasOther }]
}

/** How many inputs a feature makes. */
function widthOf({ kind, bins, hasGaps, words, hasOther }) {
  if (kind === 'number') return 1 + (hasGaps ? 1 : 0) + Math.max(0, bins.length - 1)
  return words.length === 2 && !hasOther ? 1 : words.length + (hasOther ? 1 : 0)
}

// The next three are in the modules that models are exported as, as their own text: they know nothing of this file.

/** Writes a number, or NaN where it is missing, as inputs from `at` on. */
function encodeNumber({ median, mean, scale, hasGaps, bins }, x, inputs, at) {
  // Beyond that differences overflow.
  const number = Number.isNaN(x) ? median : Math.max(-1e150, Math.min(1e150, x))
  const z = Math.max(-1e6, Math.min(1e6, (number - mean) * scale))
  inputs[at++] = z / Math.sqrt(1 + (z / 5) ** 2)
  if (hasGaps) inputs[at++] = Number.isNaN(x) ? 1 : 0
  for (let k = 1; k < bins.length; k++) {
    const share = (number - bins[k - 1]) / (bins[k] - bins[k - 1])
    inputs[at++] = Math.max(0, Math.min(1, share)) - 0.5
  }
}

/** Writes the place of a word among those of a feature, or -1 for another, or undefined where it is missing. */
function encodeWord({ words, hasOther }, place, inputs, at) {
  if (words.length === 2 && !hasOther) {
    inputs[at] = place === 0 ? -1 : place === 1 ? 1 : 0
    return
  }
  const count = words.length + (hasOther ? 1 : 0)
  for (let k = 0; k < count; k++) inputs[at + k] = 0
  if (place >= 0) inputs[at + place] = 1
  else if (place === -1 && hasOther) inputs[at + words.length] = 1
}

/** The place of a word among those of a feature, -1 for another, undefined where it is missing; true and false in any case. */
function placeOf({ words }, word) {
  if (word === undefined) return undefined
  const areFlags = words.every((word) => word === 'true' || word === 'false')
  return words.indexOf(areFlags ? word.toLowerCase() : word)
}

/** The inputs of all rows of a table, `[rows][width]`. */
function encode(features, columns, rowCount, Numbers, source) {
  const width = features.reduce((sum, feature) => sum + widthOf(feature), 0)
  const inputs = new Numbers(rowCount * width)
  let start = 0
  for (const feature of features) {
    const column = columns.find(({ name }) => name === feature.column)
    if (column === undefined) throw missingColumn(feature.column, columns, source)
    const write =
      feature.kind === 'number' ? numberWriter(feature, column, source) : wordWriter(feature, column)
    for (let row = 0, at = start; row < rowCount; row++, at += width) write(row, inputs, at)
    start += widthOf(feature)
  }
  return inputs
}

function missingColumn(name, columns, source) {
  const names = columns.slice(0, 20).map(({ name }) => `'${name}'`)
  return invalidType(
    `the column '${name}', which the model has learnt from,`,
    source,
    undefined,
    `there are ${names.join(', ')}`
  )
}

function numberWriter(feature, column, source) {
  const { numbers } = column
  if (numbers === undefined && !column.codes.every((code) => code === MISSING)) {
    const used = new Set(column.codes)
    const isWrong = (word, code) =>
      used.has(code) && (feature.part !== undefined || Number.isNaN(Number(word)))
    const what = feature.part === undefined ? 'numbers' : 'dates'
    throw corruptFile(
      `${what} in column '${column.name}', as in training,`,
      source,
      describe(column.words.find(isWrong))
    )
  }
  const of = PARTS[feature.part] ?? ((x) => x)
  return (row, inputs, at) =>
    encodeNumber(feature, numbers === undefined ? Number.NaN : of(numbers[row]), inputs, at)
}

function wordWriter(feature, column) {
  if (column.codes === undefined) {
    return (row, inputs, at) => encodeWord(feature, placeOf(feature, column.label(row)), inputs, at)
  }
  const places = column.words.map((word) => placeOf(feature, word))
  return (row, inputs, at) => encodeWord(feature, places[column.codes[row]], inputs, at)
}

module.exports = { PARTS, encode, encodeNumber, encodeWord, featuresOf, placeOf, widthOf }
