'use strict'

// `evaluate` against scikit-learn's figures for the same predictions (goldens/evaluation.json): by networks that give
// back what they are given. What it refuses is in data.test.js.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const golden = require('./goldens/evaluation.json')
const { agrees, randomOf, rowsOf } = require('./helpers.js')

/** What to put into each output activation to get a row of outputs. */
const INVERSES = {
  softmax: (row) => row.map(Math.log),
  sigmoid: (row) => row.map((p) => Math.log(p / (1 - p))),
  linear: (row) => row
}
const ACTIVATIONS = { crossEntropy: 'softmax', binaryCrossEntropy: 'sigmoid' }

/** A network that predicts what it is given, and the inputs for these predictions. */
function identity(loss, outputs, precision) {
  const width = outputs[0].length
  const network = new NeuralNetwork({ layers: [width, width], loss, precision })
  const weights = outputs[0].map((_, i) => outputs[0].map((_, j) => (i === j ? 1 : 0)))
  network.setWeights([{ weights, biases: new Array(width).fill(0) }])
  return { network, inputs: outputs.map(INVERSES[ACTIVATIONS[loss] ?? 'linear']) }
}

const oneHot = (classes, width) =>
  classes.map((class_) => Array.from({ length: width }, (_, k) => (k === class_ ? 1 : 0)))
const column = (numbers) => (Array.isArray(numbers[0]) ? numbers : numbers.map((x) => [x]))

/** The measures of each golden case under a loss, with targets and outputs as rows. */
const cases = {
  binary: ['binaryCrossEntropy', ({ logLoss, positive }) => ({ loss: logLoss, ...positive })],
  multiclass: ['crossEntropy', ({ logLoss, macro }) => ({ loss: logLoss, ...macro })],
  absentClasses: ['crossEntropy', ({ logLoss, macro }) => ({ loss: logLoss, ...macro })],
  multilabel: ['binaryCrossEntropy', ({ logLoss, macro }) => ({ loss: logLoss, ...macro })],
  hinge: ['hinge', ({ hingeLoss, positive }) => ({ loss: hingeLoss, ...positive })],
  hingeMultilabel: ['hinge', ({ hingeLoss, macro }) => ({ loss: hingeLoss, ...macro })],
  regression: ['mse', ({ mse, mae, r2 }) => ({ loss: mse, mse, mae, r2 })],
  regressionTwoOutputs: ['mae', ({ mse, mae, r2 }) => ({ loss: mae, mse, mae, r2 })],
  constantTargets: ['mse', ({ mse, mae, r2 }) => ({ loss: mse, mse, mae, r2 })]
}

describe("evaluate agrees with scikit-learn's figures", () => {
  for (const [name, [loss, measures]] of Object.entries(cases)) {
    const { accuracy, rocAuc, confusionMatrix, ...given } = golden[name]
    const outputs = column(given.outputs)
    const targets = loss === 'crossEntropy' ? oneHot(given.targets, outputs[0].length) : column(given.targets)
    const defined = Object.entries({ accuracy, rocAuc, confusionMatrix, ...measures(given) })
    const expected = Object.fromEntries(defined.filter(([, value]) => value !== undefined))

    test(`of ${name}`, () => {
      const { network, inputs } = identity(loss, outputs)
      const actual = network.evaluate(inputs, targets)
      // Those that are defined, no others.
      assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort())
      for (const [key, value] of Object.entries(expected)) {
        // The ties between rows do not survive a softmax; those of classes are tested below.
        if (key !== 'rocAuc' || loss !== 'crossEntropy') agrees(actual[key], value, 1e-12, key)
      }
      assert.deepEqual(actual.confusionMatrix, confusionMatrix)
    })

    test(`of ${name}, in single precision`, () => {
      const { network, inputs } = identity(loss, outputs, 'f32')
      const actual = network.evaluate(inputs, targets)
      assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort())
      for (const [key, value] of Object.entries(expected)) {
        // Rounding breaks ties between rows.
        if (key !== 'rocAuc') agrees(actual[key], value, 1e-5, key)
      }
    })
  }
})

