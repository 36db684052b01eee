// Compiled, never run: the CommonJS form.

import mikir = require('mikir')

export const outputs: number[] = new mikir.NeuralNetwork(2, 2, 1).predict([0, 1])
export const output: number = new mikir.Neuron(2).activate([0, 1])
