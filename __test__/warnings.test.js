'use strict'

// What `history.warnings` says, one case a code, and that it says nothing where all is well.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('..')

/** Repeatable numbers from -1 to 1. */
function numbers(count, seed = 1) {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (state * 16807) % 2147483647
    return (2 * state) / 2147483647 - 1
  })
}

const column = (values) => values.map((x) => [x])
const codes = ({ warnings }) => warnings.map(({ code }) => code)
const fit = (options, inputs, targets, fitOptions) =>
  new NeuralNetwork({ seed: 1, ...options }).fitSync(inputs, targets, fitOptions)

const LINE = numbers(300)
const SINE = LINE.map((x) => [Math.sin(3 * x)])

describe('history.warnings', () => {
  test('is empty where all is well, also by fit and trainers', async () => {
    const options = { epochs: 300, learningRate: 0.01 }
    const network = new NeuralNetwork({ layers: [1, 16, 1], seed: 1 })
    assert.deepStrictEqual(network.fitSync(column(LINE), SINE, options).warnings, [])
    assert.deepStrictEqual((await network.fit(column(LINE), SINE, options)).warnings, [])
    assert.deepStrictEqual(network.trainer(options).fitSync(column(LINE), SINE).warnings, [])
  })

  test('is empty where there was too little to judge', () => {
    const raw = column(LINE.map((x) => 1e4 * x))
    assert.deepStrictEqual(fit({ layers: [1, 4, 1] }, raw, SINE, { epochs: 6 }).warnings, [])
    assert.ok(fit({ layers: [1, 4, 1] }, raw, SINE, { epochs: 7 }).warnings.length > 0)
    const none = fit({ layers: [1, 4, 1] }, raw, SINE, { timeout: 1e-9 })
    assert.deepStrictEqual([none.epochs, none.warnings], [0, []])
  })

  test('raw prices: inputs, targets, and that nothing was learnt', () => {
    const cars = LINE.map((x) => [100 + 40 * x, 1 + (x > 0)])
    const { warnings } = fit({ layers: [2, 16, 1] }, cars, column(LINE.map((x) => 24 - 8 * x)))
    assert.deepStrictEqual(
      warnings.map(({ code }) => code).filter((code) => code !== 'deadUnits'),
      ['inputScale', 'targetScale', 'noProgress']
    )
    const scale =
      /^Input 0 has a scale far from 1: it goes from 60 to 139 \(root mean square 10\d\): scale inputs, such as \(x - mean\) \/ standard deviation of each column$/
    assert.match(warnings[0].message, scale)
    assert.match(warnings[1].message, /^The targets have a scale far from 1: they go from 16\.\d to 3\d \(/)
    const learnt = warnings.at(-1).message
    assert.match(
      learnt,
      /^After 100 epochs the outputs are no better than a constant \(R2 -\d+\.\d\d\): scale /
    )
  })

  test('several inputs of another scale, and one that hardly varies', () => {
    const rows = LINE.map((x, i) => [x, 300 * x, 2e5 * LINE[299 - i], 1e-4 * x, 2000 + x])
    const [{ code, message }] = fit({ layers: [5, 4, 1] }, rows, SINE).warnings
    assert.equal(code, 'inputScale')
    assert.match(
      message,
      /^4 of 5 inputs have a scale far from 1, most of all input 2: it goes from -2\d{5} to /
    )
  })

  test('targets that the outputs cannot reach', () => {
    const targets = LINE.map((x) => [4.5 + 1.5 * x])
    const { warnings } = fit({ layers: [1, 4, { units: 1, activation: 'sigmoid' }] }, column(LINE), targets)
    assert.equal(warnings[0].code, 'targetRange')
    assert.match(
      warnings[0].message,
      /^Targets go from 3(\.\d+)? to (5\.\d+|6), but outputs of sigmoid are from 0 to 1: scale the targets, or give the output layer the activation linear$/
    )
  })

  test('dead units and outputs that are the same for every row', () => {
    const layers = [1, { units: 8, activation: 'relu' }, 1]
    const cubes = LINE.map((x) => [(8 * x) ** 3])
    const history = fit({ layers, seed: 2 }, column(LINE.map((x) => 8 * x)), cubes, {
      optimizer: 'sgd',
      learningRate: 0.01,
      clipNorm: 1000
    })
    assert.ok(codes(history).includes('deadUnits'), codes(history).join())
    const dead = history.warnings.find(({ code }) => code === 'deadUnits')
    assert.match(
      dead.message,
      /^[4-8] of 8 units in hidden layer 1 \(relu\) have derivative 0 for every row: they learn no more: scale /
    )
    assert.ok(codes(history).includes('constantOutputs'))
    assert.ok(!codes(history).includes('noProgress'), 'said already')
  })

  test('saturated units are dead too', () => {
    const layers = [1, { units: 4, activation: 'sigmoid' }, 1]
    const history = fit({ layers }, column(LINE.map((x) => 1e4 * (x + 3))), SINE)
    assert.ok(codes(history).includes('deadUnits'), codes(history).join())
  })

  test('a loss that does not fall, and one that still does', () => {
    const still = fit({ layers: [1, 16, 1] }, column(LINE), SINE, { epochs: 10, learningRate: 1e-4 })
    assert.deepStrictEqual(codes(still), ['noProgress'])
    const slow = { epochs: 20, optimizer: 'sgd', learningRate: 1e-6 }
    const stuck = fit({ layers: [1, 16, 1] }, column(LINE), SINE, slow)
    assert.deepStrictEqual(codes(stuck), ['noProgress'])
    const stopped = { ...slow, learningRate: 3e-3, epochs: 40, validation: 0.2 }
    const [last] = fit({ layers: [1, 16, 1] }, column(LINE), SINE, stopped).warnings.slice(-1)
    assert.match(
      last.message,
      /^The loss was still falling at the end, by \d+ % in the last 4 epochs: train for more epochs, or with a larger learningRate$/
    )
  })

  test('noise is no better than a constant', () => {
    const noise = column(numbers(900).slice(600))
    const history = fit({ layers: [1, 1] }, column(LINE), noise, { epochs: 60, learningRate: 0.01 })
    assert.deepStrictEqual(codes(history), ['noProgress'])
  })

  test('classes without rows', () => {
    const said = (loss, units, inputs, targets, options) => {
      const { warnings } = fit({ layers: [1, 8, units], loss }, inputs, targets, options)
      return warnings.find(({ code }) => code === 'missingClasses')?.message
    }
    const two = LINE.map((x) => (x > 0 ? 3 : 1))
    const cure = 'add rows, hold out others, or leave the class out'
    assert.equal(said('crossEntropy', 4, column(LINE), two), `No row of training is of class 0, 2: ${cure}`)
    assert.equal(
      said(
        'crossEntropy',
        4,
        column(LINE),
        LINE.map((_, i) => i % 4)
      ),
      undefined
    )
    const yes = LINE.map(() => [1])
    assert.equal(
      said('binaryCrossEntropy', 1, column(LINE), yes),
      `All rows of training are of one class, yes: ${cure}`
    )
    assert.equal(
      said('hinge', 1, column(LINE), column(LINE.map(() => -1))),
      `All rows of training are of one class, no: ${cure}`
    )
    assert.equal(
      said('binaryCrossEntropy', 1, column(LINE), column(LINE.map((x) => Number(x > 0)))),
      undefined
    )
    const answers = LINE.map((x) => [Number(x > 0), 0])
    assert.equal(
      said('binaryCrossEntropy', 2, column(LINE), answers),
      `All rows of training have the same answer in target 1: ${cure}`
    )
    // A class whose only row weighs nothing, or is held out, has none.
    const rare = LINE.map((_, i) => (i === 0 ? 2 : i % 2))
    const sampleWeights = LINE.map((_, i) => Number(i > 0))
    assert.equal(said('crossEntropy', 3, column(LINE), rare), undefined)
    assert.equal(
      said('crossEntropy', 3, column(LINE), rare, { sampleWeights }),
      `No row of training is of class 2: ${cure}`
    )
  })

  test('classes with weights are judged by correlation', () => {
    const targets = LINE.map((x) => [Number(x > 0.9)])
    const loss = { type: 'binaryCrossEntropy', positiveWeight: 50 }
    const options = { epochs: 300, learningRate: 0.01 }
    assert.deepStrictEqual(fit({ layers: [1, 8, 1], loss }, column(LINE), targets, options).warnings, [])
  })

  test('the same rows and seed give the same words, whatever the threads', () => {
    const rows = numbers(4096 * 8)
    const inputs = Float64Array.from(rows, (x) => 100 * x)
    const targets = Float64Array.from({ length: 4096 }, (_, i) => rows[8 * i])
    const run = (threads) => fit({ layers: [8, 64, 1] }, inputs, targets, { epochs: 2, threads }).warnings
    assert.deepStrictEqual(run(1), run(2))
  })

  test('numbers of any size are judged without a failure', () => {
    const huge = LINE.map((x) => [x * 1e300])
    const history = fit({ layers: [1, { units: 4, activation: 'tanh' }, 1] }, huge, SINE)
    assert.equal(history.warnings[0].code, 'inputScale')
    assert.ok(history.warnings.every(({ message }) => !message.includes('NaN')))
  })
})
