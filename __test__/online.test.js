'use strict'

// The arithmetic of predict and train, against the oracle and by hand.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const {
  agrees,
  agreesAfterStep,
  flat,
  layersOf,
  oracleOf,
  randomOf,
  relativeDifference
} = require('./helpers.js')

const sigmoid = (x) => 1 / (1 + Math.exp(-x))
const xor = [
  [[0, 0], [0]],
  [[0, 1], [1]],
  [[1, 0], [1]],
  [[1, 1], [0]]
]

/** Weights around zero, small enough that no neuron saturates. */
const centred = (random) => (inputs) => (random() * 2 - 1) / Math.sqrt(inputs)
const vector = (random, length, scale = 1) => Array.from({ length }, () => (random() * 2 - 1) * scale)

describe('one step agrees with the oracle to 1e-12', () => {
  for (const counts of [
    [1, 1, 1],
    [2, 2, 1],
    [3, 3, 1],
    [4, 8, 3],
    [64, 32, 10],
    [784, 128, 10]
  ]) {
    test(`at ${counts.join('-')}, from fresh weights`, () => {
      const network = new NeuralNetwork(...counts, { seed: 11 })
      const oracle = oracleOf(network)
      const random = randomOf(1)
      // Small and of both signs: weights from U[0, 1) saturate a wide network otherwise.
      const inputs = vector(random, counts[0], 0.1)
      const targets = Array.from({ length: counts[2] }, random)
      agrees(network.predict(inputs), oracle.predict(inputs), 1e-12, 'the predictions')
      network.train(inputs, targets, 0.5)
      oracle.train(inputs, targets, 0.5)
      agrees(network.getWeights(), oracle.getWeights(), 1e-12, 'the weights')
      agrees(network.predict(inputs), oracle.predict(inputs), 1e-12, 'the predictions after it')
    })

    test(`at ${counts.join('-')}, from weights that learn much`, () => {
      const random = randomOf(2)
      const network = new NeuralNetwork(...counts)
      network.setWeights(layersOf(counts, centred(random)))
      const oracle = oracleOf(network)
      const before = network.getWeights()
      const inputs = vector(random, counts[0])
      const targets = Array.from({ length: counts[2] }, (_, k) => k % 2)
      agrees(network.predict(inputs), oracle.predict(inputs), 1e-12, 'the predictions')
      network.train(inputs, targets)
      oracle.train(inputs, targets)
      const after = network.getWeights()
      agreesAfterStep(after, oracle.getWeights(), before, 1e-12)
      // Every layer moved, so that the step was compared and not only the start.
      for (const l of [0, 1]) assert.ok(relativeDifference(after[l], before[l]) > 1e-3)
    })
  }

  test('at every width from 1 to 20, of each layer', () => {
    const random = randomOf(3)
    const any = () => 1 + Math.floor(random() * 20)
    for (let a = 1; a <= 20; a++) {
      for (let b = 1; b <= 20; b++) {
        for (const counts of [
          [a, b, any()],
          [any(), a, b]
        ]) {
          const network = new NeuralNetwork(...counts)
          network.setWeights(layersOf(counts, centred(random)))
          const oracle = oracleOf(network)
          for (let step = 0; step < 2; step++) {
            const [inputs, targets] = [vector(random, counts[0]), vector(random, counts[2])]
            agrees(network.predict(inputs), oracle.predict(inputs), 1e-12, `${counts}: the predictions`)
            network.train(inputs, targets, 0.3)
            oracle.train(inputs, targets, 0.3)
          }
          // Relative to a weight's usual size: two steps may leave a weight near zero.
          const [ours, theirs] = [network.getWeights(), oracle.getWeights()].map(flat)
          ours.forEach((weight, p) => {
            const size = Math.max(Math.abs(theirs[p]), 0.01)
            assert.ok(Math.abs(weight - theirs[p]) <= 1e-12 * size, `${counts}: ${weight}, ${theirs[p]}`)
          })
        }
      }
    }
  })
})

