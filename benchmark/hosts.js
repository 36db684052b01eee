'use strict'

// WebAssembly beside the addon on one thread: calls of small networks, and steps of training in single precision.
//
//   npm run build:web                        first
//   npm run bench -- hosts                   a minute
//   npm run bench -- hosts --rounds=1        fewer rounds
//
// Times are medians over the rounds, in which the hosts take turns, each in a process of its own; a ratio is the median of
// those of one round each.

const {
  digits,
  machine,
  median,
  printTable,
  ratio,
  readFlags,
  runApart,
  takeTurns,
  times
} = require('./common.js')

const STEPS = [
  [[2, 2, 2], 4],
  [[4, 16, 3], 16],
  [[20, 64, 3], 32],
  [[64, 32, 10], 32],
  [[784, 128, 10], 32],
  [[784, 512, 512, 10], 128]
]
/** How long a figure is measured, in milliseconds, in how many stretches. */
const [STRETCH, STRETCHES] = [40, 5]

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '5' } }).rounds)
  const figures = takeTurns(rounds, ['addon', 'wasm'], (host) =>
    runApart(__filename, ['measure'], { env: { MIKIR_HOST: host } })
  )
  const of = (host, name) => figures[host].map((round) => round[name])
  const rows = Object.keys(figures.addon[0]).map((name) => [
    name,
    ...['addon', 'wasm'].map((host) => digits(median(of(host, name)))),
    times(ratio(of('wasm', name), of('addon', name)))
  ])
  console.log(`Microseconds, medians of ${rounds} runs. ${machine()}.\n`)
  printTable(['', 'addon', 'WebAssembly', 'takes as long'], rows, 1)
}

function measure() {
  const { NeuralNetwork } = require('..')
  const figures = {}
  const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
  const [inputs, targets] = [[0.1, 0.2], [0.3]]
  figures['predict, 2-2-1'] = timeOf(() => network.predict(inputs), 1000)
  figures['train, 2-2-1'] = timeOf(() => network.train(inputs, targets), 1000)
  const large = new NeuralNetwork({ layers: [784, 128, 10], seed: 1 })
  const picture = Array.from({ length: 784 }, (_, i) => Math.sin(i))
  figures['predict, 784-128-10'] = timeOf(() => large.predict(picture), 10)
  for (const [layers, batchSize] of STEPS) {
    const count = 20 * batchSize
    const learner = new NeuralNetwork({ layers, precision: 'f32', loss: 'crossEntropy', seed: 1 })
    const rows = Float32Array.from({ length: count * layers[0] }, (_, i) => Math.sin(i))
    const classes = Array.from({ length: count }, (_, i) => i % layers.at(-1))
    const epochs = Math.max(1, Math.round(2000 / learner.parameterCount))
    const options = { epochs, batchSize, threads: 1, learningRate: 0.001 }
    const us = timeOf(() => learner.fitSync(rows, classes, options), 1)
    figures[`step of fit, ${layers.join('-')}, batch ${batchSize}`] = us / (20 * epochs)
  }
  console.log(JSON.stringify(figures))
}

/** The microseconds of a call, of so many in a row. */
function timeOf(call, count) {
  const took = []
  for (let i = 0; i <= STRETCHES; i++) {
    const start = performance.now()
    let calls = 0
    do {
      for (let k = 0; k < count; k++) call()
      calls += count
    } while (performance.now() - start < STRETCH)
    took.push(((performance.now() - start) / calls) * 1000)
  }
  // The first stretch is for the engine's compiler.
  return median(took.slice(1))
}

if (process.argv[2] === 'measure') measure()
else main()
