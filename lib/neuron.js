'use strict'

const { checkArguments, checkCount, checkFinite, copyFinite, copyVector } = require('./check.js')
const { invalidType, outOfRange } = require('./errors.js')
const { createBuffer, sigmoidModel, viewOf } = require('./model.js')
const host = require('./host.js')

/** Counts calls, to notice one that begins while another reads its arguments. */
let calls = 0

/** One sigmoid neuron: a network of one layer and one output, whose parameters are properties. */
class Neuron {
  #model
  #buffer
  #view

  constructor(inputCount) {
    checkArguments('new Neuron', arguments.length, 1)
    this.#model = sigmoidModel([checkCount('inputCount', inputCount), 1])
    this.#buffer = createBuffer(this, this.#model)
    this.#view = viewOf(this.#buffer, this.#model)
    host.initialize(this.#buffer, host.drawSeed())
    const bias = this.#model.values + inputCount
    this.weights = Array.from(this.#numbers().subarray(this.#model.values, bias))
    this.bias = this.#numbers()[bias]
  }

  /** What is in the buffer. Any call may make memory grow, and this view another one. */
  #numbers() {
    if (this.#view.length === 0) this.#view = viewOf(this.#buffer, this.#model)
    return this.#view
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
    host.predict(this.#buffer)
    return this.#numbers()[this.#model.outputs]
  }

  #load(weights, bias, inputs) {
    const { inputCount, values, inputs: start } = this.#model
    const memory = this.#numbers()
    copyFinite('weights', weights, inputCount, memory, values)
    memory[values + inputCount] = checkFinite('bias', bias)
    copyVector('inputs', inputs, inputCount, memory, start)
  }

  sigmoid(x) {
    checkArguments('sigmoid', arguments.length, 1)
    if (typeof x !== 'number') throw invalidType('a number', 'x', x)
    if (Number.isNaN(x)) throw outOfRange('a number', 'x', x)
    return host.sigmoid(x)
  }
}

module.exports = { Neuron }
