'use strict'

// What every benchmark needs: medians, a table, and where it ran.

const os = require('node:os')

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** A number to three digits. */
function digits(x) {
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3)
}

/** Prints a Markdown table; columns after the first `left` are aligned to the right. */
function printTable(header, rows, left) {
  const line = (cells) => console.log(`| ${cells.join(' | ')} |`)
  line(header)
  line(header.map((_, column) => (column < left ? '---' : '---:')))
  rows.forEach(line)
}

/** Processor, system and Node.js, as the numbers mean nothing without them. */
function machine() {
  const cpus = os.cpus()
  return `${cpus[0].model.trim()}, ${cpus.length} cores, ${os.type()} ${os.arch()}, Node.js ${process.version}`
}

module.exports = { digits, machine, median, printTable }