describe('many steps agree with the oracle', () => {
  test('to 1e-9 over 10,000 of XOR', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const network = new NeuralNetwork(2, 2, 1, { seed })
      const oracle = oracleOf(network)
      for (let step = 0; step < 10_000; step++) {
        const [inputs, targets] = xor[step % 4]
        network.train(inputs, targets)
        oracle.train(inputs, targets)
      }
      agrees(network.getWeights(), oracle.getWeights(), 1e-9, 'the weights')
      for (const [inputs] of xor) agrees(network.predict(inputs), oracle.predict(inputs), 1e-9)
    }
  })

  test('to 1e-9 over 1,000 of a wide network', () => {
    const random = randomOf(5)
    const counts = [10, 19, 9]
    const network = new NeuralNetwork(...counts)
    network.setWeights(layersOf(counts, centred(random)))
    const oracle = oracleOf(network)
    for (let step = 0; step < 1000; step++) {
      const [inputs, targets] = [vector(random, 10), Array.from({ length: 9 }, random)]
      network.train(inputs, targets)
      oracle.train(inputs, targets)
    }
    agrees(network.getWeights(), oracle.getWeights(), 1e-9, 'the weights')
  })

  test('in which of 200 fresh networks learn XOR', () => {
    const error = (network) => Math.max(...xor.map(([x, [t]]) => Math.abs(network.predict(x)[0] - t)))
    const learners = { ours: [], theirs: [] }
    for (let seed = 0; seed < 200; seed++) {
      const network = new NeuralNetwork(2, 2, 1, { seed })
      const oracle = oracleOf(network)
      for (let epoch = 0; epoch < 8000; epoch++) {
        for (const [inputs, targets] of xor) {
          network.train(inputs, targets, 0.2)
          oracle.train(inputs, targets, 0.2)
        }
      }
      const [ours, theirs] = [error(network), error(oracle)]
      // None is at the border, where rounding would decide.
      assert.ok(Math.abs(theirs - 0.3) > 0.01, `seed ${seed}: ${theirs}`)
      if (ours < 0.3) learners.ours.push(seed)
      if (theirs < 0.3) learners.theirs.push(seed)
    }
    assert.deepStrictEqual(learners.ours, learners.theirs)
    const { length } = learners.ours
    assert.ok(length > 120 && length < 180, `${length} of 200 learn`)
  })
})

describe('the order of updates', () => {
  const rate = 0.8
  const [inputs, targets] = [
    [0.6, -0.4],
    [1, 0]
  ]
  const layers = [
    { weights: [[0.3, -0.2], [0.7, 0.5]], biases: [0.1, -0.3] }, // biome-ignore format: as in a book
    { weights: [[0.9, -0.6], [-0.4, 0.8]], biases: [0.2, 0.05] } // biome-ignore format: as in a book
  ]

  /** One step written out; hidden deltas through the output weights as `through` picks them. */
  function stepped(through) {
    const [hidden, output] = structuredClone(layers)
    const h = [0, 1].map((j) =>
      sigmoid(inputs[0] * hidden.weights[j][0] + inputs[1] * hidden.weights[j][1] + hidden.biases[j])
    )
    const o = [0, 1].map((k) =>
      sigmoid(h[0] * output.weights[k][0] + h[1] * output.weights[k][1] + output.biases[k])
    )
    const d = [0, 1].map((k) => (targets[k] - o[k]) * o[k] * (1 - o[k]))
    const old = structuredClone(output.weights)
    for (const k of [0, 1]) {
      for (const j of [0, 1]) output.weights[k][j] += rate * d[k] * h[j]
      output.biases[k] += rate * d[k]
    }
    const w = through === 'updated' ? output.weights : old
    for (const j of [0, 1]) {
      const delta = (d[0] * w[0][j] + d[1] * w[1][j]) * h[j] * (1 - h[j])
      for (const i of [0, 1]) hidden.weights[j][i] += rate * delta * inputs[i]
      hidden.biases[j] += rate * delta
    }
    return [hidden, output]
  }

  test('takes hidden deltas through the output weights that were just updated', () => {
    const network = new NeuralNetwork(2, 2, 2)
    network.setWeights(layers)
    network.train(inputs, targets, rate)
    const [contract, textbook] = [stepped('updated'), stepped('old')]
    assert.ok(relativeDifference(contract[0], textbook[0]) > 1e-3)
    agrees(network.getWeights(), contract, 1e-14)
    assert.ok(relativeDifference(network.getWeights()[0], textbook[0]) > 1e-3)
  })

  test('in wide layers too', () => {
    const counts = [9, 17, 12]
    const random = randomOf(6)
    const start = layersOf(counts, centred(random))
    const x = vector(random, 9)
    const t = Array.from({ length: 12 }, random)
    const network = new NeuralNetwork(...counts)
    network.setWeights(start)
    network.train(x, t, rate)
    const after = network.getWeights()

    const h = start[0].weights.map((row, j) =>
      sigmoid(row.reduce((sum, w, i) => sum + w * x[i], start[0].biases[j]))
    )
    const o = start[1].weights.map((row, k) =>
      sigmoid(row.reduce((sum, w, j) => sum + w * h[j], start[1].biases[k]))
    )
    const d = o.map((output, k) => (t[k] - output) * output * (1 - output))
    const biases = (rows) =>
      h.map(
        (hj, j) =>
          start[0].biases[j] + rate * d.reduce((sum, dk, k) => sum + dk * rows[k][j], 0) * hj * (1 - hj)
      )
    agrees(after[0].biases, biases(after[1].weights), 1e-12)
    assert.ok(relativeDifference(after[0].biases, biases(start[1].weights)) > 1e-4)
  })
})

