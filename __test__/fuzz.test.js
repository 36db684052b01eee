'use strict'

// Thousands of calls of everything public with values of every kind, in every place.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { NeuralNetwork, Neuron } = require('../index.js')
const { CLASSES, flat, layersOf, randomOf, strange } = require('./helpers.js')

const CALLS = 12_000
const counts = [
  [1, 1, 1],
  [2, 2, 1],
  [2, 1, 2],
  [3, 9, 2],
  [2, 16, 17]
]

/** An error must be one of ours, and complete; only what the engine says of a revoked proxy passes through. */
function isOurs(error, call) {
  if (error instanceof TypeError && error.message.endsWith('on a proxy that has been revoked')) return
  const about = `${call}: ${error?.stack}`
  assert.ok(Object.hasOwn(CLASSES, error?.code), about)
  assert.equal(Object.getPrototypeOf(error), CLASSES[error.code].prototype, about)
  assert.match(error.message, /^Expected .+ for .+ but received .+$/s, about)
}

/** Calls `call` with `args` and returns what came of it. */
function outcome(call, args) {
  try {
    return { value: call(...args) }
  } catch (error) {
    isOurs(error, `${call}(${inspect(args)})`)
    return { error }
  }
}

/** Arguments of which each may be replaced, left out or followed by more. */
function spoilt(random, args) {
  const result = args.map((value) => (random() < 0.4 ? strange(random) : value))
  if (random() < 0.1) result.length = Math.floor(random() * (result.length + 1))
  if (random() < 0.1) result.push(strange(random))
  return result
}

const vector = (random, length) => {
  const values = Array.from({ length }, () => (random() * 2 - 1) * 10 ** Math.floor(random() * 12 - 6))
  return [values, Float64Array.from(values), Float32Array.from(values)][Math.floor(random() * 3)]
}

const inUnitInterval = (x) => typeof x === 'number' && x >= 0 && x <= 1

/** At least some calls succeeded and some were refused, in more than one way. */
function triedBoth(seen) {
  assert.ok(seen.fine > CALLS / 100, `${seen.fine} calls succeeded`)
  assert.ok(seen.codes.size > 2, [...seen.codes].join())
}

function count(seen, { error }) {
  if (error === undefined) seen.fine++
  else if (error.code) seen.codes.add(error.code)
}

test('constructors of networks and neurons', () => {
  const random = randomOf(1)
  const seen = { fine: 0, codes: new Set() }
  for (let i = 0; i < CALLS; i++) {
    const base = counts[Math.floor(random() * counts.length)]
    const result =
      i % 3 === 0
        ? outcome((...args) => new Neuron(...args), spoilt(random, [base[0]]))
        : outcome(
            (...args) => new NeuralNetwork(...args),
            spoilt(random, random() < 0.5 ? base : [...base, { seed: i }])
          )
    count(seen, result)
    if (result.error) continue
    if (result.value instanceof Neuron) {
      assert.ok([...result.value.weights, result.value.bias].every((x) => x >= 0 && x < 1))
    } else {
      const { inputCount, outputCount, parameterCount } = result.value
      const weights = flat(result.value.getWeights())
      assert.equal(weights.length, parameterCount)
      assert.ok(weights.every((x) => x >= 0 && x < 1))
      assert.equal(result.value.predict(new Array(inputCount).fill(1)).length, outputCount)
    }
  }
  triedBoth(seen)
})

test('methods of a network', () => {
  const random = randomOf(2)
  const seen = Object.fromEntries(
    ['predict', 'train', 'setWeights', 'getWeights'].map((name) => [name, { fine: 0, codes: new Set() }])
  )
  for (const shape of counts) {
    const network = new NeuralNetwork(...shape, { seed: 3 })
    const probe = new Array(shape[0]).fill(0.5)
    let weights = network.getWeights()
    for (let i = 0; i < CALLS / 2; i++) {
      const args = {
        predict: [vector(random, shape[0])],
        train: [vector(random, shape[0]), vector(random, shape[2]), random()],
        setWeights: [layersOf(shape, () => (random() < 0.01 ? strange(random) : random()))],
        getWeights: []
      }
      const name = Object.keys(args)[Math.floor(random() * 4)]
      const prediction = network.predict(probe)
      const result = outcome((...spoiltArgs) => network[name](...spoiltArgs), spoilt(random, args[name]))
      count(seen[name], result)
      const now = network.getWeights()
      if (result.error || name === 'predict' || name === 'getWeights') {
        assert.deepStrictEqual(now, weights, name)
        assert.deepStrictEqual(network.predict(probe), prediction)
      }
      assert.ok(flat(now).every(Number.isFinite), name)
      assert.ok(network.predict(probe).every(inUnitInterval))
      if (name === 'predict' && !result.error) {
        assert.equal(result.value.length, shape[2])
        assert.ok(result.value.every(inUnitInterval))
      }
      weights = now
    }
  }
  for (const name of ['predict', 'train', 'setWeights']) triedBoth(seen[name])
  assert.ok(seen.getWeights.fine > 0 && seen.getWeights.codes.has('ERR_MIKIR_ARGUMENT_COUNT'))
})

