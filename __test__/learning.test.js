'use strict'

// What is learned from real data is no worse than what scikit-learn's perceptrons learn with the same settings
// (goldens/learning.json; the data and their sources are in data/).

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const golden = require('./goldens/learning.json')

/** The cells of a CSV file below its header. */
function readRows(name) {
  const [, ...lines] = readFileSync(path.join(__dirname, 'data', name), 'utf8')
    .trim()
    .split(/\r?\n/)
  return lines.map((line) => line.split(','))
}

/** Mean and deviation of each column. */
function scalesOf(rows) {
  return rows[0].map((_, column) => {
    const values = rows.map((row) => row[column])
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    return { mean, deviation: Math.sqrt(variance) }
  })
}

const scaled = (rows, scales) =>
  rows.map((row) => row.map((x, column) => (x - scales[column].mean) / scales[column].deviation))

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length

/** Rows of training and of the test, scaled by what is seen in training. */
function split(rows, tests) {
  const isTest = new Set(tests)
  const training = rows.filter((_, i) => !isTest.has(i))
  const scales = scalesOf(training)
  const test = tests.map((i) => rows[i])
  return [scaled(training, scales), scaled(test, scales)]
}

/** Trains one network a split, at the same time, and measures each on its test. */
async function learn({ network, options, tests }, splits) {
  const seeds = tests.map((_, seed) => seed)
  return Promise.all(
    seeds.map(async (seed) => {
      const learner = new NeuralNetwork({ ...network, seed })
      const [training, test] = splits(tests[seed])
      const { warnings } = await learner.fit(training.inputs, training.targets, options)
      assert.deepEqual(warnings, [])
      return learner.evaluate(test.inputs, test.targets)
    })
  )
}

test('iris is learned from seeds 0 to 9', async (t) => {
  const { classes, accuracy } = golden.iris
  const rows = readRows('iris.csv')
  assert.equal(rows.length, 150)
  const inputs = rows.map((row) => row.slice(0, 4).map(Number))
  const targets = rows.map((row) => classes.map((name) => (name === row[4] ? 1 : 0)))
  const measures = await learn(golden.iris, (tests) => {
    const isTest = new Set(tests)
    const [training, test] = split(inputs, tests)
    return [
      { inputs: training, targets: targets.filter((_, i) => !isTest.has(i)) },
      { inputs: test, targets: tests.map((i) => targets[i]) }
    ]
  })
  assert.equal(measures.length, golden.seeds)
  const reached = mean(measures.map((measure) => measure.accuracy))
  t.diagnostic(`accuracy ${reached.toFixed(4)}, scikit-learn ${accuracy.mean}`)
  assert.ok(reached >= accuracy.limit, `${reached} is below ${accuracy.limit}`)
})

test('the progression of diabetes is learned from seeds 0 to 9', async (t) => {
  const { mse, r2 } = golden.diabetes
  const rows = readRows('diabetes.csv').map((row) => row.map(Number))
  assert.equal(rows.length, 442)
  const data = (scaledRows) => ({
    inputs: scaledRows.map((row) => row.slice(0, 10)),
    targets: scaledRows.map((row) => row.slice(10))
  })
  const measures = await learn(golden.diabetes, (tests) => split(rows, tests).map(data))
  assert.equal(measures.length, golden.seeds)
  const reached = { mse: mean(measures.map((one) => one.mse)), r2: mean(measures.map((one) => one.r2)) }
  t.diagnostic(`r2 ${reached.r2.toFixed(4)}, scikit-learn ${r2.mean}`)
  t.diagnostic(`mse ${reached.mse.toFixed(4)}, scikit-learn ${mse.mean}`)
  assert.ok(reached.r2 >= r2.limit, `r2 ${reached.r2} is below ${r2.limit}`)
  assert.ok(reached.mse <= mse.limit, `mse ${reached.mse} is above ${mse.limit}`)
})
