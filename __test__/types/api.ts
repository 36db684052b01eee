// Compiled, never run: what the declarations accept and what they refuse.

import * as mikir from 'mikir'
import { type LayerWeights, NeuralNetwork, Neuron, type Vector } from 'mikir'

const neuron = new Neuron(2)
neuron.weights = [0.7, 0.3]
neuron.weights[0] += 1
neuron.bias = -15
export const decision: number = neuron.sigmoid(neuron.activate([30, 8]))

const network: mikir.NeuralNetwork = new NeuralNetwork(2, 2, 1)
export const seeded = new NeuralNetwork(2, 2, 1, { seed: 42 })

const rows: Vector[] = [[0, 1], new Float32Array(2), new Float64Array(2)]
for (const row of rows) network.train(row, [1])
network.train(new Float64Array(2), new Float32Array(1), 0.5)
export const outputs: number[] = network.predict([0, 1])

export const counts: number[] = [
  network.inputCount,
  network.outputCount,
  network.parameterCount,
  network.seed
]

const layers: LayerWeights[] = network.getWeights()
layers[0].weights[1][0] = layers[1].biases[0]
network.setWeights(layers)

const deep = new NeuralNetwork({
  layers: [
    4,
    8,
    { units: 6, activation: { type: 'leakyRelu', alpha: 0.2 }, normalization: 'batch', dropout: 0.1 },
    3
  ],
  loss: { type: 'crossEntropy', labelSmoothing: 0.1 },
  precision: 'f32',
  seed: 7
})
export const rowsOut: number[][] = deep.predictBatch([[1, 2, 3, 4], new Float32Array(4)])
export const flatOut: Float32Array = deep.predictBatch(new Float32Array(8))
export const doubles: Float64Array = deep.predictBatch(new Float64Array(8))
export const copy: NeuralNetwork = deep.clone()
export const text: string = deep.summary() + deep.precision
deep.setWeights(deep.getWeights().map((layer) => ({ ...layer, gamma: layer.gamma?.map(Number) })))

const frozen = { layers: [2, { units: 3, activation: 'tanh' }, 2], loss: 'crossEntropy' } as const
const constant = new NeuralNetwork(frozen)
const fixed = Object.freeze([Object.freeze([0, 1]), Object.freeze([1, 0])])
export const either: number[][] | Float64Array | Float32Array = constant.predictBatch(rows as mikir.Matrix)
export const ofIntegers: Float64Array = constant.predictBatch(Int32Array.of(1, 2))
constant.fitSync(fixed, [1, 0], { validation: [{ input: [0, 1], output: 1, weight: 2 }] })
constant.fitSync(Object.freeze([{ input: [0, 1], output: 1 }]))
constant.evaluate([[0, 1]] as const, Uint8Array.of(1))
constant.predict(Uint8ClampedArray.of(1, 2))
export const ofHalves: number[] = constant.predict({} as mikir.Float16Numbers)
constant.setWeights(Object.freeze(constant.getWeights().map((layer) => Object.freeze(layer))))
const examples: mikir.Example[] = [{ input: [1, 2, 3, 4], output: new Float32Array(3) }]
const matrix: mikir.Matrix = rows
const fitOptions: mikir.FitOptions = {
  epochs: 5,
  batchSize: 'full',
  optimizer: { type: 'adamw', weightDecay: 0.1 },
  schedule: { type: 'cosine', warmup: 2 },
  validation: { inputs: new Float64Array(4), targets: [[1, 0, 0]] },
  earlyStopping: { patience: 3 },
  sampleWeights: new Float32Array(2),
  onEpoch: (report) => report.loss + (report.validationLoss ?? 0) < 1,
  signal: AbortSignal.timeout(1000),
  checkpoint: { path: 'run.mikir', everyEpochs: 2 }
}
export const running: Promise<mikir.History> = deep.fit(matrix, new Float32Array(6), fitOptions)
export const runningToo: Promise<mikir.History> = deep.fit(examples, { onEpoch: ({ epoch }) => void epoch })
export const ran: mikir.History = deep.fitSync(examples)
export const ranToo: mikir.History = deep.fitSync(rows, [[1, 0, 0]], {
  onEpoch({ epoch, epochs }) {
    if (epoch * 2 > epochs) return false
  }
})
export const losses: (Float64Array | undefined)[] = [ran.loss, ran.validationLoss]
export const codes: mikir.FitWarning['code'][] = ran.warnings.map(({ code }) => code)
export const isEarly: boolean = ran.stoppedBy === 'earlyStopping' && ran.bestEpoch < ran.epochs
const measures: mikir.Evaluation = deep.evaluate(rows, [[1, 0, 0]])
export const rates: (number | undefined)[] = [measures.accuracy, deep.evaluate(examples).rocAuc, measures.r2]
export const matrixOut: number[][] | undefined = measures.confusionMatrix
const options: mikir.NetworkOptions = {
  layers: [2, { units: 1, initializer: 'orthogonal', biasInitializer: { type: 'normal', mean: 1 } }]
}
new NeuralNetwork(options)
export const again: NeuralNetwork = new NeuralNetwork(deep.options)
export const json: mikir.NetworkJSON = deep.toJSON()
export const parsed: NeuralNetwork[] = [NeuralNetwork.fromJSON(json), NeuralNetwork.fromJSON('{}')]
export const tensors: Uint8Array = deep.toSafetensors()
export const read: NeuralNetwork = NeuralNetwork.fromSafetensors(tensors, {
  activations: ['relu', { type: 'elu', alpha: 2 }]
})
export const graph: NeuralNetwork = NeuralNetwork.fromONNX(deep.toONNX())
export const program: string = deep.toModule({ format: 'cjs' })
export const stored: Promise<NeuralNetwork | mikir.Classifier | mikir.Regressor> = deep
  .save('a.json')
  .then(() => mikir.load(new URL('file:///a.json')))
