/**
 * The interface of brain.js's NeuralNetwork over mikir's, so that a program changes one line:
 *
 * ```js
 * const { NeuralNetwork } = require('mikir/brain')
 * ```
 *
 * Options, defaults, the course of training, the results and the JSON are those of brain.js 2. What differs:
 *
 * - `trainAsync` trains on a thread of the addon; the event loop stays free.
 * - Biases are trained as weights are: with momentum, which brain.js leaves out, and by Adam with the moments of this step,
 *   where brain.js takes those of the step before.
 * - With `relu` and `leaky-relu`, outputs are trained as if they were linear: an output that is cut off at 0 has no slope, and
 *   in brain.js never learns. `run` cuts them off, as there, so that the JSON means the same in both.
 * - `CrossValidate` tests every row once, leaves your array in its order, and chooses by the error of the rows that were not
 *   trained on; brain.js chooses by the error of training.
 * - Rows of typed arrays give what rows of arrays give.
 * - Options, numbers and lengths that cannot be meant throw a sentence with a code, as everywhere in mikir, also where
 *   brain.js goes on with NaN.
 * - Another `activation` for a trained network is used from then on, for its answers too.
 *
 * @module mikir/brain
 */

/** Finite numbers by their places or by names; names that are not there count as 0. */
export type Data = readonly number[] | Float32Array | Float64Array | { readonly [name: string]: number }

/** A row to learn from. */
export interface Datum<Input extends Data = Data, Output extends Data = Data> {
  /** What is known. */
  input: Input
  /** What is to be found. */
  output: Output
}

/** The shape of a network. */
export interface Options {
  /** With both sizes a network can be initialized without data; the first data set them anew. Default 0. */
  inputSize?: number
  /** As `inputSize`. Default 0. */
  outputSize?: number
  /** Neurons of the hidden layers, integers of at least 1. Default: one layer of half as many as inputs, at least 3. */
  hiddenLayers?: number[]
  /** A single output above it counts as 1. Default 0.5. */
  binaryThresh?: number
}

/** How a network is trained. Each is kept for the next training. */
export interface TrainingOptions {
  /** What makes a neuron's output of its weighted sum, in all layers. Default `'sigmoid'`. */
  activation?: 'sigmoid' | 'relu' | 'leaky-relu' | 'tanh'
  /** How often to go over the rows at most, an integer of at least 1 or `Infinity`. Default 20000. */
  iterations?: number
  /** Training ends at this mean squared error, in [0, 1). Default 0.005. */
  errorThresh?: number
  /** Whether to print how far training is, or what to do instead. Default false. */
  log?: boolean | ((status: Status) => void)
  /** After how many iterations `log` is called, an integer of at least 1. Default 10. */
  logPeriod?: number
  /** The slope of `'leaky-relu'` below 0, between 0 and 1. Default 0.01. */
  leakyReluAlpha?: number
  /** Between 0 and 1. Default 0.3. */
  learningRate?: number
  /** Which part of a step the next one adds, in [0, 1). Default 0.1. */
  momentum?: number
  /** Told how far training is. Default: none. */
  callback?: ((status: Status) => void) | null
  /** After how many iterations `callback` is called, an integer of at least 1. Default 10. */
  callbackPeriod?: number
  /** Milliseconds at most, above 0. Default `Infinity`. */
  timeout?: number
  /** Adam in place of momentum. Default: momentum. */
  praxis?: 'adam'
  /** Of Adam: how much of the mean of gradients a step keeps, in [0, 1). Default 0.9. */
  beta1?: number
  /** Of Adam: how much of the mean of their squares a step keeps, in [0, 1). Default 0.999. */
  beta2?: number
  /** Of Adam: what is added to the root of that mean, between 0 and 1. Default 1e-8. */
  epsilon?: number
}

/** How far training is. */
export interface Status {
  /** The mean squared error of the rows. */
  error: number
  /** How often they were gone over. */
  iterations: number
}

/** A row that a network gets wrong. */
export interface Misclass {
  /** Its input, as it was given. */
  input: Data
  /** Its output, as it was given. */
  output: Data
  /** What the network says: 0 or 1 for a single output, else the place of the largest output. */
  actual: number
  /** What it should say. */
  expected: number
}

