'use strict'

// The library in worker threads. What may bring the process down runs in a process of its own.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { NeuralNetwork } = require('../index.js')
const { layersOf, randomOf, runsAlone } = require('./helpers.js')

test('100 workers that train and are terminated at random moments leave the process alive', () => {
  const printed = runsAlone(async () => {
    const assert = require('node:assert/strict')
    const { Worker } = require('node:worker_threads')
    const { NeuralNetwork } = require('./index.js')
    const { randomOf } = require('./__test__/helpers.js')
    const random = randomOf(1)
    const work = `
      const { NeuralNetwork, Neuron } = require('./index.js')
      const { parentPort } = require('node:worker_threads')
      const networks = [new NeuralNetwork(2, 2, 1), new NeuralNetwork(64, 32, 10)]
      const [inputs, targets] = [new Float64Array(64), new Float64Array(10)]
      const step = () => {
        networks[0].train([0, 1], [1])
        networks[1].train(inputs, targets)
        new NeuralNetwork(1 + Math.floor(Math.random() * 50), 9, 1).getWeights()
        new Neuron(3).activate([1, 2, 3])
        try { networks[0].predict([NaN, 1]) } catch {}
      }
      step()
      parentPort.postMessage('trained')
      for (;;) step()
    `
    const mine = new NeuralNetwork(2, 2, 1, { seed: 1 })
    const expected = mine.predict([0, 1])
    const counts = { trained: 0, cut: 0, ended: 0 }
    const live = async () => {
      const worker = new Worker(work, { eval: true })
      worker.on('error', (error) => {
        throw error
      })
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      // Every third is cut while it starts, loads the addon or has hardly begun.
      let early = true
      const trained = new Promise((resolve) =>
        worker.once('message', () => {
          early = false
          resolve()
        })
      )
      if (random() < 0.67) await trained
      await new Promise((resolve) => setTimeout(resolve, random() * 30))
      counts[early ? 'cut' : 'trained']++
      await worker.terminate()
      await ended
      counts.ended++
    }
    for (let batch = 0; batch < 25; batch++) {
      await Promise.all(Array.from({ length: 4 }, live))
      assert.deepEqual(mine.predict([0, 1]), expected)
    }
    console.log(JSON.stringify(counts))
  })
  const { trained, cut, ended } = JSON.parse(printed)
  assert.equal(ended, 100)
  assert.equal(trained + cut, 100)
  assert.ok(trained >= 40, `${trained} trained`)
})

test('20 workers that end by themselves leave the process alive', () => {
  const printed = runsAlone(async () => {
    const { Worker } = require('node:worker_threads')
    const work = `
      const { NeuralNetwork } = require('./index.js')
      const network = new NeuralNetwork(2, 3, 1)
      for (let i = 0; i < 1000; i++) network.train([0, 1], [1])
    `
    const codes = []
    for (let i = 0; i < 20; i++) {
      codes.push(await new Promise((resolve) => new Worker(work, { eval: true }).once('exit', resolve)))
    }
    console.log(codes.join(''))
  })
  assert.equal(printed, `${'0'.repeat(20)}\n`)
})

test('process.exit in the middle of everything exits', () => {
  for (const where of ['main', 'worker']) {
    runsAlone((where) => {
      const { Worker } = require('node:worker_threads')
      const { NeuralNetwork } = require('./index.js')
      const network = new NeuralNetwork(2, 2, 1)
      network.train([0, 1], [1])
      const work = `
        const { NeuralNetwork } = require('./index.js')
        const network = new NeuralNetwork(2, 2, 1)
        require('node:worker_threads').parentPort.postMessage('ready')
        for (let i = 0; i < 1e5; i++) network.train([0, 1], [1])
        process.exit(0)
      `
      const worker = new Worker(work, { eval: true })
      if (where === 'main') worker.once('message', () => process.exit(0))
    }, where)
  }
})

