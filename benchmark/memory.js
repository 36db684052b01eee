'use strict'

// What a fit needs beside the data, and whether fits leave anything behind.
//
// Every case runs in a process of its own. Before a fit there are the library, a network and the user's data, with
// garbage collected; what the peak adds to that is to be mikir's one copy of the data, the weights, the state of the
// optimizer and little else. Further copies of the weights (published, best, gradients) count as left.

const { examples, machine, median, printTable, runApart } = require('./common.js')

const MB = 2 ** 20
const ROUNDS = 3

const LAYERS = [784, 128, 10]
const ROWS = 60_000
const EPOCHS = 3
const KINDS = { 'two Float32Arrays': examples, 'arrays of arrays': rowsOf }

/** After how many fits one looks. */
const LOOKS = [100, 1000, 10_000]
/** Without these, V8 takes megabytes of its own as it finds out what runs often: more than a small leak. */
const FLAGS = ['--expose-gc', '--no-opt', '--max-semi-space-size=1']
const NETWORKS = { 'a new network each': false, 'the same network': true }

const measurements = { peak, row }

function main() {
  console.log(`${machine()}\n`)
  printPeaks()
  printRows()
}

function printPeaks() {
  const table = Object.keys(KINDS).map((kind) => {
    const rounds = Array.from({ length: ROUNDS }, () =>
      runApart(__filename, ['peak', kind], { flags: ['--expose-gc'] })
    )
    return [
      kind,
      ...['before', 'peak', 'added', 'data', 'weights', 'left'].map((key) =>
        megabytes(median(rounds.map((round) => round[key])))
      )
    ]
  })
  console.log(`Resident memory of a fit of ${ROWS.toLocaleString('en')} x 784 in single precision (784-128-10, adam, batch 32,
validation 0.1, early stopping), MB, medians of ${ROUNDS} runs. Target: less than 32 MB left beside the data's copy, weights
and state of the optimizer.\n`)
  printTable(
    ['data', 'before', 'peak', 'added', 'copy of the data', 'weights and optimizer', 'left'],
    table,
    1
  )
}

function printRows() {
  const table = Object.keys(NETWORKS).map((network) => {
    const held = runApart(__filename, ['row', network], { flags: FLAGS })
    return [network, ...held.map(megabytes), Math.round((held[2] - held[1]) / (LOOKS[2] - LOOKS[1]))]
  })
  console.log(`\nResident memory after so many fits in a row (4-16-3, 150 rows, 5 epochs), MB, with garbage collected,
and what each of the last 9,000 left. Target: flat.\n`)
  const counts = LOOKS.map((fits) => `${fits.toLocaleString('en')} fits`)
  printTable(['network', ...counts, 'bytes a fit'], table, 1)
}

function megabytes(bytes) {
  return (bytes / MB).toFixed(1)
}

/** What a fit of these data needs. */
async function peak(kind) {
  const { NeuralNetwork } = require('..')
  const { inputs, targets } = KINDS[kind](ROWS, LAYERS[0], LAYERS.at(-1))
  const network = new NeuralNetwork({ layers: LAYERS, loss: 'crossEntropy', precision: 'f32', seed: 1 })
  await collect()
  const before = process.memoryUsage.rss()
  await network.fit(inputs, targets, {
    epochs: EPOCHS,
    batchSize: 32,
    optimizer: 'adam',
    validation: 0.1,
    earlyStopping: {}
  })
  // The system tells it in units of 1,024 bytes.
  const peak = process.resourceUsage().maxRSS * 1024
  const data = ROWS * (LAYERS[0] + LAYERS.at(-1)) * Float32Array.BYTES_PER_ELEMENT
  // Beside the weights, adam has two moments for each.
  const weights = 3 * network.parameterCount * Float32Array.BYTES_PER_ELEMENT
  const added = peak - before
  return { before, peak, added, data, weights, left: added - data - weights }
}

/** The same numbers as plain arrays of rows. */
function rowsOf(rows, inputCount, outputCount) {
  const { inputs, targets } = examples(rows, inputCount, outputCount)
  const nested = (flat, width) =>
    Array.from({ length: rows }, (_, row) => Array.from(flat.subarray(row * width, (row + 1) * width)))
  return { inputs: nested(inputs, inputCount), targets: nested(targets, outputCount) }
}

/** What is held after many fits in a row. */
async function row(name) {
  const { NeuralNetwork } = require('..')
  const { inputs, targets } = examples(150, 4, 3)
  const create = () => new NeuralNetwork({ layers: [4, 16, 3], loss: 'crossEntropy', precision: 'f32' })
  const same = NETWORKS[name] ? create() : undefined
  const held = []
  for (let fits = 1; fits <= LOOKS.at(-1); fits++) {
    await (same ?? create()).fit(inputs, targets, { epochs: 5 })
    if (!LOOKS.includes(fits)) continue
    await collect()
    held.push(process.memoryUsage.rss())
  }
  return held
}

/** Collects garbage, and lets what that finalizes do so: it takes turns of the loop. */
async function collect() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const [measurement, name] = process.argv.slice(2)
if (require.main === module && measurement !== undefined) {
  measurements[measurement](name).then((figures) => console.log(JSON.stringify(figures)))
} else {
  main()
}
