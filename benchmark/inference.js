'use strict'

// What predictions cost (784-128-10, ReLU, softmax, single precision), one row at a time and 10,000 at once, against
// ONNX Runtime, TensorFlow.js and brain.js.
//
//   npm run bench -- inference               two minutes, once the peers are there
//   npm run bench -- inference --rounds=1    fewer rounds
//
// All rivals get the same weights, and must give the same outputs before they are timed. Numbers go in as a
// Float32Array and are numbers again when the clock stops: a tensor is made of them, where a rival wants one. Rows take
// turns. Times are medians over the rounds, in which the rivals take turns, each in a process of its own; a ratio is
// the median of those of one round each.
//
// brain.js has no softmax and only one activation for all layers. It computes in ReLU, with so much added to the last
// biases that nothing is cut off, which softmax does not notice; that is taken of its outputs.
//
// The peers are installed into .peers/ by the first run, with npm.

const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const {
  digits,
  examples,
  machine,
  median,
  microseconds,
  printTable,
  ratio,
  readFlags,
  runApart,
  takeTurns,
  times
} = require('./common.js')
const { install, load, namesWith, versions } = require('./peers/npm.js')
const { loadTfjs } = require('./peers/with_tfjs.js')
const { inputMajor } = require('./step.js')

const LAYERS = [784, 128, 10]
const OPTIONS = { layers: LAYERS, loss: 'crossEntropy', precision: 'f32', seed: 1 }
const [INPUTS, HIDDEN, OUTPUTS] = LAYERS
/** How many rows take turns where there is one at a time, and how many there are at once. */
const ROWS = 8
const BATCH = 10_000
const TOLERANCE = 1e-4
/** What is added to the last biases in brain.js. */
const ADDED = 20
/** A measurement is the median of so many stretches of at least so many milliseconds. */
const ROW_STRETCHES = [50, 9]
const BATCH_STRETCHES = [200, 5]

