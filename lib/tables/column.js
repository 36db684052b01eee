'use strict'

// A column of a table: its cells, what kind they are of, and what is known of them.

const { corruptFile, describe, invalidType } = require('../errors.js')

/** The code of a word that is missing; a number that is missing is NaN. */
const MISSING = 0xffffffff

/** What a user can say that a column is. */
const KINDS = ['number', 'category', 'boolean', 'date', 'constant', 'identifier']

/** From so many rows on, words that are (nearly) all different name their rows. */
const LEAST_IDENTIFIED = 20
const NEARLY_ALL = 0.95
/** What columns are called that number their rows. */
const IDENTIFIER = /^(?:id|index|row|row_?id|row_?names?|uuid|guid|unnamed: ?0)$/i

const FLAGS = ['false', 'true']
/** The ways to write true and false in capitals and small letters. */
const MOST_FLAGS = 2 ** 4 + 2 ** 5

/** How many of the commonest values are told. */
const COMMONEST = 5

/** ISO 8601: a day, and a time of it with or without seconds and zone. */
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/

class Column {
  name
  kind
  /** The numbers, or the milliseconds of dates, NaN where one is missing; or else `codes` and `words`. */
  numbers
  /** The place of each cell's word among the words. */
  codes
  words
  #facts

  constructor(name, kind, { numbers, codes, words }) {
    this.name = name
    this.kind = kind
    this.numbers = numbers
    this.codes = codes
    this.words = words
  }

  get length() {
    return (this.numbers ?? this.codes).length
  }

  isMissing(row) {
    return this.numbers === undefined ? this.codes[row] === MISSING : Number.isNaN(this.numbers[row])
  }

  /** A cell as a user writes it; null where it is missing. */
  value(row) {
    if (this.isMissing(row)) return null
    if (this.numbers !== undefined)
      return this.kind === 'date' ? new Date(this.numbers[row]) : this.numbers[row]
    const word = this.words[this.codes[row]]
    return this.words === FLAGS ? word === 'true' : word
  }

  /** A cell as a text: what it is called as a label. */
  label(row) {
    if (this.isMissing(row)) return undefined
    if (this.numbers === undefined) return this.words[this.codes[row]]
    return this.kind === 'date' ? new Date(this.numbers[row]).toISOString() : String(this.numbers[row])
  }

  /** The same column with these rows of it. */
  select(rows) {
    const { numbers, codes, words } = this
    const of = (values) => values && Array.prototype.map.call(rows, (row) => values[row])
    return new Column(this.name, this.kind, {
      numbers: numbers && Float64Array.from(of(numbers)),
      codes: codes && Uint32Array.from(of(codes)),
      words
    })
  }

  /** How often there is each value, the commonest first; of equally common ones the first. */
  counts() {
    if (this.codes !== undefined) {
      const counts = this.#wordCounts().map((count, place) => [this.words[place], count])
      return counts.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1])
    }
    const counts = new Map()
    for (const x of this.numbers) if (!Number.isNaN(x)) counts.set(x, (counts.get(x) ?? 0) + 1)
    const name = (x) => (this.kind === 'date' ? new Date(x).toISOString() : String(x))
    return Array.from(counts, ([x, count]) => [name(x), count]).sort((a, b) => b[1] - a[1])
  }

  /** In how many cells there is each word. */
  #wordCounts() {
    const counts = Array(this.words.length).fill(0)
    for (const code of this.codes) if (code !== MISSING) counts[code]++
    return counts
  }

  /** The numbers that are there, by size. */
  sorted() {
    return this.numbers.filter((x) => !Number.isNaN(x)).sort()
  }

  /** What people are told of it. */
  facts() {
    this.#facts ??= this.#look()
    return this.#facts
  }

  #look() {
    const { kind, length, name } = this
    if (this.codes !== undefined) {
      const counts = this.counts()
      const present = counts.reduce((sum, [, count]) => sum + count, 0)
      const commonest = counts.slice(0, COMMONEST)
      return Object.freeze({ name, kind, missing: length - present, distinct: counts.length, commonest })
    }
    const numbers = this.sorted()
    let [distinct, mean] = [0, 0]
    for (const [i, x] of numbers.entries()) {
      if (i === 0 || x !== numbers[i - 1]) distinct++
      mean += x / numbers.length
    }
    const range = numbers.length > 0 && { minimum: numbers[0], maximum: numbers.at(-1), mean }
    return Object.freeze({ name, kind, missing: length - numbers.length, distinct, ...range })
  }

  /** Whether all cells are the same, or none is there. */
  get isConstant() {
    const cells = this.numbers ?? this.codes
    return cells.every((cell) => Object.is(cell, cells[0]))
  }
}