/** Long calls, which would take half a minute or more. */
const wide = 'new NeuralNetwork({ layers: [8, 4096, 4096, 8] })'
const rows = 'new Float64Array(8e5)'
const LONG = {
  'fitSync of short epochs':
    'new NeuralNetwork(2, 2, 1).fitSync([[0, 1]], [[1]], { epochs: 1e9, shuffle: false })',
  'fitSync of a long epoch': `${wide}.fitSync(${rows}, ${rows})`,
  'fitSync of a long step': `${wide}.fitSync(${rows}, ${rows}, { optimizer: 'lbfgs' })`,
  predictBatch: `${wide}.predictBatch(${rows})`,
  evaluate: `${wide}.evaluate(${rows}, ${rows})`
}

for (const [name, call] of Object.entries(LONG)) {
  test(`a worker in ${name} is terminated at once, and process.exit exits`, () => {
    for (const end of ['worker.terminate()', 'process.exit(0)']) {
      const printed = runsAlone(
        (call, end) => {
          const { Worker } = require('node:worker_threads')
          const work = `
            const { NeuralNetwork } = require('./index.js')
            require('node:worker_threads').parentPort.postMessage('ready')
            ${call}
          `
          const worker = new Worker(work, { eval: true })
          const terminate = () => {
            console.log(Date.now())
            new Function('worker', end)(worker)
          }
          worker.once('message', () => setTimeout(terminate, 300))
        },
        call,
        end
      )
      const took = Date.now() - Number(printed)
      assert.ok(took < 5000, `${end} took ${took} ms`)
    }
  })
}

test('a worker and the main thread answer the same from equal weights', async () => {
  for (const counts of [
    [2, 2, 1],
    [10, 19, 9]
  ]) {
    const random = randomOf(2)
    const layers = layersOf(counts, () => random() * 2 - 1)
    const [inputs, targets] = [0, 2].map((l) => Array.from({ length: counts[l] }, random))
    const run = () => {
      const network = new NeuralNetwork(...counts)
      network.setWeights(layers)
      const before = network.predict(inputs)
      for (let i = 0; i < 100; i++) network.train(inputs, targets)
      return {
        before,
        after: network.predict(inputs),
        weights: network.getWeights(),
        fresh: fresh(NeuralNetwork)
      }
    }
    const fresh = (Network) => new Network(...counts, { seed: 9 }).getWeights()
    const worker = new Worker(
      `
        const { parentPort, workerData } = require('node:worker_threads')
        const { NeuralNetwork } = require(workerData.library)
        const { counts, layers, inputs, targets } = workerData
        const fresh = ${fresh}
        parentPort.postMessage((${run})())
      `,
      { eval: true, workerData: { library: require.resolve('../index.js'), counts, layers, inputs, targets } }
    )
    const theirs = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject)
    )
    assert.deepStrictEqual(theirs, run())
    assert.notDeepStrictEqual(theirs.before, theirs.after)
    await worker.terminate()
  }
})

test('many workers at once do not disturb each other', async () => {
  const steps = 20_000
  const work = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { NeuralNetwork } = require(workerData.library)
    const network = new NeuralNetwork(2, 9, 1, { seed: workerData.seed })
    for (let i = 0; i < ${steps}; i++) network.train([i % 2, 1], [i % 2])
    parentPort.postMessage(network.getWeights())
  `
  const results = await Promise.all(
    [1, 2, 3, 4].map(
      (seed) =>
        new Promise((resolve, reject) => {
          const workerData = { library: require.resolve('../index.js'), seed }
          new Worker(work, { eval: true, workerData }).once('message', resolve).once('error', reject)
        })
    )
  )
  for (const [i, weights] of results.entries()) {
    const network = new NeuralNetwork(2, 9, 1, { seed: i + 1 })
    for (let step = 0; step < steps; step++) network.train([step % 2, 1], [step % 2])
    assert.deepStrictEqual(weights, network.getWeights())
  }
})