// Each makes, from the weights and the path of the ONNX model, a function that predicts from rows, which `prepare` may
// turn into what it takes.
const ROW_RIVALS = {
  mikir: { create: mikirRow },
  'mikir, from a plain array': { create: mikirRow, prepare: Array.from },
  'ONNX Runtime, 1 thread': { peer: 'onnxruntime-node', create: onnxWith({ intraOpNumThreads: 1 }) },
  'ONNX Runtime, as it comes': { peer: 'onnxruntime-node', create: onnxWith({}) },
  'TensorFlow.js, wasm': { peer: 'TensorFlow.js', create: tfjsOn('wasm') },
  'TensorFlow.js, cpu': { peer: 'TensorFlow.js', create: tfjsOn('cpu') },
  'brain.js': { peer: 'brain.js', create: brain }
}
const BATCH_RIVALS = {
  mikir: { create: mikirBatch },
  'ONNX Runtime, 1 thread': { peer: 'onnxruntime-node', create: onnxWith({ intraOpNumThreads: 1 }) },
  'ONNX Runtime, 2 threads': { peer: 'onnxruntime-node', create: onnxWith({ intraOpNumThreads: 2 }) },
  'TensorFlow.js, wasm': { peer: 'TensorFlow.js', create: tfjsOn('wasm') }
}
const KINDS = {
  row: { rivals: ROW_RIVALS, rows: ROWS, width: 1, stretches: ROW_STRETCHES },
  batch: { rivals: BATCH_RIVALS, rows: BATCH, width: BATCH, stretches: BATCH_STRETCHES }
}

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '5' } }).rounds)
  const peers = install(['onnxruntime-node', 'TensorFlow.js', 'brain.js'])
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-inference-'))
  try {
    writeTask(folder)
    const measureAll = (kind) =>
      takeTurns(rounds, namesWith(peers, KINDS[kind].rivals), (name) =>
        runApart(__filename, [kind, name, folder])
      )
    const [row, batch] = [measureAll('row'), measureAll('batch')]
    console.log(`${[machine(), ...versions(peers)].join(', ')}\n`)
    printRow(row, rounds)
    printBatch(batch, rounds)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The weights, the same as an ONNX model, and what comes out of the rows. */
function writeTask(folder) {
  const { NeuralNetwork } = require('..')
  const { onnxModel } = require('./peers/onnx.js')
  const network = new NeuralNetwork(OPTIONS)
  const { inputs, targets } = examples(BATCH, INPUTS, OUTPUTS)
  // Trained a little, as new biases are all 0 and would hide a rival that lacks them.
  network.fitSync(inputs, targets, { epochs: 1 })
  const layers = network.getWeights()
  const outputs = Array.from(network.predictBatch(inputs))
  writeFileSync(path.join(folder, 'task.json'), JSON.stringify({ layers, outputs }))
  writeFileSync(path.join(folder, 'model.onnx'), onnxModel(layers))
}

function printRow(us, rounds) {
  const rows = Object.keys(us).map((name) => [
    name,
    digits(median(us[name])),
    times(ratio(us[name], us.mikir))
  ])
  console.log(`One row, microseconds a prediction, medians of ${rounds} runs.
Target: at most a third of what ONNX Runtime takes.\n`)
  printTable(['rival', 'µs', 'mikir is faster by'], rows, 1)
}

function printBatch(us, rounds) {
  const rows = Object.keys(us).map((name) => [
    name,
    digits(median(us[name]) / 1000),
    digits(BATCH / median(us[name])),
    times(ratio(us[name], us.mikir))
  ])
  console.log(`\n${BATCH.toLocaleString('en')} rows at once, milliseconds, medians of ${rounds} runs.
mikir uses every core. Target: at most what ONNX Runtime takes.\n`)
  printTable(['rival', 'ms', 'million rows a second', 'mikir is faster by'], rows, 1)
}

/** Microseconds a prediction of a rival, which is checked first. */
async function measure(kind, name, folder) {
  const { rivals, rows, width, stretches } = KINDS[kind]
  const { create, prepare = (numbers) => numbers } = rivals[name]
  const { layers, outputs } = JSON.parse(readFileSync(path.join(folder, 'task.json'), 'utf8'))
  const { inputs } = examples(BATCH, INPUTS, OUTPUTS)
  const predict = await create(layers, path.join(folder, 'model.onnx'))
  const taken = Array.from({ length: rows / width }, (_, i) =>
    prepare(inputs.slice(i * width * INPUTS, (i + 1) * width * INPUTS))
  )
  for (const [i, numbers] of taken.entries()) {
    check(await predict(numbers), outputs.slice(i * width * OUTPUTS, (i + 1) * width * OUTPUTS))
  }

  const run = (turns) => {
    for (let i = 0; i < turns; i++) predict(taken[i % taken.length])
  }
  const runWaiting = async (turns) => {
    for (let i = 0; i < turns; i++) await predict(taken[i % taken.length])
  }
  // To wait for what is there already would take time of its own.
  const answer = predict(taken[0])
  const isPromise = answer instanceof Promise
  await answer
  return microseconds(isPromise ? runWaiting : run, ...stretches)
}

function check(found, expected) {
  for (const [i, y] of expected.entries()) {
    // What is missing or not a number fails too.
    if (Math.abs(found[i] - y) < TOLERANCE) continue
    throw new Error(`It predicts ${found[i]} where mikir predicts ${y}`)
  }
}

function mikirNetwork(layers) {
  const { NeuralNetwork } = require('..')
  const network = new NeuralNetwork(OPTIONS)
  network.setWeights(layers)
  return network
}

function mikirRow(layers) {
  const network = mikirNetwork(layers)
  return (row) => network.predict(row)
}

function mikirBatch(layers) {
  const network = mikirNetwork(layers)
  return (rows) => network.predictBatch(rows)
}

function onnxWith(options) {
  return async (_, model) => {
    const { InferenceSession, Tensor } = load('onnxruntime-node')
    const session = await InferenceSession.create(model, options)
    return async (numbers) => {
      const x = new Tensor('float32', numbers, [numbers.length / INPUTS, INPUTS])
      return (await session.run({ x })).y.data
    }
  }
}

function tfjsOn(backend) {
  return async (layers) => {
    const tf = await loadTfjs(backend)
    const { dense } = tf.layers
    const hidden = dense({ units: HIDDEN, activation: 'relu', inputShape: [INPUTS] })
    const output = dense({ units: OUTPUTS, activation: 'softmax' })
    const model = tf.sequential({ layers: [hidden, output] })
    model.setWeights(
      layers.flatMap(({ weights, biases }) => [
        tf.tensor2d(inputMajor(weights), [weights[0].length, weights.length]),
        tf.tensor1d(biases)
      ])
    )
    return (numbers) => {
      const rows = numbers.length / INPUTS
      // Without this size it would take 32 rows at a time.
      return tf.tidy(() =>
        model.predict(tf.tensor2d(numbers, [rows, INPUTS]), { batchSize: rows }).dataSync()
      )
    }
  }
}

function brain(layers) {
  const { NeuralNetwork } = load('brain.js')
  const sizes = { inputSize: INPUTS, hiddenLayers: [HIDDEN], outputSize: OUTPUTS }
  const network = new NeuralNetwork({ ...sizes, activation: 'relu' })
  network.initialize()
  for (const [i, { weights, biases }] of layers.entries()) {
    const added = i === layers.length - 1 ? ADDED : 0
    network.biases[i + 1] = Float32Array.from(biases, (bias) => bias + added)
    network.weights[i + 1] = weights.map((row) => Float32Array.from(row))
  }
  return (row) => {
    const powers = network.run(row).map((sum) => Math.exp(sum - ADDED))
    const total = powers.reduce((a, b) => a + b)
    return powers.map((power) => power / total)
  }
}

const [kind, name, folder] = process.argv.slice(2)
if (require.main === module) measure(kind, name, folder).then((us) => console.log(JSON.stringify(us)))
else main()
