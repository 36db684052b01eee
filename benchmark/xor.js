'use strict'

// A whole training of XOR: 10,000 passes over its four rows, a step a row, in a network of 2-2-1 with sigmoid neurons
// and squared error, against the original's loop in plain JavaScript (__test__/oracle.js), synaptic and brain.js.
//
//   npm run bench -- xor               half a minute, once the peers are there
//   npm run bench -- xor --rounds=1    fewer rounds
//
// All rivals start from the same weights, at the same learning rate, and do all the passes. Their rules differ a bit:
// the original and `train` take the hidden deltas through updated weights, and synaptic leaves out the derivative of
// the output neuron. The first training of each is checked: it must have learned XOR. The ones that are timed, once it
// is warm, go on from there. Times are medians over the rounds, in which the rivals take turns, each in a process of
// its own; a ratio is the median of those of one round each.
//
// The peers are installed into .peers/ by the first run, with npm.

const {
  digits,
  machine,
  median,
  microseconds,
  printTable,
  ratio,
  readFlags,
  runApart,
  takeTurns,
  times
} = require('./common.js')
const { install, load, namesWith, versions } = require('./peers/npm.js')

const PASSES = 10_000
const LEARNING_RATE = 0.1
const ROWS = [
  { input: [0, 0], output: [0] },
  { input: [0, 1], output: [1] },
  { input: [1, 0], output: [1] },
  { input: [1, 1], output: [0] }
]
/** From here every rival finds XOR. */
const START = [
  {
    weights: [
      [0.7, 0.9],
      [0.3, 0.8]
    ],
    biases: [0.2, 0.2]
  },
  { weights: [[0.9, 0.7]], biases: [0.2] }
]
/** What the peers want to be above 0, and is to have no effect. */
const NOTHING = 1e-12
/** A measurement is the median of so many stretches of at least so many milliseconds. */
const STRETCHES = [20, 11]

const FIT = 'mikir, `fitSync`, f64'
const RIVALS = {
  [FIT]: { create: () => mikirFit('f64') },
  'mikir, `fitSync`, f32': { create: () => mikirFit('f32') },
  'mikir, `train`': { create: mikirTrain },
  'the original, in plain JavaScript': { create: original },
  synaptic: { peer: 'synaptic', create: synaptic },
  'brain.js': { peer: 'brain.js', create: brain }
}

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '5' } }).rounds)
  const peers = install(['synaptic', 'brain.js'])
  const names = namesWith(peers, RIVALS)
  const us = takeTurns(rounds, names, (name) => runApart(__filename, [name]))
  const rows = names.map((name) => [name, digits(median(us[name]) / 1000), times(ratio(us[name], us[FIT]))])
  const passes = PASSES.toLocaleString('en')
  console.log(`XOR, ${passes} passes over its 4 rows, batch 1: milliseconds, medians of ${rounds} runs.
${[machine(), ...versions(peers)].join(', ')}.
Targets: at least 15 times as fast as the original's loop, 3 times as synaptic.\n`)
  printTable(['rival', 'ms', 'mikir (`fitSync`, f64) is faster by'], rows, 1)
}

/** Microseconds of a training. */
async function measure(name) {
  const { train, predict } = RIVALS[name].create()
  const before = error(predict)
  train()
  const after = error(predict)
  const learned = ROWS.every(({ input, output }) => Math.round(predict(input)[0]) === output[0])
  // Not a number fails too.
  if (!(learned && after < before)) throw new Error(`It has not learned XOR: from ${before} to ${after}`)

  const run = (trainings) => {
    for (let i = 0; i < trainings; i++) train()
  }
  const us = await microseconds(run, ...STRETCHES)
  if (!Number.isFinite(error(predict))) throw new Error('the predictions make no sense')
  return us
}

/** The mean squared error. */
function error(predict) {
  const sum = ROWS.reduce((sum, { input, output }) => sum + (predict(input)[0] - output[0]) ** 2, 0)
  return sum / ROWS.length
}

function mikirFit(precision) {
  const { NeuralNetwork } = require('..')
  const layers = [2, { units: 2, activation: 'sigmoid' }, { units: 1, activation: 'sigmoid' }]
  const network = new NeuralNetwork({ layers, loss: 'squaredError', precision })
  network.setWeights(START)
  const options = {
    epochs: PASSES,
    batchSize: 1,
    shuffle: false,
    optimizer: 'sgd',
    learningRate: LEARNING_RATE
  }
  return { train: () => network.fitSync(ROWS, options), predict: (input) => network.predict(input) }
}

function mikirTrain() {
  const { NeuralNetwork } = require('..')
  const network = new NeuralNetwork(2, 2, 1)
  network.setWeights(START)
  return loop(network)
}

function original() {
  const { NeuralNetwork } = require('../__test__/oracle.js')
  const network = new NeuralNetwork(2, 2, 1)
  for (const [i, layer] of [network.hidden, network.output].entries()) {
    for (const [j, neuron] of layer.entries()) {
      neuron.weights = [...START[i].weights[j]]
      neuron.bias = START[i].biases[j]
    }
  }
  return loop(network)
}

/** The loop that one writes around `train`. */
function loop(network) {
  const train = () => {
    for (let pass = 0; pass < PASSES; pass++) {
      for (const { input, output } of ROWS) network.train(input, output, LEARNING_RATE)
    }
  }
  return { train, predict: (input) => network.predict(input) }
}

function synaptic() {
  const { Architect, Trainer } = load('synaptic')
  const network = new Architect.Perceptron(2, 2, 1)
  const { hidden, output } = network.layers
  for (const [i, { list }] of [...hidden, output].entries()) {
    for (const [j, neuron] of list.entries()) {
      // By the numbers of the neurons that they come from, which rise.
      const connections = Object.values(neuron.connections.inputs)
      for (const [k, connection] of connections.entries()) connection.weight = START[i].weights[j][k]
      neuron.bias = START[i].biases[j]
    }
  }
  const trainer = new Trainer(network)
  const options = { rate: LEARNING_RATE, iterations: PASSES, error: NOTHING, shuffle: false }
  return { train: () => trainer.train(ROWS, options), predict: (input) => network.activate(input) }
}

function brain() {
  const { NeuralNetwork } = load('brain.js')
  const network = new NeuralNetwork({ inputSize: 2, hiddenLayers: [2], outputSize: 1, activation: 'sigmoid' })
  network.initialize()
  for (const [i, { weights, biases }] of START.entries()) {
    network.weights[i + 1] = weights.map((row) => Float32Array.from(row))
    network.biases[i + 1] = Float32Array.from(biases)
  }
  const options = {
    iterations: PASSES,
    learningRate: LEARNING_RATE,
    momentum: NOTHING,
    errorThresh: NOTHING,
    log: false
  }
  return { train: () => network.train(ROWS, options), predict: (input) => network.run(input) }
}

const [name] = process.argv.slice(2)
if (require.main === module) measure(name).then((us) => console.log(JSON.stringify(us)))
else main()
