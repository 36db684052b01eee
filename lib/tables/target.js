'use strict'

// What a model predicts: from the cells of target columns to the targets of a network, and from its outputs to answers.

const { corruptFile, describe, invalidLength, invalidType } = require('../errors.js')
const { timeOf } = require('./column.js')

/** The most labels: an output each. */
const MOST_LABELS = 10_000
/** Words that say yes, where a column has two. */
const YES = /^(?:true|yes|y|t|1|on|positive)$/i

/** One answer out of several labels. */
class Classes {
  activation = 'softmax'
  loss = 'crossEntropy'

  constructor(column, labels) {
    this.columns = [column]
    this.labels = labels
  }

  get units() {
    return this.labels.length
  }

  /** One-hot. */
  encode([column], rows, Numbers) {
    const places = placesOf(this.labels)
    const targets = new Numbers(rows * this.units)
    for (let row = 0; row < rows; row++) targets[row * this.units + placeOf(places, column, row)] = 1
    return targets
  }

  answers(outputs) {
    return rowsOf(outputs, this.units).map((row) => this.labels[largest(row)])
  }

  probabilities(outputs) {
    return rowsOf(outputs, this.units).map((row) =>
      Object.fromEntries(this.labels.map((label, k) => [label, row[k]]))
    )
  }

  report(reports, outputs, targets) {
    return reports.ofClasses(this.labels, outputs, targets)
  }

  toJSON() {
    return { kind: 'classes', columns: this.columns, labels: this.labels }
  }

  words() {
    return wordsOf(this.columns, [this.labels])
  }
}

/** Several questions, each answered by one of two labels. */
class Labels {
  activation = 'sigmoid'
  loss = 'binaryCrossEntropy'

  constructor(columns, pairs) {
    this.columns = columns
    this.pairs = pairs
  }

  get labels() {
    return this.columns
  }

  get units() {
    return this.columns.length
  }

  encode(columns, rows, Numbers) {
    const targets = new Numbers(rows * this.units)
    for (const [k, column] of columns.entries()) {
      const places = placesOf(this.pairs[k])
      for (let row = 0; row < rows; row++) targets[row * this.units + k] = placeOf(places, column, row)
    }
    return targets
  }

  answers(outputs) {
    return rowsOf(outputs, this.units).map((row) =>
      Object.fromEntries(this.columns.map((name, k) => [name, this.pairs[k][row[k] >= 0.5 ? 1 : 0]]))
    )
  }

  probabilities(outputs) {
    return rowsOf(outputs, this.units).map((row) =>
      Object.fromEntries(this.columns.map((name, k) => [name, row[k]]))
    )
  }

  report(reports, outputs, targets) {
    return reports.ofLabels(this.columns, outputs, targets)
  }

  toJSON() {
    return { kind: 'labels', columns: this.columns, pairs: this.pairs }
  }

  words() {
    return wordsOf(this.columns, this.pairs)
  }
}

/** Numbers, of which the networks learn how many standard deviations they are from the mean. */
class Numbers {
  activation = 'linear'
  loss = 'mse'

  constructor(columns, means, deviations) {
    this.columns = columns
    this.means = means
    this.deviations = deviations
  }

  get units() {
    return this.columns.length
  }

  encode(columns, rows, Kind) {
    const targets = new Kind(rows * this.units)
    for (const [k, column] of columns.entries()) {
      const numbers = numbersIn(column)
      for (let row = 0; row < rows; row++) {
        targets[row * this.units + k] = (numbers[row] - this.means[k]) / this.deviations[k]
      }
    }
    return targets
  }

  /** Outputs in the units of the columns. */
  scaled(outputs) {
    return outputs.map((x, i) => this.means[i % this.units] + this.deviations[i % this.units] * x)
  }

  answers(outputs) {
    const rows = rowsOf(this.scaled(outputs), this.units)
    if (this.units === 1) return rows.map(([x]) => x)
    return rows.map((row) => Object.fromEntries(this.columns.map((name, k) => [name, row[k]])))
  }

  report(reports, outputs, targets) {
    return reports.ofNumbers(this.scaled(outputs), this.scaled(targets), this.units)
  }

  toJSON() {
    return { kind: 'numbers', columns: this.columns, means: this.means, deviations: this.deviations }
  }

  words() {
    return []
  }
}

