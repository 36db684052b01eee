'use strict'

// The bits of some hundred networks: seeded weights, `predict`, `predictBatch`, `train`, `fitSync` and `trainer`, a line
// each with a hash. A change that is to leave the arithmetic as it is leaves the list as it is:
//
//   node scripts/bits.js > before.txt
//   node scripts/bits.js | diff before.txt -
//
// The hashes hold for one level of instructions (MIKIR_SIMD) and one processor family; see docs/math.md.

const { createHash } = require('node:crypto')
const { NeuralNetwork } = require('..')

const ACTIVATIONS = [
  ...['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus'],
  ...['softsign', 'hardSigmoid', 'hardTanh', 'relu6']
]
const LOSSES = [
  'squaredError',
  'mse',
  'mae',
  'huber',
  'logCosh',
  'crossEntropy',
  'binaryCrossEntropy',
  'poisson'
]
const OPTIMIZERS = [
  ...['sgd', 'momentum', 'nesterov', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamw', 'nadam', 'radam'],
  ...['lion', 'rprop', 'lbfgs']
]
const INITIALIZERS = ['uniform', 'glorotNormal', 'heUniform', 'heNormal', 'lecunNormal', 'orthogonal']
const SHAPES = [
  [2, 2, 1],
  [2, 2, 2],
  [4, 16, 3],
  [5, 4, 3, 2],
  [64, 32, 10],
  [200, 100, 10],
  [40, 300, 7]
]

/** Repeatable numbers from -1 to 1. */
function* numbers() {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 31 - 1
  }
}

/** Rows for a network of a loss: a class each, or numbers that every loss takes. */
function rowsOf(count, inputs, outputs, loss) {
  const source = numbers()
  const next = () => source.next().value
  const row = (width, of) => Array.from({ length: width }, (_, k) => of(k))
  return {
    inputs: Array.from({ length: count }, () => row(inputs, next)),
    targets: Array.from({ length: count }, (_, i) =>
      row(outputs, (k) => (loss === 'crossEntropy' ? Number(i % outputs === k) : Math.abs(next())))
    )
  }
}

/** What a network comes to on all ways. */
function course({ shape, layer, loss, precision, fit, rows = 50 }) {
  const [inputCount, ...units] = shape
  const layers = [
    inputCount,
    ...units.map((count, l) => (l < units.length - 1 ? { units: count, ...layer } : count))
  ]
  const data = rowsOf(rows, inputCount, units.at(-1), loss)
  const network = new NeuralNetwork({ layers, loss, precision, seed: 7 })
  const hash = createHash('sha256')
  const see = (value) => hash.update(JSON.stringify(value))
  see(network.getWeights())
  see(network.predict(data.inputs[0]))
  for (let i = 0; i < 5; i++) network.train(data.inputs[i], data.targets[i], 0.05)
  see(network.getWeights())
  const { loss: losses } = network.fitSync(data.inputs, data.targets, {
    epochs: 3,
    learningRate: 0.01,
    ...fit
  })
  see(Array.from(losses))
  see(network.predictBatch(data.inputs))
  if (fit?.optimizer !== 'lbfgs') {
    const trainer = network.trainer({ learningRate: 0.01, ...fit, validation: undefined })
    see(
      [0, 1, 2].map((k) =>
        trainer.step(data.inputs.slice(k * 8, k * 8 + 8), data.targets.slice(k * 8, k * 8 + 8))
      )
    )
  }
  see(network.getWeights())
  return hash.digest('hex').slice(0, 16)
}

function* configurations() {
  for (const precision of ['f64', 'f32']) {
    for (const shape of SHAPES) {
      for (const batchSize of [1, 3, 4, 16, 32, 'full']) {
        yield { shape, precision, loss: 'mse', fit: { batchSize, threads: 1 } }
        const loss = shape.at(-1) > 1 ? 'crossEntropy' : 'squaredError'
        yield { shape, precision, loss, fit: { batchSize, threads: 2, optimizer: 'sgd' } }
      }
    }
    for (const activation of ACTIVATIONS) {
      yield { shape: [3, 7, 2], precision, loss: 'mse', layer: { activation } }
      yield { shape: [30, 40, 20, 2], precision, loss: 'mse', layer: { activation } }
    }
    for (const loss of LOSSES) {
      for (const shape of [
        [3, 5, 2],
        [30, 40, 12]
      ])
        yield { shape, precision, loss, fit: { batchSize: 16 } }
    }
    for (const optimizer of OPTIMIZERS) {
      const batchSize = optimizer === 'lbfgs' ? 'full' : 16
      for (const shape of [
        [2, 2, 2],
        [4, 16, 3],
        [64, 32, 10]
      ]) {
        yield { shape, precision, loss: 'crossEntropy', fit: { optimizer, batchSize } }
      }
    }
    for (const initializer of INITIALIZERS)
      yield { shape: [9, 20, 3], precision, loss: 'mse', layer: { initializer } }
    for (const extra of [
      { normalization: 'batch' },
      { normalization: 'layer' },
      { dropout: 0.3 },
      { l1: 0.01, l2: 0.02 }
    ]) {
      for (const shape of [
        [3, 7, 2],
        [30, 40, 20, 2]
      ]) {
        for (const batchSize of [1, 16])
          yield { shape, precision, loss: 'mse', layer: extra, fit: { batchSize } }
      }
    }
    for (const schedule of [
      { type: 'step', every: 2, factor: 0.5 },
      { type: 'exponential', factor: 0.9 },
      { type: 'cosine' },
      { type: 'oneCycle', maximum: 0.1 },
      { type: 'plateau', factor: 0.5, patience: 1 }
    ]) {
      yield { shape: [4, 16, 3], precision, loss: 'mse', fit: { schedule, validation: 0.2 } }
    }
    yield {
      shape: [16, 64, 4],
      precision,
      loss: 'crossEntropy',
      fit: { clipNorm: 0.1, classWeights: [1, 2, 3, 4] }
    }
  }
}

/** A line for each configuration. */
function lines() {
  return Array.from(configurations(), (known) => `${course(known)} ${JSON.stringify(known)}`)
}

if (require.main === module) console.log(lines().join('\n'))

module.exports = { lines }