describe('evaluate', () => {
  test('gives its measures in one order, and no others', () => {
    const keys = (network, targets) => Object.keys(network.evaluate([[1], [2], [3]], targets))
    const binary = new NeuralNetwork({ layers: [1, 1], loss: 'binaryCrossEntropy' })
    const [labels, numbers] = [
      ['loss', 'accuracy', 'precision', 'recall', 'f1', 'rocAuc', 'confusionMatrix'],
      ['loss', 'mse', 'mae', 'r2']
    ]
    assert.deepEqual(keys(binary, [[0], [1], [1]]), labels)
    // Without both answers there is no curve.
    assert.deepEqual(
      keys(binary, [[1], [1], [1]]),
      labels.filter((name) => name !== 'rocAuc')
    )
    for (const loss of ['squaredError', 'mse', 'mae', 'huber', 'logCosh', 'quantile', 'poisson']) {
      assert.deepEqual(keys(new NeuralNetwork({ layers: [1, 1], loss }), [[0], [1], [3]]), numbers, loss)
    }
    const line = new NeuralNetwork({ layers: [1, 1] })
    assert.deepEqual(Object.keys(line.evaluate([[1]], [[2]])), ['loss', 'mse', 'mae'])
  })

  test("has the network's own loss, without penalties and dropout", () => {
    const inputs = rowsOf(50, 3)
    const targets = rowsOf(50, 2, 2)
    const layers = [3, { units: 8, dropout: 0.5, l2: 1 }, { units: 2, l1: 1 }]
    const network = new NeuralNetwork({ layers, seed: 1 })
    const { loss, mse, mae } = network.evaluate(inputs, targets)
    const differences = network.predictBatch(inputs).flatMap((row, i) => row.map((a, k) => a - targets[i][k]))
    const sum = (of) => differences.reduce((total, d) => total + of(d), 0)
    agrees(loss, sum((d) => (d * d) / 2) / 50, 1e-12)
    agrees(mse, sum((d) => d * d) / 100, 1e-12)
    agrees(mae, sum(Math.abs) / 100, 1e-12)
    // What validation says of the same rows.
    const copy = network.clone()
    const validation = { inputs, targets }
    const { validationLoss } = copy.fitSync(inputs, targets, { epochs: 1, validation })
    agrees(copy.evaluate(inputs, targets).loss, validationLoss[0], 1e-12)
  })

  test('agrees with the predictions of many rows', () => {
    const random = randomOf(1)
    const inputs = rowsOf(5000, 4)
    const classes = inputs.map(() => Math.floor(random() * 3))
    const network = new NeuralNetwork({ layers: [4, 8, 3], loss: 'crossEntropy', seed: 1 })
    const matrix = [0, 1, 2].map(() => [0, 0, 0])
    network.predictBatch(inputs).forEach((row, i) => {
      matrix[classes[i]][row.indexOf(Math.max(...row))]++
    })
    const { accuracy, confusionMatrix } = network.evaluate(inputs, oneHot(classes, 3))
    assert.deepEqual(confusionMatrix, matrix)
    assert.equal(accuracy, (matrix[0][0] + matrix[1][1] + matrix[2][2]) / 5000)
  })

  test('counts pairs of rows for the area under the curve, ties by half', () => {
    const random = randomOf(2)
    // Every row is there three times, of whatever class.
    const inputs = rowsOf(40, 4).flatMap((row) => [row, row, row])
    const classes = inputs.map(() => Math.floor(random() * 3))
    const network = new NeuralNetwork({ layers: [4, 3], loss: 'crossEntropy', seed: 1 })
    const outputs = network.predictBatch(inputs)
    const area = (k) => {
      const rows = (isOfClass) => outputs.filter((_, i) => (classes[i] === k) === isOfClass)
      const [of, others] = [rows(true), rows(false)].map((found) => found.map((row) => row[k]))
      const wins = of.flatMap((a) => others.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
      return wins.reduce((sum, x) => sum + x, 0) / wins.length
    }
    const { rocAuc } = network.evaluate(inputs, oneHot(classes, 3))
    agrees(rocAuc, (area(0) + area(1) + area(2)) / 3, 1e-12)
  })

  test('changes nothing, and gives the same every time', () => {
    for (const normalization of [undefined, 'batch', 'layer']) {
      const layers = [3, { units: 4, normalization, dropout: 0.5 }, 2]
      const network = new NeuralNetwork({ layers, seed: 3 })
      const before = network.getWeights()
      const measured = network.evaluate(rowsOf(300, 3), rowsOf(300, 2))
      assert.deepEqual(network.evaluate(rowsOf(300, 3), rowsOf(300, 2)), measured)
      assert.deepEqual(network.getWeights(), before)
    }
  })

  test('measures the three-number network', () => {
    const network = new NeuralNetwork(2, 3, 1, { seed: 1 })
    const { loss, mse } = network.evaluate([[0, 1]], [[1]])
    const error = network.predict([0, 1])[0] - 1
    agrees([loss, mse], [(error * error) / 2, error * error], 1e-12)
  })
})

test('no finite network, data or weights make NaN', () => {
  const random = randomOf(7)
  const pick = (values) => values[Math.floor(random() * values.length)]
  const extremes = {
    f64: [0, 1, -1, 0.5, 1e150, -1e150, 1.7e308, -1.7e308, 5e-324, 1e-308],
    f32: [0, 1, -1, 0.5, 1e19, -1e19, 3.4e38, -3.4e38, 1e-45]
  }
  const targetsOf = {
    crossEntropy: () => [
      ...pick([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1]
      ])
    ],
    binaryCrossEntropy: () => Array.from({ length: 3 }, () => pick([0, 1, 0.5])),
    poisson: (extreme) => Array.from({ length: 3 }, () => Math.abs(extreme())),
    hinge: () => Array.from({ length: 3 }, () => pick([1, -1]))
  }
  const losses = ['squaredError', 'mse', 'mae', 'huber', 'logCosh', 'quantile', ...Object.keys(targetsOf)]
  for (let i = 0; i < 3000; i++) {
    const [loss, precision] = [pick(losses), pick(['f64', 'f32'])]
    const extreme = () => pick(extremes[precision])
    const layer = {
      units: 4,
      activation: pick(['relu', 'tanh', 'linear', 'gelu', 'softplus', 'selu']),
      normalization: pick([undefined, 'batch', 'layer'])
    }
    const network = new NeuralNetwork({ layers: [2, layer, 3], loss, precision, seed: 1 })
    network.setWeights(
      network.getWeights().map(({ weights, ...vectors }) => ({
        weights: weights.map((row) => row.map(extreme)),
        ...Object.fromEntries(
          Object.entries(vectors).map(([key, vector]) => [
            key,
            vector.map(() => (key === 'variance' ? Math.abs(extreme()) : extreme()))
          ])
        )
      }))
    )
    const inputs = Array.from({ length: 5 }, () => [extreme(), extreme()])
    const targets = inputs.map(() =>
      targetsOf[loss] === undefined ? [extreme(), extreme(), extreme()] : targetsOf[loss](extreme)
    )
    const measures = network.evaluate(inputs, targets)
    for (const [key, value] of Object.entries(measures)) {
      assert.ok(!Number.isNaN(value), `${key} of ${loss} in ${precision} with ${JSON.stringify(layer)}`)
    }
    assert.ok(network.predictBatch(inputs).flat().every(Number.isFinite))
  }
})
