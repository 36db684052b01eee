'use strict'

// Tables: what index.d.ts calls a Table. Its columns are typed arrays, which the addon fills from CSV.

const { TextEncoder, types } = require('node:util')
const { checkArguments, checkFinite, checkOptions, checkSeed } = require('../check.js')
const { invalidLength, invalidType, outOfRange, unknownOption } = require('../errors.js')
const { bytesOf, pathOf, task } = require('../files.js')
const host = require('../host.js')
const { uncloneable } = require('../uncloneable.js')
const { Column, checkKinds, columnOf, groupsOf, MISSING } = require('./column.js')

/** What is written where a cell is missing, beside nothing. */
const MISSING_WORDS = ['NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?']
const OPTIONS = ['kinds', 'separator', 'missing']

/** Uses of a seed that have nothing in common. */
const USES = { split: 1, folds: 2, ensemble: 3, importance: 4 }

/** How wide a value is printed at most. */
const WIDTH = 60

let columnsOf

class Table extends uncloneable(function* Table() {}) {
  #columns
  #rowCount

  static {
    columnsOf = (table) => table.#columns
  }

  /** Not for users: they have `readCSV`, `fromCSV` and `from`. */
  constructor(columns) {
    super()
    if (
      !Array.isArray(columns) ||
      columns.length === 0 ||
      !columns.every((column) => column instanceof Column)
    ) {
      throw invalidType(
        'columns that mikir has read',
        'new Table',
        columns,
        'call Table.readCSV(), Table.fromCSV() or Table.from()'
      )
    }
    this.#columns = columns
    this.#rowCount = columns[0]?.length ?? 0
  }

  static async readCSV(path, options = {}) {
    checkArguments('readCSV', arguments.length, 1, 2)
    const given = readOptions(options)
    return withNames(await readFile(path, given), given)
  }

  static fromCSV(text, options = {}) {
    checkArguments('fromCSV', arguments.length, 1, 2)
    const given = readOptions(options)
    if (typeof text !== 'string' && !types.isUint8Array(text))
      throw invalidType('a text or a Uint8Array', 'text', text)
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : bytesOf(text)
    return withNames(tableOf('the text', columnsRead(host.readTable(bytes, given.json)), given.kinds), given)
  }

  static async from(rows, options = {}) {
    checkArguments('from', arguments.length, 1, 2)
    const given = readOptions(options)
    return withNames(await collect(rows, given), given)
  }

  get rowCount() {
    return this.#rowCount
  }

  get columns() {
    return this.#columns.map((column) => column.facts())
  }

