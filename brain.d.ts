// `mikir/brain`: the interface of brain.js's NeuralNetwork over mikir, so that a program changes one line:
//
//   const { NeuralNetwork } = require('mikir/brain')
//
// Options, defaults, the course of training, the results and the JSON are those of brain.js 2. What differs:
//
//   - `trainAsync` trains on a thread of the addon; the event loop stays free.
//   - With `praxis: 'adam'` biases are trained by Adam too, and `CrossValidate` tests every row once.
//   - A wrong value throws a sentence with a code, as everywhere in mikir, also where brain.js goes on with NaN.
//   - A rate of 1 and more and a momentum of 0 are allowed.

/** Numbers by their places or by names; names that are not there count as 0. */
export type Data = readonly number[] | Float32Array | Float64Array | { readonly [name: string]: number }

export interface Datum<Input extends Data = Data, Output extends Data = Data> {
  input: Input
  output: Output
}

export interface Options {
  /** With both sizes the network is made at once; otherwise by the first data. */
  inputSize?: number
  outputSize?: number
  /** Neurons of the hidden layers; default one layer of half as many as inputs, at least 3. */
  hiddenLayers?: number[]
  /** A single output above it counts as 1; default 0.5. */
  binaryThresh?: number
}

export interface TrainingOptions {
  /** Of all layers; default `'sigmoid'`. */
  activation?: 'sigmoid' | 'relu' | 'leaky-relu' | 'tanh'
  /** Times over the data at most; default 20000. */
  iterations?: number
  /** Training ends at this mean squared error; default 0.005. */
  errorThresh?: number
  /** Whether to print every `logPeriod` (10) iterations, or what to do instead. */
  log?: boolean | ((status: Status) => void)
  logPeriod?: number
  /** The slope of `'leaky-relu'` below 0; default 0.01. */
  leakyReluAlpha?: number
  /** Above 0; default 0.3. */
  learningRate?: number
  /** In [0, 1); default 0.1. */
  momentum?: number
  /** Called every `callbackPeriod` (10) iterations. */
  callback?: (status: Status) => void
  callbackPeriod?: number
  /** Milliseconds at most; default `Infinity`. */
  timeout?: number
  /** Adam in place of momentum, with `beta1` (0.9), `beta2` (0.999) and `epsilon` (1e-8). */
  praxis?: 'adam'
  beta1?: number
  beta2?: number
  epsilon?: number
}

export interface Status {
  error: number
  iterations: number
}

export interface TestResult {
  /** The mean squared error. */
  error: number
  misclasses: { input: Data; output: Data; actual: number; expected: number }[]
  total: number
  /** With a single output: */
  truePos?: number
  trueNeg?: number
  falsePos?: number
  falseNeg?: number
  precision?: number
  recall?: number
  accuracy?: number
}

/** A network as JSON, as brain.js has it. */
export interface NetworkJSON {
  type: string
  sizes: number[]
  layers: { weights: number[][]; biases: number[] }[]
  inputLookup: { [name: string]: number } | null
  inputLookupLength: number
  outputLookup: { [name: string]: number } | null
  outputLookupLength: number
  options: Options
  trainOpts: object
}

export class NeuralNetwork<Input extends Data = Data, Output extends Data = Data> {
  constructor(options?: Options & TrainingOptions)
  readonly options: Options
  readonly trainOpts: TrainingOptions
  readonly sizes: number[]
  readonly isRunnable: boolean
  /** Of each layer but the inputs: `[neuron][input]`. */
  readonly weights: number[][][]
  readonly biases: number[][]
  /** Trains on the calling thread. */
  train(data: readonly Datum<Input, Output>[] | Datum<Input, Output>, options?: TrainingOptions): Status
  /** Trains on another thread. */
  trainAsync(
    data: readonly Datum<Input, Output>[] | Datum<Input, Output>,
    options?: TrainingOptions
  ): Promise<Status>
  /** @throws ERR_MIKIR_INVALID_TYPE before the first training */
  run(input: Input): Output
  test(data: readonly Datum<Input, Output>[]): TestResult
  /** Draws new weights. */
  initialize(): void
  updateTrainingOptions(options: TrainingOptions): void
  toJSON(): NetworkJSON
  /** Also of brain.js 1. */
  fromJSON(json: object | string): this
  /** A function without dependencies; it needs `new Function`. */
  toFunction(change?: (source: string) => string): (input: Input) => Output
}

/** The name, or the place, of the largest output. */
export function likely<Input extends Data>(
  input: NoInfer<Input>,
  network: { run(input: Input): Data }
): string | number

export interface CrossValidateJSON {
  avgs: { error: number; iterations: number; testTime: number; trainTime: number }
  stats: { total: number; testSize: number; trainSize: number } & Partial<TestResult>
  sets: (TestResult & { trainTime: number; testTime: number; iterations: number; network: NetworkJSON })[]
}

export class CrossValidate {
  constructor(create: () => NeuralNetwork)
  readonly json: CrossValidateJSON | null
  /** Default 4 folds. */
  train(data: readonly Datum[], options?: TrainingOptions, k?: number): CrossValidateJSON
  testPartition(
    options: TrainingOptions,
    trainSet: readonly Datum[],
    testSet: readonly Datum[]
  ): CrossValidateJSON['sets'][number]
  /** The network with the smallest error. */
  toNeuralNetwork(): NeuralNetwork
  toJSON(): CrossValidateJSON | null
  fromJSON(json: CrossValidateJSON): NeuralNetwork
}
