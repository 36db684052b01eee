'use strict'

// What `evaluate` of a Classifier or a Regressor tells: measures, and how people read them.

const host = require('../host.js')
const { measuresOf } = require('../replies.js')

/** Probabilities are held so far from 0, as in scikit-learn. */
const LEAST = 2 ** -52

class Report {
  constructor(fields, text) {
    Object.assign(this, fields)
    Object.defineProperty(this, 'text', { value: text, enumerable: false })
  }

  toString() {
    return this.text(this)
  }
}

/**
 * Of one answer out of several labels.
 * @param {string[]} labels
 * @param {Float64Array} outputs - `[rows][labels]`
 * @param {Float64Array} targets - one-hot
 */
function ofClasses(labels, outputs, targets) {
  const units = labels.length
  const rows = outputs.length / units
  const { loss, ...measures } = measuresOf(host.measure('crossEntropy', outputs, targets, units))
  let logLoss = 0
  for (let row = 0; row < rows; row++) {
    const right = outputs[targets.indexOf(1, row * units)]
    logLoss -= Math.log(Math.min(1 - LEAST, Math.max(LEAST, right))) / rows
  }
  return new Report({ labels, rows, loss: logLoss, logLoss, ...measures }, classText)
}

/** Of several questions, each answered by yes or no. */
function ofLabels(names, outputs, targets) {
  const { loss, ...measures } = measuresOf(host.measure('binaryCrossEntropy', outputs, targets, names.length))
  let logLoss = 0
  for (const [i, p] of outputs.entries()) {
    const right = targets[i] === 1 ? p : 1 - p
    logLoss -= Math.log(Math.min(1 - LEAST, Math.max(LEAST, right))) / outputs.length
  }
  const rows = outputs.length / names.length
  return new Report({ labels: names, rows, loss: logLoss, logLoss, ...measures }, lineText)
}

/** Of numbers. */
function ofNumbers(outputs, targets, units) {
  const { loss, ...measures } = measuresOf(host.measure('mse', outputs, targets, units))
  return new Report({ rows: outputs.length / units, loss: measures.mse, ...measures }, lineText)
}

const digits = (x) => (x === undefined ? '' : Math.abs(x) < 1e5 ? x.toFixed(4) : x.toPrecision(6))

const NAMES = {
  accuracy: 'accuracy',
  precision: 'precision',
  recall: 'recall',
  f1: 'F1',
  rocAuc: 'ROC AUC',
  logLoss: 'log loss',
  r2: 'R2',
  mae: 'mean absolute error',
  mse: 'mean squared error'
}

function lineText(report) {
  const parts = Object.keys(NAMES).filter((key) => report[key] !== undefined)
  const said = parts.map((key) => `${NAMES[key]} ${digits(report[key])}`)
  return `${said.join(', ')} (${report.rows} row${report.rows === 1 ? '' : 's'})`
}

/** About what `classification_report` of scikit-learn prints, and the confusion matrix. */
function classText(report) {
  const { confusionMatrix, labels } = report
  if (confusionMatrix === undefined) return lineText(report)
  const rows = labels.map((label, k) => {
    const actual = confusionMatrix[k].reduce((sum, count) => sum + count, 0)
    const predicted = confusionMatrix.reduce((sum, row) => sum + row[k], 0)
    const hits = confusionMatrix[k][k]
    const [precision, recall] = [hits / (predicted || 1), hits / (actual || 1)]
    const f1 = (2 * hits) / (actual + predicted || 1)
    return [label, digits(precision), digits(recall), digits(f1), String(actual)]
  })
  const table = layout([['', 'precision', 'recall', 'F1', 'rows'], ...rows])
  const matrix = layout([
    ['actual \\ predicted', ...labels],
    ...confusionMatrix.map((row, k) => [labels[k], ...row.map(String)])
  ])
  const { precision, recall, f1, ...rest } = report
  return `${table}\n\n${lineText(rest)}\n\n${matrix}`
}

/** Cells in columns: the first to the left, the others to the right. */
function layout(rows) {
  const cells = rows.map((row) => row.map((cell) => (cell.length > 24 ? `${cell.slice(0, 23)}…` : cell)))
  const widths = cells[0].map((_, k) => Math.max(...cells.map((row) => row[k].length)))
  const line = (row) =>
    row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join('  ')
  return cells.map((row) => line(row).trimEnd()).join('\n')
}

module.exports = { ofClasses, ofLabels, ofNumbers }
