'use strict'

// A network in words.

const { plural } = require('./check.js')

/** The layers of a model as a table for people. */
function summaryOf({ inputCount, layers, loss, parameterCount, precision }) {
  const head = ['layer', 'inputs', 'units', 'activation', 'extras', 'parameters']
  const rows = layers.map((layer, l) => [
    l === layers.length - 1 ? 'output' : `hidden ${l + 1}`,
    layer.inputs,
    layer.units,
    layer.activation,
    extrasOf(layer),
    layer.parameterCount.toLocaleString('en')
  ])
  return [
    `NeuralNetwork of ${plural(inputCount, 'input')}, loss ${loss}, precision ${precision}`,
    ...table([head, ...rows]),
    `${parameterCount.toLocaleString('en')} parameters`
  ].join('\n')
}

/** A network in one line. */
function lineOf({ inputCount, layers, parameterCount, precision }, seed) {
  const counts = [inputCount, ...layers.map((layer) => layer.units)].join('-')
  return `NeuralNetwork ${counts} (${plural(parameterCount, 'parameter')}, ${precision}, seed ${seed})`
}

function extrasOf({ dropout, normalization }) {
  const extras = []
  if (normalization !== undefined) extras.push(`${normalization} normalization`)
  if (dropout > 0) extras.push(`dropout ${dropout}`)
  return extras.join(', ')
}

/** Rows of cells as lines with aligned columns. */
function table(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => String(row[c]).length)))
  return rows.map((row) =>
    row
      .map((cell, c) => String(cell).padEnd(widths[c]))
      .join('  ')
      .trimEnd()
  )
}

module.exports = { lineOf, summaryOf }