/** What a Classifier learns of these columns. */
function classesOf(columns) {
  const labels = columns.map(labelsOf)
  for (const [k, { name }] of columns.entries()) {
    const [only] = labels[k]
    if (labels[k].length === 1) {
      throw invalidType(
        `at least 2 labels in column '${name}'`,
        'options.target',
        only,
        'there is nothing to tell apart'
      )
    }
    if (labels[k].length > MOST_LABELS)
      throw invalidLength(
        `at most ${MOST_LABELS} labels in column '${name}'`,
        'options.target',
        labels[k].length
      )
    if (columns.length > 1 && labels[k].length > 2) {
      throw invalidLength(
        `2 labels in column '${name}', one of several targets,`,
        'options.target',
        labels[k].length
      )
    }
  }
  if (columns.length === 1) return new Classes(columns[0].name, labels[0])
  const pairs = labels.map(([first, second]) =>
    YES.test(first) && !YES.test(second) ? [second, first] : [first, second]
  )
  return new Labels(
    columns.map(({ name }) => name),
    pairs
  )
}

/** Columns with their labels, where these are no numbers, nor dates, as their columns write them. */
function wordsOf(columns, labels) {
  const isWritten = (label) => String(Number(label)) === label || !Number.isNaN(timeOf(label))
  return columns.map((name, k) => [name, labels[k]]).filter(([, labels]) => !labels.every(isWritten))
}

/** The labels of a column in their order: numbers by size, words as a dictionary has them. */
function labelsOf(column) {
  const labels = column.counts().map(([label]) => label)
  const isOfNumbers = labels.every((label) => !Number.isNaN(Number(label)))
  return labels.sort(isOfNumbers ? (a, b) => a - b : (a, b) => (a < b ? -1 : 1))
}

/** What a Regressor learns of these columns. */
function numbersOf(columns) {
  const moments = columns.map((column) => {
    const numbers = numbersIn(column)
    const mean = numbers.reduce((sum, x) => sum + x / numbers.length, 0)
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2 / numbers.length, 0)
    if (!Number.isFinite(variance)) {
      throw invalidType(
        `numbers of which a variance can be taken in column '${column.name}'`,
        'options.target',
        Math.max(...numbers)
      )
    }
    return [mean, Math.sqrt(variance) || 1]
  })
  return new Numbers(
    columns.map(({ name }) => name),
    moments.map(([mean]) => mean),
    moments.map(([, deviation]) => deviation)
  )
}

function numbersIn(column) {
  if (column.numbers !== undefined) return column.numbers
  const cure = 'a Classifier predicts words'
  throw invalidType(`numbers in column '${column.name}'`, 'options.target', column.words[0], cure)
}

const placesOf = (labels) => new Map(labels.map((label, place) => [label, place]))

function placeOf(places, column, row) {
  const label = column.label(row)
  const place = places.get(label)
  if (place === undefined) {
    const known = Array.from(places.keys()).slice(0, 20)
    throw corruptFile(
      `one of ${known.map((label) => `'${label}'`).join(', ')} in column '${column.name}'`,
      'data',
      describe(label)
    )
  }
  return place
}

function rowsOf(numbers, width) {
  return Array.from({ length: numbers.length / width }, (_, row) =>
    numbers.subarray(row * width, (row + 1) * width)
  )
}

function largest(row) {
  let best = 0
  for (let k = 1; k < row.length; k++) if (row[k] > row[best]) best = k
  return best
}

const areTexts = (texts) =>
  Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string')
const areNumbers = (numbers) =>
  Array.isArray(numbers) && numbers.every((x) => typeof x === 'number' && Number.isFinite(x))

/** What `toJSON` of the target of a Classifier gave. */
function readClasses(json, name) {
  const { kind, columns, labels, pairs } = json ?? {}
  if (
    kind === 'classes' &&
    areTexts(columns) &&
    columns.length === 1 &&
    areTexts(labels) &&
    labels.length > 1
  ) {
    return new Classes(columns[0], labels)
  }
  const isPair = (pair) => areTexts(pair) && pair.length === 2
  if (
    kind === 'labels' &&
    areTexts(columns) &&
    Array.isArray(pairs) &&
    pairs.length === columns.length &&
    pairs.every(isPair)
  ) {
    return new Labels(columns, pairs)
  }
  throw corruptFile('the target of a classifier', name, describe(json))
}

/** The same of a Regressor. */
function readNumbers(json, name) {
  const { kind, columns, means, deviations } = json ?? {}
  const fits = kind === 'numbers' && areTexts(columns) && areNumbers(means) && areNumbers(deviations)
  if (
    fits &&
    means.length === columns.length &&
    deviations.length === columns.length &&
    !deviations.includes(0)
  ) {
    return new Numbers(columns, means, deviations)
  }
  throw corruptFile('the target of a regressor', name, describe(json))
}

module.exports = { classesOf, numbersOf, readClasses, readNumbers }
