'use strict'

// Which starting weights and biases learn best with every other option left at its default.
//
//   npm run bench -- starts                     a few minutes
//   npm run bench -- starts --tables=FOLDER     with every CSV file of a folder
//   npm run bench -- starts --activation=tanh --depth=2 --only=iris,cubes --seeds=1
//
// Networks of --depth hidden layers of --units neurons learn for 100 epochs by adam; errors are those of rows held out,
// medians over the seeds: log loss of classes, of numbers the mean squared error by their variance (1 - R2). Words are
// one-hot (the 30 most frequent of a column), gaps are filled by the median, numbers have mean 0 and variance 1, targets
// too. Statistics come from the rows that are learned from.
//
// A CSV file has a header and its target in its last column. Where a column `split` comes after it, only rows with `train`
// are used: choosing by the others would leave nothing to judge the choice by. scikit-learn's sets go to .peers/.

const { existsSync, readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { NeuralNetwork } = require('..')
const { median, printTable, readFlags, runProgram } = require('./common.js')

const PEERS = path.join(__dirname, 'peers')
const SETS = path.join(__dirname, '..', '.peers', 'sets', 'csv')
const MOST_WORDS = 30

/** Weights and biases of hidden layers, then of the output: "he 0 glorot 0"; `default` leaves the choice to mikir. */
const NAMES = {
  he: 'heUniform',
  glorot: 'glorotUniform',
  lecun: 'lecunUniform',
  fanIn: 'fanInUniform',
  0: 'zeros'
}
const CANDIDATES = [
  'default',
  'he 0 glorot 0',
  'glorot 0 glorot 0',
  'lecun 0 glorot 0',
  'he fanIn glorot 0',
  'glorot fanIn glorot 0',
  'glorot glorot glorot 0',
  'fanIn fanIn glorot 0',
  'he fanIn fanIn fanIn',
  'glorot glorot fanIn fanIn',
  'lecun lecun fanIn fanIn',
  'fanIn 0 fanIn 0',
  'fanIn fanIn fanIn 0',
  'fanIn fanIn fanIn fanIn',
  'fanIn lecun fanIn fanIn',
  'fanIn he fanIn fanIn'
]

function main() {
  const flags = readFlags({
    activation: { type: 'string', default: 'relu' },
    candidates: { type: 'string', default: CANDIDATES.join() },
    depth: { type: 'string', default: '1' },
    only: { type: 'string' },
    rows: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '5' },
    tables: { type: 'string' },
    units: { type: 'string', default: '64' }
  })
  const names = flags.candidates.split(',')
  const sets = { ...functions(), ...tablesOf(fetchSets()), ...tablesOf(flags.tables) }
  const chosen = flags.only?.split(',') ?? Object.keys(sets)
  const layers = { activation: flags.activation, depth: Number(flags.depth), units: Number(flags.units) }

  console.log(
    `Errors of rows held out: ${flags.depth} x ${flags.units} ${flags.activation}, medians of ${flags.seeds} seeds.\n`
  )
  const results = chosen.map((set) => {
    const data = split(sets[set](), Number(flags.rows))
    return names.map((name) =>
      median(
        Array.from({ length: Number(flags.seeds) }, (_, seed) =>
          heldOutError(data, networkOf(data, layers, name, seed))
        )
      )
    )
  })
  printTable(
    ['set', ...names],
    [
      ...results.map((errors, s) => [chosen[s], ...errors.map((error) => error.toPrecision(3))]),
      ['mean of log2(error / best), at most 2', ...meansOf(results.map(regretsOf))],
      ['mean rank', ...meansOf(results.map(ranksOf))]
    ],
    1
  )
}

function networkOf({ inputCount, outputCount, classes }, { activation, depth, units }, candidate, seed) {
  const [weights, biases, outputWeights, outputBiases] = candidate.split(' ').map((name) => NAMES[name])
  const layer = (options, initializer, biasInitializer) => ({ ...options, initializer, biasInitializer })
  return new NeuralNetwork({
    layers: [
      inputCount,
      ...Array.from({ length: depth }, () => layer({ units, activation }, weights, biases)),
      layer({ units: outputCount }, outputWeights, outputBiases)
    ],
    loss: classes ? 'crossEntropy' : 'mse',
    seed
  })
}

/** Log loss, or the mean squared error by the variance: what predicting the mean would give is 1. */
function heldOutError({ train, test, classes }, network) {
  network.fitSync(train.inputs, train.targets)
  const outputs = network.predictBatch(test.inputs)
  const errors = outputs.map((output, row) => {
    const target = test.targets[row]
    return classes ? -Math.log(Math.max(output[target.indexOf(1)], 1e-15)) : (output[0] - target[0]) ** 2
  })
  return mean(errors) / (classes ? 1 : varianceOf(test.targets.map(([target]) => target)))
}

const regretsOf = (errors) => errors.map((error) => Math.min(2, Math.log2(error / Math.min(...errors))))
const ranksOf = (errors) =>
  errors.map(
    (error) =>
      0.5 + mean(errors.map((other) => (other < error ? 1 : other === error ? 0.5 : 0))) * errors.length
  )
const meansOf = (rows) => rows[0].map((_, column) => mean(rows.map((row) => row[column])).toFixed(2))

function mean(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length
}

function varianceOf(numbers) {
  const middle = mean(numbers)
  return mean(numbers.map((x) => (x - middle) ** 2))
}