describe('inputs that saturate', () => {
  for (const size of [1e3, 1e300, Number.MAX_VALUE]) {
    for (const counts of [
      [1, 1, 1],
      [2, 2, 1],
      [2, 9, 8],
      [11, 20, 3]
    ]) {
      test(`±${size} at ${counts.join('-')} agree with the oracle`, () => {
        const random = randomOf(7)
        const network = new NeuralNetwork(...counts, { seed: 4 })
        const oracle = oracleOf(network)
        for (const signs of [() => 1, () => -1]) {
          const inputs = Array.from({ length: counts[0] }, () => signs() * size)
          const targets = Array.from({ length: counts[2] }, random)
          agrees(network.predict(inputs), oracle.predict(inputs), 1e-12, 'the predictions')
          network.train(inputs, targets)
          oracle.train(inputs, targets)
          agrees(network.getWeights(), oracle.getWeights(), 1e-12, 'the weights')
          assert.ok(flat(network.getWeights()).every(Number.isFinite))
        }
      })
    }
  }

  test('leave every number finite, whatever their signs', () => {
    const random = randomOf(8)
    for (let trial = 0; trial < 300; trial++) {
      const counts = [1, 2, 3].map(() => 1 + Math.floor(random() * 20))
      const network = new NeuralNetwork(...counts, { seed: trial })
      const inputs = vector(random, counts[0], [1e3, 1e300, Number.MAX_VALUE][trial % 3])
      for (const output of network.predict(inputs)) assert.ok(output >= 0 && output <= 1, `${output}`)
      network.train(inputs, Array.from({ length: counts[2] }, random))
      assert.ok(flat(network.getWeights()).every(Number.isFinite))
      for (const output of network.predict(inputs)) assert.ok(output >= 0 && output <= 1, `${output}`)
    }
  })
})

