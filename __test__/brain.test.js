'use strict'

// The interface of brain.js: what programs written for it do, against its formulas in plain JavaScript, and its own JSON.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { CrossValidate, NeuralNetwork, defaults, likely, trainDefaults } = require('../brain.js')
const goldens = require('./goldens/imports.json')
const { LENGTH, OPTION, RANGE, TYPE } = require('./helpers.js')

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
        for (const [i, w] of row.entries()) assert.ok(Math.abs(fresh.weights[l + 1][j][i] - w) < 1e-6)
        assert.ok(Math.abs(fresh.biases[l + 1][j] - layer.biases[j]) < 1e-6)
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

  test('learns from objects without entries, and from letters with a pixel off', () => {
    const network = new NeuralNetwork()
    network.train([
      { input: {}, output: {} },
      { input: { y: 1 }, output: { answer: 1 } },
      { input: { x: 1 }, output: { answer: 1 } },
      { input: { x: 1, y: 1 }, output: {} }
    ])
    assert.ok(network.run({ x: 1, z: 1 }).answer > 0.9)
    const letters = { a: '.#.#.####.#', b: '##.#.###.##', c: '.###...#.##' }
    const pixels = (letter) => Array.from(letter, (pixel) => Number(pixel === '#'))
    const reader = new NeuralNetwork()
    reader.train(
      Object.entries(letters).map(([name, letter]) => ({ input: pixels(letter), output: { [name]: 1 } }))
    )
    for (const [name, letter] of Object.entries(letters)) {
      assert.equal(likely(pixels(letter.replace('.', '#')), reader), name)
    }
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
    assert.throws(() => network.train([]), { code: LENGTH })
    assert.throws(() => network.train([{ input: 1, output: [1] }]), { code: TYPE })
    assert.throws(() => network.train(XOR, { iteration: 5 }), { code: OPTION })
    for (const [key, value] of [
      ['iterations', -1],
      ['iterations', '5'],
      ['errorThresh', 2],
      ['learningRate', 0],
      ['learningRate', 50],
      ['learningRate', '0.5'],
      ['momentum', 1],
      ['momentum', false],
      ['activation', 'sine'],
      ['activation', ['tanh']],
      ['timeout', 0],
      ['timeout', () => 5],
      ['log', 4],
      ['logPeriod', -1],
      ['callback', false],
      ['callbackPeriod', 0],
      ['praxis', 'sgd']
    ]) {
      const before = { ...network.trainOpts }
      assert.throws(() => network.train(XOR, { momentum: 0.7, [key]: value }), { code: RANGE }, key)
      assert.deepEqual(network.trainOpts, before)
    }
    assert.throws(() => network.fromJSON({}), { code: TYPE })
    assert.throws(() => new NeuralNetwork({ hiddenLayer: [3] }), { code: OPTION })
    assert.throws(() => new NeuralNetwork({ hiddenLayers: [0] }), { code: RANGE })
    assert.throws(() => new NeuralNetwork().initialize(), { code: LENGTH })
    assert.throws(() => network.train([{ input: [], output: [1] }]), {
      code: LENGTH,
      message: 'Expected at least 1 number for data[0].input but received 0'
    })
  })

  test('refuses rows that do not fit, and numbers that are none', () => {
    const network = new NeuralNetwork()
    network.train([{ input: { a: 1 }, output: [1] }], { iterations: 1 })
    assert.throws(() => network.train([{ input: { a: '1' }, output: [1] }]), {
      code: TYPE,
      message: 'Expected a finite number for data[0].input["a"] but received \'1\''
    })
    assert.throws(() => network.train([{ input: { a: 1 }, output: [NaN] }]), {
      code: RANGE,
      message: 'Expected a finite number for data[0].output[0] but received NaN'
    })
    assert.throws(() => network.train([{ input: { a: 1 }, output: [1, 2] }]), {
      code: LENGTH,
      message: 'Expected 1 numbers for data[0].output but received 2'
    })
    assert.throws(() => network.run([1, 2]), { code: LENGTH })
    assert.throws(() => network.test([{ input: { a: 1 }, output: { b: 1 } }]), { code: TYPE })
  })
})

