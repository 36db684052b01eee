'use strict'

// A model as the text of a JavaScript module that needs nothing: preparation, networks, and answers.

const network = require('../module.js')
const { timeOf } = require('./column.js')
const { PARTS, encodeNumber, encodeWord, placeOf, widthOf } = require('./preparation.js')
const { MISSING_WORDS } = require('./table.js')

/** How a cell of a row becomes a number, or NaN where it is missing; and a word, or undefined. */
const CELLS = `function isMissing(value) {
  return value === undefined || value === null || Number.isNaN(value) || (typeof value === 'string' && missing.includes(value.trim()))
}

function numberOf(value, { column, part }) {
  if (isMissing(value)) return NaN
  const time = part !== undefined && typeof value === 'string'
  const number = value instanceof Date ? value.getTime() : time ? timeOf(value.trim()) : Number(value)
  if (!Number.isFinite(number)) throw new TypeError(\`Expected a number for row.\${column} but received \${value}\`)
  return part === undefined ? number : parts[part](number)
}

function wordOf(value) {
  return isMissing(value) ? undefined : value instanceof Date ? value.toISOString() : String(value).trim()
}`

const OUTPUTS = `/** The mean of the networks' outputs. */
function outputsOf(row) {
  const inputs = new Array(width)
  let at = 0
  for (const feature of features) {
    const { column, kind } = feature
    if (!(column in row)) throw new TypeError(\`Expected the column '\${column}' for row but received undefined\`)
    if (kind === 'number') encodeNumber(feature, numberOf(row[column], feature), inputs, at)
    else encodeWord(feature, placeOf(feature, wordOf(row[column])), inputs, at)
    at += feature.width
  }
  const sums = new Array(units).fill(0)
  for (const network of networks) network(inputs).forEach((x, k) => { sums[k] += x / networks.length })
  return sums
}`

/** What is made of the outputs, by the kind of target. */
const ANSWERS = {
  classes: `/** How probable each label is for a row, an object by the names of the columns. */
EXPORTfunction probabilities(row) {
  const outputs = outputsOf(row)
  return Object.fromEntries(target.labels.map((label, k) => [label, outputs[k]]))
}

/** The most probable label. */
EXPORTfunction predict(row) {
  const outputs = outputsOf(row)
  return target.labels[outputs.indexOf(Math.max(...outputs))]
}`,
  labels: `/** How probable each yes is for a row, an object by the names of the columns. */
EXPORTfunction probabilities(row) {
  const outputs = outputsOf(row)
  return Object.fromEntries(target.columns.map((name, k) => [name, outputs[k]]))
}

/** The more probable label of each target. */
EXPORTfunction predict(row) {
  const outputs = outputsOf(row)
  return Object.fromEntries(target.columns.map((name, k) => [name, target.pairs[k][outputs[k] >= 0.5 ? 1 : 0]]))
}`,
  numbers: `/** The prediction for a row, an object by the names of the columns. */
EXPORTfunction predict(row) {
  const numbers = outputsOf(row).map((x, k) => target.means[k] + target.deviations[k] * x)
  return numbers.length === 1 ? numbers[0] : Object.fromEntries(target.columns.map((name, k) => [name, numbers[k]]))
}`
}

function moduleOf({ features, goal, networks, kind }, format) {
  const target = goal.toJSON()
  const isESM = format === 'esm'
  const names = target.kind === 'numbers' ? 'predict' : 'predict, probabilities'
  const widths = features.map((feature) => ({ ...feature, width: widthOf(feature) }))
  const width = widths.reduce((sum, { width }) => sum + width, 0)
  const closed = networks.map(
    (each) => `(() => {\n${network.moduleOf(each.toJSON(), 'part')}return predict\n})()`
  )
  const parts = Object.entries(PARTS).map(([name, of]) => `  ${name}: ${of}`)
  const lines = (list) => list.map((item) => `  ${JSON.stringify(item)}`).join(',\n')
  return `${[
    `// A ${kind.toLowerCase()} of ${target.columns.join(', ')}, written by mikir.`,
    ...(isESM ? [] : ["'use strict'"]),
    `const target = ${JSON.stringify(target)}\nconst units = ${goal.units}\nconst width = ${width}`,
    `/** How each column becomes inputs. */\nconst features = [\n${lines(widths)}\n]`,
    `/** What is written where a cell is missing. */\nconst missing = ${JSON.stringify(['', ...MISSING_WORDS])}`,
    `const parts = {\n${parts.join(',\n')}\n}`,
    declared('timeOf', timeOf),
    CELLS,
    declared('encodeNumber', encodeNumber),
    declared('encodeWord', encodeWord),
    declared('placeOf', placeOf),
    `const networks = [\n${closed.join(',\n')}\n]`,
    OUTPUTS,
    ANSWERS[target.kind].replaceAll('EXPORT', isESM ? 'export ' : ''),
    ...(isESM ? [] : [`module.exports = { ${names} }`])
  ].join('\n\n')}\n`
}

/** A function under this name: a minifier may have given it another. */
const declared = (name, body) => `const ${name} = ${body}`

module.exports = { moduleOf }
