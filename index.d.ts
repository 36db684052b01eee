/**
 * Neural networks and tables. What is said here about arithmetic, ranges and errors is what the library promises.
 *
 * Every mistake throws a sentence of one form, `Expected <rule> for <name> but received <value>`: a TypeError for a value of
 * the wrong kind, a RangeError for one of the wrong size or range. `error.code` tells them apart; docs/errors.md has the
 * cures.
 *
 * | code | class | |
 * | --- | --- | --- |
 * | `ERR_MIKIR_ARGUMENT_COUNT` | TypeError | a call with missing or extra arguments |
 * | `ERR_MIKIR_INVALID_TYPE` | TypeError | a value of the wrong kind, also a string, null or hole among numbers |
 * | `ERR_MIKIR_UNKNOWN_OPTION` | TypeError | an option that does not exist |
 * | `ERR_MIKIR_INVALID_COMBINATION` | TypeError | options that have no meaning together; the sentence names the cure |
 * | `ERR_MIKIR_INVALID_LENGTH` | RangeError | an array with the wrong number of elements |
 * | `ERR_MIKIR_OUT_OF_RANGE` | RangeError | a number outside its range, NaN and the infinities among them |
 * | `ERR_MIKIR_TOO_LARGE` | RangeError | a network of more than 2^28 parameters |
 * | `ERR_MIKIR_OUT_OF_MEMORY` | RangeError | no memory for a network within that limit |
 * | `ERR_MIKIR_OVERFLOW` | RangeError | a training step that could make a weight infinite |
 * | `ERR_MIKIR_BUSY` | Error | a call that would change the weights that a fit is training |
 * | `ERR_MIKIR_DIVERGED` | Error | a fit whose loss or weights are not finite any more, and what to try |
 * | `ERR_MIKIR_FILE` | Error | a file that cannot be read or written |
 * | `ERR_MIKIR_CORRUPT_FILE` | Error | a file whose content is not what it should be |
 * | `ERR_MIKIR_LOAD` | Error | neither the native addon nor WebAssembly loads (thrown on import) |
 * | `ERR_MIKIR_UNSUPPORTED` | Error | what the host cannot do: a browser has no files |
 * | `ERR_MIKIR_INTERNAL` | Error | a bug in mikir: please report it |
 *
 * A call that throws changes nothing: the weights are what they were, to the bit. Only a fit that had begun to train when it
 * failed or was aborted leaves what it had learned: a whole epoch's weights, as the docs of `fit` say.
 *
 * Options are plain objects. They may inherit from an object of defaults, or be an instance of a class with getters; a Map is
 * refused.
 *
 * @module mikir
 */

/**
 * What runs the core: the native addon or WebAssembly. In Node.js it is the addon where one loads, else WebAssembly, with a
 * warning; the environment variable `MIKIR_HOST`, `addon` or `wasm`, decides otherwise. `mikir/wasm` is always WebAssembly,
 * and so is `mikir` in a bundle for browsers.
 *
 * WebAssembly has one thread. A `fit` trains in slices of 8 milliseconds, between which the event loop turns. Memory of
 * networks that nobody holds is freed when the event loop turns. In Node.js the time of a `vm` that is up in the middle of a
 * call leaves it of no use. In a browser every path throws ERR_MIKIR_UNSUPPORTED: read with `fetch` and `fromJSON`,
 * `fromONNX`, `Table.fromCSV`; write with `toJSON`, `toONNX`, `toModule`.
 */
export const host: 'addon' | 'wasm'

/** The typed arrays whose elements are numbers, Node.js' `Buffer` among them. */
export type TypedNumbers =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float16Numbers

/** `Float16Array`, which TypeScript knows from version 5.8 on and Node.js from 24 on. */
export interface Float16Numbers {
  /** 2. */
  readonly BYTES_PER_ELEMENT: number
  /** Where the numbers are. */
  readonly buffer: ArrayBufferLike
  /** How many numbers there are. */
  readonly length: number
  readonly [index: number]: number
  /** What tells it from other typed arrays. */
  readonly [Symbol.toStringTag]: 'Float16Array'
}

/** What `Float64Array.from` gives: an array over an `ArrayBuffer`, where TypeScript knows that. */
export type Doubles = ReturnType<Float64ArrayConstructor['from']>
/** What `Float32Array.from` gives. */
export type Singles = ReturnType<Float32ArrayConstructor['from']>
/** The bytes of a file; in Node.js a `Buffer`. */
export type Bytes = ReturnType<Uint8ArrayConstructor['from']>

/** A row of finite numbers. A plain array must have no holes; typed arrays are read, never kept or changed. */
export type Vector = readonly number[] | TypedNumbers

/**
 * Rows of equal width, as an array of vectors or as one flat row-major typed array whose length is a multiple of the
 * width: `[[1, 2], [3, 4]]` or `Float64Array.of(1, 2, 3, 4)`. Read when the call is made, never kept or changed.
 */
export type Matrix = readonly Vector[] | TypedNumbers

/** Targets: rows of `outputCount` numbers or, for `crossEntropy`, the number of each row's class, from 0 on. */
export type Targets = Matrix | readonly number[]

/** A row to learn from. */
export interface Example {
  /** `inputCount` finite numbers. */
  readonly input: Vector
  /** `outputCount` finite numbers or, for `crossEntropy`, the number of the class, from 0 on. */
  readonly output: Vector | number
  /** How much it counts in loss and gradient: a number of at least 0. Default 1. Not beside `sampleWeights`. */
  readonly weight?: number
}

/**
 * One sigmoid neuron: `sigmoid(inputs[0] * weights[0] + inputs[1] * weights[1] + ... + bias)`.
 *
 * `JSON.stringify` gives `{"weights":[...],"bias":...}`.
 */
export class Neuron {
  /**
   * One weight an input, at first drawn from U[0, 1). An ordinary array: replace it, or change its elements.
   * It is checked when `activate` reads it.
   */
  weights: number[]

  /** What is added to the weighted sum, at first drawn from U[0, 1). Assign a finite number to change it. */
  bias: number

  /**
   * @param inputCount an integer of at least 1 and less than 2^28
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_TOO_LARGE, ERR_MIKIR_OUT_OF_MEMORY
   */
  constructor(inputCount: number)

  /**
   * The neuron's output.
   *
   * @param inputs `inputCount` finite numbers
   * @returns a number in [0, 1]
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT; ERR_MIKIR_INVALID_TYPE, also for `weights` and `bias`
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, also for `weights` and `bias`
   */
  activate(inputs: Vector): number

  /**
   * The logistic function `1 / (1 + e^-x)`: 1 at Infinity, 0 at -Infinity.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE for NaN
   */
  sigmoid(x: number): number
}

