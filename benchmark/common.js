'use strict'

// What several benchmarks need: flags, medians, a table, where it ran, a clock, rounds, processes apart, and rows to
// train on.

const { spawnSync } = require('node:child_process')
const os = require('node:os')
const { parseArgs } = require('node:util')

/** The flags of the command line, which are described as for `parseArgs`. */
function readFlags(options) {
  return parseArgs({ args: process.argv.slice(2), allowPositionals: true, options }).values
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** A number to three digits. */
function digits(x) {
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3)
}

/** How long an asynchronous body takes: the median of so many turns. */
async function milliseconds(body, turns) {
  const times = []
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now()
    await body()
    times.push(performance.now() - start)
  }
  return median(times)
}

/** How many times as much, of two rivals' figures of the same rounds. */
function ratio(above, below) {
  return median(above.map((figure, round) => figure / below[round]))
}

function times(x) {
  return `${x.toFixed(x < 10 ? 2 : 1)}x`
}

function plural(threads) {
  return threads === 1 ? '1 thread' : `${threads} threads`
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

/** What `measure(name)` gives for each name, a list with one for each round: within a round they take turns. */
function takeTurns(rounds, names, measure) {
  const figures = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) figures[name].push(measure(name))
  }
  return figures
}

/**
 * Microseconds a turn of `run(turns)`, which may return a promise: the median of `count` stretches of at least so many
 * milliseconds, once it is warm.
 */
async function microseconds(run, stretch, count) {
  const time = async (turns) => {
    const start = performance.now()
    await run(turns)
    return performance.now() - start
  }
  // How many turns fill a stretch; finding out warms the engine up.
  let turns = 1
  while ((await time(turns)) < stretch) turns *= 2
  const end = performance.now() + 5 * stretch
  while (performance.now() < end) await time(turns)

  const measured = []
  while (measured.length < count) measured.push(await time(turns))
  return (1000 * median(measured)) / turns
}

/** Half of the work must take about half of the time: else something is computed before or after the clock runs. */
async function checkProportion(run, turns) {
  const time = async (turns) => {
    const start = performance.now()
    await run(turns)
    return performance.now() - start
  }
  const half = turns - (turns >> 1)
  let share
  for (let tries = 0; tries < 5; tries++) {
    share = (((await time(half)) / (await time(turns))) * (turns / 2)) / half
    if (share >= 0.35 && share <= 0.65) return
  }
  throw new Error(`half of the work takes ${share.toFixed(2)} of the time: is all of it waited for?`)
}

/** What `file` prints as JSON when it is run with these arguments in a process of its own. */
function runApart(file, args, { env, flags = [] } = {}) {
  return JSON.parse(runProgram(process.execPath, [...flags, file, ...args.map(String)], env))
}

/** What npm prints when it works in a folder. */
function runNpm(folder, ...args) {
  // `--prefix`, because an npm that runs this script tells its children to work in its own folder.
  const options = { cwd: folder, shell: process.platform === 'win32' }
  return runProgram('npm', [...args, '--prefix', folder], {}, options)
}

/** What a program prints; `env` adds to the environment that it finds. */
function runProgram(program, args, env = {}, options = {}) {
  const child = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env }, ...options })
  if (child.error) throw child.error
  if (child.status !== 0) throw new Error(child.stderr || `it ended by ${child.signal}`)
  return child.stdout
}

/**
 * Rows of a classification, flat and in single precision: inputs from U[0, 1), one-hot targets, equal for equal
 * arguments. After the first thousand they repeat, as drawing gigabytes of numbers would take longer than most
 * measurements.
 */
function examples(rows, inputCount, outputCount) {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const drawn = Math.min(rows, 1000)
  const inputs = new Float32Array(rows * inputCount)
  const targets = new Float32Array(rows * outputCount)
  for (let i = 0; i < drawn * inputCount; i++) inputs[i] = random()
  for (let row = 0; row < drawn; row++) targets[row * outputCount + Math.floor(random() * outputCount)] = 1
  repeat(inputs, drawn * inputCount)
  repeat(targets, drawn * outputCount)
  return { inputs, targets }
}

/** Fills an array with repetitions of its first `count` numbers. */
function repeat(array, count) {
  for (let filled = count; filled < array.length; filled *= 2) array.copyWithin(filled, 0, filled)
}

module.exports = {
  checkProportion,
  digits,
  examples,
  machine,
  median,
  milliseconds,
  microseconds,
  plural,
  printTable,
  ratio,
  readFlags,
  runApart,
  runNpm,
  runProgram,
  takeTurns,
  times
}
