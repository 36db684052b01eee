'use strict'

const { NeuralNetwork } = require('./lib/network.js')
const { Neuron } = require('./lib/neuron.js')

module.exports = { NeuralNetwork, Neuron }

/** What is for tables is loaded when it is asked for: `require('mikir')` is to be quick. */
const TABLES = {
  Classifier: () => require('./lib/tables/model.js').Classifier,
  Regressor: () => require('./lib/tables/model.js').Regressor,
  Table: () => require('./lib/tables/table.js').Table,
  crossValidate: () => require('./lib/tables/validate.js').crossValidate,
  load: () => require('./lib/tables/load.js').load
}
for (const [name, get] of Object.entries(TABLES))
  Object.defineProperty(module.exports, name, { enumerable: true, get })
