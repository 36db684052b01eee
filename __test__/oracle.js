'use strict'

// The contract in plain JavaScript: the original's arithmetic and its style (an object a neuron, arrays
// mapped and reduced), with no line shared with the library. Slow and obvious, it is what the library is
// compared with, in tests and in benchmarks.

class Neuron {
  constructor(inputCount) {
    this.weights = Array.from({ length: inputCount }, () => Math.random())
    this.bias = Math.random()
  }

  activate(inputs) {
    const sum = inputs.reduce((total, input, i) => total + input * this.weights[i], 0)
    return this.sigmoid(sum + this.bias)
  }

  sigmoid(x) {
    return 1 / (1 + Math.exp(-x))
  }
}

class NeuralNetwork {
  constructor(inputCount, hiddenCount, outputCount) {
    this.hidden = Array.from({ length: hiddenCount }, () => new Neuron(inputCount))
    this.output = Array.from({ length: outputCount }, () => new Neuron(hiddenCount))
  }

  predict(inputs) {
    const hidden = this.hidden.map((neuron) => neuron.activate(inputs))
    return this.output.map((neuron) => neuron.activate(hidden))
  }

  train(inputs, targets, learningRate = 0.1) {
    const hidden = this.hidden.map((neuron) => neuron.activate(inputs))
    const outputs = this.output.map((neuron) => neuron.activate(hidden))

    const outputDeltas = outputs.map((output, k) => (targets[k] - output) * output * (1 - output))
    this.output.forEach((neuron, k) => {
      neuron.weights = neuron.weights.map((weight, j) => weight + learningRate * outputDeltas[k] * hidden[j])
      neuron.bias += learningRate * outputDeltas[k]
    })

    // Through the output weights that were just updated: the original's order.
    const hiddenDeltas = hidden.map((h, j) => {
      const error = this.output.reduce((sum, neuron, k) => sum + outputDeltas[k] * neuron.weights[j], 0)
      return error * h * (1 - h)
    })
    this.hidden.forEach((neuron, j) => {
      neuron.weights = neuron.weights.map((weight, i) => weight + learningRate * hiddenDeltas[j] * inputs[i])
      neuron.bias += learningRate * hiddenDeltas[j]
    })
  }

  /** The weights in the form of the library's getWeights(). */
  getWeights() {
    return [this.hidden, this.output].map((layer) => ({
      weights: layer.map((neuron) => [...neuron.weights]),
      biases: layer.map((neuron) => neuron.bias)
    }))
  }
}

module.exports = { NeuralNetwork, Neuron }