test('methods and properties of a neuron', () => {
  const random = randomOf(3)
  const seen = { activate: { fine: 0, codes: new Set() }, sigmoid: { fine: 0, codes: new Set() } }
  for (let i = 0; i < CALLS; i++) {
    const width = 1 + Math.floor(random() * 10)
    const neuron = new Neuron(width)
    if (random() < 0.2) neuron.weights[0] = strange(random)
    if (random() < 0.2) neuron.weights = strange(random)
    if (random() < 0.2) neuron.bias = strange(random)
    const name = random() < 0.7 ? 'activate' : 'sigmoid'
    const args = name === 'activate' ? [vector(random, width)] : [(random() * 2 - 1) * 10 ** (random() * 300)]
    const { weights, bias } = neuron
    const result = outcome((...spoiltArgs) => neuron[name](...spoiltArgs), spoilt(random, args))
    count(seen[name], result)
    if (!result.error) assert.ok(inUnitInterval(result.value), `${name}: ${result.value}`)
    assert.equal(neuron.weights, weights)
    assert.ok(Object.is(neuron.bias, bias))
  }
  for (const name of ['activate', 'sigmoid']) triedBoth(seen[name])
})

test('numbers of every size never give NaN or an infinite weight', () => {
  const random = randomOf(4)
  const any = () => {
    const size = 10 ** (random() * 616 - 308)
    return random() < 0.1 ? 0 : (random() < 0.5 ? -1 : 1) * Math.min(size, Number.MAX_VALUE)
  }
  const seen = { fine: 0, codes: new Set() }
  for (let i = 0; i < CALLS / 4; i++) {
    const shape = [1, 2, 3].map(() => 1 + Math.floor(random() * 12))
    const network = new NeuralNetwork(...shape)
    network.setWeights(layersOf(shape, any))
    const [inputs, targets] = [0, 2].map((l) => Array.from({ length: shape[l] }, any))
    const before = network.getWeights()
    assert.ok(network.predict(inputs).every(inUnitInterval))
    const result = outcome(() => network.train(inputs, targets, any()), [])
    count(seen, result)
    if (result.error) {
      assert.equal(result.error.code, 'ERR_MIKIR_OVERFLOW')
      assert.deepStrictEqual(network.getWeights(), before)
    }
    assert.ok(flat(network.getWeights()).every(Number.isFinite))
    assert.ok(network.predict(inputs).every(inUnitInterval))
  }
  assert.ok(seen.fine > 100 && seen.codes.size === 1)
})

test('data and options of fit, fitSync and evaluate', async () => {
  const random = randomOf(5)
  const names = ['fit', 'fitSync', 'evaluate']
  const seen = Object.fromEntries(names.map((name) => [name, { fine: 0, codes: new Set() }]))
  const options = [
    ...['batchSize', 'optimizer', 'learningRate', 'schedule', 'shuffle', 'validation', 'earlyStopping'],
    ...['targetLoss', 'timeout', 'sampleWeights', 'classWeights', 'clipNorm', 'threads', 'signal'],
    ...['progress', 'resume', 'epoch', 'x']
  ]
  const losses = ['squaredError', 'crossEntropy', 'binaryCrossEntropy', 'hinge', 'poisson']
  const pick = (values) => values[Math.floor(random() * values.length)]
  /** The same rows in one of their forms, some with something strange in them. */
  const formed = (rows) => {
    if (random() < 0.3) return pick([Float64Array, Float32Array]).from(rows.flat())
    const copies = rows.map((row) => pick([Array, Float64Array, Float32Array]).from(row))
    if (random() < 0.15) pick(copies.filter(Array.isArray))?.splice(0, 1, strange(random))
    if (random() < 0.15) copies[Math.floor(random() * rows.length)] = strange(random)
    return copies
  }
  for (let i = 0; i < CALLS / 6; i++) {
    const loss = pick(losses)
    const network = new NeuralNetwork({ layers: [3, 4, 2], loss, seed: i, precision: pick(['f64', 'f32']) })
    const rowCount = 1 + Math.floor(random() * 12)
    const inputs = formed(Array.from({ length: rowCount }, () => [random(), -random(), random()]))
    const targets = formed(Array.from({ length: rowCount }, () => (loss === 'hinge' ? [1, -1] : [1, 0])))
    const given = { epochs: 2, onEpoch: () => pick([true, true, false]) }
    for (let spoils = Math.floor(random() * 3); spoils > 0; spoils--) given[pick(options)] = strange(random)
    const name = pick(names)
    const isExamples = random() < 0.2 && Array.isArray(inputs) && Array.isArray(targets)
    const data = isExamples ? [inputs.map((input, k) => ({ input, output: targets[k] }))] : [inputs, targets]
    const args = name === 'evaluate' ? data : [...data, given]
    const before = network.getWeights()
    const result = await Promise.resolve()
      .then(() => network[name](...(random() < 0.2 ? spoilt(random, args) : args)))
      .then(
        (value) => ({ value }),
        (error) => ({ error })
      )
    count(seen[name], result)
    const now = network.getWeights()
    if (result.error) isOurs(result.error, `${name}(${inspect(args, { depth: 4 })})`)
    if (name === 'evaluate' || (result.error && result.error.code !== 'ERR_MIKIR_DIVERGED')) {
      assert.deepStrictEqual(now, before)
    }
    assert.ok(flat(now).every(Number.isFinite))
    // It is free again.
    network.setWeights(before)
  }
  for (const name of names) {
    assert.ok(seen[name].fine > 100 && seen[name].codes.size > 3, `${name}: ${seen[name].fine} fine`)
  }
})
