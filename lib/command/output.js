'use strict'

// What commands write.

/** A result, in words or as JSON. */
function print(text, json, { json: asJSON = false } = {}) {
  process.stdout.write(asJSON ? `${JSON.stringify(json)}\n` : `${text}\n`)
}

/** What people want to know meanwhile. */
function tell(text, { quiet = false } = {}) {
  if (!quiet) process.stderr.write(`${text}\n`)
}

const BARS = '▁▂▃▄▅▆▇█'

/** Numbers as a line of bars, at most so many; the logarithms of what is above 0. */
function sparkline(numbers, width = 40) {
  const step = Math.max(1, numbers.length / width)
  const some = Array.from(
    { length: Math.min(width, numbers.length) },
    (_, i) => numbers[Math.floor(i * step)]
  )
  const heights = some.every((x) => x > 0) ? some.map(Math.log) : some
  const [least, most] = [Math.min(...heights), Math.max(...heights)]
  const place = (x) => (most > least ? Math.round(((x - least) / (most - least)) * (BARS.length - 1)) : 0)
  return heights.map((x) => BARS[place(x)]).join('')
}

/** A cell of CSV. */
function cell(value) {
  const text = value === undefined || value === null ? '' : String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Waits until what was written is on its way, so that memory stays as it is. */
async function write(stream, text) {
  if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve))
}

module.exports = { cell, print, sparkline, tell, write }
