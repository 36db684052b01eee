'use strict'

const {
  checkArguments,
  checkArray,
  checkCount,
  checkFinite,
  checkOptions,
  checkSeed,
  copyFinite,
  copyVector
} = require('./check.js')
const { createValues, modelOf } = require('./model.js')
const native = require('./native.js')

const LEARNING_RATE = 1

/** Counts calls, to notice one that begins while another reads its arguments. */
let calls = 0

/** A multilayer perceptron; index.d.ts says what users may count on. */
class NeuralNetwork {
  #model
  /** All that is this network's own, as numbers. */
  #values
  /** The same memory, the one argument of every call into the addon. */
  #buffer
  #seed

  constructor(inputCount, hiddenCount, outputCount, options = {}) {
    checkArguments('new NeuralNetwork', arguments.length, 3, 4)
    checkCount('inputCount', inputCount)
    checkCount('hiddenCount', hiddenCount)
    checkCount('outputCount', outputCount)
    const { seed } = checkOptions('options', options, ['seed'])
    this.#seed = seed === undefined ? native.drawSeed() : checkSeed('options.seed', seed)
    this.#model = modelOf([inputCount, hiddenCount, outputCount])
    this.#values = createValues(this.#model)
    this.#buffer = this.#values.buffer
    native.initialize(this.#buffer, this.#seed)
  }

  get inputCount() {
    return this.#model.inputCount
  }

  get outputCount() {
    return this.#model.outputCount
  }

  get parameterCount() {
    return this.#model.parameterCount
  }

  get seed() {
    return this.#seed
  }

  predict(inputs) {
    checkArguments('predict', arguments.length, 1)
    const model = this.#model
    const values = this.#values
    const call = ++calls
    copyVector('inputs', inputs, model.inputCount, values, model.inputs)
    // Reading the array ran code of its own (a getter, a proxy) that came here: take it from a copy.
    if (call !== calls) return this.predict([...inputs])
    native.predict(this.#buffer)
    const outputs = [values[model.outputs]]
    for (let k = 1; k < model.outputCount; k++) outputs.push(values[model.outputs + k])
    return outputs
  }

  train(inputs, targets, learningRate = 0.1) {
    checkArguments('train', arguments.length, 2, 3)
    const model = this.#model
    const values = this.#values
    const call = ++calls
    copyVector('inputs', inputs, model.inputCount, values, model.inputs)
    copyVector('targets', targets, model.outputCount, values, model.targets)
    if (call !== calls) return this.train([...inputs], [...targets], learningRate)
    values[LEARNING_RATE] = checkFinite('learningRate', learningRate)
    native.train(this.#buffer)
  }

  getWeights() {
    checkArguments('getWeights', arguments.length, 0)
    const flat = native.exportWeights(this.#buffer)
    let at = 0
    const take = (count) => Array.from(flat.subarray(at, (at += count)))
    return shapes(this.#model).map(({ inputs, units }) => ({
      weights: Array.from({ length: units }, () => take(inputs)),
      biases: take(units)
    }))
  }

  setWeights(layers) {
    checkArguments('setWeights', arguments.length, 1)
    const flat = new Float64Array(this.#model.parameterCount)
    let at = 0
    const put = (name, vector, count) => {
      copyFinite(name, vector, count, flat, at)
      at += count
    }
    const expected = shapes(this.#model)
    checkArray('layers', layers, expected.length)
    expected.forEach(({ inputs, units }, l) => {
      const { weights, biases } = checkOptions(`layers[${l}]`, layers[l], ['weights', 'biases'])
      checkArray(`layers[${l}].weights`, weights, units)
      for (let j = 0; j < units; j++) put(`layers[${l}].weights[${j}]`, weights[j], inputs)
      put(`layers[${l}].biases`, biases, units)
    })
    native.importWeights(this.#buffer, flat)
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `NeuralNetwork ${this.#model.counts.join('-')} (${this.parameterCount} parameters, seed ${this.#seed})`
  }
}

/** The inputs and neurons of each layer. */
function shapes({ counts }) {
  return counts.slice(1).map((units, l) => ({ inputs: counts[l], units }))
}

module.exports = { NeuralNetwork }
