'use strict'

// `train` of networks of any depth, against deep-oracle.js. The three-number network and the checks of
// arguments are in online.test.js and network.test.js.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { isDeepStrictEqual } = require('node:util')
const { NeuralNetwork } = require('../index.js')
const { ACTIVATIONS, LOSSES, Network } = require('./deep-oracle.js')
const { OVERFLOW, RANGE, agrees, randomOf, refusesUntouched } = require('./helpers.js')

const HIDDEN = Object.keys(ACTIVATIONS)
const FUSED = { crossEntropy: 'softmax', binaryCrossEntropy: 'sigmoid' }
const NOT_NEGATIVE = ['sigmoid', 'relu', 'softplus', 'hardSigmoid', 'relu6']

/** Every output activation with every loss that has a meaning for it. */
const PAIRS = Object.keys(LOSSES).flatMap((loss) => {
  if (FUSED[loss] !== undefined) return [[FUSED[loss], loss]]
  return (loss === 'poisson' ? NOT_NEGATIVE : HIDDEN).map((activation) => [activation, loss])
})

/** A network and its oracle, with equal weights and biases that are not 0. */
function twins(layers, loss, { inputCount = 4, precision = 'f64', seed = 1 } = {}) {
  const network = new NeuralNetwork({
    layers: [inputCount, ...layers.map(({ units, ...layer }) => ({ units, ...layerOptions(layer) }))],
    loss,
    precision,
    seed
  })
  const random = randomOf(seed)
  const weights = network.getWeights()
  for (const layer of weights) layer.biases = layer.biases.map(() => random() + 0.2)
  network.setWeights(weights)
  return [network, new Network(layers, loss, network.getWeights()), random]
}

/** Glorot's weights throughout, so that no chain of layers explodes. */
function layerOptions({ activation, alpha }) {
  const type = alpha === undefined ? activation : { type: activation, alpha }
  return { activation: type, initializer: 'glorotUniform' }
}

/** Targets that `loss` has a meaning for. */
function targetsOf(loss, count, random) {
  const draws = Array.from({ length: count }, random)
  if (loss === 'hinge') return draws.map((x) => (x < 0.5 ? -1 : 1))
  if (loss !== 'crossEntropy') return draws
  const sum = draws.reduce((total, x) => total + x, 0)
  return draws.map((x) => x / sum)
}

/**
 * `steps` steps of both, on the same examples, from equal weights to weights that agree to `tolerance`.
 * Whether any weight moved: not where all neurons of a layer are beyond the kinks of their activation.
 */
function trainsLikeItsOracle(layers, loss, tolerance, { steps = 4, learningRate = 0.02, ...options } = {}) {
  const [network, oracle, random] = twins(layers, loss, options)
  const before = network.getWeights()
  for (let step = 0; step < steps; step++) {
    const inputs = Array.from({ length: network.inputCount }, () => Math.fround(random() * 2 - 1))
    const targets = targetsOf(loss.type, network.outputCount, random)
    agrees(
      network.predict(inputs),
      oracle.predict(inputs),
      tolerance,
      `the outputs of ${describeOf(layers, loss)}`
    )
    network.train(inputs, targets, learningRate)
    oracle.train(inputs, targets, learningRate)
  }
  const after = network.getWeights()
  agrees(after, oracle.getWeights(), tolerance, `the weights of ${describeOf(layers, loss)}`)
  return !isDeepStrictEqual(after, before)
}

function describeOf(layers, loss) {
  return `${layers.map(({ activation }) => activation).join('-')} ${JSON.stringify(loss)}`
}

/** `depth` layers that end in `activation`, the hidden ones with activations from the `offset`-th on. */
function stack(depth, activation, offset) {
  const hidden = Array.from({ length: depth - 1 }, (_, l) => ({
    units: 5 - l,
    activation: HIDDEN[(offset + l) % HIDDEN.length]
  }))
  return [...hidden, { units: 3, activation }]
}

