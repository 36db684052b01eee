'use strict'

const { load } = require('../../index.js')
const { tell } = require('./output.js')

module.exports = {
  usage: 'mikir convert IN OUT',
  arguments: [2, 2],
  help: `Writes a model in another format, which the name of the file says: .json, .onnx, .safetensors (networks), .mjs or .cjs
(a module without dependencies). Reads .json (also of brain.js and synaptic), .onnx, .safetensors and .net (FANN).

Examples:
  mikir convert iris.json iris.onnx
  mikir convert brain.json network.mjs
`,
  async run([from, to], values) {
    const model = await load(from)
    await model.save(to)
    tell(`wrote ${to}`, values)
  }
}
