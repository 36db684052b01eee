'use strict'

// A training that is stopped in the middle and goes on later, in another process if need be: it ends with the same weights, to
// the bit, as one that was never stopped.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { NeuralNetwork } = require('..')

const inputs = Array.from({ length: 500 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const targets = inputs.map(([x, y]) => [x * y])
const options = { epochs: 40, learningRate: 0.01, batchSize: 16 }
const create = () => new NeuralNetwork({ layers: [2, 16, 1], loss: 'mse', seed: 1 })

async function main() {
  const whole = create()
  await whole.fit(inputs, targets, options)

  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-example-'))
  const file = path.join(folder, 'run.mikir')
  try {
    const stopper = new AbortController()
    const checkpoint = { path: file }
    const onEpoch = ({ epoch }) => {
      if (epoch === 15) stopper.abort()
    }
    await create()
      .fit(inputs, targets, { ...options, checkpoint, onEpoch, signal: stopper.signal })
      .catch((error) => console.log(`stopped: ${error.name}`))

    const resumed = create()
    const { epochs } = await resumed.fit(inputs, targets, { ...options, resume: file })
    console.log(`resumed, to ${epochs} epochs in all`)
    assert.deepEqual(resumed.getWeights(), whole.getWeights())
    console.log('the same weights as without a stop')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
