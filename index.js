'use strict'

const { NeuralNetwork } = require('./lib/network.js')
const { Neuron } = require('./lib/neuron.js')

module.exports = {
  NeuralNetwork,
  Neuron,
  /** Which one runs: 'addon' or 'wasm'. */
  host: require('./lib/host.js').name,
  // What is for tables is loaded when it is asked for: `require('mikir')` is to be quick.
  get Classifier() {
    return require('./lib/tables/model.js').Classifier
  },
  get Model() {
    return require('./lib/tables/model.js').Model
  },
  get Regressor() {
    return require('./lib/tables/model.js').Regressor
  },
  get Table() {
    return require('./lib/tables/table.js').Table
  },
  get crossValidate() {
    return require('./lib/tables/validate.js').crossValidate
  },
  get load() {
    return require('./lib/tables/load.js').load
  }
}

// Node.js reads the names for `import` from assignments like this one, which never runs.
0 &&
  // biome-ignore lint/suspicious/noAssignInExpressions: as Node.js expects it
  (module.exports = { NeuralNetwork, Neuron, Classifier, Model, Regressor, Table, crossValidate, host, load })
