'use strict'

// One neuron decides whether to buy an ice cream, from how hot it is and how hungry we are.

const { Neuron } = require('..')

const neuron = new Neuron(2)
neuron.weights = [0.7, 0.3] // heat counts more than hunger
neuron.bias = -15 // and it takes a good deal of both

const days = [
  { temperature: 30, hunger: 8, expected: 'yes' },
  { temperature: 15, hunger: 3, expected: 'no' }
]

for (const { temperature, hunger, expected } of days) {
  const desire = neuron.activate([temperature, hunger])
  const answer = desire > 0.5 ? 'yes' : 'no'
  console.log(`${temperature} degrees, hunger ${hunger}: ${answer} (${(100 * desire).toFixed(2)} %)`)
  if (answer !== expected) process.exitCode = 1
}
