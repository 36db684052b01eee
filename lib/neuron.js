const { checkArguments, checkCount, checkFinite, copyFinite, copyVector } = require('./check.js')
const { createMemory, sigmoidModel } = require('./model.js')
const native = require('./native.js')

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
    const { inputCount, values, inputs: start, outputs } = this.#model
    const memory = this.#memory
    copyFinite('weights', this.weights, inputCount, memory, values)
    memory[values + inputCount] = checkFinite('bias', this.bias)
    copyVector('inputs', inputs, inputCount, memory, start)
    native.predict(memory.buffer)
    return memory[outputs]
  }

  sigmoid(x) {
    checkArguments('sigmoid', arguments.length, 1)
    if (typeof x !== 'number') checkFinite('x', x)
    return native.sigmoid(x)
  }
}

module.exports = { Neuron }