/** What a test came to. The counts are there for a single output. */
export interface TestResult {
  /** The mean squared error of these rows. */
  error: number
  /** The rows that the network gets wrong. */
  misclasses: Misclass[]
  /** How many rows there are. */
  total: number
  /** How many rows are 1, and found to be. */
  truePos?: number
  /** How many are 0, and found to be. */
  trueNeg?: number
  /** How many are 0, and taken for 1. */
  falsePos?: number
  /** How many are 1, and taken for 0. */
  falseNeg?: number
  /** Which part of those that were taken for 1 are 1; 0 where none is. */
  precision?: number
  /** Which part of those that are 1 were found; 0 where none was. */
  recall?: number
  /** Which part of the rows is right. */
  accuracy?: number
}

/** The parameters of a layer. */
export interface LayerJSON {
  /** `[neuron][input]`; none for the inputs. */
  weights: number[][]
  /** `[neuron]`; none for the inputs. */
  biases: number[]
}

/** A network as JSON, as brain.js has it. */
export interface NetworkJSON {
  /** `'NeuralNetwork'`. */
  type: string
  /** Neurons of each layer, the inputs first. */
  sizes: number[]
  /** The parameters of each layer, the inputs first. */
  layers: LayerJSON[]
  /** The places of named inputs, or null. */
  inputLookup: { [name: string]: number } | null
  /** How many inputs have names. */
  inputLookupLength: number
  /** The places of named outputs, or null. */
  outputLookup: { [name: string]: number } | null
  /** How many outputs have names. */
  outputLookupLength: number
  /** The options of the network. */
  options: Options
  /** Those of training, without `callback`; `log` is true or false, and a `timeout` of `Infinity` is a string. */
  trainOpts: object
}

/** Rows with their numbers in places. */
export interface Row {
  /** A number an input. */
  input: Float32Array
  /** A number an output. */
  output: Float32Array
}

/** What `train` begins with. */
export interface Prepared {
  /** The rows. */
  preparedData: Row[]
  /** An error of 1 after no iterations. */
  status: Status
  /** When `timeout` is over, in milliseconds since 1970, or `Infinity`. */
  endTime: number
}

/** A network of sigmoid, ReLU or tanh neurons, in single precision. */
export class NeuralNetwork<Input extends Data = Data, Output extends Data = Data> {
  /**
   * @throws {TypeError} ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE
   */
  constructor(options?: Options & TrainingOptions)
  /** The options of the network. */
  readonly options: Options
  /** Those of training. */
  readonly trainOpts: TrainingOptions
  /** Neurons of each layer, the inputs first; set by the first data. */
  sizes: number[]
  /** Whether there are weights. */
  readonly isRunnable: boolean
  /** A copy: of each layer `[neuron][input]`. The first layer, the inputs, has none. */
  readonly weights: number[][][]
  /** A copy: of each layer `[neuron]`. */
  readonly biases: number[][]

  /**
   * Trains on the calling thread, a step for each row, in their order.
   *
   * @throws {TypeError} ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   * @throws {Error} ERR_MIKIR_BUSY, ERR_MIKIR_DIVERGED
   */
  train(data: readonly Datum<Input, Output>[] | Datum<Input, Output>, options?: TrainingOptions): Status

  /** The same on another thread. */
  trainAsync(
    data: readonly Datum<Input, Output>[] | Datum<Input, Output>,
    options?: TrainingOptions
  ): Promise<Status>

  /**
   * The outputs: a Float32Array, or an object where the outputs of the first data had names.
   *
   * @throws {TypeError} ERR_MIKIR_INVALID_TYPE, also before the first training
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   */
  run(input: Input): Output

  /** How good the outputs are for these rows. It throws what `run` throws. */
  test(data: readonly Datum<Input, Output>[]): TestResult

  /**
   * Draws new weights for `sizes`, between -0.2 and 0.2.
   *
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH where there are no sizes
   */
  initialize(): void

  /** The same weights with another activation. */
  setActivation(activation?: TrainingOptions['activation']): void

  /** Options for the next training. */
  updateTrainingOptions(options: TrainingOptions): void

  /** The network as JSON that brain.js reads. */
  toJSON(): NetworkJSON

  /**
   * Becomes the network of the JSON, also of brain.js 1.
   *
   * @throws {TypeError} ERR_MIKIR_INVALID_TYPE
   * @throws {Error} ERR_MIKIR_CORRUPT_FILE
   */
  fromJSON(json: object | string): this

