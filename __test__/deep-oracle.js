'use strict'

// A network of any depth in plain JavaScript, one neuron at a time, from the definitions in docs/math.md and
// with no line shared with the library: what `train` and `predict` of deeper networks are compared with.
// Losses are differentiated by the outputs and carried through the output layer, not fused with it.

/** f and f' of every activation but softmax, with the parameter `alpha` where there is one. */
const ACTIVATIONS = {
  linear: { f: (z) => z, df: () => 1 },
  sigmoid: { f: sigmoid, df: (z) => sigmoid(z) * sigmoid(-z) },
  tanh: { f: Math.tanh, df: (z) => 1 / Math.cosh(z) ** 2 },
  relu: { f: (z) => Math.max(z, 0), df: (z) => (z > 0 ? 1 : 0) },
  leakyRelu: {
    f: (z, alpha = 0.01) => (z > 0 ? z : alpha * z),
    df: (z, alpha = 0.01) => (z > 0 ? 1 : alpha)
  },
  elu: {
    f: (z, alpha = 1) => (z > 0 ? z : alpha * Math.expm1(z)),
    df: (z, alpha = 1) => (z > 0 ? 1 : alpha * Math.exp(z))
  },
  selu: {
    f: (z) => 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z)),
    df: (z) => 1.0507009873554805 * (z > 0 ? 1 : 1.6732632423543772 * Math.exp(z))
  },
  gelu: {
    f: (z) => z * normal(z),
    df: (z) => normal(z) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
  },
  silu: { f: (z) => z * sigmoid(z), df: (z) => sigmoid(z) + z * sigmoid(z) * sigmoid(-z) },
  mish: {
    f: (z) => z * Math.tanh(softplus(z)),
    df: (z) => Math.tanh(softplus(z)) + (z * sigmoid(z)) / Math.cosh(softplus(z)) ** 2
  },
  softplus: { f: softplus, df: sigmoid },
  softsign: { f: (z) => z / (1 + Math.abs(z)), df: (z) => 1 / (1 + Math.abs(z)) ** 2 },
  hardSigmoid: {
    f: (z) => Math.min(Math.max(z / 6 + 1 / 2, 0), 1),
    df: (z) => (Math.abs(z) < 3 ? 1 / 6 : 0)
  },
  hardTanh: { f: (z) => Math.min(Math.max(z, -1), 1), df: (z) => (Math.abs(z) < 1 ? 1 : 0) },
  relu6: { f: (z) => Math.min(Math.max(z, 0), 6), df: (z) => (z > 0 && z < 6 ? 1 : 0) }
}

/** dE/da_k of every loss, of output `a` and target `t` among `count` outputs. */
const LOSSES = {
  squaredError: (a, t) => a - t,
  mse: (a, t, count) => (2 * (a - t)) / count,
  mae: (a, t, count) => Math.sign(a - t) / count,
  huber: (a, t, count, { delta = 1 }) => Math.max(-delta, Math.min(delta, a - t)) / count,
  logCosh: (a, t, count) => Math.tanh(a - t) / count,
  crossEntropy: (a, t, count, { labelSmoothing: s = 0 }) => -((1 - s) * t + s / count) / a,
  binaryCrossEntropy: (a, t, count, { positiveWeight: p = 1 }) => ((1 - t) / (1 - a) - (p * t) / a) / count,
  poisson: (a, t, count) => (1 - t / (a + 1e-8)) / count,
  hinge: (a, t, count) => (t * a < 1 ? -t / count : 0),
  quantile: (a, t, count, { level = 0.5 }) => (a > t ? 1 - level : a < t ? -level : 0.5 - level) / count
}

class Network {
  /**
   * @param {{ activation: string, alpha?: number }[]} layers - from the first hidden one to the output
   * @param {{ type: string }} loss - with its parameters
   * @param {{ weights: number[][], biases: number[] }[]} weights - in the form of getWeights()
   */
  constructor(layers, loss, weights) {
    this.loss = loss
    this.layers = layers.map(({ activation, alpha }, l) => ({ activation, alpha, ...weights[l] }))
  }

  predict(inputs) {
    return this.forward(inputs).at(-1).a
  }

  /** What each layer read (x), its weighted sums (z) and its outputs (a). */
  forward(inputs) {
    const steps = []
    for (const { activation, alpha, weights, biases } of this.layers) {
      const x = steps.at(-1)?.a ?? Array.from(inputs)
      const z = weights.map((row, j) => row.reduce((sum, weight, i) => sum + weight * x[i], 0) + biases[j])
      const a = activation === 'softmax' ? softmax(z) : z.map((z) => ACTIVATIONS[activation].f(z, alpha))
      steps.push({ x, z, a })
    }
    return steps
  }

  train(inputs, targets, learningRate = 0.1) {
    const steps = this.forward(inputs)
    const { type, ...parameters } = this.loss
    const { a: outputs } = steps.at(-1)
    // -dE/da of the layer at hand, from the last to the first
    let errors = outputs.map((a, k) => -LOSSES[type](a, targets[k], outputs.length, parameters))
    for (let l = steps.length - 1; l >= 0; l--) {
      const layer = this.layers[l]
      const deltas = throughActivation(layer, steps[l], errors)
      const { x } = steps[l]
      layer.weights = layer.weights.map((row, j) => row.map((w, i) => w + learningRate * deltas[j] * x[i]))
      layer.biases = layer.biases.map((bias, j) => bias + learningRate * deltas[j])
      // Through the weights that were just updated: the original's order.
      errors = x.map((_, i) => layer.weights.reduce((sum, row, j) => sum + deltas[j] * row[i], 0))
    }
  }

  /** The weights in the form of the library's getWeights(). */
  getWeights() {
    return this.layers.map(({ weights, biases }) => ({ weights, biases }))
  }
}

/** -dE/dz from -dE/da. */
function throughActivation({ activation, alpha }, { z, a }, errors) {
  if (activation !== 'softmax')
    return errors.map((error, j) => error * ACTIVATIONS[activation].df(z[j], alpha))
  // The Jacobian of softmax: da_k/dz_j = a_k ((k = j) - a_j).
  const mean = errors.reduce((sum, error, k) => sum + error * a[k], 0)
  return errors.map((error, j) => a[j] * (error - mean))
}

function sigmoid(z) {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
}

function softplus(z) {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
}

function softmax(z) {
  const powers = z.map((x) => Math.exp(x - Math.max(...z)))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

/** The normal distribution function: its series near 0, the continued fraction of its tail beyond. */
function normal(z) {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  if (Math.abs(z) < 3) {
    let [sum, term] = [z, z]
    for (let n = 3; Math.abs(term) > 1e-20; n += 2) {
      term *= (z * z) / n
      sum += term
    }
    return 0.5 + density * sum
  }
  let fraction = Math.abs(z)
  for (let n = 200; n >= 1; n--) fraction = Math.abs(z) + n / fraction
  return z < 0 ? density / fraction : 1 - density / fraction
}

module.exports = { ACTIVATIONS, LOSSES, Network }