describe('networks', () => {
  test('have the options that they were given, and defaults', () => {
    const log = () => {}
    const given = {
      ...trainDefaults(),
      iterations: 5,
      log,
      timeout: 1500,
      leakyReluAlpha: 0.1337,
      praxis: 'adam'
    }
    const network = new NeuralNetwork({ ...given, binaryThresh: 0.2, hiddenLayers: [2, 3] })
    assert.deepEqual(network.trainOpts, given)
    assert.deepEqual(network.options, { ...defaults(), binaryThresh: 0.2, hiddenLayers: [2, 3] })
    assert.deepEqual(new NeuralNetwork({ callback: null }).trainOpts, trainDefaults())
    network.updateTrainingOptions({ log: true })
    assert.equal(network.trainOpts.log, network.logTrainingStatus)
  })

  test('are made by sizes, by data, or by hand', () => {
    const sized = new NeuralNetwork({ inputSize: 9, outputSize: 2 })
    assert.deepEqual([sized.sizes, sized.isRunnable], [[9, 4, 2], false])
    sized.initialize()
    assert.equal(sized.run(new Array(9).fill(0)).length, 2)
    const byHand = new NeuralNetwork()
    byHand.sizes = [3, 2, 1]
    assert.deepEqual(
      byHand.toJSON().layers.map(({ weights, biases }) => [weights.length, biases.length]),
      [
        [0, 0],
        [2, 2],
        [1, 1]
      ]
    )
    assert.deepEqual(
      byHand.weights.map((layer) => layer.length),
      [0, 2, 1]
    )
    for (const weight of byHand.weights.flat(2)) assert.ok(Math.abs(weight) <= 0.2)
  })

  test('with cut off outputs learn, also where those start below 0', () => {
    for (const activation of ['relu', 'leaky-relu']) {
      const json = new NeuralNetwork({ inputSize: 1, hiddenLayers: [1], outputSize: 1, activation }).toJSON()
      json.layers[1] = { weights: [[1]], biases: [0.5] }
      json.layers[2] = { weights: [[-1]], biases: [-0.5] }
      const network = new NeuralNetwork().fromJSON(json)
      assert.ok(network.run([1])[0] <= 0, activation)
      const rows = [
        { input: [0], output: [0.2] },
        { input: [1], output: [0.8] }
      ]
      const { error } = network.train(rows, { learningRate: 0.05 })
      assert.ok(error <= 0.005 && Math.abs(network.run([1])[0] - 0.8) < 0.15, `${activation} ${error}`)
    }
  })

  test('answer with another activation once they have it, also in JSON and functions', () => {
    const network = new NeuralNetwork()
    network.train(XOR, { iterations: 10 })
    network.train(XOR, { iterations: 1, activation: 'tanh' })
    const [answer] = network.run([1, 0])
    assert.ok(Math.abs(new NeuralNetwork().fromJSON(network.toJSON()).run([1, 0])[0] - answer) < 1e-6)
    assert.ok(Math.abs(network.toFunction()([1, 0])[0] - answer) < 1e-6)
  })

  test('of programs may put their own steps in place', async () => {
    const calls = []
    class Spied extends NeuralNetwork {
      prepTraining(data, options) {
        calls.push(['prepTraining', data, options])
        return super.prepTraining(data, options)
      }
      trainingTick(data, status, endTime, isAsync) {
        calls.push(['trainingTick', data[1].input, { ...status }, endTime])
        return super.trainingTick(data, status, endTime, isAsync)
      }
    }
    const options = { iterations: 1 }
    const steps = [
      ['prepTraining', XOR, options],
      ['trainingTick', Float32Array.from([0, 1]), { error: 1, iterations: 0 }, Infinity]
    ]
    new Spied().train(XOR, options)
    assert.deepEqual(calls.splice(0), steps)
    const training = new Spied().trainAsync(XOR, options)
    assert.deepEqual(calls.splice(0), steps)
    assert.equal((await training).iterations, 1)

    class Fixed extends NeuralNetwork {
      setActivation() {
        this.runInput = ([x]) => Float32Array.of(x)
      }
      trainingTick() {
        return false
      }
    }
    const fixed = new Fixed()
    assert.deepEqual(fixed.train([{ input: [1], output: [0] }]), { error: 1, iterations: 0 })
    assert.deepEqual([fixed.run([0.25])[0], fixed.test([{ input: [1], output: [0] }]).falsePos], [0.25, 1])
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

  test('have all options, and none that cannot be written', () => {
    const network = new NeuralNetwork({ hiddenLayers: [2] })
    network.trainingTick = () => false
    network.train([{ input: [], output: [] }], {
      callback: () => {},
      log: () => {},
      momentum: 0.3,
      timeout: 50
    })
    const json = JSON.parse(JSON.stringify(network))
    assert.deepEqual(json.trainOpts, { ...trainDefaults(), momentum: 0.3, timeout: 50, log: true })
    const again = new NeuralNetwork().fromJSON(json)
    assert.deepEqual([again.sizes, again.trainOpts.callback], [[0, 2, 0], undefined])
    assert.equal(again.trainOpts.log, network.logTrainingStatus)
    assert.equal(new NeuralNetwork({ inputSize: 1, outputSize: 1 }).toJSON().trainOpts.timeout, 'Infinity')
  })

  test('keep names in their places, whatever they are', () => {
    const network = new NeuralNetwork()
    network.train([
      { input: { b: 1 }, output: { constructor: 1 } },
      { input: { 0: 0.5, b: 0.2, constructor: 0.1 }, output: { 0: 1 } }
    ])
    const again = new NeuralNetwork().fromJSON(network.toJSON())
    for (const input of [{ b: 1 }, { 0: 1 }, { constructor: 1, b: 0.5 }, {}]) {
      const answer = network.run(input)
      assert.deepEqual(again.run(input), answer)
      for (const [name, y] of Object.entries(network.toFunction()(input))) {
        assert.ok(Math.abs(y - answer[name]) < 1e-6, `${JSON.stringify(input)} ${name}`)
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
    assert.equal(likely([0, 1], plain), '0')
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
    assert.equal(CrossValidate.isBinaryResults(folds.json), true)
    assert.throws(() => folds.train(rows.slice(0, 3)), {
      code: LENGTH,
      message:
        'Expected at least 4 rows, one for each fold, for data but received 3: ' +
        'Training set size is too small for 3 k folds of 4'
    })
  })

  test('leaves the rows in their order, takes a class, and chooses by the rows that it has not trained on', () => {
    const rows = Array.from({ length: 8 }, (_, i) => ({ input: [i / 8], output: [i / 8, 1 - i / 8] }))
    const before = [...rows]
    const folds = new CrossValidate(NeuralNetwork, { hiddenLayers: [2] })
    assert.deepEqual(folds.toJSON().sets, [])
    const { avgs, sets } = folds.train(rows, { iterations: 20 })
    assert.deepEqual(rows, before)
    assert.deepEqual(sets[0].network.sizes, [1, 2, 2])
    assert.equal(CrossValidate.isBinaryPartitionResults(sets[0]), false)
    const networks = sets.map(({ network }) => new NeuralNetwork().fromJSON(network))
    const best = sets.reduce((best, { testError }, i) => (testError < sets[best].testError ? i : best), 0)
    assert.deepEqual(folds.toNeuralNetwork().run([0.5]), networks[best].run([0.5]))
    assert.ok(avgs.testError > 0 && avgs.testError !== avgs.error)
    const old = { ...folds.json, sets: sets.map(({ testError, ...set }, i) => ({ ...set, error: 5 - i })) }
    assert.deepEqual(folds.fromJSON(old).run([0.5]), networks[3].run([0.5]))
  })
})
