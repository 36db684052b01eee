'use strict'

// Training in TensorFlow.js, with a task as JSON. The loop is written by hand with its fused layers, which is faster
// than `model.trainOnBatch`, and no loss is fetched while it is timed.

const { checkProportion, microseconds } = require('../common.js')
const { BATCHES, readTask } = require('../step.js')
const { load } = require('./npm.js')

const NAME = 'TensorFlow.js'

/** The library on a backend. */
async function loadTfjs(backend) {
  const tf = load(NAME, '@tensorflow/tfjs')
  if (backend === 'wasm') load(NAME, '@tensorflow/tfjs-backend-wasm')
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`)
  return tf
}

async function measure(task) {
  const { layers, batchSize, learningRate, stretch, count } = task
  const { inputs, targets, parameters } = readTask(task)
  const tf = await loadTfjs(task.backend)
  const batch = (data, width, i) =>
    tf.tensor2d(data.subarray(i * batchSize * width, (i + 1) * batchSize * width), [batchSize, width])
  const batches = Array.from({ length: BATCHES }, (_, i) => [
    batch(inputs, layers[0], i),
    batch(targets, layers.at(-1), i)
  ])
  const variables = parameters.map(([weights, biases], i) => ({
    weights: tf.variable(tf.tensor2d(weights, [layers[i], layers[i + 1]])),
    bias: tf.variable(tf.tensor1d(biases)),
    activation: i < parameters.length - 1 ? 'relu' : 'linear'
  }))
  const forward = (x) =>
    variables.reduce((a, { weights: b, bias, activation }) => tf.fused.matMul({ a, b, bias, activation }), x)
  const optimizer = tf.train.sgd(learningRate)
  const step = ([x, t], returnsLoss) =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(t, forward(x)), returnsLoss)

  const losses = batches.map((batch) => step(batch, true).dataSync()[0])
  const run = (epochs) => {
    for (let epoch = 0; epoch < epochs; epoch++) for (const batch of batches) step(batch, false)
    // The backends compute at once, so that nothing is left to wait for; this would show it.
    variables[0].bias.dataSync()
  }
  const us = (await microseconds(run, stretch, count)) / BATCHES
  await checkProportion(run, Math.max(2, Math.round((1000 * stretch) / (us * BATCHES))))
  return { us, loss: losses.reduce((a, b) => a + b) / BATCHES }
}

module.exports = { loadTfjs }

if (require.main === module) {
  measure(JSON.parse(process.argv[2])).then((figures) => console.log(JSON.stringify(figures)))
}
