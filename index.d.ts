// The public API. What is said here about arithmetic, ranges and errors is what the library promises.
//
// Every mistake throws a sentence of one form, `Expected <rule> for <name> but received <value>`: a TypeError
// for a value of the wrong kind, a RangeError for one of the wrong size or range. `error.code` tells them apart:
//
//   ERR_MIKIR_ARGUMENT_COUNT   TypeError    a call with missing or extra arguments
//   ERR_MIKIR_INVALID_TYPE     TypeError    a value of the wrong kind, also a string, null or hole among numbers
//   ERR_MIKIR_UNKNOWN_OPTION   TypeError    an option that does not exist
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
   * The logistic function `1 / (1 + e^-x)`. Any number will do: it is 1 at Infinity, 0 at -Infinity and NaN at
   * NaN.
   *
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   */
  sigmoid(x: number): number
}

/** The parameters of one layer. `weights[j][i]` multiplies input `i` in neuron `j`. */
export interface LayerWeights {
  /** A row a neuron, in each row a number an input of the layer. */
  weights: number[][]
  /** A number a neuron. */
  biases: number[]
}

/**
 * A multilayer perceptron with one hidden layer, sigmoid neurons throughout and 64-bit floats.
 *
 * ```js
 * const network = new NeuralNetwork(2, 2, 1)
 * network.train([0, 1], [1])
 * network.predict([0, 1]) // [0.7…]
 * ```
 */
export class NeuralNetwork {
  /**
   * A network whose weights and biases are drawn from U[0, 1).
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

  /** The width of `inputs`. */
  readonly inputCount: number

  /** The width of `targets` and of a prediction. */
  readonly outputCount: number

  /** The number of weights and biases. */
  readonly parameterCount: number

  /** What the starting weights were drawn from: pass it as the `seed` option to draw them again. */
  readonly seed: number

  /**
   * The network's outputs for one example.
   *
   * @param inputs `inputCount` finite numbers
   * @returns a new array of `outputCount` numbers in [0, 1]
   * @throws {TypeError} ERR_MIKIR_ARGUMENT_COUNT, ERR_MIKIR_INVALID_TYPE
   * @throws {RangeError} ERR_MIKIR_INVALID_LENGTH, ERR_MIKIR_OUT_OF_RANGE
   */
  predict(inputs: Vector): number[]

  /**
   * One step of online gradient descent on `E = 1/2 * sum_k (t_k - o_k)^2`, where `x` are the inputs, `h` the
   * hidden neurons' outputs, `o` the outputs, `t` the targets and `lr` the learning rate. In this order:
   *
   * 1. forward: `h` and `o` from `x`;
   * 2. output deltas `d_k = (t_k - o_k) * o_k * (1 - o_k)`;
   * 3. output layer `w_kj += lr * d_k * h_j`, `b_k += lr * d_k`;
   * 4. hidden deltas, through the output weights *just updated*: `d_j = (sum_k d_k * w_kj) * h_j * (1 - h_j)`;
   * 5. hidden layer `w_ji += lr * d_j * x_i`, `b_j += lr * d_j`.
   *
   * Textbooks take step 4 before step 3; this order is part of the API.
   *
   * @param inputs `inputCount` finite numbers
   * @param targets `outputCount` finite numbers; the sigmoid can only reach those between 0 and 1
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
}
