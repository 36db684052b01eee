'use strict'

// What each fast way buys: the same work with it and without it, by the switches of MIKIR_WITHOUT (src/nn/pass/plan.rs).
// Single precision, but for calls, which are in double precision as `new NeuralNetwork(2, 2, 1)` is.
//
//   npm run bench -- passes                            four minutes
//   npm run bench -- passes --rounds=1 --only=tiny     fewer rounds, and only ways with this in their names
//
// With and without take turns, each in a process of its own; a ratio is the median of those of one round each.

const { digits, examples, machine, median, microseconds, printTable, ratio, readFlags, runProgram, times } =
  require('./common.js')
const { microsecondsOfEpoch } = require('./step.js')

const SGD = { optimizer: 'sgd' }

/** What is turned off, and the work that shows it. `also` is off on both sides. */
const CASES = [
  { off: 'tiny', layers: [2, 2, 1], call: 'predict' },
  { off: 'tiny', layers: [2, 2, 1], call: 'train' },
  { off: 'tiny', layers: [2, 2, 1], batchSize: 1, fit: SGD },
  { off: 'tiny', layers: [2, 2, 2], batchSize: 4, fit: SGD },
  { off: 'narrow', also: 'tiny', layers: [2, 2, 2], batchSize: 4, fit: SGD },
  { off: 'narrow', layers: [4, 8, 3], batchSize: 32, fit: {} },
  { off: 'narrow', layers: [4, 16, 3], batchSize: 16, fit: SGD },
  { off: 'narrow', layers: [4, 16, 3], batchSize: 32, fit: {} },
  { off: 'oneRow', layers: [64, 32, 10], batchSize: 1, fit: SGD },
  { off: 'oneRow', layers: [784, 128, 10], batchSize: 1, fit: SGD },
  { off: 'oneRow', layers: [784, 128, 10], batchSize: 1, fit: {} },
  { off: 'blocks', simd: 'avx2', layers: [784, 512, 512, 10], batchSize: 128, fit: { ...SGD, threads: 1 } },
  { off: 'blocks', simd: 'avx2', layers: [1024, 2048, 2048, 10], batchSize: 256, fit: { ...SGD, threads: 1 } }
]

async function main() {
  const { only, rounds } = readFlags({
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' }
  })
  const rows = CASES.filter(({ off }) => off.includes(only)).map((work) => compare(work, Number(rounds)))
  console.log(`Microseconds a step or call, medians of ${rounds} runs. ${machine()}\n`)
  printTable(['way', 'work', 'with it', 'without', 'it is faster by'], rows, 2)
}

function compare(work, rounds) {
  const figures = { with: [], without: [] }
  for (let round = 0; round < rounds; round++) {
    figures.with.push(measureApart(work, work.also ?? ''))
    figures.without.push(measureApart(work, [work.also, work.off].filter(Boolean).join()))
  }
  const shown = [figures.with, figures.without].map((all) => digits(median(all)))
  return [work.off, nameOf(work), ...shown, times(ratio(figures.without, figures.with))]
}

function nameOf({ also, batchSize, call, fit, layers, simd }) {
  const how =
    call ?? `batch ${batchSize}, ${fit.optimizer ?? 'adam'}${fit.threads === 2 ? ', 2 threads' : ''}`
  const given = [also && `without ${also}`, simd].filter(Boolean).map((text) => `, ${text}`)
  return `${layers.join('-')}, ${how}${given.join('')}`
}

function measureApart(work, off) {
  const env = { MIKIR_WITHOUT: off, ...(work.simd && { MIKIR_SIMD: work.simd }) }
  return Number(runProgram(process.execPath, [__filename, JSON.stringify(work)], env))
}

async function measure({ batchSize, call, fit, layers }) {
  const { NeuralNetwork } = require('..')
  if (call !== undefined) {
    const network = new NeuralNetwork(...layers)
    const rows = [0, 1, 2, 3].map((row) => [row & 1, row >> 1])
    const turn = { predict: (row) => network.predict(row), train: (row) => network.train(row, [1]) }[call]
    return microseconds(
      (turns) => {
        for (let i = 0; i < turns; i++) turn(rows[i & 3])
      },
      50,
      9
    )
  }
  const batches = Math.max(16, Math.ceil(256 / batchSize))
  const { inputs, targets } = examples(batches * batchSize, layers[0], layers.at(-1))
  const loss = layers.at(-1) > 1 ? 'crossEntropy' : 'mse'
  const network = new NeuralNetwork({ layers, loss, precision: 'f32', seed: 1 })
  const options = { threads: 1, learningRate: 1e-4, batchSize, shuffle: false, ...fit }
  return (
    microsecondsOfEpoch((epochs) => network.fitSync(inputs, targets, { ...options, epochs }), 0.4) / batches
  )
}

const [work] = process.argv.slice(2)
if (require.main === module) measure(JSON.parse(work)).then(console.log)
else main()