/**
 * What makes a neuron's output of its weighted sum; formulas and sources in docs/math.md. `softmax` is for the
 * output layer.
 */
export type Activation =
  | 'linear'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'gelu'
  | 'silu'
  | 'mish'
  | 'softplus'
  | 'softsign'
  | 'hardSigmoid'
  | 'hardTanh'
  | 'relu6'
  | 'softmax'

/** What training makes small; formulas and sources in docs/math.md. */
export type Loss =
  | 'squaredError'
  | 'mse'
  | 'mae'
  | 'huber'
  | 'logCosh'
  | 'crossEntropy'
  | 'binaryCrossEntropy'
  | 'poisson'
  | 'hinge'
  | 'quantile'

/** What starting weights are drawn from; formulas and sources in docs/math.md. */
export type Initializer =
  | 'uniform'
  | 'normal'
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | 'lecunUniform'
  | 'lecunNormal'
  | 'fanInUniform'
  | 'orthogonal'
  | 'zeros'

/** What starting biases are drawn from. */
export type BiasInitializer = Exclude<Initializer, 'orthogonal'>

/** How training moves the parameters along the gradient; formulas, defaults and sources in docs/math.md. */
export type Optimizer =
  | 'sgd'
  | 'momentum'
  | 'nesterov'
  | 'rmsprop'
  | 'adagrad'
  | 'adadelta'
  | 'adam'
  | 'adamw'
  | 'nadam'
  | 'radam'
  | 'lion'
  | 'rprop'
  | 'lbfgs'

/** How the learning rate changes from epoch to epoch; formulas and sources in docs/math.md. */
export type Schedule =
  | ConstantSchedule
  | StepSchedule
  | ExponentialSchedule
  | CosineSchedule
  | OneCycleSchedule
  | PlateauSchedule

/** The learning rate stays as it is. */
export interface ConstantSchedule {
  /** The name of the schedule. */
  type: 'constant'
}

/** The rate is multiplied by `factor` after every so many epochs. */
export interface StepSchedule {
  /** The name of the schedule. */
  type: 'step'
  /** How many epochs a rate lasts, an integer of at least 1. */
  every: number
  /** A number in (0, 1). */
  factor: number
}

/** The rate is multiplied by `factor` after every epoch. */
export interface ExponentialSchedule {
  /** The name of the schedule. */
  type: 'exponential'
  /** A number in (0, 1). */
  factor: number
}

/** The rate rises for some epochs, then falls along half a wave of the cosine. */
export interface CosineSchedule {
  /** The name of the schedule. */
  type: 'cosine'
  /** How many epochs it takes, those of `warmup` among them; then the rate is `minimum`. Default: those of the fit. */
  epochs?: number
  /** The rate at the end, a number of at least 0. Default 0. */
  minimum?: number
  /** How many epochs the rate rises at first, an integer of at least 0. Default 0. */
  warmup?: number
}

/** The rate rises from a 25th of `maximum` to it, then falls to next to nothing. `learningRate` plays no part. */
export interface OneCycleSchedule {
  /** The name of the schedule. */
  type: 'oneCycle'
  /** The highest rate, a number above 0. */
  maximum: number
  /** For which part of the epochs the rate rises, a number in [0, 1]. Default 0.3. */
  warmup?: number
}

/** The rate is multiplied by `factor` whenever the loss (of validation where there is one) does not fall any more. */
export interface PlateauSchedule {
  /** The name of the schedule. */
  type: 'plateau'
  /** A number in (0, 1). */
  factor: number
  /** How many epochs in a row may be without a lower loss, an integer of at least 0. */
  patience: number
  /** The lowest rate, a number of at least 0. Default 0. */
  minimum?: number
}

/** An activation with its parameter. */
export interface ActivationOptions {
  /** Its name. */
  type: Activation
  /** The slope of `leakyRelu` below 0 (default 0.01), or the bound of `elu` below 0 (default 1). */
  alpha?: number
}

/** An initializer with its parameters. */
export interface InitializerOptions<Name extends Initializer = Initializer> {
  /** Its name. */
  type: Name
  /** `uniform`: `minimum` (0) and `maximum` (1); `normal`: `mean` (0) and `standardDeviation` (1); `orthogonal`: `gain` (1). */
  [parameter: string]: unknown
}

/** A loss with its parameters. */
export interface LossOptions {
  /** Its name. */
  type: Loss
  /**
   * `huber`: `delta` (1; above 0); `crossEntropy`: `labelSmoothing` (0; in [0, 1)); `binaryCrossEntropy`: `positiveWeight`
   * (1; above 0); `quantile`: `level` (0.5; in (0, 1)).
   */
  [parameter: string]: unknown
}

/** An optimizer with its parameters. */
export interface OptimizerOptions {
  /** Its name. */
  type: Optimizer
  /** As docs/math.md lists them for each optimizer, with their defaults. */
  [parameter: string]: unknown
}

/** A fully connected layer. */
export interface LayerOptions {
  /** The number of neurons, an integer of at least 1. */
  units: number
  /**
   * Default: `relu` in a hidden layer; in the output layer the one that fits the loss (`crossEntropy`: `softmax`,
   * `binaryCrossEntropy`: `sigmoid`, `poisson`: `softplus`, others: `linear`).
   */
  activation?: Activation | ActivationOptions
  /** Default: `fanInUniform`, which did best over thirty data sets (the table is in docs/math.md). */
  initializer?: Initializer | InitializerOptions
  /**
   * What the biases start from, with the inputs and neurons of the layer in the formulas; all but `orthogonal`.
   * The weights of a seed are the same whatever it is. Default: `fanInUniform`, in the output layer `zeros`.
   */
  biasInitializer?: BiasInitializer | InitializerOptions<BiasInitializer>
  /** The probability of dropping an output of this layer while training, in [0, 1), default 0; hidden layers only. */
  dropout?: number
  /** Adds `l1 * sum |w|` over this layer's weights, not its biases, to the training objective. Default 0. */
  l1?: number
  /** Adds `l2 / 2 * sum w^2` over this layer's weights, not its biases, to the training objective. Default 0. */
  l2?: number
  /** Makes mean 0 and variance 1 of the weighted sums before the activation, then `gamma * n + beta`. */
  normalization?: 'batch' | 'layer'
}

/** The shape of a network and what it learns by. */
export interface NetworkOptions {
  /** The width of an example, then the layers; a bare number is `{ units }`, and the last layer is the output. */
  layers: readonly [inputCount: number, ...layers: (number | Readonly<LayerOptions>)[]]
  /** Default `squaredError`. */
  loss?: Loss | LossOptions
  /** The numbers of the network: `f64`, the default, or `f32` with half the memory and seven digits. */
  precision?: 'f64' | 'f32'
  /** An integer in [0, 2^53) that every random choice follows from; drawn at random when absent. */
  seed?: number
}

