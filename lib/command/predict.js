'use strict'

const { createReadStream } = require('node:fs')
const { Classifier, Model, Table, load } = require('../../index.js')
const { kindsOfModel } = require('../tables/model.js')
const { UsageError } = require('./arguments.js')
const { cell, write } = require('./output.js')

/** About so many bytes of rows are answered at a time. */
const CHUNK = 1 << 18

/** The most bytes of one row. */
const LONGEST = 1 << 24

module.exports = {
  usage: 'mikir predict MODEL [DATA.csv|-]',
  arguments: [1, 2],
  options: { format: { type: 'string' }, probabilities: { type: 'boolean' } },
  help: `Answers for rows, one a line, in their order, as they come: CSV with a line of names, or one JSON object (for a network an
array of numbers) a line. Without a file, or with -, it reads stdin.

  --format csv|ndjson  what the rows are; default: JSON where the first character is { or [
  --probabilities      of each label (Classifier)
  --json               answers as JSON, one a line; default: CSV with a line of names

Examples:
  mikir predict iris.json new.csv
  cat rows.ndjson | mikir predict iris.json --json
`,
  async run([file, data = '-'], values) {
    const model = await load(file)
    const { format } = values
    if (format !== undefined && !['csv', 'ndjson'].includes(format)) {
      throw new UsageError(`--format is csv or ndjson, not '${format}'`)
    }
    if (values.probabilities && !(model instanceof Classifier)) {
      throw new UsageError(`--probabilities is for a Classifier, which '${file}' is not`)
    }
    const answer = model instanceof Model ? answersOf(model, values) : answersOfNetwork(model)
    const source = data === '-' ? process.stdin : createReadStream(data)
    let isFirst = true
    try {
      for await (const rows of chunksOf(source, format, model)) {
        const answers = await answer(rows)
        let text = ''
        for (const given of answers) {
          if (values.json) text += `${JSON.stringify(given)}\n`
          else {
            if (isFirst) text += `${Object.keys(given).map(cell).join(',')}\n`
            text += `${Object.values(given).map(cell).join(',')}\n`
          }
          isFirst = false
        }
        await write(process.stdout, text)
      }
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'EISDIR' || error.code === 'EACCES') {
        throw new UsageError(`'${data}' cannot be read: ${error.message}`)
      }
      throw error
    }
  }
}

/** Answers as objects, by the names of what is predicted. */
function answersOf(model, { probabilities }) {
  const [target, ...others] = model.toJSON().target.columns
  return async (rows) => {
    const answers = await (probabilities ? model.probabilities(rows) : model.predict(rows))
    return others.length > 0 || probabilities ? answers : answers.map((given) => ({ [target]: given }))
  }
}

function answersOfNetwork(network) {
  const named = (outputs) => Object.fromEntries(outputs.map((x, k) => [`output${k + 1}`, x]))
  return (rows) =>
    network.predictBatch(rows instanceof Table ? Array.from(rows.rows(), Object.values) : rows).map(named)
}

/** Tables of the rows of CSV, or arrays of those of JSON, as they come. */
async function* chunksOf(source, format, model) {
  let [kind, head, left] = [format, undefined, []]
  const held = () => left.reduce((sum, part) => sum + part.length, 0)
  const scanner = new Scanner()
  for await (const chunk of source) {
    kind ??= firstOf(left, chunk)
    left.push(chunk)
    const end = scanner.lastEnd(chunk, kind === 'csv')
    if (held() > LONGEST && end < 0) throw new UsageError(`a row is longer than ${LONGEST} bytes`)
    if (end < 0 || held() < CHUNK) continue
    const bytes = Buffer.concat(left)
    const cut = bytes.length - chunk.length + end + 1
    left = [bytes.subarray(cut)]
    const read = rowsOf(kind, bytes.subarray(0, cut), head, model)
    head = read.head
    if (read.rows !== undefined) yield read.rows
  }
  const bytes = Buffer.concat(left)
  if (bytes.toString('utf8').trim() === '') return
  const { rows } = rowsOf(kind ?? 'csv', bytes, head, model)
  if (rows !== undefined) yield rows
}

/** What the rows are: what begins like JSON is. */
function firstOf(left, chunk) {
  const text = Buffer.concat([...left, chunk.subarray(0, 1024)])
    .toString('utf8')
    .trimStart()
  if (text === '') return undefined
  return text.startsWith('{') || text.startsWith('[') ? 'ndjson' : 'csv'
}

/** Finds where rows end: a line end between quotes is none. */
class Scanner {
  #isQuoted = false

  lastEnd(chunk, hasQuotes) {
    if (!hasQuotes) return chunk.lastIndexOf(10)
    let last = -1
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === 34) this.#isQuoted = !this.#isQuoted
      else if (chunk[i] === 10 && !this.#isQuoted) last = i
    }
    return last
  }
}

function rowsOf(kind, bytes, head, model) {
  if (kind === 'ndjson') {
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
    return { rows: lines.length > 0 ? lines.map(parse) : undefined }
  }
  // The line of names stands before every part.
  const end = bytes.indexOf(10)
  const names = head ?? bytes.subarray(0, end < 0 ? bytes.length : end + 1)
  const text = head === undefined ? bytes : Buffer.concat([names, bytes])
  if (text.subarray(names.length).toString('utf8').trim() === '') return { head: names }
  const kinds = model instanceof Model ? kindsOfModel(model) : {}
  return { head: names, rows: Table.fromCSV(text, { kinds }) }
}

function parse(line) {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new UsageError(`a line is no JSON: ${error.message}`)
  }
}
