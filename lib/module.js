'use strict'

// A network as the text of a JavaScript module that needs nothing: its numbers, and a `predict` of plain loops.

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
  for (const x of y) mean += x / y.length
  let variance = 0
  for (const x of y) variance += (x - mean) ** 2 / y.length
  const inverse = 1 / Math.sqrt(variance + 1e-5)
  for (let j = 0; j < y.length; j++) y[j] = gamma[j] * (y[j] - mean) * inverse + beta[j]
}`,
  softmax: `/** e^y / sum e^y */
function softmax(y) {
  let largest = -Infinity
  for (const x of y) largest = Math.max(largest, x)
  let sum = 0
  for (let j = 0; j < y.length; j++) sum += y[j] = Math.exp(y[j] - largest)
  for (let j = 0; j < y.length; j++) y[j] /= sum
}`
}

/** About how long a line of numbers is. */
const WIDTH = 100

/**
 * The text of the module.
 * @param {{ options: object, layers: object[] }} network - as `toJSON` gives it
 * @param {'esm' | 'cjs'} format
 */
function moduleOf({ options, layers }, format) {
  const isSingle = options.precision === 'f32'
  const stages = layers.map((layer, l) => stageOf(options.layers[l + 1], layer, l + 1))
  const [inputCount] = options.layers
  const needed = Object.keys(FUNCTIONS).filter((name) => stages.some(({ code }) => code.includes(`${name}(`)))
  const counts = [inputCount, ...options.layers.slice(1).map(({ units }) => units)]
  const last = stages.length
  const parts = [
    `// A multilayer perceptron of ${counts.join('-')}, written by mikir.`,
    `${format === 'cjs' ? "'use strict'\n\n" : ''}${stages.flatMap(({ numbers }) => numbers.map((vector) => declare(vector, isSingle))).join('\n')}`,
    stages.map(({ units }, l) => `const a${l + 1} = new Float64Array(${units})`).join('\n'),
    ...needed.map((name) => FUNCTIONS[name]),
    `/** The ${counts.at(-1)} outputs for ${inputCount} inputs. */
${format === 'esm' ? 'export ' : ''}function predict(inputs) {
  if (inputs.length !== ${inputCount}) {
    throw new RangeError(\`Expected ${inputCount} numbers for inputs but received \${inputs.length}\`)
  }
${stages.map(({ code }) => code).join('\n')}
  return Array.from(a${last})
}`
  ]
  if (format === 'cjs') parts.push('module.exports = { predict }')
  return `${parts.join('\n\n')}\n`
}

/** The numbers and the code of a layer. */
function stageOf({ activation, units }, layer, l) {
  const { type, alpha } = typeof activation === 'string' ? { type: activation } : activation
  const { weights, biases } = folded(layer)
  const inputs = weights[0].length
  const isNormalized = layer.gamma !== undefined && layer.mean === undefined
  const before = l === 1 ? 'inputs' : `a${l - 1}`
  const expression = EXPRESSIONS[type](alpha)
  const isPlain = type === 'linear' || type === 'softmax'
  const lines = [
    `  for (let j = 0, k = 0; j < ${units}; j++) {`,
    `    let z = b${l}[j]`,
    `    for (let i = 0; i < ${inputs}; i++) z += w${l}[k++] * ${before}[i]`,
    `    a${l}[j] = ${isNormalized ? 'z' : expression}`,
    '  }'
  ]
  if (isNormalized) {
    lines.push(`  normalize(a${l}, gamma${l}, beta${l})`)
    if (!isPlain) {
      lines.push(
        `  for (let j = 0; j < ${units}; j++) {`,
        `    const z = a${l}[j]`,
        `    a${l}[j] = ${expression}`,
        '  }'
      )
    }
  }
  if (type === 'softmax') lines.push(`  softmax(a${l})`)
  const numbers = [
    { name: `w${l}`, values: weights.flat() },
    { name: `b${l}`, values: biases }
  ]
  if (isNormalized) {
    numbers.push({ name: `gamma${l}`, values: layer.gamma }, { name: `beta${l}`, values: layer.beta })
  }
  return { code: lines.join('\n'), numbers, units }
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

function declare({ name, values }, isSingle) {
  const lines = ['']
  for (const value of values) {
    const text = `${isSingle ? shortest(value) : value}`
    if (lines.at(-1).length + text.length > WIDTH) lines.push('')
    lines[lines.length - 1] += `${text},`
  }
  const body = lines.map((line) => `  ${line}`).join('\n')
  return `const ${name} = new Float64Array([\n${body.slice(0, -1)}\n])`
}

/** The shortest decimals that are this number in single precision. */
function shortest(value) {
  const single = Math.fround(value)
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits))
    if (Math.fround(text) === single) return text
  }
  return Number(value.toPrecision(9))
}

module.exports = { moduleOf }