/** The parameters of one layer. `weights[j][i]` multiplies input `i` in neuron `j`. */
export interface LayerWeights {
  /** A row a neuron, in each row a number an input of the layer. */
  weights: number[][]
  /** A number a neuron. */
  biases: number[]
  /** The scale after a normalization, a number a neuron; only where the layer has one. */
  gamma?: number[]
  /** The shift after a normalization, a number a neuron; only where the layer has one. */
  beta?: number[]
  /** The running mean of a batch normalization, a number a neuron; only where the layer has one. */
  mean?: number[]
  /** The running variance of a batch normalization, a number a neuron; only where the layer has one. */
  variance?: number[]
}

/** The parameters of one layer as `setWeights` takes them: a `LayerWeights`, whose arrays may be typed or frozen. */
export interface GivenWeights {
  /** A row a neuron, in each row a finite number an input of the layer. */
  readonly weights: readonly Vector[]
  /** A finite number a neuron. */
  readonly biases: Vector
  /** The scale after a normalization, where the layer has one. */
  readonly gamma?: Vector
  /** The shift after a normalization, where the layer has one. */
  readonly beta?: Vector
  /** The running mean of a batch normalization, where the layer has one. */
  readonly mean?: Vector
  /** The running variance of a batch normalization, where the layer has one; numbers of at least 0. */
  readonly variance?: Vector
}

/** Rows that are measured on and not learnt from. */
export interface ValidationRows {
  /** As the inputs of the fit. */
  readonly inputs: Matrix
  /** As the targets of the fit. */
  readonly targets: Targets
}

/** When a fit has learnt all that it will. The loss is that of validation where there is one, else that of training. */
export interface EarlyStopping {
  /** How many epochs in a row may bring no better loss, an integer of at least 0; 0 is the same as 1. Default 10. */
  patience?: number
  /** How much below the best loss a better one is, a number of at least 0. Default 0. */
  minDelta?: number
  /** Whether the network has the weights of its best epoch in the end, else those of the last. Default true. */
  restoreBest?: boolean
}

/** Where a fit writes all there is to know of it. */
export interface CheckpointOptions {
  /** A path; a relative one is from where the process works when `fit` is called. */
  path: string
  /** After how many epochs it is written, an integer of at least 1. Default 1. */
  everyEpochs?: number
}

/** How `fit` and `fitSync` train. */
export interface FitOptions {
  /** How often to go over the rows at most, an integer of at least 1. Default 100. */
  epochs?: number
  /**
   * How many rows a step learns from, an integer of at least 1, or `'full'` for all; more rows than there are mean all.
   * The last batch of an epoch may be shorter. Default 32; for `lbfgs` `'full'`, and nothing else.
   */
  batchSize?: number | 'full'
  /** Default `adam`. */
  optimizer?: Optimizer | OptimizerOptions
  /** A number above 0. Default: the optimizer's own, in docs/math.md. */
  learningRate?: number
  /** How the learning rate changes from epoch to epoch. Default `{ type: 'constant' }`. */
  schedule?: Schedule
  /** Whether every epoch goes over the rows in a new order, which follows from the network's seed. Default true. */
  shuffle?: boolean
  /**
   * Rows to measure on and not to learn from: rows or examples of their own, or a fraction of the rows in (0, 1), which holds
   * out `round(fraction * rows)` of them, at least 1 and not all. With `shuffle` they are drawn by the network's seed,
   * without it they are the last ones. Default: none.
   */
  validation?: number | ValidationRows | readonly Example[]
  /**
   * Stops when the loss has not become better for some epochs. However the fit ends, the network then has the weights of
   * the best epoch. Default: none.
   */
  earlyStopping?: EarlyStopping
  /** Stops after an epoch whose loss, of validation where there is one, else of training, is no greater. */
  targetLoss?: number
  /** Stops after so many milliseconds, a number above 0, also in the middle of an epoch, which then does not count. */
  timeout?: number
  /** How much each row counts in loss and gradient: a number of at least 0 for each, not all 0. Default 1. */
  sampleWeights?: Vector
  /**
   * How much the rows of each class count: a number of at least 0 for each output, or for no and yes where there is
   * one output. For `crossEntropy`, and for `binaryCrossEntropy` and `hinge` with one output. They multiply
   * `sampleWeights`, and count in validation too.
   */
  classWeights?: Vector
  /** Scales gradients down to this Euclidean norm, a number above 0, where theirs is larger. Not for `lbfgs`. */
  clipNorm?: number
  /**
   * How many threads to use at most, an integer from 1 to 256. Default: the cores that the process may use. There are
   * fewer where more would not pay, also as long as other programs keep the cores busy. No bit depends on it.
   */
  threads?: number
  /**
   * Called after every epoch, in order, on the calling thread. Training does not wait for it: if it is slow, it is told
   * of epochs that are long past. Return `false` (not a promise of it) to stop training at once; then there are no more
   * reports, but the epochs that were finished meanwhile count. If it throws, training stops and the call fails by
   * that very error. Meanwhile the network answers as during any fit.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing
  onEpoch?: (report: EpochReport) => void | boolean
  /** Stops training at once when it aborts; the call then fails by the signal's reason, as `fetch` does. */
  signal?: AbortSignal
  /** Draws a progress bar on stderr, if that is a terminal. Default false. */
  progress?: boolean
  /**
   * Writes all there is to know of the run to a file after every so many epochs and at its end. A new file, until then
   * `<path>.<process>-<number>.tmp`, takes the place of the old one in one step, with its mode and owner, so that there is a
   * whole one at any time, also when two runs write to one path. Default: none.
   */
  checkpoint?: CheckpointOptions
  /**
   * The path of a checkpoint to carry on from, to the very bits of a run without a break. It needs a network of the
   * same layers, loss and precision, and the same data, which the file does not hold. Weights and seed are those of
   * the checkpoint, and so are the options that decide the course: `batchSize`, `optimizer`, `learningRate`,
   * `schedule`, `shuffle`, `validation`, `earlyStopping`, `classWeights`, `clipNorm`. Leave them out, or give the same.
   * `epochs`, which counts those that are done too, and `targetLoss` are the checkpoint's unless they are given. All
   * others are as given. `fit` reads the file beside other code: until it is read, the network has its own weights.
   */
  resume?: string
}

