'use strict'

const { checkArguments, checkCount, checkFinite, copyFinite, copyVector } = require('./check.js')
const { createValues, modelOf } = require('./model.js')
const native = require('./native.js')

/** One sigmoid neuron: a network of one layer and one output, whose parameters are properties. */
class Neuron {
  #model
  #values

  constructor(inputCount) {
    checkArguments('new Neuron', arguments.length, 1)
    this.#model = modelOf([checkCount('inputCount', inputCount), 1])
    this.#values = createValues(this.#model)
    native.initialize(this.#values.buffer, native.drawSeed())
    const bias = this.#model.params + inputCount
    this.weights = Array.from(this.#values.subarray(this.#model.params, bias))
    this.bias = this.#values[bias]
  }

  activate(inputs) {
    checkArguments('activate', arguments.length, 1)
    const { inputCount, params, inputs: start, outputs } = this.#model
    const values = this.#values
    copyFinite('weights', this.weights, inputCount, values, params)
    values[params + inputCount] = checkFinite('bias', this.bias)
    copyVector('inputs', inputs, inputCount, values, start)
    native.predict(values.buffer)
    return values[outputs]
  }

  sigmoid(x) {
    checkArguments('sigmoid', arguments.length, 1)
    if (typeof x !== 'number') checkFinite('x', x)
    return native.sigmoid(x)
  }
}

module.exports = { Neuron }