describe('train agrees with the oracle to 1e-11', () => {
  for (const depth of [1, 2, 3, 4]) {
    test(`with every activation and loss in ${depth} layer${depth > 1 ? 's' : ''}`, () => {
      const moved = PAIRS.filter(([activation, loss], i) =>
        trainsLikeItsOracle(stack(depth, activation, i), { type: loss }, 1e-11, { seed: 10 * i + depth })
      )
      assert.ok(moved.length > 0.95 * PAIRS.length, `${moved.length} of ${PAIRS.length} learn`)
    })
  }

  test('with every activation in both hidden layers', () => {
    for (const activation of HIDDEN) {
      const layers = [
        { units: 6, activation },
        { units: 5, activation },
        { units: 2, activation: 'linear' }
      ]
      assert.ok(trainsLikeItsOracle(layers, { type: 'squaredError' }, 1e-11, { steps: 20 }))
    }
  })

  test('with the parameters of activations', () => {
    for (const activation of ['leakyRelu', 'elu']) {
      for (const alpha of [-0.5, 0, 0.3, 2]) {
        const layers = [
          { units: 6, activation, alpha },
          { units: 3, activation, alpha }
        ]
        assert.ok(trainsLikeItsOracle(layers, { type: 'mse' }, 1e-11, { steps: 10 }))
      }
    }
  })

  test('with the parameters of losses', () => {
    for (const [loss, activation] of [
      [{ type: 'huber', delta: 0.2 }, 'linear'],
      [{ type: 'huber', delta: 5 }, 'linear'],
      [{ type: 'quantile', level: 0.9 }, 'linear'],
      [{ type: 'crossEntropy', labelSmoothing: 0.2 }, 'softmax'],
      [{ type: 'binaryCrossEntropy', positiveWeight: 3 }, 'sigmoid']
    ]) {
      const layers = [
        { units: 6, activation: 'tanh' },
        { units: 3, activation }
      ]
      assert.ok(trainsLikeItsOracle(layers, loss, 1e-11, { steps: 10 }))
    }
  })

  test('with layers wider than a vector register, and with one neuron', () => {
    for (const counts of [
      [1, 1],
      [17, 1, 9],
      [33, 40, 8],
      [70, 64, 31, 7]
    ]) {
      const [inputCount, ...units] = counts
      const layers = units.map((units, l) => ({ units, activation: l % 2 === 0 ? 'tanh' : 'linear' }))
      assert.ok(trainsLikeItsOracle(layers, { type: 'squaredError' }, 1e-11, { inputCount, steps: 5 }))
    }
  })

  test('with the default learning rate of 0.1', () => {
    const [network, oracle] = twins(stack(3, 'linear', 1), { type: 'mse' })
    network.train([0.1, 0.2, 0.3, 0.4], [1, 0, 1])
    oracle.train([0.1, 0.2, 0.3, 0.4], [1, 0, 1])
    agrees(network.getWeights(), oracle.getWeights(), 1e-11)
  })
})

test('single precision agrees with the oracle to 1e-4 with every activation and loss', () => {
  PAIRS.forEach(([activation, loss], i) => {
    const [network, oracle, random] = twins(
      stack(3, activation, i),
      { type: loss },
      { precision: 'f32', seed: i }
    )
    const inputs = Array.from({ length: 4 }, () => random() * 2 - 1)
    const targets = targetsOf(loss, 3, random)
    network.train(inputs, targets, 0.02)
    oracle.train(inputs, targets, 0.02)
    const [trained, expected] = [network.getWeights(), oracle.getWeights()]
    trained.forEach((layer, l) => {
      for (const [j, row] of [...layer.weights, layer.biases].entries()) {
        const exact = [...expected[l].weights, expected[l].biases][j]
        // Of the row's size, not of the number's own: single precision leaves a small difference few digits.
        const size = Math.max(...exact.map(Math.abs))
        const worst = Math.max(...row.map((w, k) => Math.abs(w - exact[k])))
        assert.ok(worst <= 1e-4 * size, `${activation} with ${loss}: layer ${l} differs by ${worst / size}`)
      }
    })
  })
})

