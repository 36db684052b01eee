'use strict'

// Networks of brain.js, synaptic and FANN predict what they predicted there.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, describe, test } = require('node:test')
const { NeuralNetwork, load } = require('../index.js')
const golden = require('./goldens/imports.json')
const { CORRUPT_FILE } = require('./helpers.js')

const folder = mkdtempSync(path.join(tmpdir(), 'mikir-imports-'))
after(() => rmSync(folder, { recursive: true }))

const caseOf = (start) => golden.cases.find(({ name }) => name.startsWith(start))

describe('networks of other libraries', () => {
  for (const { name, json, text, inputs, outputs } of golden.cases) {
    test(`predict the same: ${name}`, async () => {
      let network
      if (json !== undefined) {
        network = NeuralNetwork.fromJSON(json)
        assert.deepEqual(NeuralNetwork.fromJSON(JSON.stringify(json)).getWeights(), network.getWeights())
      } else {
        const file = path.join(folder, 'a.net')
        writeFileSync(file, text)
        network = await load(file)
      }
      // brain.js computes in single precision.
      const tolerance = name.startsWith('brain.js') ? 1e-6 : 1e-12
      for (const [row, exact] of outputs.entries()) {
        const predicted = network.predict(inputs[row])
        assert.equal(predicted.length, exact.length)
        for (const [k, x] of exact.entries()) {
          assert.ok(Math.abs(predicted[k] - x) <= tolerance * (1 + Math.abs(x)), `${predicted[k]}, not ${x}`)
        }
      }
      // And they go on.
      network.train(inputs[0], outputs[0])
    })
  }
})

describe('what is none of them is refused with the reason', () => {
  const saidOf = (call) => {
    try {
      call()
    } catch (error) {
      assert.equal(error.code, CORRUPT_FILE, error.stack)
      return error.message
    }
  }
  const spoilt = (start, change) => {
    const json = structuredClone(caseOf(start).json)
    change(json)
    return saidOf(() => NeuralNetwork.fromJSON(json))
  }

  test('brain.js', () => {
    assert.equal(
      spoilt('brain.js 2', (json) => (json.type = 'LSTM')),
      "Expected the type 'NeuralNetwork' of brain.js for json but received 'LSTM'"
    )
    assert.equal(
      spoilt('brain.js 2', (json) => (json.trainOpts.activation = 'swish')),
      "Expected an activation of 'sigmoid', 'tanh', 'relu', 'leaky-relu' for json but received 'swish'"
    )
    assert.equal(
      spoilt('brain.js 2', (json) => (json.layers[1].weights[0][1] = null)),
      'Expected a finite number for layers[1].weights[0][1] for json but received null'
    )
    assert.equal(
      spoilt('brain.js 2', (json) => (json.sizes[0] = 1e9)),
      'Expected a number of inputs for json but received 1000000000'
    )
    assert.equal(
      spoilt('brain.js 2', (json) => json.layers[1].biases.pop()),
      'Expected rows of 3 weights, and as many biases, in layer 1 for json but received others'
    )
    assert.match(
      spoilt('brain.js 1', (json) => (json.layers[1][0].bias = 'x')),
      /^Expected a finite number for layers\[1\]\[0\]\.bias for json but received 'x'$/
    )
    assert.match(
      spoilt('brain.js 1', (json) => (json.layers[1] = 7)),
      /^Expected /
    )
    assert.match(
      spoilt('brain.js 1', (json) => (json.layers = [{}, { 0: { bias: 1, weights: 3 } }])),
      /^Expected /
    )
  })

  test('synaptic', () => {
    assert.equal(
      spoilt('synaptic', (json) => (json.neurons[4].squash = 'HLIM')),
      'Expected one squash for all neurons of a layer for json but received LOGISTIC, HLIM'
    )
    assert.equal(
      spoilt('synaptic', (json) => (json.connections[0].to = json.connections[0].from)),
      'Expected connections from one layer to the next alone for json but received connections[0] from 0 to 0'
    )
    assert.equal(
      spoilt('synaptic', (json) => (json.connections[2].gater = 4)),
      'Expected connections without a gate for json but received a gate of connections[2]'
    )
    assert.match(
      spoilt('synaptic', (json) => (json.neurons = json.neurons.filter(({ layer }) => layer !== 'output'))),
      /^Expected neurons of the layers 'input', 0, 1, \.\.\. and 'output' for json but received /
    )
    assert.match(
      spoilt('synaptic', (json) => (json.neurons[0] = null)),
      /^Expected an object for neurons\[0\]/
    )
    // A missing connection weighs nothing.
    const { json } = caseOf('synaptic')
    const without = { ...json, connections: json.connections.slice(1) }
    assert.equal(NeuralNetwork.fromJSON(without).getWeights()[0].weights[0][0], 0)
  })

  test('FANN', async () => {
    const { text } = caseOf('FANN, function 3')
    const said = async (changed) => {
      const file = path.join(folder, 'b.net')
      writeFileSync(file, changed)
      try {
        await load(file)
      } catch (error) {
        assert.equal(error.code, CORRUPT_FILE, error.stack)
        return error.message.replace(`'${file}'`, 'FILE')
      }
    }
    assert.equal(await said(text), undefined)
    assert.equal(
      await said(`FANN_FIX_2.0${text.slice(12)}`),
      "Expected 'FANN_FLO_2.1' or 'FANN_FLO_2.0' on the first line for FILE but received 'FANN_FIX_2.0'"
    )
    assert.equal(
      await said(text.replace('network_type=0', 'network_type=1')),
      'Expected network_type=0, layer after layer for FILE but received network_type=1'
    )
    assert.equal(
      await said(text.replace('(4, 3, ', '(4, 6, ')),
      'Expected an activation_function of 0, 3, 5, 11, 13 for FILE but received 6'
    )
    assert.match(
      await said(text.replace(/layer_sizes=.*/, 'layer_sizes=4 1000000000 3')),
      /^Expected at least two layer_sizes/
    )
    assert.match(
      await said(text.replace(/layer_sizes=.*/, 'layer_sizes=4 1000000 3')),
      /^Expected 1000007 neurons/
    )
    assert.match(
      await said(text.replace(/connections.*/, '')),
      /^Expected a line 'connections=' for FILE but received none$/
    )
    assert.match(
      await said(text.replace(/(connections.*=\(0, )[^)]*/, '$1nan')),
      /^Expected 2 numbers in each of connections/
    )
    for (let length = 0; length < text.length - 30; length += 7)
      assert.match(await said(text.slice(0, length)), /^Expected /)
  })

  test('JSON of any other shape', () => {
    for (const json of [
      { layers: [] },
      { layers: [1, 2] },
      { layers: [{}, {}], sizes: [] },
      { type: 'NeuralNetwork', layers: [{}] },
      { type: 'NeuralNetwork', layers: [{}, { weights: [], biases: [] }], sizes: [2, 0] },
      { neurons: [], connections: [] },
      JSON.parse('{"type":"NeuralNetwork","sizes":[1,1],"layers":[{},{"__proto__":{"bias":1,"weights":{}}}]}')
    ]) {
      assert.match(
        saidOf(() => NeuralNetwork.fromJSON(json)),
        /^Expected .* for json but received /
      )
    }
  })
})