/**
 * A column of what was read, its kind found where the user does not say it.
 * @param {string} source - what the cells come from, for errors
 * @param {{ name: string, numbers?: Float64Array, codes?: Uint32Array, words?: string[] }} read
 * @param {string | undefined} kind
 */
function columnOf(source, read, kind) {
  const { name } = read
  if (kind === 'number' && read.numbers === undefined) throw noNumber(source, name, read.words)
  if (kind === 'date') return new Column(name, kind, { numbers: read.numbers ?? datesOf(source, read, true) })
  if (read.words !== undefined && (kind === undefined || kind === 'boolean')) {
    const flags = flagsOf(read)
    if (flags !== undefined) {
      const column = new Column(name, 'boolean', flags)
      return kind === undefined && column.isConstant ? new Column(name, 'constant', flags) : column
    }
    if (kind === 'boolean') {
      throw corruptFile(`true or false in column '${name}'`, source, describe(read.words[0] ?? ''))
    }
    const dates = datesOf(source, read, false)
    if (dates !== undefined) return new Column(name, 'date', { numbers: dates })
  }
  const plain = new Column(name, kind ?? (read.numbers === undefined ? 'category' : 'number'), read)
  return kind === undefined ? new Column(name, kindOf(plain), read) : plain
}

function noNumber(source, name, words) {
  const word = words.find((word) => Number.isNaN(Number(word)))
  return corruptFile(`numbers in column '${name}'`, source, describe(word ?? words[0]))
}

/** Words that say true or false, as such. */
function flagsOf({ codes, words }) {
  if (words.length === 0 || words.length > MOST_FLAGS) return undefined
  const lower = words.map((word) => word.toLowerCase())
  if (!lower.every((word) => word === 'true' || word === 'false')) return undefined
  const code = lower.map((word) => FLAGS.indexOf(word))
  return { codes: codes.map((place) => (place === MISSING ? MISSING : code[place])), words: FLAGS }
}

/** Words that are all dates, as milliseconds. */
function datesOf(source, { name, codes, words }, isWanted) {
  const times = []
  for (const word of words) {
    const time = DATE.test(word) || isWanted ? timeOf(word) : Number.NaN
    if (Number.isNaN(time)) {
      if (isWanted) {
        throw corruptFile(`dates such as 2026-01-31 in column '${name}'`, source, describe(word))
      }
      return undefined
    }
    times.push(time)
  }
  if (times.length === 0) return undefined
  return Float64Array.from(codes, (place) => (place === MISSING ? Number.NaN : times[place]))
}

/** The milliseconds of a date; without a zone those of UTC, so that it is the same everywhere. */
function timeOf(word) {
  const iso = word.replace(' ', 'T')
  return Date.parse(/T.*(?:Z|[+-]\d\d:?\d\d)$/.test(iso) || !iso.includes('T') ? iso : `${iso}Z`)
}

function kindOf(column) {
  if (column.isConstant) return 'constant'
  const mayIdentify = column.words !== undefined || IDENTIFIER.test(column.name)
  if (column.length >= LEAST_IDENTIFIED && mayIdentify) {
    const { distinct, missing } = column.facts()
    const share = column.words === undefined ? 1 : NEARLY_ALL
    if (missing === 0 && distinct >= share * column.length) return 'identifier'
  }
  return column.kind
}

/** Rows by their labels in a column, each in the given order; all together where there is no column. */
function groupsOf(order, column) {
  const groups = new Map()
  for (const row of order) {
    const label = column?.label(row)
    if (!groups.has(label)) groups.set(label, [])
    groups.get(label).push(row)
  }
  return Array.from(groups.values())
}

/** The kinds that a user says of columns. */
function checkKinds(kinds) {
  for (const [name, kind] of Object.entries(kinds)) {
    if (!KINDS.includes(kind)) {
      const rule = `one of ${KINDS.map((known) => `'${known}'`).join(', ')}`
      throw invalidType(rule, `options.kinds.${name}`, kind)
    }
  }
  return kinds
}

module.exports = { Column, MISSING, checkKinds, columnOf, groupsOf, timeOf }
