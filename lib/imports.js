'use strict'

// Networks of other libraries: brain.js and synaptic as JSON, FANN as text. Each becomes options and layers, as `toJSON`
// has them.

const { corruptFile, describe } = require('./errors.js')

/** How many neurons a layer may claim before anything is made of it. */
const MOST = 1 << 20

/** The activations by brain.js's names. */
const BRAIN = {
  sigmoid: () => 'sigmoid',
  tanh: () => 'tanh',
  relu: () => 'relu',
  'leaky-relu': (alpha) => ({ type: 'leakyRelu', alpha })
}

/** By synaptic's. */
const SYNAPTIC = { LOGISTIC: 'sigmoid', TANH: 'tanh', IDENTITY: 'linear', RELU: 'relu' }

/**
 * FANN's activation functions by their numbers, each with what a steepness multiplies the weighted sum by: its sigmoid is
 * 1 / (1 + e^(-2 s z)), all others take s z.
 */
const FANN = {
  0: ['linear', 1],
  3: ['sigmoid', 2],
  5: ['tanh', 1],
  11: ['softsign', 1],
  13: ['hardTanh', 1]
}

class Reader {
  /** What it is called in errors. */
  #name

  constructor(name) {
    this.#name = name
  }

  refuse(rule, value) {
    throw corruptFile(rule, this.#name, typeof value === 'string' ? value : describe(value))
  }

  object(what, value) {
    if (typeof value !== 'object' || value === null) this.refuse(`an object for ${what}`, describe(value))
    return value
  }

  array(what, value, length) {
    if (!Array.isArray(value)) this.refuse(`an array for ${what}`, describe(value))
    if (length !== undefined && value.length !== length) {
      this.refuse(`${length} elements for ${what}`, String(value.length))
    }
    return value
  }

  number(what, value) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      this.refuse(`a finite number for ${what}`, describe(value))
    return value
  }

  /** The values of an object whose keys are 0 to n - 1, or an array, or in the order that `lookup` gives their names. */
  list(what, value, lookup) {
    if (Array.isArray(value)) return value
    const object = this.object(what, value)
    const keys = Object.keys(object)
    if (keys.length > MOST) this.refuse(`at most ${MOST} entries for ${what}`, String(keys.length))
    if (lookup)
      return Object.keys(lookup).map((key) => (Object.hasOwn(object, key) ? object[key] : undefined))
    return keys.map((key, i) => (Object.hasOwn(object, i) ? object[i] : object[key]))
  }
}

/** Whether this is the JSON of a network of brain.js or synaptic; the reader for it. */
function readerOf(value) {
  if (Array.isArray(value.neurons) && Array.isArray(value.connections)) return synaptic
  if (Array.isArray(value.layers) && (value.type !== undefined || 'sizes' in value || isOldBrain(value)))
    return brain
}

function isOldBrain({ layers }) {
  const [, hidden] = layers
  const first = typeof hidden === 'object' && hidden !== null ? Object.values(hidden)[0] : undefined
  return typeof first === 'object' && first !== null && 'bias' in first
}

/** brain.js 1 and 2. */
function brain(value, name) {
  const reader = new Reader(name)
  const { type = 'NeuralNetwork', options = {} } = value
  if (type !== 'NeuralNetwork' && type !== 'NeuralNetworkGPU') {
    reader.refuse(
      "the type 'NeuralNetwork' of brain.js",
      typeof type === 'string' ? `'${type.slice(0, 40)}'` : type
    )
  }
  const settings = reader.object('options', options)
  const activation = value.trainOpts?.activation ?? settings.activation ?? value.activation ?? 'sigmoid'
  if (typeof activation !== 'string' || !Object.hasOwn(BRAIN, activation)) {
    const known = Object.keys(BRAIN).map((known) => `'${known}'`)
    reader.refuse(
      `an activation of ${known.join(', ')}`,
      typeof activation === 'string' ? `'${activation.slice(0, 40)}'` : activation
    )
  }
  const alphas = [settings.leakyReluAlpha, value.trainOpts?.leakyReluAlpha, 0.01]
  const alpha = reader.number(
    'leakyReluAlpha',
    alphas.find((alpha) => alpha !== undefined)
  )
  const [input, ...others] = reader.array('layers', value.layers)
  const layers = others.map((layer, l) => brainLayer(reader, layer, l + 1))
  if (layers.length === 0) reader.refuse('at least two layers', String(value.layers.length))
  const inputs = Array.isArray(value.sizes)
    ? value.sizes[0]
    : Object.keys(reader.object('layers[0]', input)).length
  // That of brain.js 1 is alpha max(0, z).
  if (activation === 'leaky-relu' && isOldBrain(value)) {
    return assembled(
      reader,
      inputs,
      layers.map(({ biases, weights }) => ({
        weights: weights.map((row) => row.map((w) => alpha * w)),
        biases: biases.map((b) => alpha * b)
      })),
      'relu'
    )
  }
  return assembled(reader, inputs, layers, BRAIN[activation](alpha))
}

