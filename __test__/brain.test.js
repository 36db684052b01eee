'use strict'

// The interface of brain.js: what programs written for it do, against its formulas in plain JavaScript, and its own JSON.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { CrossValidate, NeuralNetwork, likely } = require('../brain.js')
const goldens = require('./goldens/imports.json')
const { RANGE, TYPE, OPTION } = require('./helpers.js')

const XOR = [
  { input: [0, 0], output: [0] },
  { input: [0, 1], output: [1] },
  { input: [1, 0], output: [1] },
  { input: [1, 1], output: [0] }
]
const COLOURS = [
  { input: { r: 0.03, g: 0.7, b: 0.5 }, output: { black: 1 } },
  { input: { r: 0.16, g: 0.09, b: 0.2 }, output: { white: 1 } },
  { input: { r: 0.5, g: 0.5, b: 1 }, output: { white: 1 } },
  { input: { r: 0.9, g: 0.9 }, output: { black: 1 } }
]

/** Sums of a network of sigmoids, written out. */
function outputsOf({ layers }, input) {
  return layers
    .slice(1)
    .reduce(
      (a, { weights, biases }) =>
        biases.map((b, j) => 1 / (1 + Math.exp(-weights[j].reduce((sum, w, i) => sum + w * a[i], b)))),
      input
    )
}

