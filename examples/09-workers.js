'use strict'

// A search for good settings on worker threads: each trains networks of its own, and sends the best one back as JSON.

const os = require('node:os')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { NeuralNetwork } = require('..')

const inputs = Array.from({ length: 400 }, (_, i) => [Math.sin(7 * i), Math.cos(5 * i)])
const targets = inputs.map(([x, y]) => [x * x - y])

function tryOut({ units, learningRate }) {
  const network = new NeuralNetwork({ layers: [2, units, 1], loss: 'mse', seed: 1 })
  const validation = 0.25
  const { validationLoss } = network.fitSync(inputs, targets, {
    epochs: 60,
    learningRate,
    validation,
    threads: 1
  })
  return { units, learningRate, loss: validationLoss.at(-1), network }
}

async function main() {
  const all = [4, 16, 64].flatMap((units) =>
    [0.001, 0.01, 0.05].map((learningRate) => ({ units, learningRate }))
  )
  const count = Math.min(os.availableParallelism(), 4)
  const results = await Promise.all(
    Array.from({ length: count }, (_, k) => {
      const part = all.filter((_, i) => i % count === k)
      const worker = new Worker(__filename, { workerData: part })
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    })
  )
  const [best, ...others] = results.flat().sort((a, b) => a.loss - b.loss)
  const network = NeuralNetwork.fromJSON(best.network)
  console.log(
    `${count} workers: ${best.units} units at ${best.learningRate} are best, ${best.loss.toExponential(2)}`
  )
  console.log(`0.5, -0.5: ${network.predict([0.5, -0.5])[0].toFixed(3)}, which is 0.75`)
  if (others.length !== 8 || Math.abs(network.predict([0.5, -0.5])[0] - 0.75) > 0.1) process.exitCode = 1
}

if (isMainThread) main()
else
  parentPort.postMessage(
    workerData.map(tryOut).map((result) => ({ ...result, network: result.network.toJSON() }))
  )
