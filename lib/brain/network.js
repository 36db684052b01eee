'use strict'

// The interface of brain.js's NeuralNetwork over mikir's: see brain.d.ts. Training is as there: a step for each row, in the
// order of the rows, by gradient descent with momentum or by Adam, until the error is small enough. The steps of a call are
// methods of the same names as there, because programs put their own in their places.

const { invalidLength, invalidType, outOfRange, unknownOption } = require('../errors.js')
const { NeuralNetwork: Network } = require('../network.js')

/** The options of a new network. */
function defaults() {
  return { inputSize: 0, outputSize: 0, binaryThresh: 0.5 }
}

/** The options of training of a new network. */
function trainDefaults() {
  return {
    activation: 'sigmoid',
    iterations: 20_000,
    errorThresh: 0.005,
    log: false,
    logPeriod: 10,
    leakyReluAlpha: 0.01,
    learningRate: 0.3,
    momentum: 0.1,
    callbackPeriod: 10,
    timeout: Infinity,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8
  }
}

/**
 * Each activation as mikir has it, and as source for `toFunction`. Where it cuts off what is below 0, outputs are trained
 * without it, or an output that starts below 0 would never learn.
 */
const ACTIVATIONS = {
  sigmoid: { of: () => 'sigmoid', source: () => '1 / (1 + Math.exp(-x))' },
  relu: { of: () => 'relu', source: () => 'Math.max(0, x)', cut: (x) => Math.max(0, x) },
  'leaky-relu': {
    of: (alpha) => ({ type: 'leakyRelu', alpha }),
    source: (alpha) => `x > 0 ? x : ${alpha} * x`,
    cut: (x, alpha) => (x > 0 ? x : alpha * x)
  },
  tanh: { of: () => 'tanh', source: () => 'Math.tanh(x)' }
}

const isNumber = (x) => typeof x === 'number'
const between = (least, most) => [
  `a number above ${least} and below ${most}`,
  (x) => isNumber(x) && x > least && x < most
]
const FRACTION = ['a number of at least 0 and below 1', (x) => isNumber(x) && x >= 0 && x < 1]
const POSITIVE = ['a number above 0', (x) => isNumber(x) && x > 0]
const COUNT = ['an integer of at least 1', (x) => Number.isInteger(x) && x >= 1]
const SIZE = ['an integer of at least 0', (x) => Number.isInteger(x) && x >= 0]

const RULES = {
  activation: [
    `one of ${Object.keys(ACTIVATIONS).join(', ')}`,
    (x) => typeof x === 'string' && Object.hasOwn(ACTIVATIONS, x)
  ],
  iterations: ['an integer of at least 1 or Infinity', (x) => x === Infinity || COUNT[1](x)],
  errorThresh: FRACTION,
  log: ['true, false or a function', (x) => typeof x === 'boolean' || typeof x === 'function'],
  logPeriod: COUNT,
  leakyReluAlpha: between(0, 1),
  learningRate: between(0, 1),
  momentum: FRACTION,
  callback: ['a function', (x) => typeof x === 'function'],
  callbackPeriod: COUNT,
  timeout: POSITIVE,
  praxis: ["'adam'", (x) => x === 'adam'],
  beta1: FRACTION,
  beta2: FRACTION,
  epsilon: between(0, 1)
}
const SIZES = {
  inputSize: SIZE,
  outputSize: SIZE,
  binaryThresh: ['a number', isNumber],
  hiddenLayers: ['an array of integers of at least 1', (x) => Array.isArray(x) && x.every(COUNT[1])]
}
/** Nothing takes the place of what these are by default: no callback and no Adam. */
const NOTHING = ['callback', 'praxis', 'hiddenLayers']

/** How brain.js draws weights and biases. */
const START = { type: 'uniform', minimum: -0.2, maximum: 0.2 }
/** In place of `Infinity`, which no fit takes. */
const MOST_EPOCHS = 2 ** 32 - 1

const isNumbers = (value) => Array.isArray(value) || ArrayBuffer.isView(value)