  split(options = {}) {
    checkArguments('split', arguments.length, 0, 1)
    const given = checkOptions('options', options, ['testSize', 'seed', 'stratify'])
    const { testSize = 0.25, seed = 0, stratify } = given
    const rule = 'a number in (0, 1)'
    if (typeof testSize !== 'number') throw invalidType(rule, 'options.testSize', testSize)
    if (!(testSize > 0 && testSize < 1)) throw outOfRange(rule, 'options.testSize', testSize)
    checkSeed('options.seed', seed)
    if (this.#rowCount < 2) throw invalidLength('at least 2 rows', 'split', this.#rowCount)
    const order = host.permutation(this.#rowCount, seed, USES.split)
    const part = stratify === undefined ? undefined : columnNamed(this, 'options.stratify', stratify)
    const isTested = part === undefined ? share(order, testSize) : stratified(order, part, testSize)
    const of = (tested) => this.#select(Array.from(this.#rows()).filter((row) => isTested[row] === tested))
    return [of(0), of(1)]
  }

  *rows() {
    checkArguments('rows', arguments.length, 0)
    for (const row of this.#rows()) {
      yield Object.fromEntries(this.#columns.map((column) => [column.name, column.value(row)]))
    }
  }

  toString() {
    const rows = this.columns.map(({ name, kind, missing, distinct, minimum, maximum, mean, commonest }) => [
      cut(name),
      kind,
      String(missing),
      String(distinct),
      commonest === undefined ? rangeOf(kind, minimum, maximum, mean) : wordsOf(commonest, distinct)
    ])
    const head = ['column', 'kind', 'missing', 'distinct', 'values']
    const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k].length)))
    const line = (cells) =>
      cells
        .map((cell, k) => (k === 2 || k === 3 ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
        .join('  ')
        .trimEnd()
    const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`
    const title = `${count(this.#rowCount, 'row')}, ${count(this.#columns.length, 'column')}`
    return [title, line(head), ...rows.map(line)].join('\n')
  }

  #rows() {
    return Array(this.#rowCount).keys()
  }

  #select(rows) {
    return new Table(this.#columns.map((column) => column.select(rows)))
  }
}

function readOptions(options) {
  const { kinds = {}, separator, missing = MISSING_WORDS } = checkOptions('options', options, OPTIONS)
  checkKinds(checkOptions('options.kinds', kinds))
  if (!Array.isArray(missing) || !missing.every((word) => typeof word === 'string')) {
    throw invalidType('an array of texts', 'options.missing', missing)
  }
  if (separator !== undefined && typeof separator !== 'string') {
    throw invalidType("one character, such as ';' or '\\t',", 'options.separator', separator)
  }
  const named = (is) => Object.keys(kinds).filter((name) => is(kinds[name]))
  const numbers = named((kind) => kind === 'number')
  const words = named((kind) => ['category', 'boolean', 'date', 'identifier'].includes(kind))
  return { kinds, missing, json: JSON.stringify({ separator, missing, numbers, words }) }
}

/** Columns as objects: each has `numbers`, or `codes` and `words`. */
function columnsRead([json, ...arrays]) {
  return JSON.parse(json).map(({ name, words }, i) =>
    words === undefined ? { name, numbers: arrays[i] } : { name, codes: arrays[i], words }
  )
}

async function readFile(path, { kinds, json }) {
  const file = pathOf(path)
  const read = await task((wake) => host.openTable(file, json, wake), host.takeTable)
  return tableOf(`'${file}'`, columnsRead(read), kinds)
}

async function collect(rows, { kinds, missing }) {
  const isIterable =
    typeof rows === 'object' && rows !== null && (Symbol.asyncIterator in rows || Symbol.iterator in rows)
  if (!isIterable) throw invalidType('an iterable of rows', 'rows', rows)
  const builder = new Builder('rows', missing)
  for await (const row of rows) builder.add(row)
  return builder.table(kinds)
}

/** A table of what was read, its columns of these kinds where one is said. */
function tableOf(source, read, kinds) {
  const kindOf = (name) => (Object.hasOwn(kinds, name) ? kinds[name] : undefined)
  return new Table(read.map((column) => columnOf(source, column, kindOf(column.name))))
}

/** The same table, if it has every column that a user says the kind of. */
function withNames(table, { kinds }) {
  for (const name of Object.keys(kinds)) columnNamed(table, 'options.kinds', name)
  return table
}

function columnNamed(table, option, name) {
  const columns = columnsOf(table)
  const found = columns.find((column) => column.name === name)
  if (found !== undefined) return found
  const names = columns.map((column) => column.name)
  throw unknownOption(names, option, name)
}

/** Rows on their way into columns. */
class Builder {
  #name
  #missing
  #cells = new Map()
  #count = 0

  constructor(name, missing) {
    this.#name = name
    this.#missing = new Set(missing)
  }

  add(row) {
    const name = `${this.#name}[${this.#count}]`
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw invalidType('an object of cells', name, row)
    let keys = Object.keys(row)
    if (keys.length === 0 && typeof row.toJSON === 'function') {
      row = row.toJSON()
      keys = Object.keys(row)
    }
    for (const key of keys) {
      const value = cellOf(row[key], this.#missing, () => `${name}.${key}`)
      if (!this.#cells.has(key)) this.#cells.set(key, [])
      const cells = this.#cells.get(key)
      while (cells.length < this.#count) cells.push(undefined)
      cells.push(value)
    }
    this.#count++
  }

  table(kinds) {
    if (this.#count === 0) throw invalidLength('at least 1 row', this.#name, 0)
    if (this.#cells.size === 0) throw invalidLength('at least 1 column', this.#name, 0)
    const read = Array.from(this.#cells, ([name, cells]) => {
      while (cells.length < this.#count) cells.push(undefined)
      const wantsWords = Object.hasOwn(kinds, name) && kinds[name] !== 'number' && kinds[name] !== 'constant'
      return { name, ...valuesOf(cells, wantsWords) }
    })
    return tableOf(this.#name, read, kinds)
  }
}

/** A cell as a number or a text; undefined where it is missing. */
function cellOf(value, missing, name) {
  switch (typeof value) {
    case 'number':
      return Number.isNaN(value) ? undefined : checkFinite(name(), value)
    case 'string': {
      const text = value.trim()
      return text === '' || missing.has(text) ? undefined : text
    }
    case 'boolean':
      return String(value)
    case 'bigint':
      return checkFinite(name(), Number(value))
    case 'undefined':
      return undefined
    default: {
      if (value === null) return undefined
      const time = timeOfDate(value)
      if (time === undefined)
        throw invalidType('a number, a text, a boolean, a Date or nothing', name(), value)
      if (Number.isNaN(time)) throw outOfRange('a valid Date', name(), 'Invalid Date')
      return new Date(time).toISOString()
    }
  }
}

/** The milliseconds of a Date of any realm. */
function timeOfDate(value) {
  try {
    return Date.prototype.getTime.call(value)
  } catch {
    return undefined
  }
}

/** Numbers, as text too; or else words. */
function valuesOf(cells, wantsWords) {
  const isNumber = (cell) => cell === undefined || typeof cell === 'number' || NUMBER.test(cell)
  if (!wantsWords && cells.every(isNumber)) {
    return { numbers: Float64Array.from(cells, (cell) => (cell === undefined ? Number.NaN : Number(cell))) }
  }
  const places = new Map()
  const codes = Uint32Array.from(cells, (cell) => {
    if (cell === undefined) return MISSING
    const word = String(cell)
    if (!places.has(word)) places.set(word, places.size)
    return places.get(word)
  })
  return { codes, words: Array.from(places.keys()) }
}

/** A number in decimals, as CSV has it. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** Which rows are tested: 1 for the first of an order. */
function share(order, size) {
  const tested = new Uint8Array(order.length)
  const count = Math.min(Math.max(Math.round(order.length * size), 1), order.length - 1)
  for (const row of order.subarray(0, count)) tested[row] = 1
  return tested
}

/** The same with about the same share of each value of a column. */
function stratified(order, column, size) {
  const tested = new Uint8Array(order.length)
  // What is rounded away in one group counts in the next.
  let [seen, taken] = [0, 0]
  for (const rows of groupsOf(order, column)) {
    seen += rows.length
    const count = Math.round(seen * size) - taken
    taken += count
    for (const row of rows.slice(0, count)) tested[row] = 1
  }
  if (taken === 0) tested[order[0]] = 1
  return tested
}

function rangeOf(kind, minimum, maximum, mean) {
  if (minimum === undefined) return 'all missing'
  if (kind === 'date') return `${day(minimum)} to ${day(maximum)}`
  return minimum === maximum ? String(minimum) : `${short(minimum)} to ${short(maximum)}, mean ${short(mean)}`
}

const day = (time) => new Date(time).toISOString().slice(0, 10)
const short = (x) => String(Number(x.toPrecision(4)))

function wordsOf(commonest, distinct) {
  if (commonest.length === 0) return 'all missing'
  const words = commonest.map(([word, count]) => `${cut(word, 20)} ${count}`)
  return cut(distinct > commonest.length ? `${words.join(', ')}, …` : words.join(', '), WIDTH)
}

function cut(text, width = 30) {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}

/** Whatever users call data, as a table; `kinds` are those that a model knows of columns, which need not be there. */
async function toTable(data, kinds = {}) {
  if (data instanceof Table) return data
  if (typeof data === 'string') return readFile(data, readOptions({ kinds }))
  if (typeof data === 'object' && data !== null) return collect(data, readOptions({ kinds }))
  throw invalidType('a Table, rows or the path of a CSV file', 'data', data)
}

/** Rows that are there, as a table. */
function tableOfRows(rows, name, kinds) {
  const builder = new Builder(name, MISSING_WORDS)
  for (const row of rows) builder.add(row)
  return builder.table(kinds)
}

const newTable = (columns) => new Table(columns)

module.exports = {
  MISSING_WORDS,
  Table,
  USES,
  columnNamed,
  columnsOf: (table) => columnsOf(table),
  newTable,
  tableOfRows,
  toTable
}
