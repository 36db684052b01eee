'use strict'

// `fit` repeats whole training runs of PyTorch (goldens/fit.json): losses, learning rates and final weights.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const golden = require('./goldens/fit.json')
const { flat } = require('./helpers.js')

/** max |a - b| over all numbers, of at most 1 and larger ones relatively. */
function difference(a, b) {
  const [as, bs] = [flat(a), flat(b)]
  assert.equal(as.length, bs.length)
  return as.reduce(
    (worst, x, i) => Math.max(worst, Math.abs(x - bs[i]) / Math.max(1, Math.abs(x), Math.abs(bs[i]))),
    0
  )
}

function near(actual, expected, tolerance, what) {
  const worst = difference(actual, expected)
  assert.ok(worst <= tolerance, `${what} differ by ${worst}`)
}

function networkOf({ network, initial }, precision) {
  const made = new NeuralNetwork({ ...network, precision, seed: 0 })
  made.setWeights(initial)
  return made
}

describe('fit repeats', () => {
  for (const one of golden.cases) {
    const { history, inputs, options, targets, weights } = one

    test(`${one.name}, in double precision`, () => {
      const network = networkOf(one, 'f64')
      const rates = []
      const onEpoch = ({ learningRate }) => void rates.push(learningRate)
      const actual = network.fitSync(inputs, targets, { ...options, onEpoch })
      near(actual.loss, history.loss, 1e-10, 'the losses')
      assert.equal(actual.validationLoss === undefined, history.validationLoss === undefined)
      near(actual.validationLoss ?? [], history.validationLoss ?? [], 1e-10, 'the losses of validation')
      near(rates, history.learningRates, 1e-12, 'the learning rates')
      assert.equal(actual.bestEpoch, history.bestEpoch)
      assert.equal(actual.stoppedBy, history.stoppedBy)
      near(network.getWeights(), weights, 1e-10, 'the weights')
      near([network.evaluate(inputs, targets).loss], [one.evaluatedLoss], 1e-10, 'the final loss')
    })

    test(`${one.name}, in single precision`, () => {
      const network = networkOf(one, 'f32')
      const actual = network.fitSync(inputs, targets, options)
      near(actual.loss, history.loss, 1e-3, 'the losses')
      near(network.getWeights(), weights, 1e-3, 'the weights')
    })
  }

  test('all of them at once, on threads', async () => {
    const networks = golden.cases.map((one) => networkOf(one, 'f64'))
    const fits = golden.cases.map(({ inputs, targets, options }, i) =>
      networks[i].fit(inputs, targets, options)
    )
    await Promise.all(fits)
    golden.cases.forEach(({ name, weights }, i) => {
      near(networks[i].getWeights(), weights, 1e-10, name)
    })
  })
})

test('there are cases enough', () => {
  assert.ok(golden.cases.length >= 40)
})
