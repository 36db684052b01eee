'use strict'

// A step of training, as several benchmarks measure it: the networks, the data and starting weights that all rivals share, and the
// time that mikir takes, with a task as JSON.

const { readFileSync, writeFileSync } = require('node:fs')
const { examples } = require('./common.js')

/** The networks that steps are measured on, from the smallest to the largest. */
const RUNGS = [
  { layers: [2, 2, 2], batchSize: 4 },
  { layers: [4, 16, 3], batchSize: 16 },
  { layers: [64, 32, 10], batchSize: 32 },
  { layers: [784, 128, 10], batchSize: 1 },
  { layers: [784, 128, 10], batchSize: 32, hasAdam: true },
  { layers: [784, 512, 512, 10], batchSize: 128, hasF64: true },
  { layers: [1024, 2048, 2048, 10], batchSize: 256, hasF64: true, isTop: true }
].map((rung) => ({ ...rung, name: `${rung.layers.join('-')}, batch ${rung.batchSize}` }))

/** How many batches there are to learn from. */
const BATCHES = 16
const SEED = 1

/** Inputs, targets, and a layer each of weights (input-major) and biases, as numbers of single precision. */
function writeTask(file, { layers, batchSize }) {
  const { NeuralNetwork } = require('..')
  const { inputs, targets } = examples(BATCHES * batchSize, layers[0], layers.at(-1))
  const network = new NeuralNetwork({ layers, loss: 'crossEntropy', precision: 'f32', seed: SEED })
  const parameters = network
    .getWeights()
    .flatMap(({ weights, biases }) => [inputMajor(weights), Float32Array.from(biases)])
  const parts = [inputs, targets, ...parameters]
  writeFileSync(file, Buffer.concat(parts.map(({ buffer }) => Buffer.from(buffer))))
}

/** The weights of a layer, a row a neuron, as one array with a row an input. */
function inputMajor(weights) {
  const flat = new Float32Array(weights.length * weights[0].length)
  for (const [unit, row] of weights.entries()) {
    for (const [input, weight] of row.entries()) flat[input * weights.length + unit] = weight
  }
  return flat
}

/** What `writeTask` wrote. */
function readTask({ layers, batchSize, file }) {
  const { buffer } = Uint8Array.from(readFileSync(file))
  let at = 0
  const take = (count) => {
    at += count * Float32Array.BYTES_PER_ELEMENT
    return new Float32Array(buffer, at - count * Float32Array.BYTES_PER_ELEMENT, count)
  }
  const rows = BATCHES * batchSize
  const [inputs, targets] = [take(rows * layers[0]), take(rows * layers.at(-1))]
  const parameters = layers.slice(1).map((units, i) => [take(layers[i] * units), take(units)])
  return { inputs, targets, parameters }
}

/** What mikir takes for a step, and the mean loss of the batches of the first epoch. */
function measure(task) {
  const { NeuralNetwork } = require('..')
  const { layers, batchSize, learningRate, optimizer, precision, stretch, threads } = task
  const { inputs, targets } = readTask(task)
  const network = new NeuralNetwork({ layers, loss: 'crossEntropy', precision, seed: SEED })
  const fit = (epochs) =>
    network.fitSync(inputs, targets, { epochs, batchSize, optimizer, learningRate, threads, shuffle: false })

  const loss = fit(1).loss[0]
  return { us: microsecondsOfEpoch(fit, stretch) / BATCHES, loss }
}

/** An epoch of `fit(epochs)`, which gives a history, over a stretch of at least so many seconds. */
function microsecondsOfEpoch(fit, stretch) {
  for (let epochs = 1; ; ) {
    // Without the copying of the data, which no rival is charged for.
    const seconds = fit(epochs).durationMs / 1000
    if (seconds >= stretch) return (1e6 * seconds) / epochs
    // At most tenfold, as the first epochs are slow.
    epochs = Math.max(epochs + 1, Math.trunc(epochs * Math.min(10, (1.1 * stretch) / seconds)))
  }
}

/** The multiplications and additions that an example takes: the first layer has no deltas of its inputs to make. */
function multiplyAdds(layers) {
  const products = layers.slice(1).map((units, i) => units * layers[i])
  return 3 * products.reduce((a, b) => a + b) - products[0]
}

module.exports = { BATCHES, RUNGS, inputMajor, microsecondsOfEpoch, multiplyAdds, readTask, writeTask }

if (require.main === module) console.log(JSON.stringify(measure(JSON.parse(process.argv[2]))))
