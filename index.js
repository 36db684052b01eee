'use strict'

const { NeuralNetwork } = require('./lib/network.js')
const { Neuron } = require('./lib/neuron.js')

/** The model in a file. */
function load(path) {
  return NeuralNetwork.load(path)
}

module.exports = { NeuralNetwork, Neuron, load }
