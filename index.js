'use strict'

const { NeuralNetwork } = require('./lib/network.js')
const { Neuron } = require('./lib/neuron.js')

module.exports = { NeuralNetwork, Neuron }
