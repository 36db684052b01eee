'use strict'

// The one addon on every version of Node.js that mikir supports, with the same answers to the bit. The
// versions come from the npm registry and stay in .peers/runtimes.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { test } = require('node:test')
const { nodeOf, root } = require('./run.js')

const program = `
  const { NeuralNetwork, Neuron } = require(${JSON.stringify(root)})
  const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
  const wide = new NeuralNetwork(20, 30, 10, { seed: 2 })
  const inputs = Array.from({ length: 20 }, (_, i) => (i * 7 % 20) / 20)
  for (let pass = 0; pass < 1000; pass++) {
    for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) network.train([a, b], [a ^ b], 0.5)
    wide.train(inputs, inputs.slice(10))
  }
  const answers = [...network.predict([0, 1]), ...wide.predict(inputs), new Neuron(1).sigmoid(0.3)]
  const errors = []
  try { network.train([0, NaN], [1]) } catch (error) { errors.push(error.code) }
  console.log(JSON.stringify([process.version.split('.')[0], answers, network.getWeights(), errors]))
`

const expected = answersOf(process.execPath)

for (const version of ['v20', 'v22', 'v24', 'v26']) {
  test(`Node.js ${version} gives the answers of ${process.version}`, () => {
    const [ran, ...answers] = answersOf(nodeOf(version.slice(1)))
    assert.equal(ran, version)
    assert.deepEqual(answers, expected.slice(1))
  })
}

/** The program's answers: numbers survive JSON to the bit. */
function answersOf(node) {
  const { status, stdout, stderr, error } = spawnSync(node, ['-e', program], {
    encoding: 'utf8',
    timeout: 60_000
  })
  assert.equal(status, 0, error?.message ?? stderr)
  return JSON.parse(stdout)
}
