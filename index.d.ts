// The public API. What is said here about arithmetic, ranges and errors is what the library promises.
//
// Every mistake throws a sentence of one form, `Expected <rule> for <name> but received <value>`: a TypeError
// for a value of the wrong kind, a RangeError for one of the wrong size or range. `error.code` tells them apart:
//
//   ERR_MIKIR_ARGUMENT_COUNT   TypeError    a call with missing or extra arguments
//   ERR_MIKIR_INVALID_TYPE     TypeError    a value of the wrong kind, also a string, null or hole among numbers
//   ERR_MIKIR_UNKNOWN_OPTION   TypeError    an option that does not exist
//   ERR_MIKIR_INVALID_COMBINATION  TypeError  options that have no meaning together; the sentence names the cure
//   ERR_MIKIR_INVALID_LENGTH   RangeError   an array with the wrong number of elements
//   ERR_MIKIR_OUT_OF_RANGE     RangeError   a number outside its range, NaN and the infinities among them
//   ERR_MIKIR_TOO_LARGE        RangeError   a network of more than 2^28 parameters
//   ERR_MIKIR_OUT_OF_MEMORY    RangeError   no memory for a network within that limit
//   ERR_MIKIR_OVERFLOW         RangeError   a training step that could make a weight infinite
//   ERR_MIKIR_LOAD             Error        the native addon is missing or does not load (thrown on import)
//   ERR_MIKIR_INTERNAL         Error        a bug in mikir: please report it
//
// A call that throws changes nothing: the weights are what they were, to the bit.

/** A row of finite numbers. A plain array must have no holes; typed arrays are read, never kept or changed. */
export type Vector = number[] | Float32Array | Float64Array

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

/** What starting weights are drawn from; formulas and sources in docs/math.md. Biases start at 0. */
export type Initializer =
  | 'uniform'
  | 'normal'
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | 'lecunUniform'
  | 'lecunNormal'
  | 'orthogonal'
  | 'zeros'

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

/** How the learning rate changes from epoch to epoch; formulas, defaults and sources in docs/math.md. */
export type Schedule =
  | { type: 'constant' }
  | { type: 'step'; every: number; factor: number }
  | { type: 'exponential'; factor: number }
  | { type: 'cosine'; epochs?: number; minimum?: number; warmup?: number }
  | { type: 'oneCycle'; maximum: number; warmup?: number }
  | { type: 'plateau'; factor: number; patience: number; minimum?: number }

/** A fully connected layer. */
export interface LayerOptions {
  /** The number of neurons, an integer of at least 1. */
  units: number
  /**
   * Default: `relu` in a hidden layer; in the output layer the one that fits the loss (`crossEntropy`: `softmax`,
   * `binaryCrossEntropy`: `sigmoid`, `poisson`: `softplus`, others: `linear`). `alpha` is the slope of `leakyRelu`
   * below 0 (default 0.01), or the bound of `elu` below 0 (default 1).
   */
  activation?: Activation | { type: Activation; alpha?: number }
  /**
   * Default: `heUniform` for the ReLU family (relu, leakyRelu, elu, gelu, silu, mish, relu6), else `glorotUniform`.
   * Parameters: `uniform` `minimum` 0 and `maximum` 1, `normal` `mean` 0 and `standardDeviation` 1, `orthogonal`
   * `gain` 1.
   */
  initializer?: Initializer | { type: Initializer; [parameter: string]: unknown }
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
  layers: [inputCount: number, ...layers: (number | LayerOptions)[]]
  /**
   * Default `squaredError`. Parameters: `huber` `delta` 1 (> 0), `crossEntropy` `labelSmoothing` 0 ([0, 1)),
   * `binaryCrossEntropy` `positiveWeight` 1 (> 0), `quantile` `level` 0.5 ((0, 1)).
   */
  loss?: Loss | { type: Loss; [parameter: string]: unknown }
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
   * faster than a `predict` for each; the two may differ in the last digits, as they sum in another order.
   *
   * @param inputs rows of `inputCount` finite numbers
   * @returns as many rows of `outputCount` numbers
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE, with the place, such as `inputs[3][1]`
   */
  predictBatch(inputs: Vector[]): number[][]
  predictBatch(inputs: Float64Array): Float64Array
  predictBatch(inputs: Float32Array): Float32Array

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
   */
  train(inputs: Vector, targets: Vector, learningRate?: number): void

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
   */
  setWeights(layers: LayerWeights[]): void

  /** An independent network with the same options and, to the bit, the same parameters. */
  clone(): NeuralNetwork

  /** The layers as a table for people: shapes, activations, extras and parameters. */
  summary(): string
}
