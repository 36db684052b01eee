'use strict'

// A network as the text of a JavaScript module that needs nothing: its numbers, and a `predict` of plain loops.

const { shortest } = require('./files.js')

/** The activations as expressions of z, and the functions that they need. */
const EXPRESSIONS = {
  linear: () => 'z',
  sigmoid: () => '1 / (1 + Math.exp(-z))',
  tanh: () => 'Math.tanh(z)',
  relu: () => 'z > 0 ? z : 0',
  leakyRelu: (alpha) => `z > 0 ? z : ${alpha} * z`,
  elu: (alpha) => `z > 0 ? z : ${alpha} * Math.expm1(z)`,
  selu: () => '1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z))',
  gelu: () => 'z * 0.5 * erfc(-z * Math.SQRT1_2)',
  silu: () => 'z / (1 + Math.exp(-z))',
  mish: () => 'z * Math.tanh(softplus(z))',
  softplus: () => 'softplus(z)',
  softsign: () => 'z / (1 + Math.abs(z))',
  hardSigmoid: () => 'Math.min(Math.max(z + 3, 0), 6) / 6',
  hardTanh: () => 'Math.min(Math.max(z, -1), 1)',
  relu6: () => 'Math.min(Math.max(z, 0), 6)',
  // Of the whole layer: see `softmax` below.
  softmax: () => 'z'
}

const FUNCTIONS = {
  softplus: `/** ln(1 + e^z) */
function softplus(z) {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
}`,
  erfc: `/** 1 - erf(x): a series near 0, a continued fraction elsewhere (Abramowitz and Stegun, 7.1.6 and 7.1.14) */
function erfc(x) {
  if (x < 0) return 2 - erfc(-x)
  const factor = Math.exp(-x * x) / Math.sqrt(Math.PI)
  if (x < 2) {
    let [sum, term] = [x, x]
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return 1 - 2 * factor * sum
  }
  let fraction = x
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction
  return factor / fraction
}`,
  normalize: `/** Mean 0 and variance 1, then gamma and beta (Ba et al., 2016) */
function normalize(y, gamma, beta) {
  let mean = 0
  for (let j = 0; j < y.length; j++) mean += y[j] / y.length
  let variance = 0
  for (let j = 0; j < y.length; j++) variance += (y[j] - mean) ** 2 / y.length
  const inverse = 1 / Math.sqrt(variance + 1e-5)
  for (let j = 0; j < y.length; j++) y[j] = gamma[j] * (y[j] - mean) * inverse + beta[j]
}`,
  softmax: `/** e^y / sum e^y */
function softmax(y) {
  let largest = y[0]
  for (let j = 1; j < y.length; j++) if (y[j] > largest) largest = y[j]
  let sum = 0
  for (let j = 0; j < y.length; j++) sum += y[j] = Math.exp(y[j] - largest)
  for (let j = 0; j < y.length; j++) y[j] /= sum
}`
}

/** About how long a line of numbers is. */
const WIDTH = 100

/** Up to so many parameters every sum is written out, which is some twice as fast as a loop. */
const MOST_WRITTEN_OUT = 1000

/**
 * The text of the module.
 * @param {{ options: object, layers: object[] }} network - as `toJSON` gives it
 * @param {'esm' | 'cjs' | 'part'} format - a part of another module only declares `predict`
 */
function moduleOf({ options, layers }, format) {
  const isSingle = options.precision === 'f32'
  const write = isSingle ? (x) => String(shortest(x)) : String
  const stages = layers.map((layer, l) => stageOf(options.layers[l + 1], layer, l + 1))
  const [inputCount] = options.layers
  const counts = [inputCount, ...stages.map(({ units }) => units)]
  const size = counts.slice(1).reduce((sum, units, l) => sum + units * (counts[l] + 1), 0)
  const isWrittenOut = size <= MOST_WRITTEN_OUT && stages.every(({ gamma }) => gamma === undefined)
  const { body, numbers } = isWrittenOut ? sumsOf(stages, inputCount, write) : loopsOf(stages, write)
  const needed = Object.keys(FUNCTIONS).filter((name) => body.includes(`${name}(`))
  const parts = [
    ...(format === 'part' ? [] : [`// A multilayer perceptron of ${counts.join('-')}, written by mikir.`]),
    ...(format === 'cjs' ? ["'use strict'"] : []),
    ...(numbers === '' ? [] : [numbers]),
    ...needed.map((name) => FUNCTIONS[name]),
    `/** The ${counts.at(-1)} outputs for ${inputCount} inputs. */
${format === 'esm' ? 'export ' : ''}function predict(inputs) {
  if (inputs.length !== ${inputCount}) {
    throw new RangeError(\`Expected ${inputCount} numbers for inputs but received \${inputs.length}\`)
  }
${body}
}`,
    ...(format === 'cjs' ? ['module.exports = { predict }'] : [])
  ]
  return `${parts.join('\n\n')}\n`
}

