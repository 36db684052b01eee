'use strict'

const { checkArguments, checkCount, checkFinite, copyFinite, copyVector } = require('./check.js')
const { invalidType, outOfRange } = require('./errors.js')
const { createMemory, sigmoidModel } = require('./model.js')
const native = require('./native.js')

/** Counts calls, to notice one that begins while another reads its arguments. */
let calls = 0

/** One sigmoid neuron: a network of one layer and one output, whose parameters are properties. */
class Neuron {
  #model
  #memory

  constructor(inputCount) {
    checkArguments('new Neuron', arguments.length, 1)
    this.#model = sigmoidModel([checkCount('inputCount', inputCount), 1])
    this.#memory = createMemory(this.#model)
    native.initialize(this.#memory.buffer, native.drawSeed())
    const bias = this.#model.values + inputCount
    this.weights = Array.from(this.#memory.subarray(this.#model.values, bias))
    this.bias = this.#memory[bias]
  }

  activate(inputs) {
    checkArguments('activate', arguments.length, 1)
    const call = ++calls
    this.#load(this.weights, this.bias, inputs)
    // Reading them ran code of their own (a getter, a proxy) that came here: take them from copies.
    if (call !== calls) {
      const [weights, bias] = [[...this.weights], this.bias]
      this.#load(weights, bias, [...inputs])
    }
    native.predict(this.#memory.buffer)
    return this.#memory[this.#model.outputs]
  }

  #load(weights, bias, inputs) {
    const { inputCount, values, inputs: start } = this.#model
    copyFinite('weights', weights, inputCount, this.#memory, values)
    this.#memory[values + inputCount] = checkFinite('bias', bias)
    copyVector('inputs', inputs, inputCount, this.#memory, start)
  }

  sigmoid(x) {
    checkArguments('sigmoid', arguments.length, 1)
    if (typeof x !== 'number') throw invalidType('a number', 'x', x)
    if (Number.isNaN(x)) throw outOfRange('a number', 'x', x)
    return native.sigmoid(x)
  }
}

module.exports = { Neuron }
