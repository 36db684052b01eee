'use strict'

const { CrossValidate, NeuralNetwork, defaults, likely, trainDefaults } = require('./lib/brain/index.js')

module.exports = { CrossValidate, NeuralNetwork, defaults, likely, trainDefaults }