/** A layer as `{ weights, biases }`, or by neurons as `{ bias, weights }`. */
function brainLayer(reader, layer, l) {
  const what = `layers[${l}]`
  const { weights, biases } = reader.object(what, layer)
  if (weights !== undefined && biases !== undefined) {
    const rows = reader.list(`${what}.weights`, weights)
    return {
      weights: rows.map((row, j) => numbers(reader, `${what}.weights[${j}]`, row)),
      biases: numbers(reader, `${what}.biases`, biases)
    }
  }
  const neurons = reader.list(what, layer)
  return {
    weights: neurons.map((neuron, j) => {
      const { weights: row } = reader.object(`${what}[${j}]`, neuron)
      return numbers(reader, `${what}[${j}].weights`, row)
    }),
    biases: neurons.map(({ bias }, j) => reader.number(`${what}[${j}].bias`, bias))
  }
}

function numbers(reader, what, value) {
  return reader.list(what, value).map((x, i) => reader.number(`${what}[${i}]`, x))
}

/** Perceptrons of synaptic. */
function synaptic({ neurons, connections }, name) {
  const reader = new Reader(name)
  /** The places of the neurons of each layer. */
  const places = new Map()
  for (const [i, neuron] of neurons.entries()) {
    const { layer } = reader.object(`neurons[${i}]`, neuron)
    if (!places.has(layer)) places.set(layer, [])
    places.get(layer).push(i)
  }
  const hidden = [...places.keys()].filter((layer) => typeof layer === 'number').sort((a, b) => a - b)
  const order = ['input', ...hidden, 'output']
  if (places.size !== order.length || !places.has('input') || !places.has('output')) {
    reader.refuse(
      "neurons of the layers 'input', 0, 1, ... and 'output'",
      String([...places.keys()].slice(0, 10))
    )
  }
  const ordered = order.map((layer) => places.get(layer))
  const at = new Map(ordered.flatMap((layer, l) => layer.map((neuron, j) => [neuron, { l, j }])))
  const layers = ordered.slice(1).map((layer, l) => ({
    weights: layer.map(() => new Array(ordered[l].length).fill(0)),
    biases: layer.map((i) => reader.number(`neurons[${i}].bias`, neurons[i].bias))
  }))
  for (const [i, connection] of connections.entries()) {
    const { from, gater = null, to, weight } = reader.object(`connections[${i}]`, connection)
    const [source, target] = [at.get(from), at.get(to)]
    if (source === undefined || target === undefined || source.l + 1 !== target.l) {
      reader.refuse(
        'connections from one layer to the next alone',
        `connections[${i}] from ${describe(from)} to ${describe(to)}`
      )
    }
    if (gater !== null) reader.refuse('connections without a gate', `a gate of connections[${i}]`)
    layers[source.l].weights[target.j][source.j] = reader.number(`connections[${i}].weight`, weight)
  }
  const activations = ordered.slice(1).map((layer) => {
    const squashes = new Set(layer.map((i) => neurons[i].squash))
    const [squash] = squashes
    if (squashes.size > 1)
      reader.refuse('one squash for all neurons of a layer', [...squashes].slice(0, 5).join(', '))
    if (!Object.hasOwn(SYNAPTIC, squash)) {
      reader.refuse(
        `a squash of ${Object.keys(SYNAPTIC).join(', ')}`,
        typeof squash === 'string' ? `'${squash.slice(0, 40)}'` : squash
      )
    }
    return SYNAPTIC[squash]
  })
  return assembled(reader, ordered[0].length, layers, activations)
}