// @ts-expect-error no such format
deep.toModule({ format: 'umd' })
const trainer: mikir.Trainer = deep.trainer({ learningRate: 0.01, schedule: { type: 'cosine' } })
export const stepLoss: number = trainer.step(rows, [[1, 0, 0]], { sampleWeights: [-1] })
trainer.step(new Float64Array(4), new Float64Array(3), { gradients: true })
export const more: Promise<mikir.History> = trainer.fit(examples, { epochs: 2 })
export const [steps, of]: [number, mikir.NeuralNetwork] = [trainer.steps, trainer.network]
export const saved: Promise<void> = trainer.save(new URL('file:///a')).then(() => trainer.resume('a'))
// @ts-expect-error the count of steps is read-only
trainer.steps = 3
// @ts-expect-error no such activation
new NeuralNetwork({ layers: [2, { units: 1, activation: 'rleu' }] })
// @ts-expect-error no such loss
new NeuralNetwork({ layers: [2, 1], loss: 'accuracy' })
// @ts-expect-error targets are missing
deep.fit(rows)
// @ts-expect-error an example has an output
deep.fit([{ input: [1, 2, 3, 4] }])
// @ts-expect-error no such option
deep.fitSync(examples, { epoch: 3 })
// @ts-expect-error no such optimizer
deep.fitSync(examples, { optimizer: 'adan' })
// @ts-expect-error a promise stops nothing
deep.fitSync(examples, { onEpoch: async () => false })
// @ts-expect-error the history is there when the promise is
deep.fit(examples).loss
// @ts-expect-error options have no place here
deep.evaluate(examples, {})
// @ts-expect-error three counts, not two
new NeuralNetwork(2, 2)
// @ts-expect-error no such option
new NeuralNetwork(2, 2, 1, { sead: 42 })
// @ts-expect-error a string is not a row
network.predict('01')
// @ts-expect-error targets are missing
network.train([0, 1])
// @ts-expect-error these are no numbers
network.predict(new BigInt64Array(2))
// @ts-expect-error the counts are fixed
network.inputCount = 3
// @ts-expect-error weights are numbers
neuron.weights = ['0.7']
// @ts-expect-error layers without biases
network.setWeights([{ weights: [[1, 2]] }])

const opened: Promise<mikir.Table> = mikir.Table.readCSV('a.csv', {
  kinds: { zip: 'category' },
  missing: ['-']
})
opened.then(async (table) => {
  const [train, test]: [mikir.Table, mikir.Table] = table.split({ stratify: 'species', testSize: 0.3 })
  const classifier = new mikir.Classifier({ hidden: [64, { units: 8, dropout: 0.1 }], seed: 1 })
  const history: mikir.History = await classifier.fit(train, { target: 'species', epochs: 3 })
  const label: string = classifier.predict({ a: 1, b: 'x', c: null })
  const labels: string[] = classifier.predict([{ a: 1 }])
  const later: string[] = await classifier.predict(test)
  const report: mikir.Report = await classifier.evaluate('test.csv')
  const probability: number = classifier.probabilities({ a: 1 })[label]
  const several = new mikir.Regressor<Record<string, number>>()
  const number: number = several.predict({ a: new Date() }).price + new mikir.Regressor().predict({ a: 1 })
  const { mean } = await mikir.crossValidate(classifier, table.rows(), { target: 'species', folds: 3 })
  const [{ importance }] = await classifier.importance(test, { repeats: 2 })
  await classifier.save('a.json')
  const loaded = await mikir.load('a.json')
  // @ts-expect-error: a model predicts a column
  classifier.fit(train, { epochs: 3 })
  // @ts-expect-error: tables are read, not made
  new mikir.Table()
  return [
    history,
    labels,
    later,
    report.logLoss,
    probability,
    number,
    mean,
    importance,
    loaded,
    String(table)
  ]
})