describe('train', () => {
  test('learns until the error is small enough, and tells how far it came', () => {
    const network = new NeuralNetwork({ hiddenLayers: [4] })
    assert.equal(network.isRunnable, false)
    const { error, iterations } = network.train(XOR)
    assert.ok(error <= 0.005 && iterations < 20_000, `${error} after ${iterations}`)
    for (const { input, output } of XOR) assert.equal(Math.round(network.run(input)[0]), output[0])
    assert.deepEqual(network.sizes, [2, 4, 1])
    assert.equal(network.isRunnable, true)
  })

  test('takes a step of gradient descent with momentum for each row, in their order', () => {
    const network = new NeuralNetwork({ hiddenLayers: [2] })
    network.train(XOR, { iterations: 1 })
    const fresh = new NeuralNetwork().fromJSON(network.toJSON())
    const [, hidden, last] = fresh.toJSON().layers
    const [rate, momentum] = [0.3, 0.1]
    const velocity = [hidden, last].map(({ weights, biases }) => ({
      weights: weights.map((row) => row.map(() => 0)),
      biases: biases.map(() => 0)
    }))
    let error = 0
    for (const { input, output } of XOR) {
      const h = outputsOf({ layers: [0, hidden] }, input)
      const [y] = outputsOf({ layers: [0, last] }, h)
      error += (output[0] - y) ** 2 / XOR.length
      const delta = (output[0] - y) * y * (1 - y)
      const deltas = h.map((a, j) => delta * last.weights[0][j] * a * (1 - a))
      const move = (layer, v, steps, inputs) => {
        for (const [j, step] of steps.entries()) {
          for (const [i, x] of inputs.entries()) {
            v.weights[j][i] = momentum * v.weights[j][i] + rate * step * x
            layer.weights[j][i] += v.weights[j][i]
          }
          v.biases[j] = momentum * v.biases[j] + rate * step
          layer.biases[j] += v.biases[j]
        }
      }
      move(last, velocity[1], [delta], h)
      move(hidden, velocity[0], deltas, input)
    }
    const status = fresh.train(XOR, { iterations: 1 })
    assert.equal(status.iterations, 1)
    assert.ok(Math.abs(status.error - error) < 1e-6)
    for (const [l, layer] of [hidden, last].entries()) {
      for (const [j, row] of layer.weights.entries()) {
        for (const [i, w] of row.entries()) assert.ok(Math.abs(fresh.weights[l][j][i] - w) < 1e-6)
        assert.ok(Math.abs(fresh.biases[l][j] - layer.biases[j]) < 1e-6)
      }
    }
  })

  test('calls back and logs, each in its period, and ends by time', () => {
    const [called, logged] = [[], []]
    new NeuralNetwork().train(XOR, {
      iterations: 30,
      callback: ({ iterations }) => called.push(iterations),
      callbackPeriod: 7,
      log: ({ iterations, error }) => logged.push([iterations, error > 0])
    })
    assert.deepEqual(called, [7, 14, 21, 28])
    assert.deepEqual(logged, [
      [10, true],
      [20, true],
      [30, true]
    ])
    const start = performance.now()
    new NeuralNetwork().train(XOR, { iterations: 1e9, errorThresh: 0, timeout: 50 })
    assert.ok(performance.now() - start < 5000)
  })

  test('takes names, which may be missing, every activation, and Adam', async () => {
    for (const options of [
      {},
      { activation: 'tanh', learningRate: 0.1 },
      { praxis: 'adam', learningRate: 0.05 }
    ]) {
      const network = new NeuralNetwork({ hiddenLayers: [6] })
      const { error } = await network.trainAsync(COLOURS, { ...options, iterations: 5000 })
      assert.ok(error < 0.01, JSON.stringify([options, error]))
      assert.equal(likely({ r: 0.03, g: 0.7, b: 0.5 }, network), 'black')
      assert.deepEqual(Object.keys(network.run({ r: 1 })), ['black', 'white'])
    }
    for (const activation of ['relu', 'leaky-relu']) {
      const network = new NeuralNetwork({ activation, learningRate: 0.01 })
      network.train(XOR, { iterations: 10 })
      assert.ok(Number.isFinite(network.run([1, 1])[0]))
    }
  })

  test('goes on where it ended', () => {
    const [all, parts] = [new NeuralNetwork(), new NeuralNetwork()]
    all.train(XOR, { iterations: 1 })
    parts.fromJSON(all.toJSON())
    all.fromJSON(all.toJSON())
    all.train(XOR, { iterations: 20, errorThresh: 0 })
    parts.train(XOR, { iterations: 10, errorThresh: 0 })
    parts.train(XOR, { iterations: 10, errorThresh: 0 })
    assert.deepEqual(parts.weights, all.weights)
  })

  test('refuses what cannot be meant', () => {
    const network = new NeuralNetwork()
    assert.throws(() => network.run([1]), { code: TYPE })
    assert.throws(() => network.train([]), { code: 'ERR_MIKIR_INVALID_LENGTH' })
    assert.throws(() => network.train([{ input: 1, output: [1] }]), { code: TYPE })
    assert.throws(() => network.train(XOR, { iteration: 5 }), { code: OPTION })
    for (const [key, value] of [
      ['iterations', -1],
      ['errorThresh', 2],
      ['learningRate', 0],
      ['momentum', 1],
      ['activation', 'sine'],
      ['timeout', 0],
      ['callback', 3],
      ['praxis', 'sgd']
    ]) {
      assert.throws(() => network.train(XOR, { [key]: value }), { code: RANGE }, key)
    }
    assert.throws(() => network.fromJSON({}), { code: TYPE })
  })
})

describe('test', () => {
  test('counts answers of one output', () => {
    const network = new NeuralNetwork({ hiddenLayers: [4] })
    network.train(XOR)
    const wrong = [...XOR, { input: [0, 0], output: [1] }]
    const result = network.test(wrong)
    const errors = wrong.map(({ input, output }) => (output[0] - network.run(input)[0]) ** 2)
    assert.ok(Math.abs(result.error - errors.reduce((sum, error) => sum + error, 0) / 5) < 1e-6)
    const { truePos, trueNeg, falsePos, falseNeg, total, precision, recall, accuracy } = result
    assert.deepEqual([truePos, trueNeg, falsePos, falseNeg, total], [2, 2, 0, 1, 5])
    assert.deepEqual([precision, recall, accuracy], [1, 2 / 3, 0.8])
    assert.deepEqual(result.misclasses, [{ input: [0, 0], output: [1], actual: 0, expected: 1 }])
  })

  test('names the rows that several outputs get wrong', () => {
    const network = new NeuralNetwork({ hiddenLayers: [6] })
    network.train(COLOURS)
    assert.deepEqual(network.test(COLOURS).misclasses, [])
    const [{ actual, expected }] = network.test([{ ...COLOURS[0], output: { white: 1 } }]).misclasses
    assert.deepEqual([actual, expected], [0, 1])
  })
})