describe('a normalized network', () => {
  for (const normalization of ['batch', 'layer']) {
    for (const precision of ['f64', 'f32']) {
      test(`learns with ${normalization} normalization in ${precision}`, () => {
        const network = new NeuralNetwork({
          layers: [
            2,
            { units: 8, activation: 'tanh', normalization, initializer: 'glorotUniform' },
            { units: 6, activation: 'tanh', normalization, initializer: 'glorotUniform' },
            { units: 1, initializer: 'glorotUniform' }
          ],
          precision,
          seed: 3
        })
        const examples = [
          [[0, 0], [0]],
          [[0, 1], [1]],
          [[1, 0], [1]],
          [[1, 1], [0]]
        ]
        const loss = () =>
          examples.reduce((sum, [inputs, [t]]) => sum + (network.predict(inputs)[0] - t) ** 2, 0)
        const before = [loss(), network.getWeights()]
        for (let step = 0; step < 300; step++) network.train(...examples[step % 4], 0.05)
        const weights = network.getWeights()
        assert.ok(loss() < before[0] / 4, `the loss went from ${before[0]} to ${loss()}`)
        for (const l of [0, 1]) {
          for (const key of ['weights', 'gamma', 'beta']) {
            assert.notDeepEqual(weights[l][key], before[1][l][key], `${key} of layer ${l} is trained`)
          }
          // One example has no statistics of its own: they are constants in `train`.
          assert.deepEqual(weights[l].mean, before[1][l].mean)
          assert.deepEqual(weights[l].variance, before[1][l].variance)
        }
      })
    }
  }

  test('trains by the running statistics, through the gamma just updated', () => {
    const network = new NeuralNetwork({
      layers: [1, { units: 1, activation: 'linear', normalization: 'batch' }, 1],
      seed: 1
    })
    network.setWeights([
      { weights: [[2]], biases: [1], gamma: [3], beta: [-1], mean: [4], variance: [0.25] },
      { weights: [[0.5]], biases: [0.25] }
    ])
    const [x, target, rate] = [3, 2, 0.1]
    const inverse = 1 / Math.sqrt(0.25 + 1e-5)
    const n = (2 * x + 1 - 4) * inverse
    const a = 3 * n - 1
    const output = target - (0.5 * a + 0.25)
    const w = 0.5 + rate * output * a
    const delta = output * w
    const gamma = 3 + rate * delta * n
    const hidden = delta * gamma * inverse
    network.train([x], [target], rate)
    const expected = [
      {
        weights: [[2 + rate * hidden * x]],
        biases: [1 + rate * hidden],
        gamma: [gamma],
        beta: [-1 + rate * delta],
        mean: [4],
        variance: [0.25]
      },
      { weights: [[w]], biases: [0.25 + rate * output] }
    ]
    agrees(network.getWeights(), expected, 1e-12)
  })
})

test('dropout and penalties play no part', () => {
  const network = (extras) =>
    new NeuralNetwork({ layers: [3, { units: 5, ...extras }, { units: 4, ...extras }, 2], seed: 8 })
  const plain = network({})
  const laden = network({ dropout: 0.5, l1: 0.3, l2: 0.7 })
  assert.deepEqual(laden.getWeights(), plain.getWeights())
  for (let step = 0; step < 20; step++) {
    plain.train([0.3, -0.2, 0.9], [1, -1], 0.01)
    laden.train([0.3, -0.2, 0.9], [1, -1], 0.01)
  }
  assert.deepEqual(laden.getWeights(), plain.getWeights())
  assert.deepEqual(laden.predict([1, 2, 3]), plain.predict([1, 2, 3]))
})

test('numbers that single precision cannot hold are called by their own names', () => {
  const network = new NeuralNetwork({ layers: [2, 3, 2], precision: 'f32', seed: 4 })
  const said = (name, value) =>
    `Expected a number that single precision can hold for ${name} but received ${value}`
  const refused = (call, name, value) => refusesUntouched(network, call, RANGE, said(name, value))
  for (const Vector of [Array, Float64Array]) {
    const [good, large] = [Vector.of(1, 2), Vector.of(1, 1e39)]
    refused(() => network.predict(large), 'inputs[1]', '1e+39')
    refused(() => network.train(large, good), 'inputs[1]', '1e+39')
    refused(() => network.train(good, large), 'targets[1]', '1e+39')
  }
  refused(() => network.train([1, 2], [1, 2], -1e300), 'learningRate', '-1e+300')
  const nan = 'Expected a finite number for inputs[0] but received NaN'
  refusesUntouched(network, () => network.predict([Number.NaN, 1e39]), RANGE, nan)
})

describe('a step that overflows changes nothing', () => {
  const said =
    'Expected a learning rate, inputs and targets small enough to keep every weight finite for train ' +
    'but received a step that overflows'
  for (const [precision, huge] of [
    ['f64', 1e200],
    ['f32', 1e30]
  ]) {
    test(`in ${precision}`, () => {
      for (const normalization of [undefined, 'batch', 'layer']) {
        const network = new NeuralNetwork({
          layers: [2, { units: 3, activation: 'tanh', normalization }, { units: 3, normalization }, 2],
          precision,
          seed: 4
        })
        const before = network.predict([0.5, -0.5])
        refusesUntouched(network, () => network.train([1, 1], [huge, huge], huge), OVERFLOW, said)
        assert.deepEqual(network.predict([0.5, -0.5]), before)
        // And it trains on as if nothing had been.
        const twin = network.clone()
        network.train([0.5, -0.5], [1, 0])
        twin.train([0.5, -0.5], [1, 0])
        assert.deepEqual(network.getWeights(), twin.getWeights())
        assert.notDeepEqual(network.predict([0.5, -0.5]), before)
      }
    })
  }
})