/** What an epoch came to. */
export interface EpochReport {
  /** The epoch, from 1. */
  epoch: number
  /** How many epochs there will be at most. */
  epochs: number
  /** The mean data loss of the batches, each measured before its step, without penalties and with dropout. */
  loss: number
  /** The mean data loss of the validation rows after the epoch, with dropout off; only where there are such rows. */
  validationLoss?: number
  /** The learning rate of the epoch. */
  learningRate: number
  /** Milliseconds from the beginning of the fit to the end of the epoch. */
  elapsedMs: number
}

/** How a fit went. */
export interface History {
  /** `EpochReport.loss` of each epoch. */
  loss: Doubles
  /** `EpochReport.validationLoss` of each epoch; only where there are validation rows. */
  validationLoss?: Doubles
  /** How many epochs were finished, those before a checkpoint that was resumed among them. */
  epochs: number
  /** The epoch, from 1, with the lowest loss, of validation where there is one; 0 if none was finished. */
  bestEpoch: number
  /** Milliseconds from the beginning to the end of training; callbacks that come later do not count. */
  durationMs: number
  /** Which rule ended the fit; `converged`: L-BFGS found a minimum. */
  stoppedBy: 'epochs' | 'earlyStopping' | 'targetLoss' | 'timeout' | 'callback' | 'abort' | 'converged'
  /**
   * What a person who looked at the fit would notice, in the order of cause and effect; mostly nothing. Up to 128 rows of
   * training are looked at, after training has gone over 16 times as many.
   */
  warnings: FitWarning[]
}

/** Something that keeps a network from learning, or that says that it did not. A fit never fails by it. */
export interface FitWarning {
  /**
   * - `missingClasses`: a class has no rows of training, by `crossEntropy`, `binaryCrossEntropy` or `hinge`.
   * - `inputScale`: the root mean square of an input is above 20, all its numbers are within 0.01 of 0, or it varies by
   *   less than 1 % of its largest number.
   * - `targetRange`: a target is beyond what the activation of the output layer can give.
   * - `targetScale`: as `inputScale`, for targets of a linear output layer.
   * - `deadUnits`: in at least half of the units of a hidden layer the derivative of the activation is below 1e-6 for every
   *   row.
   * - `constantOutputs`: the outputs vary by less than 0.1 % of the range of their targets.
   * - `noProgress`: the outputs explain less than 1 % of the variance of any target (R2; where rows or classes are weighted,
   *   and for classes, the square of the correlation), or less than half of it while the loss has fallen by less than 1 %
   *   in at least 10 epochs.
   * - `stillImproving`: the epochs or the time were over while the last tenth of at least 10 epochs had still lowered the
   *   loss, that of validation where there is one, by 1 % and by a fiftieth of all that it has fallen; not where the outputs explain 99 % of the variance of
   *   every target.
   */
  code:
    | 'missingClasses'
    | 'inputScale'
    | 'targetRange'
    | 'targetScale'
    | 'deadUnits'
    | 'constantOutputs'
    | 'noProgress'
    | 'stillImproving'
  /** What was found, with its numbers, and what to do. */
  message: string
}

/**
 * How good predictions are; formulas and sources in docs/math.md. `crossEntropy`, `binaryCrossEntropy` and `hinge` have
 * the measures of classification, all other losses those of regression; a measure that is not defined is absent.
 */
export interface Evaluation {
  /** The mean data loss of the network's own loss function, without penalties. */
  loss: number
  /** The share of the rows that are predicted right, in [0, 1]. */
  accuracy?: number
  /** In [0, 1]; of one output that of yes, of several the mean over the classes. */
  precision?: number
  /** In [0, 1]; likewise. */
  recall?: number
  /** In [0, 1]; likewise. */
  f1?: number
  /** In [0, 1]; likewise, each class against the rest. Absent where a class has no rows, or all. */
  rocAuc?: number
  /** `[actual][predicted]`: how many rows of the one class were taken for the other. */
  confusionMatrix?: number[][]
  /** The mean squared error over rows and outputs. */
  mse?: number
  /** The mean absolute error over rows and outputs. */
  mae?: number
  /** The coefficient of determination, the mean over the outputs; at most 1, and absent for a single row. */
  r2?: number
}

/** How a trainer takes a step. */
export interface StepOptions {
  /**
   * How much each row counts in loss and gradient, a finite number for each; default 1. The loss is
   * `sum_i w_i loss_i / sum_i |w_i|`, and 0 where all are 0. A negative weight unlearns a row: with the advantage of each
   * action as its weight, the action as one-hot target and `crossEntropy` as the loss, a step is one of a policy gradient.
   */
  sampleWeights?: Vector
  /**
   * Whether `targets` holds, in place of targets, the gradient of a loss of your own with respect to the outputs (after
   * the output layer's activation), a row for each row of inputs. A step goes down
   * `sum_i w_i sum_k targets_ik outputs_ik / sum_i |w_i|`, which is also the loss that it returns. Default false.
   */
  gradients?: boolean
}

/**
 * Training that goes on. Optimizer, schedule, counts of epochs and steps (which random choices follow from), scratch
 * buffers and threads live as long as it does.
 *
 * The network answers from the newest weights after each step, and during `fit` from those of the last finished epoch.
 * Weights that are changed by other means (`setWeights`, `train`, `fit`, another trainer) are what the trainer goes on
 * from, with the optimizer as it was.
 */
export interface Trainer {
  /** The network that it trains. */
  readonly network: NeuralNetwork
  /** How many steps its optimizer has taken, in `step` and in fits. */
  readonly steps: number

  /**
   * One step of the optimizer by all the rows, as one batch, on the calling thread. It counts as an epoch of the
   * schedule, and gives to the bit what `fitSync` would with `{ epochs: 1, batchSize: 'full', shuffle: false }`.
   * Rows in a typed array of the network's own precision are the quickest.
   *
   * If the loss is not finite, the network goes back to the weights it last answered from or those of at most 64 steps
   * ago, whichever are newer, the optimizer begins anew, and ERR_MIKIR_DIVERGED is thrown. So it is where a step makes
   * weights infinite; that is noticed when the network next answers.
   *
   * @returns the data loss of the batch before the step
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_OUT_OF_MEMORY
   * @throws {Error} ERR_MIKIR_BUSY, ERR_MIKIR_DIVERGED
   */
  step(inputs: Matrix, targets: Targets, options?: StepOptions): number

  /**
   * As `network.fit`, but it goes on where the trainer is: with its optimizer and schedule, other orders of rows, other
   * dropout masks. Options are those of the trainer unless given here; `optimizer` and `schedule` stay the trainer's.
   * Validation rows that are drawn are the same in each fit of equally many rows. `history` counts this fit alone.
   */
  fit(inputs: Matrix, targets: Targets, options?: FitOptions): Promise<History>
  /** The same of examples, `{ input, output, weight }`. */
  fit(examples: readonly Example[], options?: FitOptions): Promise<History>

