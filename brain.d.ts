// `mikir/brain`: the interface of brain.js's NeuralNetwork over mikir, so that a program changes one line:
//
//   const { NeuralNetwork } = require('mikir/brain')
//
// Options, defaults, the course of training, the results and the JSON are those of brain.js 2. What differs:
//
//   - `trainAsync` trains on a thread of the addon; the event loop stays free.
//   - Biases are trained as weights are: with momentum, which brain.js leaves out, and by Adam with the moments of this step,
//     where brain.js takes those of the step before.
//   - With `relu` and `leaky-relu`, outputs are trained as if they were linear: an output that is cut off at 0 has no slope,
//     and in brain.js never learns. `run` cuts them off, as there, so that the JSON means the same in both.
//   - `CrossValidate` tests every row once, leaves your array in its order, and chooses by the error of the rows that were not
//     trained on; brain.js chooses by the error of training.
//   - Rows of typed arrays give what rows of arrays give.
//   - Options, numbers and lengths that cannot be meant throw a sentence with a code, as everywhere in mikir, also where
//     brain.js goes on with NaN.
//   - Another `activation` for a trained network is used from then on, for its answers too.

/** Numbers by their places or by names; names that are not there count as 0. */
export type Data = readonly number[] | Float32Array | Float64Array | { readonly [name: string]: number }

export interface Datum<Input extends Data = Data, Output extends Data = Data> {
  input: Input
  output: Output
}

export interface Options {
  /** With both sizes a network can be initialized without data; the first data set them anew. Default 0. */
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
  /** Times over the data at most, or `Infinity`; default 20000. */
  iterations?: number
  /** Training ends at this mean squared error, in [0, 1); default 0.005. */
  errorThresh?: number
  /** Whether to print every `logPeriod` (10) iterations, or what to do instead. */
  log?: boolean | ((status: Status) => void)
  logPeriod?: number
  /** The slope of `'leaky-relu'` below 0, between 0 and 1; default 0.01. */
  leakyReluAlpha?: number
  /** Between 0 and 1; default 0.3. */
  learningRate?: number
  /** In [0, 1); default 0.1. */
  momentum?: number
  /** Called every `callbackPeriod` (10) iterations. */
  callback?: ((status: Status) => void) | null
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
  /** The mean squared error of these rows. */
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
  /** Neurons of each layer, the inputs first; set by the first data. */
  sizes: number[]
  readonly isRunnable: boolean
  /** A copy: of each layer `[neuron][input]`. The first layer, the inputs, has none. */
  readonly weights: number[][][]
  /** A copy: of each layer `[neuron]`. */
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
  /** Draws new weights for `sizes`, between -0.2 and 0.2. */
  initialize(): void
  /** The same weights with another activation. */
  setActivation(activation?: TrainingOptions['activation']): void
  updateTrainingOptions(options: TrainingOptions): void
  toJSON(): NetworkJSON
  /** Also of brain.js 1. */
  fromJSON(json: object | string): this
  /** A function without dependencies; it needs `new Function`. */
  toFunction(change?: (source: string) => string): (input: Input) => Output

  // The steps of a call, for classes that put their own in their places.

  /** What `train` begins with: the options, the rows as numbers, a network for them. */
  prepTraining(data: readonly Datum<Input, Output>[], options?: TrainingOptions): Prepared
  /** What `train` calls until it gives false: here the whole training at once. */
  trainingTick(data: readonly Row[], status: Status, endTime: number): boolean
  trainingTick(
    data: readonly Row[],
    status: Status,
    endTime: number,
    isAsync: boolean
  ): boolean | Promise<boolean>
  /** The outputs of the network for inputs in their places. */
  runInput(input: Float32Array): Float32Array
  /** Rows as numbers in their places. */
  formatData(data: readonly Datum<Input, Output>[]): Row[]
  /** @throws ERR_MIKIR_INVALID_LENGTH where a row does not fit the sizes */
  validateData(data: readonly Row[]): void
  /** Sizes and weights for these rows, unless there are some. */
  verifyIsInitialized(data: readonly Row[]): void
  /** Prints a status. */
  logTrainingStatus(status: Status): void
}

export interface Row {
  input: Float32Array
  output: Float32Array
}

export interface Prepared {
  preparedData: Row[]
  status: Status
  /** Milliseconds since 1970, or `Infinity`. */
  endTime: number
}

/** The options of a new network, and those of its training. */
export function defaults(): Options
export function trainDefaults(): TrainingOptions

/** The name of the largest output; without names its place, as a string. */
export function likely<Input extends Data>(
  input: NoInfer<Input>,
  network: { run(input: Input): Data }
): string

export interface CrossValidateJSON {
  /** Means of the folds. */
  avgs: { error: number; testError: number; iterations: number; testTime: number; trainTime: number }
  /** Sums of the folds. */
  stats: { total: number; testSize: number; trainSize: number } & Partial<TestResult>
  /** `error` is that of training, `testError` that of the rows which were not trained on. */
  sets: (TestResult & {
    testError: number
    trainTime: number
    testTime: number
    iterations: number
    network: NetworkJSON
  })[]
}

export class CrossValidate {
  constructor(create: (() => NeuralNetwork) | (new (options?: Options & TrainingOptions) => NeuralNetwork))
  constructor(
    create: new (options?: Options & TrainingOptions) => NeuralNetwork,
    options: Options & TrainingOptions
  )
  json: CrossValidateJSON
  /** Whether there are counts of a single output, of all folds and of one. */
  static isBinaryResults(results: CrossValidateJSON): boolean
  static isBinaryStats(stats: CrossValidateJSON['stats']): boolean
  static isBinaryPartitionResults(set: CrossValidateJSON['sets'][number]): boolean
  /** Default 4 folds. */
  train(data: readonly Datum[], options?: TrainingOptions, k?: number): CrossValidateJSON
  /** In place. */
  shuffleArray<T>(rows: T[]): T[]
  testPartition(
    options: TrainingOptions,
    trainSet: readonly Datum[],
    testSet: readonly Datum[]
  ): CrossValidateJSON['sets'][number]
  /** The network with the smallest `testError`. */
  toNeuralNetwork(): NeuralNetwork
  toJSON(): CrossValidateJSON
  fromJSON(json: CrossValidateJSON): NeuralNetwork
}