describe('JSON and functions', () => {
  test('come back as they were', () => {
    const network = new NeuralNetwork({ hiddenLayers: [5], binaryThresh: 0.3 })
    network.train(COLOURS, { iterations: 50, activation: 'tanh' })
    const again = new NeuralNetwork().fromJSON(JSON.parse(JSON.stringify(network)))
    assert.deepEqual(again.run({ r: 1, b: 0.5 }), network.run({ r: 1, b: 0.5 }))
    assert.deepEqual(again.toJSON(), network.toJSON())
    assert.equal(again.trainOpts.activation, 'tanh')
  })

  test('of brain.js are read, and answer as there', () => {
    const cases = goldens.cases.filter(({ name }) => name.startsWith('brain.js'))
    assert.ok(cases.length > 10)
    for (const { json, inputs, name, outputs } of cases) {
      const network = new NeuralNetwork().fromJSON(json)
      for (const [i, input] of inputs.entries()) {
        const answer = Object.values(network.run(input))
        for (const [k, y] of Object.values(outputs[i]).entries()) {
          assert.ok(Math.abs(answer[k] - y) < 1e-5 * (1 + Math.abs(y)), name)
        }
      }
    }
  })

  test('toFunction needs nothing', () => {
    for (const options of [
      {},
      { activation: 'tanh' },
      { activation: 'leaky-relu' },
      { activation: 'relu' }
    ]) {
      const network = new NeuralNetwork(options)
      network.train(COLOURS, { iterations: 20, learningRate: 0.05 })
      const answer = network.toFunction()({ r: 0.5, g: 0.1 })
      for (const [name, y] of Object.entries(network.run({ r: 0.5, g: 0.1 }))) {
        assert.ok(Math.abs(answer[name] - y) < 1e-6)
      }
    }
    const plain = new NeuralNetwork()
    plain.train(XOR, { iterations: 5 })
    const doubled = plain.toFunction((source) => source.replace('return a;', 'return a.map((y) => 2 * y);'))
    assert.ok(Math.abs(doubled([0, 1])[0] - 2 * plain.run([0, 1])[0]) < 1e-6)
    assert.equal(likely([0, 1], plain), 0)
  })
})

describe('CrossValidate', () => {
  test('tests every row once, also in folds of other sizes', () => {
    const rows = Array.from({ length: 11 }, (_, i) => ({ input: [i / 11], output: [Number(i > 5)] }))
    const folds = new CrossValidate(() => new NeuralNetwork({ hiddenLayers: [3] }))
    const { avgs, sets, stats } = folds.train(rows, { iterations: 200 }, 4)
    assert.equal(sets.length, 4)
    assert.equal(
      sets.reduce((sum, { total }) => sum + total, 0),
      11
    )
    assert.equal(stats.truePos + stats.trueNeg + stats.falsePos + stats.falseNeg, 11)
    assert.ok(Math.abs(avgs.error - sets.reduce((sum, { error }) => sum + error / 4, 0)) < 1e-12)
    const best = folds.toNeuralNetwork()
    assert.ok(best.isRunnable && best.run([0.5]).length === 1)
    const again = new CrossValidate(() => new NeuralNetwork()).fromJSON(JSON.parse(JSON.stringify(folds)))
    assert.deepEqual(again.run([0.5]), best.run([0.5]))
    assert.throws(() => folds.train(rows.slice(0, 3)), { code: 'ERR_MIKIR_INVALID_LENGTH' })
  })
})