  /** The same on the calling thread, which it does not leave before the end. */
  fitSync(inputs: Matrix, targets: Targets, options?: FitOptions): History
  /** The same of examples, `{ input, output, weight }`. */
  fitSync(examples: readonly Example[], options?: FitOptions): History

  /**
   * Writes the weights and all that the trainer keeps, as they are when it is called, to a file, on a thread of its own.
   * The file takes the place of an old one in one step.
   *
   * @param path a path or a `file:` URL
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {Error} ERR_MIKIR_BUSY, ERR_MIKIR_DIVERGED, ERR_MIKIR_FILE
   */
  save(path: string | URL): Promise<void>

  /**
   * Goes on from a file that `save` wrote, to the bit: the network gets its weights, the trainer its options, which those
   * given to the trainer may only repeat. It needs a network of the same layers, loss and precision, and is busy
   * meanwhile. If it fails, nothing has changed.
   *
   * @param path a path or a `file:` URL
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_INVALID_COMBINATION
   * @throws {Error} ERR_MIKIR_BUSY, ERR_MIKIR_FILE, ERR_MIKIR_CORRUPT_FILE
   */
  resume(path: string | URL): Promise<void>
}

/**
 * A multilayer perceptron.
 *
 * ```js
 * const network = new NeuralNetwork(2, 2, 1)
 * network.train([0, 1], [1])
 * network.predict([0, 1]) // [0.7…]
 *
 * const classifier = new NeuralNetwork({ layers: [4, 16, 3], loss: 'crossEntropy', seed: 42 })
 * classifier.predict([5.1, 3.5, 1.4, 0.2]) // three probabilities
 * ```
 *
 * `structuredClone`, `postMessage` to a worker and `v8.serialize` throw (`DataCloneError`): send what `toJSON` or
 * `toSafetensors` gives, and make a network of it on the other side. To
 * `assert.deepStrictEqual` and the matchers of test runners, networks are equal where options, seed and weights are.
 */
export class NeuralNetwork {
  /**
   * The network of the original library: one hidden layer, sigmoid neurons throughout, 64-bit floats, all weights
   * and biases drawn from U[0, 1).
   *
   * It has `(inputCount + 1) * hiddenCount + (hiddenCount + 1) * outputCount` parameters, at most 2^28
   * (2 GiB); a larger one is refused before anything is allocated.
   *
   * @param inputCount the numbers that go in, an integer of at least 1
   * @param hiddenCount the neurons of the hidden layer, an integer of at least 1
   * @param outputCount the numbers that come out, an integer of at least 1
   * @param options.seed an integer in [0, 2^53) that determines the starting weights, the same on every
   *   platform; drawn at random when absent
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_TOO_LARGE, ERR_MIKIR_OUT_OF_MEMORY
   */
  constructor(inputCount: number, hiddenCount: number, outputCount: number, options?: { seed?: number })

  /**
   * A network of any depth, at most 2^28 parameters.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION,
   *   ERR_MIKIR_INVALID_COMBINATION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_TOO_LARGE,
   *   ERR_MIKIR_OUT_OF_MEMORY
   */
  constructor(options: NetworkOptions)

  /** The width of `inputs`. */
  readonly inputCount: number

  /** The width of `targets` and of a prediction. */
  readonly outputCount: number

  /** The numbers that training changes: weights, biases, and gammas and betas of normalizations. */
  readonly parameterCount: number

  /** The numbers the network is made of. */
  readonly precision: 'f64' | 'f32'

  /** What the starting weights were drawn from: pass it as the `seed` option to draw them again. */
  readonly seed: number

  /**
   * What makes such a network again, before it is trained: every default written out, and the seed. A network of the
   * original's constructor has the initializer `unitUniform`, which is known only from here.
   */
  readonly options: NetworkOptions

  /**
   * The network's outputs for one example.
   *
   * @param inputs `inputCount` finite numbers
   * @returns a new array of `outputCount` numbers
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   */
  predict(inputs: Vector): number[]

  /**
   * The network's outputs for many examples: rows for rows, or one flat row-major typed array for another. Much
   * faster than a `predict` for each; the two may differ in the last digits, as they sum in another order. Batches that
   * take more than about a millisecond are shared by as many threads as there are cores; the outputs do not depend on that.
   *
   * @param inputs rows of `inputCount` finite numbers
   * @returns as many rows of `outputCount` numbers; for a flat array a `Float32Array` for a `Float32Array`, else a
   *   `Float64Array`
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, with the place, such as `inputs[3][1]`
   */
  predictBatch(inputs: readonly Vector[]): number[][]
  predictBatch(inputs: Float32Array): Singles
  predictBatch(inputs: TypedNumbers): Doubles
  predictBatch(inputs: Matrix): number[][] | Doubles | Singles

  /**
   * One step of online gradient descent on the loss `E` of one example. For the original's network, with
   * `E = 1/2 * sum_k (t_k - o_k)^2`, where `x` are the inputs, `h` the hidden neurons' outputs, `o` the outputs,
   * `t` the targets and `lr` the learning rate, in this order:
   *
   * 1. forward: `h` and `o` from `x`;
   * 2. output deltas `d_k = (t_k - o_k) * o_k * (1 - o_k)`;
   * 3. output layer `w_kj += lr * d_k * h_j`, `b_k += lr * d_k`;
   * 4. hidden deltas, through the output weights *just updated*: `d_j = (sum_k d_k * w_kj) * h_j * (1 - h_j)`;
   * 5. hidden layer `w_ji += lr * d_j * x_i`, `b_j += lr * d_j`.
   *
   * Textbooks take step 4 before step 3; this order is part of the API. Other networks follow the same rule with
   * their own activations and the deltas of their own loss: from the last layer to the first, a layer is updated,
   * then the next deltas are taken through its updated weights. Dropout and penalties play no part, and batch
   * normalizations use their running statistics.
   *
   * @param inputs `inputCount` finite numbers
   * @param targets `outputCount` finite numbers; a sigmoid output can only reach those between 0 and 1
   * @param learningRate a finite number, by default 0.1
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_OVERFLOW
   * @throws {Error} ERR_MIKIR_BUSY
   */
  train(inputs: Vector, targets: Vector, learningRate?: number): void

