'use strict'

// What a step of a trainer costs against a step inside `fit`, on every rung of the ladder, and what a call of `fitSync`
// costs against its steps: single precision, softmax and cross-entropy, plain SGD.
//
//   npm run bench -- trainer                            two minutes
//   npm run bench -- trainer --rounds=1 --only=784      fewer rounds, and only rungs with this in their names
//
// A step is taken by flat typed arrays, by arrays of rows, and by flat arrays with a prediction after each. A call is a
// `fitSync` of one epoch over four batches. All of one rung takes turns in one process; times are medians over the
// rounds.

const { digits, examples, machine, median, printTable, ratio, readFlags, times } = require('./common.js')
const { BATCHES, RUNGS } = require('./step.js')

const STRETCH = 100
const TARGET = 1.2

function main() {
  const { only, rounds } = readFlags({
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' }
  })
  const rows = RUNGS.filter(({ name }) => name.includes(only)).map((rung) => measure(rung, Number(rounds)))
  console.log(`${machine()}
Target: a step of a trainer takes at most ${TARGET} times as long as one inside fit; a call no more than its steps.\n`)
  printTable(
    [
      'network',
      'step in fit, us',
      'trainer.step',
      'of rows',
      'and predict',
      'fitSync of 4 batches, against its steps'
    ],
    rows,
    1
  )
}

function measure({ name, layers, batchSize }, rounds) {
  const { NeuralNetwork } = require('..')
  const create = () => new NeuralNetwork({ layers, loss: 'crossEntropy', precision: 'f32', seed: 1 })
  const options = { optimizer: 'sgd', learningRate: 1e-3, batchSize, shuffle: false }
  const { inputs, targets } = examples(BATCHES * batchSize, layers[0], layers.at(-1))
  const part = (array, batch, width) =>
    array.subarray(batch * batchSize * width, (batch + 1) * batchSize * width)
  const batches = Array.from({ length: BATCHES }, (_, k) => [
    part(inputs, k, layers[0]),
    part(targets, k, layers.at(-1))
  ])
  const rowsOf = (flat, width) =>
    Array.from({ length: batchSize }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)])
  const batchesOfRows = batches.map(([x, t]) => [rowsOf(x, layers[0]), rowsOf(t, layers.at(-1))])
  const four = [
    inputs.subarray(0, 4 * batchSize * layers[0]),
    targets.subarray(0, 4 * batchSize * layers.at(-1))
  ]
  const networks = [create(), create(), create(), create(), create()]
  const trainers = networks.map((network) => network.trainer(options))
  const row = inputs.subarray(0, layers[0])
  const step = (trainer, batches) => (turns) => {
    for (let turn = 0; turn < turns; turn++) {
      const [x, t] = batches[turn % BATCHES]
      trainer.step(x, t)
    }
  }
  const ways = {
    fit: (turns) => networks[0].fitSync(inputs, targets, { ...options, epochs: Math.ceil(turns / BATCHES) }),
    step: step(trainers[1], batches),
    rows: step(trainers[2], batchesOfRows),
    predict(turns) {
      for (let turn = 0; turn < turns; turn++) {
        trainers[3].step(...batches[turn % BATCHES])
        networks[3].predict(row)
      }
    },
    call(turns) {
      for (let turn = 0; turn < turns; turn += 4) networks[4].fitSync(...four, { ...options, epochs: 1 })
    }
  }
  const us = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
  const turns = Object.fromEntries(Object.entries(ways).map(([way, run]) => [way, turnsOf(run)]))
  for (let round = 0; round < rounds; round++) {
    for (const [way, run] of Object.entries(ways))
      us[way].push((1000 * milliseconds(run, turns[way])) / turns[way])
  }
  return [
    name,
    digits(median(us.fit)),
    ...['step', 'rows', 'predict', 'call'].map((way) => times(ratio(us[way], us.fit)))
  ]
}

/** How many turns, whole rounds over the batches, fill a stretch; finding out warms the engine up. */
function turnsOf(run) {
  let turns = BATCHES
  while (milliseconds(run, turns) < STRETCH) turns *= 2
  return turns
}

function milliseconds(run, turns) {
  const start = performance.now()
  run(turns)
  return performance.now() - start
}

main()