/** Uniform numbers from [0, 1), the same in every run (mulberry32). */
function randomNumbers(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Rows to learn from, `most` of them at most, and half as many to measure by, as networks want them. */
function split({ columns, target }, most) {
  const random = randomNumbers(1)
  const order = target.map((_, row) => row)
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  const count = Math.min(most, Math.floor((order.length * 2) / 3))
  const learned = order.slice(0, count)
  const heldOut = order.slice(count, count + Math.ceil(count / 2))
  const inputs = columns
    .map((column) => encoderOf(column, learned))
    .filter((encoder) => encoder !== undefined)
  const classes = target.some((cell) => typeof cell === 'string')
  const names = [...new Set(target)]
  const [outputs] = classes
    ? [(row) => names.map((name) => Number(target[row] === name))]
    : [encoderOf(target, learned)]
  const of = (rows) => ({
    inputs: rows.map((row) => inputs.flatMap((encode) => encode(row))),
    targets: rows.map(outputs)
  })
  const [train, test] = [of(learned), of(heldOut)]
  return { train, test, classes, inputCount: train.inputs[0].length, outputCount: train.targets[0].length }
}

/** What makes numbers of a row's cell, or undefined where all cells are equal. */
function encoderOf(column, learned) {
  const cells = learned.map((row) => column[row]).filter((cell) => cell !== '')
  if (new Set(cells).size < 2) return undefined
  if (cells.some((cell) => typeof cell === 'string')) {
    const counts = new Map()
    for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1)
    const words = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, MOST_WORDS)
    return (row) => words.map((word) => Number(column[row] === word))
  }
  const [middle, deviation, gap] = [mean(cells), Math.sqrt(varianceOf(cells)), median(cells)]
  return (row) => [((column[row] === '' ? gap : column[row]) - middle) / deviation]
}

/** The CSV files of a folder by name, each read when it is called for. */
function tablesOf(folder) {
  if (folder === undefined) return {}
  const files = readdirSync(folder).filter((file) => file.endsWith('.csv'))
  return Object.fromEntries(
    files.map((file) => [path.parse(file).name, () => readTable(path.join(folder, file))])
  )
}

function readTable(file) {
  const [header, ...all] = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/).map(cellsOf)
  const hasSplit = header.at(-1) === 'split'
  const rows = hasSplit ? all.filter((row) => row.at(-1) === 'train') : all
  const columns = header.map((_, c) => rows.map((row) => row[c])).slice(0, hasSplit ? -1 : undefined)
  // A column of numbers is one whose every cell is a number or empty.
  const typed = columns.map((column) =>
    column.every((cell) => Number.isFinite(Number(cell)))
      ? column.map((cell) => (cell === '' ? '' : Number(cell)))
      : column
  )
  return { columns: typed.slice(0, -1), target: typed.at(-1) }
}

/** The cells of a line; quotes around a cell may hide commas. */
function cellsOf(line) {
  return Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, hidden, plain]) =>
    hidden === undefined ? plain : hidden.replaceAll('""', '"')
  )
}

/** The folder of scikit-learn's sets. */
function fetchSets() {
  if (!existsSync(path.join(SETS, 'complete'))) {
    const python = process.platform === 'win32' ? 'python' : 'python3'
    const inside = runProgram(python, [path.join(PEERS, 'install.py'), 'sets']).trim()
    runProgram(inside, [path.join(PEERS, 'sets.py'), SETS])
  }
  return SETS
}

/** Functions of a few inputs, 1,500 rows each. */
function functions() {
  const draw =
    (inputs, f, radius = 1) =>
    () => {
      const random = randomNumbers(2)
      const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
      const rows = Array.from({ length: 1500 }, () =>
        Array.from({ length: inputs }, () => radius * (2 * random() - 1))
      )
      const target = rows.map((row) => f(row, { random, normal }))
      return { columns: Array.from({ length: inputs }, (_, c) => rows.map((row) => row[c])), target }
    }
  const side = (isOutside) => (isOutside ? 'outside' : 'inside')
  return {
    sine: draw(1, ([x]) => Math.sin(x), Math.PI),
    waves: draw(1, ([x]) => Math.sin(3 * x), Math.PI),
    cubes: draw(2, ([x, y]) => x ** 3 - y ** 3),
    product: draw(2, ([x, y]) => x * y),
    // Friedman, 1991: five of ten inputs matter.
    friedman: draw(10, (row, { normal }) => {
      const [a, b, c, d, e] = row.map((x) => (x + 1) / 2)
      return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + normal()
    }),
    // How far from a point the hand of an arm of eight joints is, as in the kin family of DELVE.
    arm: draw(8, (angles) => {
      let [angle, x, y] = [0, 0, 0]
      for (const turn of angles) {
        angle += (turn * Math.PI) / 2
        x += Math.cos(angle)
        y += Math.sin(angle)
      }
      return Math.hypot(x - 1, y - 1)
    }),
    circles: draw(2, ([x, y], { normal }) => side(Math.hypot(x, y) + 0.05 * normal() > 0.75)),
    chessboard: draw(2, ([x, y]) => side(Math.floor(2 * x) % 2 === Math.floor(2 * y) % 2)),
    spirals: spirals(3)
  }
}

/** Arms that wind once around the middle, which of them being the class. */
function spirals(arms) {
  return () => {
    const random = randomNumbers(3)
    const rows = Array.from({ length: 1500 }, (_, row) => {
      const radius = Math.sqrt(random())
      const angle = 2 * Math.PI * (radius + (row % arms) / arms) + 0.3 * (random() - 0.5)
      return [radius * Math.cos(angle), radius * Math.sin(angle), `arm ${row % arms}`]
    })
    const [x, y, target] = [0, 1, 2].map((c) => rows.map((row) => row[c]))
    return { columns: [x, y], target }
  }
}

main()
