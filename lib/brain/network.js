'use strict'

// The interface of brain.js's NeuralNetwork over mikir's: see brain.d.ts. Training is as there: a step for each row, in the
// order of the rows, by gradient descent with momentum or by Adam, until the error is small enough.

const { invalidLength, invalidType, outOfRange, unknownOption } = require('../errors.js')
const { NeuralNetwork: Network } = require('../network.js')

const OPTIONS = { inputSize: 0, outputSize: 0, binaryThresh: 0.5 }
const TRAINING = {
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
const ACTIVATIONS = {
  sigmoid: () => 'sigmoid',
  relu: () => 'relu',
  'leaky-relu': (alpha) => ({ type: 'leakyRelu', alpha }),
  tanh: () => 'tanh'
}
/** The same as source, for `toFunction`. */
const FUNCTIONS = {
  sigmoid: () => '1 / (1 + Math.exp(-x))',
  relu: () => 'Math.max(0, x)',
  'leaky-relu': (alpha) => `x > 0 ? x : ${alpha} * x`,
  tanh: () => 'Math.tanh(x)'
}

const within = (least, most) => [`a number from ${least} to ${most}`, (x) => x >= least && x <= most]
const COUNT = ['an integer of at least 1', (x) => Number.isInteger(x) && x >= 1]
const FUNCTION = ['a function', (x) => typeof x === 'function']
const RULES = {
  activation: [`one of ${Object.keys(ACTIVATIONS).join(', ')}`, (x) => Object.hasOwn(ACTIVATIONS, x)],
  iterations: COUNT,
  errorThresh: within(0, 1),
  log: ['true, false or a function', (x) => typeof x === 'boolean' || typeof x === 'function'],
  logPeriod: COUNT,
  leakyReluAlpha: within(0, 1),
  learningRate: ['a number above 0', (x) => x > 0 && x < Infinity],
  momentum: ['a number of at least 0 and below 1', (x) => x >= 0 && x < 1],
  callback: FUNCTION,
  callbackPeriod: COUNT,
  timeout: ['a number above 0', (x) => x > 0],
  praxis: ["'adam'", (x) => x === 'adam'],
  beta1: ['a number of at least 0 and below 1', (x) => x >= 0 && x < 1],
  beta2: ['a number of at least 0 and below 1', (x) => x >= 0 && x < 1],
  epsilon: ['a number above 0', (x) => x > 0 && x < Infinity]
}

/** How brain.js draws weights and biases. */
const START = { type: 'uniform', minimum: -0.2, maximum: 0.2 }

const isNumbers = (value) => Array.isArray(value) || ArrayBuffer.isView(value)

class NeuralNetwork {
  sizes = []
  inputLookup = null
  inputLookupLength = 0
  outputLookup = null
  outputLookupLength = 0
  #network
  /** Goes on where the last training ended, and what it was made for. */
  #trainer
  #trainerKey

  constructor(options = {}) {
    this.options = { ...OPTIONS }
    this.trainOpts = { ...TRAINING }
    for (const [key, value] of Object.entries(options)) {
      if (Object.hasOwn(OPTIONS, key) || key === 'hiddenLayers') this.options[key] = value
    }
    this.updateTrainingOptions(
      Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(RULES, key)))
    )
    const { inputSize, hiddenLayers, outputSize } = this.options
    if (inputSize > 0 && outputSize > 0) {
      this.sizes = [inputSize, ...(hiddenLayers ?? usual(inputSize)), outputSize]
      this.initialize()
    }
  }

  get isRunnable() {
    return this.#network !== undefined
  }

  /** Of each layer but the inputs: `[neuron][input]`. */
  get weights() {
    return this.#layers().map(({ weights }) => weights)
  }

  get biases() {
    return this.#layers().map(({ biases }) => biases)
  }

  #layers() {
    return this.#runnable().getWeights()
  }

  #runnable() {
    if (this.#network === undefined) {
      throw invalidType('a network that was trained', 'run', undefined, 'call train() or fromJSON() first')
    }
    return this.#network
  }

  /** Draws new weights for the sizes. */
  initialize() {
    const { activation, leakyReluAlpha } = this.trainOpts
    const layer = (units) => ({
      units,
      activation: ACTIVATIONS[activation](leakyReluAlpha),
      initializer: START,
      biasInitializer: START
    })
    const [inputs, ...units] = this.sizes
    this.#network = new Network({
      layers: [inputs, ...units.map(layer)],
      loss: 'squaredError',
      precision: 'f32'
    })
    this.#trainer = undefined
  }

  updateTrainingOptions(options) {
    for (const [key, value] of Object.entries(options)) {
      if (!Object.hasOwn(RULES, key)) throw unknownOption(Object.keys(RULES), 'options', key)
      if (
        value === undefined ||
        (key === 'praxis' && value === null) ||
        (key === 'callback' && value === null)
      )
        continue
      const [rule, fits] = RULES[key]
      if (!fits(value)) throw outOfRange(rule, `options.${key}`, value)
      this.trainOpts[key] = value
    }
  }

  train(data, options = {}) {
    const { inputs, targets, fit } = this.#prepare(data, options)
    return this.#statusOf(this.#trainer.fitSync(inputs, targets, fit))
  }

  async trainAsync(data, options = {}) {
    const { inputs, targets, fit } = this.#prepare(data, options)
    return this.#statusOf(await this.#trainer.fit(inputs, targets, fit))
  }

  #statusOf({ epochs, loss }) {
    return { error: this.#errorOf(loss.at(-1)), iterations: epochs }
  }

  /** The loss is half the sum over the outputs, the error their mean. */
  #errorOf(loss) {
    return (2 * loss) / this.sizes.at(-1)
  }

  #prepare(data, options) {
    this.updateTrainingOptions(options)
    const examples = examplesOf(data)
    if (this.#network === undefined) this.#begin(examples)
    const inputs = examples.map(({ input }, i) => this.#numbers(input, 'input', i))
    const targets = examples.map(({ output }, i) => this.#numbers(output, 'output', i))
    const { callback, callbackPeriod, errorThresh, iterations, log, logPeriod, timeout } = this.trainOpts
    this.#claimTrainer()
    const print =
      typeof log === 'function'
        ? log
        : ({ error, iterations }) => console.log(`iterations: ${iterations}, training error: ${error}`)
    const onEpoch = ({ epoch, loss }) => {
      const status = { error: this.#errorOf(loss), iterations: epoch }
      if (log !== false && epoch % logPeriod === 0) print({ ...status })
      if (callback !== undefined && epoch % callbackPeriod === 0) callback({ ...status })
    }
    // Without anybody to tell it goes in one go.
    const isAsked = log !== false || callback !== undefined
    const fit = {
      epochs: iterations,
      batchSize: 1,
      shuffle: false,
      targetLoss: (errorThresh * this.sizes.at(-1)) / 2,
      ...(isAsked && { onEpoch }),
      ...(timeout < Infinity && { timeout })
    }
    return { inputs, targets, fit }
  }

  /** Names, sizes and weights, as the data ask for them. */
  #begin(examples) {
    const [first] = examples
    if (!isNumbers(first.input))
      this.#name(
        'input',
        examples.map(({ input }) => input)
      )
    if (!isNumbers(first.output))
      this.#name(
        'output',
        examples.map(({ output }) => output)
      )
    const inputs = this.inputLookup === null ? first.input.length : this.inputLookupLength
    const outputs = this.outputLookup === null ? first.output.length : this.outputLookupLength
    if (inputs === 0) throw invalidLength('at least 1 number', 'data[0].input', 0)
    if (outputs === 0) throw invalidLength('at least 1 number', 'data[0].output', 0)
    this.sizes = [inputs, ...(this.options.hiddenLayers ?? usual(inputs)), outputs]
    this.initialize()
  }

  #name(which, values) {
    const names = new Set(values.flatMap((value) => Object.keys(value)))
    this[`${which}Lookup`] = Object.fromEntries(Array.from(names, (name, place) => [name, place]))
    this[`${which}LookupLength`] = names.size
  }

  /** A row as numbers, in the order of the names where it has some; what is not there is 0. */
  #numbers(value, which, i) {
    const name = i === undefined ? which : `data[${i}].${which}`
    const lookup = this[`${which}Lookup`]
    if (isNumbers(value)) return value
    if (typeof value !== 'object' || value === null || lookup === null) {
      throw invalidType(lookup === null ? 'an array of numbers' : 'an object of numbers', name, value)
    }
    const row = new Array(this[`${which}LookupLength`]).fill(0)
    for (const [key, x] of Object.entries(value)) {
      if (Object.hasOwn(lookup, key)) row[lookup[key]] = x
    }
    return row
  }

  #claimTrainer() {
    const { beta1, beta2, epsilon, learningRate, momentum, praxis } = this.trainOpts
    const optimizer =
      praxis === 'adam'
        ? { type: 'adam', beta1, beta2, epsilon }
        : momentum > 0
          ? { type: 'momentum', momentum }
          : 'sgd'
    const key = JSON.stringify([optimizer, learningRate])
    if (this.#trainer !== undefined && this.#trainerKey === key) return
    this.#trainer = this.#network.trainer({ optimizer, learningRate })
    this.#trainerKey = key
  }

  run(input) {
    const outputs = this.#runnable().predict(this.#numbers(input, 'input'))
    if (this.outputLookup === null) return Float32Array.from(outputs)
    return Object.fromEntries(
      Object.entries(this.outputLookup).map(([name, place]) => [name, outputs[place]])
    )
  }

  test(data) {
    const network = this.#runnable()
    const rows = examplesOf(data).map((example, i) => {
      const target = this.#numbers(example.output, 'output', i)
      return { ...example, target, outputs: network.predict(this.#numbers(example.input, 'input', i)) }
    })
    const errorOf = ({ outputs, target }) =>
      outputs.reduce((sum, y, k) => sum + (target[k] - y) ** 2, 0) / outputs.length
    const error = rows.reduce((sum, row) => sum + errorOf(row), 0) / rows.length
    const isBinary = this.sizes.at(-1) === 1
    const judged = rows.map(({ input, output, outputs, target }) => {
      const [actual, expected] = isBinary
        ? [outputs[0] > this.options.binaryThresh ? 1 : 0, target[0]]
        : [placeOfMost(outputs), placeOfMost(target)]
      return { input, output, actual, expected }
    })
    const misclasses = judged.filter(({ actual, expected }) => actual !== expected)
    const result = { error, misclasses, total: rows.length }
    return isBinary ? { ...result, ...countsOf(judged) } : result
  }

  toJSON() {
    const layers = this.#layers().map(({ weights, biases }) => ({ weights, biases }))
    const { callback, log, timeout, ...rest } = this.trainOpts
    return {
      type: 'NeuralNetwork',
      sizes: [...this.sizes],
      layers: [{ weights: [], biases: [] }, ...layers],
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
    const { options, layers } = read(value, 'json')
    const [inputs, ...others] = options.layers
    const { timeout, log, ...known } = value.trainOpts ?? {}
    const own = Object.entries(known).filter(([key]) => Object.hasOwn(RULES, key))
    this.updateTrainingOptions({
      ...Object.fromEntries(own),
      ...(value.activation !== undefined && { activation: value.activation }),
      ...(typeof timeout === 'number' && { timeout })
    })
    const keys = [...Object.keys(OPTIONS), 'hiddenLayers'].filter((key) => value.options?.[key] !== undefined)
    for (const key of keys) this.options[key] = value.options[key]
    this.sizes = [inputs, ...others.map(({ units }) => units)]
    for (const which of ['input', 'output']) {
      const lookup = value[`${which}Lookup`]
      const names = typeof lookup === 'object' && lookup !== null ? { ...lookup } : null
      this[`${which}Lookup`] = names
      this[`${which}LookupLength`] = names === null ? 0 : Object.keys(names).length
    }
    this.#network = new Network({ ...options, loss: 'squaredError', precision: 'f32' })
    this.#network.setWeights(layers)
    this.#trainer = undefined
    return this
  }

  /** A function without dependencies that computes what `run` does; `change` may change its source. */
  toFunction(change = (source) => source) {
    const { activation, leakyReluAlpha } = this.trainOpts
    const place = ([name, k]) => `${JSON.stringify(name)}: a[${k}]`
    const row =
      this.inputLookup === null
        ? 'Array.from(input)'
        : `[${Object.keys(this.inputLookup).map((name) => `input[${JSON.stringify(name)}] || 0`)}]`
    const source = [
      `const layers = ${JSON.stringify(this.#layers())};`,
      `const f = (x) => ${FUNCTIONS[activation](leakyReluAlpha)};`,
      `let a = ${row};`,
      'for (const { weights, biases } of layers) {',
      '  a = biases.map((b, j) => f(weights[j].reduce((sum, w, i) => sum + w * (a[i] || 0), b)));',
      '}',
      this.outputLookup === null ? 'return a;' : `return { ${Object.entries(this.outputLookup).map(place)} };`
    ].join('\n')
    return new Function('input', change(source))
  }
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

module.exports = { NeuralNetwork }