  /**
   * Trains on many rows, from the current weights on, on threads beside the event loop.
   *
   * ```js
   * const history = await network.fit(inputs, targets, { epochs: 50, validation: 0.2, earlyStopping: {} })
   * ```
   *
   * Of one call nothing is left for the next but the weights: the optimizer begins anew, and so do the schedule and the
   * random choices. To go on over batches that come one by one, use a `trainer`.
   *
   * The data are copied before the call returns. Until the promise settles, `predict`, `predictBatch`, `evaluate`,
   * `getWeights` and `clone` answer from the weights of the last finished epoch, while `train`, `setWeights`, `fit` and
   * `fitSync` throw ERR_MIKIR_BUSY. Any number of networks can train at once.
   *
   * Every random choice (order, dropout, validation rows) follows from the network's seed and the epoch: equal weights,
   * data, options and seeds give equal bits, whatever `threads`, in `fit` or `fitSync`, at one go or resumed.
   *
   * However the fit ends, the network has the weights of a whole epoch: those of the best one with
   * `earlyStopping.restoreBest`, else those of the last that was finished, also after an abort, an exception in
   * `onEpoch` and ERR_MIKIR_DIVERGED.
   *
   * It never throws: every error rejects, mistakes in arguments before training starts and with the place in the data,
   * such as `inputs[3][1]`.
   *
   * @param inputs rows of `inputCount` finite numbers
   * @param targets as many rows of `outputCount` finite numbers: for `crossEntropy` probabilities that sum to 1 (within
   *   1e-3), or the number of each row's class instead of rows, for `binaryCrossEntropy` from 0 to 1, for `poisson` at least 0, for `hinge` -1 or 1
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION,
   *   ERR_MIKIR_INVALID_COMBINATION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_OUT_OF_MEMORY
   * @throws {Error} ERR_MIKIR_BUSY, ERR_MIKIR_DIVERGED; ERR_MIKIR_FILE, ERR_MIKIR_CORRUPT_FILE for checkpoints
   * @throws the reason of `signal`, or what `onEpoch` threw
   */
  fit(inputs: Matrix, targets: Targets, options?: FitOptions): Promise<History>
  /** The same of examples, `{ input, output, weight }`. */
  fit(examples: readonly Example[], options?: FitOptions): Promise<History>

  /**
   * The same on the calling thread, which it does not leave before the end; it throws what `fit` rejects with.
   *
   * Where it is cut off in the middle, because the time of a `vm` is up, the network has the weights of before, or
   * those that were last read in `onEpoch`.
   */
  fitSync(inputs: Matrix, targets: Targets, options?: FitOptions): History
  /** The same of examples, `{ input, output, weight }`. */
  fitSync(examples: readonly Example[], options?: FitOptions): History

  /**
   * Measures the network on rows, with dropout off. During a fit, that is the network of the last finished epoch.
   *
   * @param inputs rows of `inputCount` finite numbers
   * @param targets as many rows of `outputCount` finite numbers, in the range of the loss as for `fit`
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_OUT_OF_MEMORY
   */
  evaluate(inputs: Matrix, targets: Targets): Evaluation
  evaluate(examples: readonly Example[]): Evaluation

  /**
   * A copy of all parameters, the hidden layer first. `setWeights` takes it back, and it survives
   * `JSON.stringify` to the bit.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT
   */
  getWeights(): LayerWeights[]

  /**
   * Replaces all parameters, or, if it throws, none.
   *
   * @param layers a layer's weights each, the hidden layer first, in the shapes that `getWeights` gives; all
   *   numbers finite
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   * @throws {Error} ERR_MIKIR_BUSY
   */
  setWeights(layers: readonly GivenWeights[]): void

  /**
   * Training that goes on: batch after batch from a stream, a replay memory or a game, with the optimizer's memory, the
   * schedule and all random choices kept from call to call. `fit` makes such a trainer anew for each call.
   *
   * ```js
   * const trainer = network.trainer({ optimizer: 'adam', learningRate: 1e-3 })
   * for await (const { inputs, targets } of batches) trainer.step(inputs, targets)
   * ```
   *
   * @param options how it trains: the defaults of its fits. `step` takes from them `optimizer`, `learningRate`,
   *   `schedule`, `classWeights`, `clipNorm` and `threads`. `epochs` (default 100) is what the schedule spans, over all
   *   steps and fits. `sampleWeights` and `resume` belong to a single call and are refused here.
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION,
   *   ERR_MIKIR_INVALID_COMBINATION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, ERR_MIKIR_OUT_OF_MEMORY
   * @throws {Error} ERR_MIKIR_BUSY
   */
  trainer(options?: FitOptions): Trainer

  /**
   * The network as JSON, as docs/file-format.md describes it; `JSON.stringify(network)` is the model. Numbers come back to
   * the bit.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT
   */
  toJSON(): NetworkJSON

  /**
   * The network that `toJSON` wrote, also that of brain.js (1 and 2: `NeuralNetwork`) or synaptic (perceptrons).
   *
   * @param json the object or its text
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {Error} ERR_MIKIR_CORRUPT_FILE where it is the JSON of no network
   */
  static fromJSON(json: object | string): NeuralNetwork

  /**
   * The network in the safetensors format: tensors named and shaped as the `state_dict` of the equal `nn.Sequential` of
   * PyTorch, with the options in the metadata (see docs/file-format.md).
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT
   */
  toSafetensors(): Bytes

  /**
   * A network of the safetensors format: one of `toSafetensors`, or the `state_dict` of an `nn.Sequential` of linear layers
   * and normalizations.
   *
   * @param bytes the whole file
   * @param options `activations`: that of each layer, or of all but a linear last one; only for a file that mikir has not
   *   written, which does not say them
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   * @throws {Error} ERR_MIKIR_CORRUPT_FILE
   */
  static fromSafetensors(
    bytes: Uint8Array | ArrayBuffer,
    options?: { activations?: readonly (Activation | ActivationOptions)[] }
  ): NeuralNetwork

  /**
   * The network as an ONNX graph (opset 17) of standard operators, for ONNX Runtime and all that reads ONNX: input `inputs`
   * `[N, inputCount]`, output `outputs` `[N, outputCount]`, in the network's precision. The options are in the metadata.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT
   */
  toONNX(): Bytes

  /**
   * A network from ONNX: one of `toONNX`, to the bit, or a multilayer perceptron as PyTorch, Keras and scikit-learn write
   * it (see docs/file-format.md). What no multilayer perceptron has is refused by the name of its node.
   *
   * @param bytes the whole file
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {Error} ERR_MIKIR_CORRUPT_FILE
   */
  static fromONNX(bytes: Uint8Array | ArrayBuffer): NeuralNetwork

  /**
   * The text of a JavaScript module that needs nothing and exports `predict(inputs): number[]`, for pages and functions
   * without mikir. It computes in double precision; batch normalizations are folded into the weights.
   *
   * @param options `format`: `esm`, the default, or `cjs`
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE, ERR_MIKIR_UNKNOWN_OPTION
   */
  toModule(options?: { format?: 'esm' | 'cjs' }): string

