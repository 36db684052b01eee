// The package as one file for pages: scripts/build-web.js bundles it.

import packed from 'mikir.wasm.gz'
import { start } from './host.js'

await start(packed)

// Now, since modules look at the host when they are loaded.
export const { Classifier, Model, NeuralNetwork, Neuron, Regressor, Table, crossValidate, host, load } =
  require('../../index.js')
