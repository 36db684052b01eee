'use strict'

// A program for brain.js, with one line changed.

const { NeuralNetwork, likely } = require('../brain.js') // in your own program: 'mikir/brain'

const network = new NeuralNetwork({ hiddenLayers: [6] })
const { error, iterations } = network.train([
  { input: { r: 0.03, g: 0.7, b: 0.5 }, output: { black: 1 } },
  { input: { r: 0.16, g: 0.09, b: 0.2 }, output: { white: 1 } },
  { input: { r: 0.5, g: 0.5, b: 1.0 }, output: { white: 1 } },
  { input: { r: 0.9, g: 0.9, b: 0.3 }, output: { black: 1 } }
])
console.log(`error ${error.toFixed(4)} after ${iterations} iterations`)
const answers = [likely({ r: 0.95, g: 0.9, b: 0.9 }, network), likely({ r: 0.1, g: 0.05, b: 0.2 }, network)]
console.log(`on a light colour ${answers[0]}, on a dark one ${answers[1]}`)
if (answers.join() !== 'black,white') process.exitCode = 1