  /** A function without dependencies; it needs `new Function`. */
  toFunction(change?: (source: string) => string): (input: Input) => Output

  /**
   * What `train` begins with: the options, the rows as numbers, a network for them. This and the following are the steps of a
   * call, for classes that put their own in their places.
   */
  prepTraining(data: readonly Datum<Input, Output>[], options?: TrainingOptions): Prepared
  /** What `train` calls until it gives false: here the whole training at once. */
  trainingTick(data: readonly Row[], status: Status, endTime: number): boolean
  /** The same; where it `isAsync`, on another thread. */
  trainingTick(
    data: readonly Row[],
    status: Status,
    endTime: number,
    isAsync: boolean
  ): boolean | Promise<boolean>
  /** The outputs for inputs in their places. */
  runInput(input: Float32Array): Float32Array
  /** Rows with their numbers in places. */
  formatData(data: readonly Datum<Input, Output>[]): Row[]
  /** @throws ERR_MIKIR_INVALID_LENGTH where a row does not fit the sizes */
  validateData(data: readonly Row[]): void
  /** Sizes and weights for these rows, unless there are some. */
  verifyIsInitialized(data: readonly Row[]): void
  /** Prints a status. */
  logTrainingStatus(status: Status): void
}

/** The options of a new network. */
export function defaults(): Options

/** The options of its training. */
export function trainDefaults(): TrainingOptions

/** The name of the largest output; without names its place, as a string. */
export function likely<Input extends Data>(
  input: NoInfer<Input>,
  network: { run(input: Input): Data }
): string

/** What training and testing a fold came to. */
export interface FoldJSON extends TestResult {
  /** The mean squared error of training, in the end. */
  error: number
  /** That of the rows which were not trained on. */
  testError: number
  /** Milliseconds of training. */
  trainTime: number
  /** Milliseconds of testing. */
  testTime: number
  /** How often training went over the rows. */
  iterations: number
  /** The network. */
  network: NetworkJSON
}

/** The means of the folds. */
export interface FoldAverages {
  /** Of `error`. */
  error: number
  /** Of `testError`. */
  testError: number
  /** Of `iterations`. */
  iterations: number
  /** Of `testTime`. */
  testTime: number
  /** Of `trainTime`. */
  trainTime: number
}

/** The counts of all folds together. */
export interface FoldStats extends Partial<Omit<TestResult, 'error' | 'misclasses'>> {
  /** How many rows there are. */
  total: number
  /** How many of them a fold tests, on average. */
  testSize: number
  /** How many it trains on, on average. */
  trainSize: number
}

/** What a cross-validation came to. */
export interface CrossValidateJSON {
  /** The means of the folds. */
  avgs: FoldAverages
  /** The counts of all folds together. */
  stats: FoldStats
  /** Each fold. */
  sets: FoldJSON[]
}

/** Trains and tests networks by folds: each row is tested by a network that was not trained on it. */
export class CrossValidate {
  /** Networks are made by a function. */
  constructor(create: () => NeuralNetwork)
  /** Networks are made of a class and options. */
  constructor(
    create: new (options?: Options & TrainingOptions) => NeuralNetwork,
    options?: Options & TrainingOptions
  )
  /** What `train` came to. */
  json: CrossValidateJSON
  /** Whether the folds have the counts of a single output. */
  static isBinaryResults(results: CrossValidateJSON): boolean
  /** Whether these are the counts of a single output. */
  static isBinaryStats(stats: FoldStats): boolean
  /** Whether a fold has them. */
  static isBinaryPartitionResults(set: FoldJSON): boolean
  /**
   * Trains and tests `k` networks. Default: 4.
   *
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH for fewer than `k` rows; what `NeuralNetwork.train` throws
   */
  train(data: readonly Datum[], options?: TrainingOptions, k?: number): CrossValidateJSON
  /** Puts rows into a random order, in place. */
  shuffleArray<T>(rows: T[]): T[]
  /** Trains and tests a network. */
  testPartition(options: TrainingOptions, trainSet: readonly Datum[], testSet: readonly Datum[]): FoldJSON
  /** The network with the smallest `testError`. */
  toNeuralNetwork(): NeuralNetwork
  /** What `train` came to. */
  toJSON(): CrossValidateJSON
  /** The best network of what `toJSON` gave; of brain.js the one with the smallest `error`. */
  fromJSON(json: CrossValidateJSON): NeuralNetwork
}