class NeuralNetwork {
  options = defaults()
  trainOpts = trainDefaults()
  sizes = []
  inputLookup = null
  inputLookupLength = 0
  outputLookup = null
  outputLookupLength = 0
  isInitialized = false
  /** Undefined where there are no weights, as in a network without inputs. */
  #network
  /** Goes on where the last training ended, and what it was made for. */
  #trainer
  #trainerKey

  constructor(options = {}) {
    const entries = Object.entries(options)
    const [ofTraining, own] = [
      Object.fromEntries(entries.filter(([key]) => Object.hasOwn(RULES, key))),
      Object.fromEntries(entries.filter(([key]) => !Object.hasOwn(RULES, key)))
    ]
    Object.assign(this.options, checked(own, SIZES, [...Object.keys(SIZES), ...Object.keys(RULES)]))
    this.updateTrainingOptions(ofTraining)
    const { inputSize, hiddenLayers, outputSize } = this.options
    if (inputSize > 0 && outputSize > 0) {
      this.sizes = [inputSize, ...(hiddenLayers ?? usual(inputSize)), outputSize]
    }
  }

  get isRunnable() {
    return this.isInitialized
  }

  /** Of each layer `[neuron][input]`; the first layer, the inputs, has none. */
  get weights() {
    return this.#layers().map(({ weights }) => weights)
  }

  get biases() {
    return this.#layers().map(({ biases }) => biases)
  }

  #layers() {
    if (this.#network === undefined) return this.sizes.map(() => ({ weights: [], biases: [] }))
    return [{ weights: [], biases: [] }, ...this.#network.getWeights()]
  }

  #runnable() {
    if (this.#network === undefined) {
      throw invalidType('a network that was trained', 'run', undefined, 'call train() or fromJSON() first')
    }
    return this.#network
  }

  /** Draws new weights for the sizes. */
  initialize() {
    if (this.sizes.length === 0) throw invalidLength('at least 1 layer', 'sizes', 0)
    this.#network = undefined
    this.setActivation()
    this.isInitialized = true
  }

  /** The same weights with another activation. */
  setActivation(activation = this.trainOpts.activation) {
    Object.assign(this.trainOpts, checked({ activation }, RULES))
    const before = this.#network
    this.#trainer = undefined
    const [inputs, ...units] = this.sizes
    if (units.length === 0 || this.sizes.includes(0)) return
    const { cut, of } = ACTIVATIONS[activation]
    const hidden = of(this.trainOpts.leakyReluAlpha)
    const layers = units.map((units, l) => ({
      units,
      activation: cut !== undefined && l === this.sizes.length - 2 ? 'linear' : hidden,
      initializer: START,
      biasInitializer: START
    }))
    this.#network = new Network({ layers: [inputs, ...layers], loss: 'squaredError', precision: 'f32' })
    if (before !== undefined) this.#network.setWeights(before.getWeights())
  }

  updateTrainingOptions(options) {
    const { activation, leakyReluAlpha } = this.trainOpts
    const given = checked(options, RULES)
    if (given.log === true) given.log = this.logTrainingStatus
    Object.assign(this.trainOpts, given)
    const isOther =
      activation !== this.trainOpts.activation || leakyReluAlpha !== this.trainOpts.leakyReluAlpha
    if (this.isInitialized && isOther) this.setActivation()
  }

  logTrainingStatus({ error, iterations }) {
    console.log(`iterations: ${iterations}, training error: ${error}`)
  }

  train(data, options = {}) {
    const { preparedData, status, endTime } = this.prepTraining(data, options)
    while (this.trainingTick(preparedData, status, endTime));
    return status
  }

  async trainAsync(data, options = {}) {
    const { preparedData, status, endTime } = this.prepTraining(data, options)
    while (await this.trainingTick(preparedData, status, endTime, true));
    return status
  }

  /** The rows as numbers, and a network for them. */
  prepTraining(data, options = {}) {
    this.updateTrainingOptions(options)
    const preparedData = this.formatData(data)
    const endTime = Date.now() + this.trainOpts.timeout
    this.verifyIsInitialized(preparedData)
    this.validateData(preparedData)
    return { preparedData, status: { error: 1, iterations: 0 }, endTime }
  }

