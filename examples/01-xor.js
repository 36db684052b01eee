'use strict'

// Teaches a network of two hidden neurons to tell when exactly one of two inputs is on.

const { NeuralNetwork } = require('..')

const examples = [
  { inputs: [0, 0], targets: [0] },
  { inputs: [0, 1], targets: [1] },
  { inputs: [1, 0], targets: [1] },
  { inputs: [1, 1], targets: [0] }
]
const PASSES = 10_000

// Two hidden neurons that start from U[0, 1) do not always find XOR: at this learning rate 22 % of the seeds
// 0 to 1,999 end in a local minimum, as often as in plain JavaScript. Seeds 0 and 1 find it, 2 does not.
const network = new NeuralNetwork(2, 2, 1, { seed: 1 })

for (let pass = 1; pass <= PASSES; pass++) {
  for (const { inputs, targets } of examples) network.train(inputs, targets, 0.1)
  if (pass % 1000 === 0) {
    console.log(`pass ${String(pass).padStart(6)}   mean squared error ${meanSquaredError().toFixed(4)}`)
  }
}

for (const { inputs, targets } of examples) {
  console.log(`${inputs.join(' xor ')} = ${targets[0]}   predicted ${network.predict(inputs)[0].toFixed(4)}`)
}

const learned = examples.every(({ inputs, targets }) => Math.round(network.predict(inputs)[0]) === targets[0])
if (!learned) {
  console.error('The network did not learn XOR.')
  process.exitCode = 1
}

function meanSquaredError() {
  const errors = examples.map(({ inputs, targets }) => (targets[0] - network.predict(inputs)[0]) ** 2)
  return errors.reduce((sum, error) => sum + error) / errors.length
}