/** What a layer does: its numbers, its activation as an expression of z, and the gamma and beta of a layer normalization. */
function stageOf({ activation, units }, layer, l) {
  const { type, alpha } = typeof activation === 'string' ? { type: activation } : activation
  const isNormalized = layer.gamma !== undefined && layer.mean === undefined
  return {
    ...folded(layer),
    expression: EXPRESSIONS[type](alpha),
    isSoftmax: type === 'softmax',
    l,
    units,
    ...(isNormalized && { gamma: layer.gamma, beta: layer.beta })
  }
}

/** A network with every sum written out. */
function sumsOf(stages, inputCount, write) {
  const names = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${i}`)
  let before = names('x', inputCount)
  const lines = [...before.map((x, i) => `  const ${x} = inputs[${i}]`), '  let z']
  for (const { biases, expression, l, units, weights } of stages) {
    const here = names(`a${l}_`, units)
    for (const [j, row] of weights.entries()) {
      const terms = row.map((w, i) => `${write(w)}*${before[i]}`)
      lines.push(
        `  z = ${[write(biases[j]), ...terms].join('+').replaceAll('+-', '-')}`,
        `  const ${here[j]} = ${expression}`
      )
    }
    before = here
  }
  if (stages.at(-1).isSoftmax) {
    const [powers, last] = [names('e', before.length), before]
    lines.push(`  const largest = Math.max(${last.join(', ')})`)
    for (const [k, power] of powers.entries()) lines.push(`  const ${power} = Math.exp(${last[k]} - largest)`)
    lines.push(`  const sum = ${powers.join(' + ')}`)
    before = powers.map((power) => `${power} / sum`)
  }
  lines.push(`  return [${before.join(', ')}]`)
  return { body: lines.join('\n'), numbers: '' }
}

/** A network as loops over its numbers. */
function loopsOf(stages, write) {
  const vectors = stages.flatMap(({ beta, biases, gamma, l, weights }) => [
    [`w${l}`, weights.flat()],
    [`b${l}`, biases],
    ...(gamma === undefined
      ? []
      : [
          [`gamma${l}`, gamma],
          [`beta${l}`, beta]
        ])
  ])
  const rooms = stages.map(({ l, units }) => `const a${l} = new Float64Array(${units})`)
  const last = stages.at(-1)
  const body = [
    ...stages.map(loopOf),
    `  const outputs = [a${last.l}[0]]`,
    `  for (let k = 1; k < ${last.units}; k++) outputs.push(a${last.l}[k])`,
    '  return outputs'
  ]
  const numbers = vectors.map(([name, values]) => declare(name, values, write))
  return { body: body.join('\n'), numbers: [...numbers, ...rooms].join('\n') }
}

function loopOf({ expression, gamma, isSoftmax, l, units, weights }) {
  const lines = [
    `  for (let j = 0, k = 0; j < ${units}; j++) {`,
    `    let z = b${l}[j]`,
    `    for (let i = 0; i < ${weights[0].length}; i++) z += w${l}[k++] * ${l === 1 ? 'inputs' : `a${l - 1}`}[i]`,
    `    a${l}[j] = ${gamma === undefined ? expression : 'z'}`,
    '  }'
  ]
  if (gamma !== undefined) {
    lines.push(
      `  normalize(a${l}, gamma${l}, beta${l})`,
      `  for (let j = 0; j < ${units}; j++) {`,
      `    const z = a${l}[j]`,
      `    a${l}[j] = ${expression}`,
      '  }'
    )
  }
  if (isSoftmax) lines.push(`  softmax(a${l})`)
  return lines.join('\n')
}

/** Weights and biases with a batch normalization in them: its statistics stand still. */
function folded({ weights, biases, gamma, beta, mean, variance }) {
  if (mean === undefined) return { weights, biases }
  const scales = gamma.map((factor, j) => factor / Math.sqrt(variance[j] + 1e-5))
  return {
    weights: weights.map((row, j) => row.map((w) => w * scales[j])),
    biases: biases.map((b, j) => (b - mean[j]) * scales[j] + beta[j])
  }
}

function declare(name, values, write) {
  const lines = ['']
  for (const value of values) {
    const text = write(value)
    if (lines.at(-1).length + text.length > WIDTH) lines.push('')
    lines[lines.length - 1] += `${text},`
  }
  const body = lines.map((line) => `  ${line}`).join('\n')
  return `const ${name} = new Float64Array([\n${body.slice(0, -1)}\n])`
}

module.exports = { moduleOf }