  /**
   * Writes the network as it is when it is called: `.json`, `.safetensors`, `.onnx`, or a module, `.mjs` or `.cjs`. The file takes
   * the place of an old one in one step, so that there is always a whole one.
   *
   * @param path a path or a `file:` URL
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE for another ending
   * @throws {Error} ERR_MIKIR_FILE
   */
  save(path: string | URL): Promise<void>

  /**
   * The network in a file, `.json`, `.safetensors`, `.onnx`, or `.net` of FANN.
   *
   * @param path a path or a `file:` URL
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_OUT_OF_RANGE for another ending
   * @throws {Error} ERR_MIKIR_FILE, ERR_MIKIR_CORRUPT_FILE
   */
  static load(path: string | URL): Promise<NeuralNetwork>

  /** An independent network with the same options and, to the bit, the same parameters. */
  clone(): NeuralNetwork

  /** The layers as a table for people: shapes, activations, extras and parameters. */
  summary(): string
}

/**
 * The model in a file, whatever kind it is of: a `Classifier` or a `Regressor` in JSON, or what `NeuralNetwork.load` reads.
 */
export function load(path: string | URL): Promise<NeuralNetwork | Classifier | Regressor>

/**
 * A row of a table: cells by the names of their columns. Nothing (null, undefined, NaN, an empty text, or one of the option
 * `missing`) is a cell that is missing.
 */
export type Row = Readonly<Record<string, number | bigint | string | boolean | Date | null | undefined>>
/** Rows: an array, a generator, a stream of objects, the cursor of a database, an Arrow table. */
export type Rows = Iterable<object> | AsyncIterable<object>
/** Data of which a model learns or that it answers: a table, rows, or the path of a CSV file. */
export type Data = Table | Rows | string

/**
 * What is in a column.
 *
 * - `number`: every cell that is not missing is a decimal number, as text too.
 * - `category`: words.
 * - `boolean`: `true` and `false`, in capitals or not.
 * - `date`: ISO 8601, such as `2026-01-31` or `2026-01-31T12:00:00Z`; a time without a zone is one of UTC.
 * - `constant`: the same in every row, or missing in every row.
 * - `identifier`: from 20 rows on, words of which at least 95 % are different, or numbers that are all different in a column
 *   called id, index, row or the like.
 *
 * Models learn nothing from constants and identifiers. A column that a user says to be of a kind is of that kind.
 */
export type ColumnKind = 'number' | 'category' | 'boolean' | 'date' | 'constant' | 'identifier'

/** What is known of a column. */
export interface Column {
  /** What the header or the rows call it. */
  readonly name: string
  /** What its cells are. */
  readonly kind: ColumnKind
  /** How many cells are missing. */
  readonly missing: number
  /** How many different values there are. */
  readonly distinct: number
  /** The least number; of dates in milliseconds since 1970. */
  readonly minimum?: number
  /** The largest number; likewise. */
  readonly maximum?: number
  /** The mean of the numbers; likewise. */
  readonly mean?: number
  /** Of words, up to five of the commonest, and how often there is each. */
  readonly commonest?: readonly (readonly [word: string, count: number])[]
}

/** How a table is read. */
export interface TableOptions {
  /** What columns are, by name; default: what their cells look like. */
  kinds?: Readonly<Record<string, ColumnKind>>
  /** What separates the cells of CSV, one character; default: that of `,` `;` tab `|` that is most frequent in the header. */
  separator?: string
  /** What is written where a cell is missing, beside nothing; default `NA`, `N/A`, `NaN`, `nan`, `null`, `NULL`, `?`. */
  missing?: readonly string[]
}

/** How a table is split. */
export interface SplitOptions {
  /** The share of the rows that the second table has, in (0, 1); default 0.25. */
  testSize?: number
  /** What the choice follows from, an integer in [0, 2^53); default 0. */
  seed?: number
  /** A column of whose values both tables have about the same shares; default none. */
  stratify?: string
}

/** Columns in memory: numbers as numbers, every distinct word once. It never changes. */
export class Table {
  private constructor()

  /**
   * Reads a CSV file on a native thread, as it streams in: UTF-8, a header, rows of as many cells (RFC 4180; quotes, line
   * ends of any system, a byte order mark). Spaces around a cell do not count. Where the separator is no comma, a comma may be
   * the decimal point. Memory is proportional to the numbers and the distinct words.
   * @throws ERR_MIKIR_FILE; ERR_MIKIR_CORRUPT_FILE with line and column, also for a row of over 16 MiB and for more than
   *   16,384 columns; ERR_MIKIR_UNKNOWN_OPTION for the kind of a column that is not there
   */
  static readCSV(path: string | URL, options?: TableOptions): Promise<Table>

  /** The same of a text, or its bytes in UTF-8, on the calling thread. */
  static fromCSV(text: string | Uint8Array, options?: TableOptions): Table

  /**
   * Reads rows as they come. The columns are the names of all of them; where a row has none, its cell is missing.
   * @throws ERR_MIKIR_INVALID_TYPE for a row that is no object, or a cell of another type; ERR_MIKIR_INVALID_LENGTH where
   *   there are no rows
   */
  static from(rows: Rows, options?: TableOptions): Promise<Table>

  /** How many rows there are. */
  readonly rowCount: number
  /** What is known of each column. */
  readonly columns: Column[]

  /**
   * Two tables, in which every row is in one. Equal seeds give equal tables.
   * @throws ERR_MIKIR_INVALID_LENGTH for fewer than 2 rows
   */
  split(options?: SplitOptions): [train: Table, test: Table]

  /** The rows, one after the other: numbers, texts, booleans and Dates, and null where a cell is missing. */
  rows(): IterableIterator<Record<string, number | string | boolean | Date | null>>

  /** What is in each column, as a table for people. */
  toString(): string
}

/** How a model is built. The defaults are those that docs/tables.md measures. */
export interface ModelOptions {
  /** The hidden layers of each network; default `[128]`, of ReLU. */
  hidden?: readonly (number | LayerOptions)[]
  /** The numbers of the networks; default `'f32'`. */
  precision?: 'f64' | 'f32'
  /** What every random choice follows from, an integer in [0, 2^53); by default one that nobody chose. */
  seed?: number
  /** How many networks are averaged, 1 to 256; default 8. Each has another eighth of the rows for validation. */
  ensemble?: number
}

/**
 * How a model is trained: what it predicts, and options of `NeuralNetwork.fit`. By default each network trains 50 epochs
 * (fewer on over 50,000 rows, at least 10) in batches of a 32nd of the rows (8 to 64, 256 on over 20,000 rows) by
 * `{ type: 'adamw', beta2: 0.95, weightDecay: 0.02 }` at rate 0.003 with a `cosine` schedule, and keeps the weights of its
 * best epoch. With fewer than 40 rows there is no validation. As many networks are trained at a time as `threads` says.
 */
