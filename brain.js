'use strict'

const { CrossValidate, NeuralNetwork, likely } = require('./lib/brain/index.js')

module.exports = { CrossValidate, NeuralNetwork, likely }