  /**
   * The whole training in one tick, since `fit` calls back by itself; on another thread where it `isAsync`.
   *
   * @returns {false | Promise<false>} whether there is more to do
   */
  trainingTick(data, status, endTime, isAsync = false) {
    for (const which of ['input', 'output']) {
      if (data[0][which].length === 0) throw invalidLength('at least 1 number', `data[0].${which}`, 0)
    }
    const { callback, callbackPeriod, errorThresh, iterations, log, logPeriod } = this.trainOpts
    const onEpoch = ({ epoch, loss }) => {
      Object.assign(status, { error: this.#errorOf(loss), iterations: epoch })
      if (log !== false && epoch % logPeriod === 0) log({ ...status })
      if (callback !== undefined && epoch % callbackPeriod === 0) callback({ ...status })
    }
    // Without anybody to tell it goes in one go.
    const isAsked = log !== false || callback !== undefined
    const fit = {
      epochs: Math.min(iterations, MOST_EPOCHS),
      batchSize: 1,
      shuffle: false,
      targetLoss: (errorThresh * this.sizes.at(-1)) / 2,
      ...(isAsked && { onEpoch }),
      ...(endTime < Infinity && { timeout: Math.max(1, endTime - Date.now()) })
    }
    const end = ({ epochs, loss }) => {
      Object.assign(status, { error: this.#errorOf(loss.at(-1)), iterations: epochs })
      return false
    }
    const rows = [data.map(({ input }) => input), data.map(({ output }) => output)]
    const trainer = this.#claimTrainer()
    return isAsync ? trainer.fit(...rows, fit).then(end) : end(trainer.fitSync(...rows, fit))
  }

  /** The loss is half the sum over the outputs, the error their mean. */
  #errorOf(loss) {
    return (2 * loss) / this.sizes.at(-1)
  }

  /** The optimizer keeps its state from one training to the next, while its options are the same. */
  #claimTrainer() {
    const { beta1, beta2, epsilon, learningRate, momentum, praxis } = this.trainOpts
    const optimizer =
      praxis === 'adam'
        ? { type: 'adam', beta1, beta2, epsilon }
        : momentum > 0
          ? { type: 'momentum', momentum }
          : 'sgd'
    const key = JSON.stringify([optimizer, learningRate])
    if (this.#trainer === undefined || this.#trainerKey !== key) {
      this.#trainer = this.#runnable().trainer({ optimizer, learningRate })
      this.#trainerKey = key
    }
    return this.#trainer
  }

  /** Rows as numbers. The names in the first data of a new network get places. */
  formatData(data) {
    const examples = examplesOf(data)
    for (const which of ['input', 'output']) {
      if (this.isInitialized || isNumbers(examples[0][which])) continue
      const names = new Set(examples.flatMap((example) => Object.keys(example[which])))
      this[`${which}Lookup`] = Object.fromEntries(Array.from(names, (name, place) => [name, place]))
      this[`${which}LookupLength`] = names.size
    }
    return examples.map(({ input, output }, i) => ({
      input: this.#numbers(input, 'input', `data[${i}].input`),
      output: this.#numbers(output, 'output', `data[${i}].output`)
    }))
  }

  /** A row as numbers, in the order of the names where it has some; what is not there is 0. */
  #numbers(value, which, name) {
    const lookup = this[`${which}Lookup`]
    if (typeof value !== 'object' || value === null || (lookup === null && !isNumbers(value))) {
      throw invalidType(lookup === null ? 'an array of numbers' : 'an object of numbers', name, value)
    }
    const isNamed = !isNumbers(value)
    const row = new Float32Array(isNamed ? this[`${which}LookupLength`] : value.length)
    for (const [key, x] of isNamed ? Object.entries(value) : value.entries()) {
      const place = isNamed ? (Object.hasOwn(lookup, key) ? lookup[key] : undefined) : key
      if (place === undefined) continue
      const finite = `${name}[${isNamed ? JSON.stringify(key) : key}]`
      if (!isNumber(x)) throw invalidType('a finite number', finite, x)
      if (!Number.isFinite(x)) throw outOfRange('a finite number', finite, x)
      row[place] = x
    }
    return row
  }

  /** A new network takes its sizes from the first data. */
  verifyIsInitialized([{ input, output }]) {
    if (this.isInitialized) return
    this.sizes = [input.length, ...(this.options.hiddenLayers ?? usual(input.length)), output.length]
    this.initialize()
  }

  validateData(data) {
    for (const [i, row] of data.entries()) {
      for (const [which, size] of [
        ['input', this.sizes[0]],
        ['output', this.sizes.at(-1)]
      ]) {
        const { length } = row[which]
        if (length !== size) throw invalidLength(`${size} numbers`, `data[${i}].${which}`, length)
      }
    }
  }

  run(input) {
    if (!this.isRunnable) this.#runnable()
    const outputs = this.runInput(this.#numbers(input, 'input', 'input'))
    if (this.outputLookup === null) return outputs
    return Object.fromEntries(
      Object.entries(this.outputLookup).map(([name, place]) => [name, outputs[place]])
    )
  }

  /** The outputs for inputs in their places. */
  runInput(input) {
    const outputs = Float32Array.from(this.#runnable().predict(input))
    const { activation, leakyReluAlpha } = this.trainOpts
    const { cut } = ACTIVATIONS[activation]
    return cut === undefined ? outputs : outputs.map((x) => cut(x, leakyReluAlpha))
  }

  test(data) {
    if (!this.isRunnable) this.#runnable()
    const examples = examplesOf(data)
    const rows = this.formatData(examples)
    this.validateData(rows)
    const isBinary = this.sizes.at(-1) === 1
    let sum = 0
    const judged = rows.map(({ input, output: target }, i) => {
      const outputs = this.runInput(input)
      sum += outputs.reduce((sum, y, k) => sum + (target[k] - y) ** 2, 0) / outputs.length
      const [actual, expected] = isBinary
        ? [outputs[0] > this.options.binaryThresh ? 1 : 0, target[0]]
        : [placeOfMost(outputs), placeOfMost(target)]
      return { input: examples[i].input, output: examples[i].output, actual, expected }
    })
    const misclasses = judged.filter(({ actual, expected }) => actual !== expected)
    const result = { error: sum / rows.length, misclasses, total: rows.length }
    return isBinary ? { ...result, ...countsOf(judged) } : result
  }

  toJSON() {
    if (!this.isInitialized) this.initialize()
    const { callback, log, timeout, ...rest } = this.trainOpts
    return {
      type: 'NeuralNetwork',
      sizes: [...this.sizes],
      layers: this.#layers().map(({ weights, biases }) => ({ weights, biases })),
      inputLookup: this.inputLookup && { ...this.inputLookup },
      inputLookupLength: this.inputLookupLength,
      outputLookup: this.outputLookup && { ...this.outputLookup },
      outputLookupLength: this.outputLookupLength,
      options: { ...this.options },
      trainOpts: { ...rest, log: log !== false, timeout: timeout === Infinity ? 'Infinity' : timeout }
    }
  }

  fromJSON(json) {
    const { readerOf } = require('../imports.js')
    const value = require('../files.js').objectOf(json, 'json')
    const read = readerOf(value)
    if (read === undefined) throw invalidType('the JSON of a network of brain.js', 'json', json)
    // Without inputs, outputs or layers after the first there are no weights to read.
    const isEmpty = Array.isArray(value.sizes) && (value.sizes.length === 1 || value.sizes.includes(0))
    const { options, layers } = isEmpty ? { options: { layers: [] }, layers: [] } : read(value, 'json')
    const [inputs, ...others] = options.layers
    const { timeout, ...rest } = value.trainOpts ?? {}
    const trained = checked(
      {
        ...known(rest, RULES),
        ...(value.activation !== undefined && { activation: value.activation }),
        ...(typeof timeout === 'number' && { timeout })
      },
      RULES
    )
    const own = checked(known(value.options ?? {}, SIZES), SIZES)

    this.isInitialized = false
    this.updateTrainingOptions(trained)
    this.options = { ...defaults(), ...own }
    this.sizes = isEmpty ? [...value.sizes] : [inputs, ...others.map(({ units }) => units)]
    for (const which of ['input', 'output']) {
      const lookup = value[`${which}Lookup`]
      const names = typeof lookup === 'object' && lookup !== null ? { ...lookup } : null
      this[`${which}Lookup`] = names
      this[`${which}LookupLength`] = names === null ? 0 : Object.keys(names).length
    }
    this.initialize()
    if (!isEmpty) this.#runnable().setWeights(layers)
    return this
  }

  /** A function without dependencies that computes what `run` does; `change` may change its source. */
  toFunction(change = (source) => source) {
    this.#runnable()
    const { activation, leakyReluAlpha } = this.trainOpts
    const inPlaces = (lookup) => Object.entries(lookup).sort(([, a], [, b]) => a - b)
    const row =
      this.inputLookup === null
        ? 'Array.from(input)'
        : `[${inPlaces(this.inputLookup).map(([name]) => `number(input[${JSON.stringify(name)}])`)}]`
    const named = ([name, k]) => `[${JSON.stringify(name)}]: a[${k}]`
    const source = [
      `const layers = ${JSON.stringify(this.#layers().slice(1))};`,
      `const f = (x) => ${ACTIVATIONS[activation].source(leakyReluAlpha)};`,
      "const number = (x) => typeof x === 'number' ? x : 0;",
      `let a = ${row};`,
      'for (const { weights, biases } of layers) {',
      '  a = biases.map((b, j) => f(weights[j].reduce((sum, w, i) => sum + w * number(a[i]), b)));',
      '}',
      this.outputLookup === null ? 'return a;' : `return { ${inPlaces(this.outputLookup).map(named)} };`
    ].join('\n')
    return new Function('input', change(source))
  }
}

/** The options that are given, if all of them are as the rules want them. */
function checked(options, rules, names = Object.keys(rules)) {
  const given = {}
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, key)) throw unknownOption(names, 'options', key)
    if (value === undefined || (value === null && NOTHING.includes(key))) continue
    const [rule, fits] = rules[key]
    if (!fits(value)) throw outOfRange(rule, `options.${key}`, value)
    given[key] = value
  }
  return given
}

