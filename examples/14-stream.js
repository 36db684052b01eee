'use strict'

// A stream that never ends, and changes on the way: a trainer learns from each batch as it comes, keeps its optimizer from one
// to the next, and the network answers all the while.

const { NeuralNetwork } = require('..') // in your own program: 'mikir'

const BATCH = 32

/** Readings of two sensors, batch after batch, and what a third one says. After `change` batches it is built in anew. */
async function* readings(count, change) {
  for (let batch = 0; batch < count; batch++) {
    const inputs = Array.from({ length: BATCH }, () => [2 * Math.random() - 1, 2 * Math.random() - 1])
    const targets = inputs.map(([a, b]) => [batch < change ? a * b : Math.sin(3 * a) - b])
    yield { inputs, targets }
    // As if one waited for the next: the event loop turns.
    await new Promise(setImmediate)
  }
}

async function main() {
  const network = new NeuralNetwork({ layers: [2, 32, 32, 1], seed: 1 })
  const trainer = network.trainer({ optimizer: 'adam', learningRate: 0.003 })
  let recent
  for await (const { inputs, targets } of readings(4000, 2000)) {
    // Measured before it is learnt: the network has not seen these rows.
    const loss = trainer.step(inputs, targets)
    recent = recent === undefined ? loss : 0.98 * recent + 0.02 * loss
    if ([10, 1999, 2010, 4000].includes(trainer.steps)) {
      console.log(
        `batch ${trainer.steps}: loss ${recent.toFixed(4)} lately, [0.5, 0.5] -> ${network.predict([0.5, 0.5])[0].toFixed(3)}`
      )
    }
  }
  const error = Math.abs(network.predict([0.5, 0.5])[0] - (Math.sin(1.5) - 0.5))
  if (error > 0.1 || recent > 0.01) process.exitCode = 1
}

main()