export interface ModelFitOptions extends Omit<FitOptions, 'validation' | 'sampleWeights'> {
  /**
   * The column to predict, or several: numbers for a `Regressor`, yes and no for a `Classifier`. Rows where it is missing are
   * left out.
   */
  target: string | readonly string[]
  /** The columns to learn from; default: all others. */
  features?: readonly string[]
  /** The share of the rows that each network has for validation, in place of its own part; in (0, 1). */
  validation?: number
}

/** The measures of predictions, as scikit-learn has them. `String(report)` is a table for people. */
export interface Report extends Evaluation {
  /** How many rows were measured: those with a target. */
  rows: number
  /** The labels, in the order of `confusionMatrix`. */
  labels?: string[]
  /** The mean of -ln of the probability of the right label. */
  logLoss?: number
  toString(): string
}

/** How much worse a model gets without a column. */
export interface Importance {
  /** The name of the column. */
  feature: string
  /** The mean loss of accuracy, or of R2, where the cells of the column are put in a random order. */
  importance: number
  /** The standard deviation of that over the repeats. */
  deviation: number
}

/** What `Classifier` and `Regressor` share. The preparation of columns is part of the model, its files and its modules. */
export abstract class Model<Answer> {
  protected constructor(options?: ModelOptions)

  /**
   * Learns from a table. What it learnt before is forgotten once this has succeeded. Numbers are scaled and told by intervals,
   * words become inputs, what is missing is filled (docs/tables.md).
   *
   * @returns the mean of the networks' histories. `onEpoch` and the progress bar count the epochs of all networks.
   * @throws ERR_MIKIR_UNKNOWN_OPTION for a column that is not there; ERR_MIKIR_INVALID_TYPE for a target of a single label,
   *   or of words for a `Regressor`; ERR_MIKIR_INVALID_LENGTH where no row has a target or no column says anything;
   *   ERR_MIKIR_INVALID_COMBINATION for `checkpoint` and `resume` of more than one network; what `NeuralNetwork.fit` throws
   */
  fit(data: Data, options: ModelFitOptions): Promise<History>

  /**
   * The answer for a row. A word that is new counts as one of the rare ones, or as missing where there were none; a cell
   * that is missing is filled. The row needs every column that the model has learnt from, if only with null.
   * @throws ERR_MIKIR_INVALID_TYPE where a column is not there; ERR_MIKIR_CORRUPT_FILE for a text in a column of numbers
   */
  predict(row: Row): Answer
  /** The answers for rows. */
  predict(rows: readonly object[]): Answer[]
  /** The answers for rows that are read first. */
  predict(data: Table | AsyncIterable<object> | string): Promise<Answer[]>

  /** The measures of the answers for data that have the target too. */
  evaluate(data: Data): Promise<Report>

  /**
   * How much each column matters, the most important first: permutation importance (Breiman 2001, "Random Forests").
   * @param options - `repeats`: how often each column is put in a random order, default 5; `seed`: default 0
   */
  importance(data: Data, options?: { repeats?: number; seed?: number }): Promise<Importance[]>

  /** What each column becomes, and the network, for people. */
  summary(): string
  /** The first of the networks. Their inputs are the encoded columns. */
  readonly network: NeuralNetwork
  /** All of them. */
  readonly networks: NeuralNetwork[]
  /** The model as plain JSON: `JSON.stringify(model)` is the whole of it. */
  toJSON(): object
  /** The text of a module without dependencies that exports `predict(row)`, and `probabilities(row)` of a `Classifier`. */
  toModule(options?: { format?: 'esm' | 'cjs' }): string
  /**
   * The bytes of one ONNX graph of preparation, networks and answers. Each column is an input of `[N][1]` by its name: texts, or
   * numbers in double precision, NaN where one is missing (a date in milliseconds since 1970). Outputs: `label` `[N]` and
   * `probabilities` `[N][labels]`; of several targets `labels` and `probabilities`, `[N][targets]`; of numbers `predictions`
   * `[N][targets]`.
   */
  toONNX(): Bytes
  /** Writes a file in one step, on a native thread: `.json`, `.onnx`, `.mjs` or `.cjs`. */
  save(path: string | URL): Promise<void>
}

/** Answers with one of the labels of a column; of several targets, with an object of a label each. */
export class Classifier<Answer = string> extends Model<Answer> {
  constructor(options?: ModelOptions)
  /** How probable each label is for a row; of several targets, how probable each yes is. */
  probabilities(row: Row): Record<string, number>
  /** The same for rows. */
  probabilities(rows: readonly object[]): Record<string, number>[]
  /** The same for rows that are read first. */
  probabilities(data: Table | AsyncIterable<object> | string): Promise<Record<string, number>[]>
  /** The labels, in order; of several targets, their names. */
  readonly labels: string[]
  /** The model of what `toJSON` gave, or of its text. */
  static fromJSON(json: object | string): Classifier
  /** The model of a `.json` file. */
  static load(path: string | URL): Promise<Classifier>
}

/** Answers with a number in the units of the target; of several targets, with an object of a number each. */
export class Regressor<Answer = number> extends Model<Answer> {
  constructor(options?: ModelOptions)
  /** The model of what `toJSON` gave, or of its text. */
  static fromJSON(json: object | string): Regressor
  /** The model of a `.json` file. */
  static load(path: string | URL): Promise<Regressor>
}

/** What cross-validation gives. */
export interface CrossValidation {
  /** The accuracy, or R2, of each fold. */
  scores: number[]
  /** The mean of `scores`. */
  mean: number
  /** The standard deviation of `scores`: the root of the mean of the squared differences from `mean`. */
  standardDeviation: number
  /** The report of each fold. */
  folds: Report[]
}

/**
 * Trains a new model like `model` for each fold, by its options and seed, on all rows but those of the fold, and tests it on
 * those. Every row is tested once; for a `Classifier` the folds have about the same shares of each label.
 * @param options - as `Model.fit`, and `folds`: how many, default 5
 * @throws ERR_MIKIR_INVALID_LENGTH for fewer rows than folds; what `Model.fit` throws
 */
export function crossValidate(
  model: Model<unknown>,
  data: Data,
  options: ModelFitOptions & { folds?: number }
): Promise<CrossValidation>

/** A network as JSON. */
export interface NetworkJSON {
  /** What tells it from other JSON. */
  format: 'mikir-network'
  /** The version of the format. */
  version: 1
  /** As `NeuralNetwork.options`. */
  options: NetworkOptions
  /** As `getWeights` gives them. */
  layers: LayerWeights[]
}
