'use strict'

// Makes __test__/goldens/imports.json: networks as brain.js 1 and 2 and synaptic write them, and as FANN's text format has
// them, with inputs and outputs.
//
//   node scripts/goldens/imports.js
//
// The libraries come with npm into .peers/. FANN is written in C: its files are made here as its documentation describes
// them, and evaluated by its documented formulas, sums and functions one by one.

const { writeFileSync } = require('node:fs')
const path = require('node:path')
const { install, load } = require('../../benchmark/peers/npm.js')

const ROWS = [
  [0, 0, 1],
  [0.5, -1, 0.25],
  [1, 1, 1],
  [-2, 0.3, 4]
]

/** Repeatable numbers from -1 to 1. */
function randomOf(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

function brainCases(name, { NeuralNetwork }, options = {}) {
  const cases = []
  const data = ROWS.map(([a, b, c]) => ({ input: [a, b, c], output: [Math.abs(a) / 4, Math.abs(b) / 4] }))
  for (const activation of ['sigmoid', 'relu', 'leaky-relu', 'tanh']) {
    for (const hiddenLayers of [[4], [5, 3]]) {
      const network = new NeuralNetwork({ activation, hiddenLayers, ...options })
      network.train(data, { iterations: 20, activation, ...options })
      const json = JSON.parse(JSON.stringify(network.toJSON()))
      cases.push({
        name: `${name}, ${activation}, ${hiddenLayers}`,
        json,
        inputs: ROWS,
        outputs: ROWS.map((row) => Array.from(network.run(row)))
      })
    }
  }
  const named = new NeuralNetwork({ hiddenLayers: [3] })
  named.train(
    [
      { input: { r: 0.1, g: 0.9, b: 0.3 }, output: { dark: 1, light: 0 } },
      { input: { r: 0.9, g: 0.8, b: 0.7 }, output: { dark: 0, light: 1 } }
    ],
    { iterations: 20 }
  )
  const rows = ROWS.map((row) => row.map(Math.abs))
  cases.push({
    name: `${name}, names`,
    json: JSON.parse(JSON.stringify(named.toJSON())),
    inputs: rows,
    outputs: rows.map(([r, g, b]) => Object.values(named.run({ r, g, b })))
  })
  return cases
}

function synapticCases({ Architect, Neuron, Trainer }) {
  return ['LOGISTIC', 'TANH', 'IDENTITY', 'RELU'].flatMap((squash) =>
    [
      [3, 4, 2],
      [3, 5, 4, 2]
    ].map((sizes) => {
      const network = new Architect.Perceptron(...sizes)
      for (const { neuron, layer } of network.neurons()) {
        if (layer !== 'input') neuron.squash = Neuron.squash[squash]
      }
      const set = ROWS.map(([a, b, c]) => ({
        input: [a / 4, b, c / 4],
        output: [Math.abs(a) / 4, Math.abs(b) / 4]
      }))
      new Trainer(network).train(set, { iterations: 20, rate: 0.01 })
      return {
        name: `synaptic, ${squash}, ${sizes}`,
        json: JSON.parse(JSON.stringify(network.toJSON())),
        inputs: ROWS,
        outputs: ROWS.map((row) => Array.from(network.activate(row)))
      }
    })
  )
}

/** FANN's functions of a sum, by number: from its reference manual. */
const FANN = {
  0: (x, s) => s * x,
  3: (x, s) => 1 / (1 + Math.exp(-2 * s * x)),
  5: (x, s) => 2 / (1 + Math.exp(-2 * s * x)) - 1,
  11: (x, s) => (x * s) / (1 + Math.abs(x * s)),
  13: (x, s) => Math.max(-1, Math.min(1, x * s))
}

function fannCases() {
  return Object.keys(FANN).flatMap((kind) =>
    [
      [3, 4, 2],
      [3, 5, 4, 2]
    ].map((counts) => {
      const random = randomOf(Number(kind) + counts.length)
      const sizes = counts.map((count) => count + 1)
      const starts = sizes.map((_, l) => sizes.slice(0, l).reduce((a, b) => a + b, 0))
      const neurons = []
      const connections = []
      const layers = []
      for (const [l, size] of sizes.entries()) {
        const steepness = l === 1 ? 0.5 : 0.8
        layers.push([])
        for (let j = 0; j < size; j++) {
          const reads = l > 0 && j < size - 1 ? sizes[l - 1] : 0
          const row = Array.from({ length: reads }, (_, i) => [starts[l - 1] + i, random()])
          neurons.push(reads > 0 ? [reads, Number(kind), steepness] : [0, 0, 0])
          connections.push(...row)
          if (reads > 0) layers[l].push({ row: row.map(([, weight]) => weight), steepness })
        }
      }
      const tuple = (numbers, digits = 20) =>
        `(${numbers.map((x) => (Number.isInteger(x) ? x : x.toExponential(digits))).join(', ')})`
      const text = [
        'FANN_FLO_2.1',
        `num_layers=${sizes.length}`,
        'learning_rate=0.700000',
        'connection_rate=1.000000',
        'network_type=0',
        `layer_sizes=${sizes.join(' ')} `,
        'scale_included=0',
        `neurons (num_inputs, activation_function, activation_steepness)=${neurons.map((n) => tuple(n)).join(' ')} `,
        `connections (connected_to_neuron, weight)=${connections.map((c) => tuple(c)).join(' ')} `,
        ''
      ].join('\n')
      const run = (row) => {
        let outputs = row
        for (const layer of layers.slice(1)) {
          const read = [...outputs, 1]
          outputs = layer.map(({ row: weights, steepness }) =>
            FANN[kind](
              weights.reduce((sum, w, i) => sum + w * read[i], 0),
              steepness
            )
          )
        }
        return outputs
      }
      return { name: `FANN, function ${kind}, ${counts}`, text, inputs: ROWS, outputs: ROWS.map(run) }
    })
  )
}

function main() {
  const peers = ['brain.js 1', 'brain.js', 'synaptic']
  const present = install(peers)
  if (present.length < peers.length) throw new Error(`only ${present.join(', ')} could be installed`)
  const cases = [
    // Its JSON does not have the slope.
    ...brainCases('brain.js 1', load('brain.js 1', 'brain.js')),
    ...brainCases('brain.js 2', load('brain.js', 'brain.js'), { leakyReluAlpha: 0.02 }),
    ...synapticCases(load('synaptic', 'synaptic')),
    ...fannCases()
  ]
  const file = path.join(__dirname, '../../__test__/goldens/imports.json')
  writeFileSync(
    file,
    `${JSON.stringify({ about: 'Networks of other libraries, with inputs and outputs.', cases })}\n`
  )
  console.log(`${cases.length} networks`)
}

main()
