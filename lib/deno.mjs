// The package for Deno, which finds the names of index.js in another way than Node.js.

import mikir from '../index.js'

export default mikir
export const { Classifier, Model, NeuralNetwork, Neuron, Regressor, Table, crossValidate, host, load } = mikir