describe('terms that overflow on the way to a finite sum', () => {
  /** The one hidden sum of a network is z: what it answers for `inputs`, for `width` equal hidden neurons. */
  function answer(width, inputs, weights, bias) {
    const network = new NeuralNetwork(inputs.length, width, 1)
    network.setWeights([
      { weights: new Array(width).fill(weights), biases: new Array(width).fill(bias) },
      // Shows a hidden output with four digits to spare.
      { weights: [[1, ...new Array(width - 1).fill(0)]], biases: [0] }
    ])
    const [output] = network.predict(inputs)
    return output
  }

  const cases = [
    { inputs: [1e308, -1e308], weights: [10, 10], bias: 0.5, z: 0.5 },
    { inputs: [1e308, -1e308], weights: [10, 10], bias: -2, z: -2 },
    { inputs: [1e308, -1e308], weights: [-10, -10], bias: 0, z: 0 },
    { inputs: [1e308, -1e308], weights: [10, -10], bias: 0, z: Infinity },
    { inputs: [1e308, -1e308], weights: [-10, 10], bias: 0, z: -Infinity },
    { inputs: [1e308, -1e308, 3], weights: [10, 10, 0.25], bias: 0.5, z: 1.25 },
    { inputs: [3, 1e308, 2, -1e308], weights: [0.25, 10, -1, 10], bias: 0.5, z: -0.75 },
    { inputs: [1e308, 1e308, -1e308, -1e308], weights: [1, 1, 1, 1], bias: -1.5, z: -1.5 },
    { inputs: [1e308, 1e308, -1e308], weights: [1, 1, 1], bias: 0, z: Infinity },
    { inputs: [1e308, -1e308], weights: [1e308, 1e308], bias: 1, z: 1 },
    { inputs: [1e308, -1e308], weights: [1e308, 1.0000001e308], bias: 1, z: -Infinity },
    { inputs: [1e308, -1e-308], weights: [10, 10], bias: -1e308, z: Infinity },
    { inputs: [1, -1e308], weights: [Number.MAX_VALUE, 10], bias: Number.MAX_VALUE, z: -Infinity },
    { inputs: [1, 1e308], weights: [-Number.MAX_VALUE, 10], bias: -Number.MAX_VALUE, z: Infinity },
    { inputs: [Number.MAX_VALUE, 2], weights: [2, -Number.MAX_VALUE], bias: 0.5, z: 0.5 }
  ]
  for (const { inputs, weights, bias, z } of cases) {
    test(`[${inputs}] times [${weights}] and ${bias} is ${z}`, () => {
      for (const width of [1, 2, 7, 8, 9, 20]) {
        agrees([answer(width, inputs, weights, bias)], [sigmoid(sigmoid(z))], 1e-12, `at width ${width}`)
      }
    })
  }

  test('end on the right side of zero', () => {
    // Exact sums of products of doubles, as multiples of 2^-2148.
    const exact = (x) => {
      if (x === 0) return 0n
      let [significand, exponent] = [x, 0]
      for (; !Number.isInteger(significand); exponent--) significand *= 2
      return BigInt(significand) * 2n ** BigInt(exponent + 1074)
    }
    const random = randomOf(9)
    const sides = { left: 0, right: 0 }
    for (let trial = 0; trial < 500; trial++) {
      const length = 2 + Math.floor(random() * 12)
      const inputs = vector(random, length).map((x) => x * 10 ** (300 + 8 * random()))
      const weights = vector(random, length, 20)
      const bias = random()
      const sum = inputs.reduce(
        (total, x, i) => total + exact(x) * exact(weights[i]),
        exact(bias) * 2n ** 1074n
      )
      const width = 1 + Math.floor(random() * 20)
      agrees([answer(width, inputs, weights, bias)], [sigmoid(sum > 0n ? 1 : 0)], 1e-12, `trial ${trial}`)
      sides[sum > 0n ? 'right' : 'left']++
    }
    assert.ok(sides.left > 100 && sides.right > 100)
  })

  test('train to finite weights or not at all', () => {
    for (const width of [1, 9]) {
      const network = new NeuralNetwork(2, width, 1)
      network.setWeights([
        { weights: new Array(width).fill([10, 10]), biases: new Array(width).fill(0.5) },
        { weights: [new Array(width).fill(0.1)], biases: [0] }
      ])
      const before = network.getWeights()
      // The hidden neurons are not saturated, so the weights would move by 1e306.
      assert.throws(() => network.train([1e308, -1e308], [1]), { code: 'ERR_MIKIR_OVERFLOW' })
      assert.deepStrictEqual(network.getWeights(), before)
      network.train([1e308, 1e308], [1])
      assert.ok(flat(network.getWeights()).every(Number.isFinite))
      assert.notDeepStrictEqual(network.getWeights(), before)
    }
  })
})

describe('fresh weights', () => {
  const looksUniform = (values) => {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    assert.ok(values.every((x) => x >= 0 && x < 1))
    // Five standard deviations of each estimate.
    assert.ok(Math.abs(mean - 1 / 2) < 5 * Math.sqrt(1 / 12 / values.length), `mean ${mean}`)
    assert.ok(Math.abs(variance - 1 / 12) < 5 * Math.sqrt(1 / 180 / values.length), `variance ${variance}`)
    const tenths = new Array(10).fill(0)
    for (const x of values) tenths[Math.floor(x * 10)]++
    const spread = 5 * Math.sqrt(values.length * 0.09)
    assert.ok(
      tenths.every((count) => Math.abs(count - values.length / 10) < spread),
      `${tenths}`
    )
  }

  test('look like U[0, 1): weights and biases, of both layers', () => {
    const layers = new NeuralNetwork(99, 1000, 100, { seed: 1 }).getWeights()
    for (const { weights, biases } of layers) {
      looksUniform(weights.flat())
      looksUniform(biases)
    }
    const all = flat(layers)
    assert.ok(all.length >= 1e5)
    assert.equal(new Set(all).size, all.length)
    assert.ok(Math.min(...all.slice(0, 1e5)) < 1e-3 && Math.max(...all.slice(0, 1e5)) > 1 - 1e-3)
  })

  test('look like U[0, 1) over many small networks', () => {
    const all = Array.from({ length: 12_000 }, (_, seed) =>
      flat(new NeuralNetwork(2, 2, 1, { seed }).getWeights())
    )
    looksUniform(all.flat())
    // And so does each of them alone, from seed to seed.
    for (let p = 0; p < 9; p++) looksUniform(all.map((weights) => weights[p]))
  })
})