/** FANN's text format. */
function fann(text, name) {
  const reader = new Reader(name)
  const [version, ...lines] = text.split(/\r?\n/)
  if (!/^FANN_FLO_2\.[01]$/.test(version)) {
    reader.refuse("'FANN_FLO_2.1' or 'FANN_FLO_2.0' on the first line", `'${version.slice(0, 40)}'`)
  }
  const fields = new Map()
  for (const line of lines) {
    const cut = line.indexOf('=')
    if (cut > 0) fields.set(line.slice(0, cut).replace(/ \(.*$/, ''), line.slice(cut + 1).trim())
  }
  const field = (key) => fields.get(key) ?? reader.refuse(`a line '${key}='`, 'none')
  if (Number(field('network_type')) !== 0)
    reader.refuse('network_type=0, layer after layer', `network_type=${field('network_type')}`)
  if (Number(fields.get('scale_included') ?? 0) !== 0)
    reader.refuse('scale_included=0', `scale_included=${fields.get('scale_included')}`)
  const sizes = field('layer_sizes').split(/\s+/).filter(Boolean).map(Number)
  if (sizes.length < 2 || !sizes.every((size) => Number.isInteger(size) && size > 1 && size <= MOST)) {
    reader.refuse(`at least two layer_sizes from 2 to ${MOST}`, `'${field('layer_sizes').slice(0, 40)}'`)
  }
  const tuples = (key, length) => {
    const [label] = [...fields.keys()].filter((known) => known.startsWith(key))
    const found = Array.from(field(label ?? key).matchAll(/\(([^)]*)\)/g), ([, tuple]) =>
      tuple.split(',').map(Number)
    )
    for (const tuple of found) {
      if (tuple.length !== length || !tuple.every(Number.isFinite))
        reader.refuse(`${length} numbers in each of ${key}`, `(${tuple})`)
    }
    return found
  }
  const neurons = tuples('neurons', 3)
  const connections = tuples('connections', 2)
  const count = sizes.reduce((sum, size) => sum + size, 0)
  if (neurons.length !== count) reader.refuse(`${count} neurons`, String(neurons.length))
  return fannNetwork(reader, sizes, neurons, connections)
}

/** Each layer ends with a bias neuron, whose output is 1 and which reads nothing. */
function fannNetwork(reader, sizes, neurons, connections) {
  let next = 0
  let first = 0
  let at = sizes[0]
  const activations = []
  const layers = sizes.slice(1).map((size, l) => {
    const width = sizes[l]
    const layer = { weights: [], biases: [] }
    const kinds = new Set()
    for (let j = 0; j < size - 1; j++) {
      const [reads, kind, steepness] = neurons[at + j]
      if (reads !== width) reader.refuse(`${width} connections of neuron ${at + j}`, String(reads))
      if (!Object.hasOwn(FANN, kind)) {
        reader.refuse(`an activation_function of ${Object.keys(FANN).join(', ')}`, String(kind))
      }
      kinds.add(kind)
      const factor = FANN[kind][1] * steepness
      const row = connections.slice(next, next + width)
      next += width
      if (!row.every(([from], i) => from === first + i))
        reader.refuse('connections to the layer before, in order', `neuron ${at + j}`)
      if (row.length !== width) reader.refuse('a weight for each connection', `${connections.length}`)
      const weights = row.map(([, weight]) => weight * factor)
      layer.biases.push(weights.pop())
      layer.weights.push(weights)
    }
    if (kinds.size !== 1)
      reader.refuse('one activation_function for all neurons of a layer', [...kinds].join(', '))
    activations.push(FANN[[...kinds][0]][0])
    first = at
    at += size
    return layer
  })
  if (next !== connections.length) reader.refuse(`${next} connections`, String(connections.length))
  return assembled(reader, sizes[0] - 1, layers, activations)
}

/** Options and layers, in double precision. `activation` is one for all layers, or an array. */
function assembled(reader, inputs, layers, activation) {
  if (!Number.isInteger(inputs) || inputs < 1 || inputs > MOST) reader.refuse('a number of inputs', inputs)
  let width = inputs
  for (const [l, { biases, weights }] of layers.entries()) {
    const isWhole =
      weights.length > 0 && weights.length === biases.length && weights.every((row) => row.length === width)
    if (!isWhole) reader.refuse(`rows of ${width} weights, and as many biases, in layer ${l + 1}`, 'others')
    width = weights.length
  }
  const of = (l) => (Array.isArray(activation) ? activation[l] : activation)
  const units = layers.map(({ biases }, l) => ({ units: biases.length, activation: of(l) }))
  return { options: { layers: [inputs, ...units], loss: 'mse', precision: 'f64' }, layers }
}

module.exports = { fann, readerOf }