function known(options, rules) {
  return Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(rules, key)))
}

function usual(inputs) {
  return [Math.max(3, Math.floor(inputs / 2))]
}

function examplesOf(data) {
  const examples = Array.isArray(data) ? data : [data]
  if (examples.length === 0) throw invalidLength('at least 1 row', 'data', 0)
  for (const [i, example] of examples.entries()) {
    for (const key of ['input', 'output']) {
      if (typeof example?.[key] !== 'object' || example[key] === null) {
        throw invalidType('an array or an object of numbers', `data[${i}].${key}`, example?.[key])
      }
    }
  }
  return examples
}

function placeOfMost(numbers) {
  return numbers.indexOf(Math.max(...numbers))
}

function countsOf(judged) {
  const count = (is) => judged.filter(is).length
  const truePos = count(({ actual, expected }) => actual === 1 && expected === 1)
  const trueNeg = count(({ actual, expected }) => actual === 0 && expected === 0)
  const falsePos = count(({ actual, expected }) => actual === 1 && expected === 0)
  const falseNeg = count(({ actual, expected }) => actual === 0 && expected === 1)
  return {
    truePos,
    trueNeg,
    falsePos,
    falseNeg,
    precision: truePos > 0 ? truePos / (truePos + falsePos) : 0,
    recall: truePos > 0 ? truePos / (truePos + falseNeg) : 0,
    accuracy: (truePos + trueNeg) / judged.length
  }
}

module.exports = { NeuralNetwork, defaults, trainDefaults }
