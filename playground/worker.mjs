// Holds the table and the network, trains, and tells the page what there is to draw.

import { NeuralNetwork, Table } from 'mikir'

/** How long it trains between two pictures, in milliseconds: the page draws one in pieces meanwhile. */
const TURN = 120
/** The most classes, and words of a column. */
const MOST = 20
/** How many points the maps have on a side: of a neuron and of the output. */
const [SMALL, LARGE] = [16, 48]
const WORST = 6

let set
let network
let trainer
let epochs = 0
let isRunning = false
let settings
let axes = [0, 1]

/** A column as inputs: a number each, or one for each word. */
function inputOf({ name, kind, distinct, commonest, minimum, maximum }, values) {
  if (kind === 'number') {
    const known = values.filter((x) => typeof x === 'number')
    const mean = known.reduce((sum, x) => sum + x, 0) / known.length
    const deviation = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / known.length) || 1
    return [
      {
        name,
        range: [(minimum - mean) / deviation, (maximum - mean) / deviation],
        of: (x) => (typeof x === 'number' ? (x - mean) / deviation : 0)
      }
    ]
  }
  if (distinct > MOST || commonest === undefined) return []
  return commonest
    .slice(0, MOST)
    .map(([word]) => ({ name: `${name} ${word}`, range: [0, 1], of: (x) => Number(String(x) === word) }))
}

function load({ text, target }) {
  const table = Table.fromCSV(text)
  const rows = [...table.rows()]
  const columns = table.columns
  const name = columns.some((column) => column.name === target) ? target : columns.at(-1).name
  const goal = columns.find((column) => column.name === name)
  const whole = rows.filter((row) => row[name] !== null && row[name] !== undefined)
  const isOfNumbers = goal.kind === 'number' && goal.distinct > 10
  const labels = isOfNumbers ? undefined : [...new Set(whole.map((row) => String(row[name])))].sort()
  if (labels !== undefined && (labels.length < 2 || labels.length > MOST)) {
    throw new Error(
      `Expected 2 to ${MOST} different values in the column '${name}' but received ${labels.length}`
    )
  }
  const features = columns
    .filter((column) => column !== goal)
    .flatMap((column) =>
      inputOf(
        column,
        whole.map((row) => row[column.name])
      ).map((input) => ({ ...input, column: column.name }))
    )
  if (features.length === 0)
    throw new Error(`Expected a column of numbers or of few words beside '${name}' but received none`)
  const [scale] = isOfNumbers
    ? inputOf(
        goal,
        whole.map((row) => row[name])
      )
    : []
  const parts = { train: [], test: [] }
  // Every fourth row, in an order of no meaning.
  const order = whole
    .map((row, i) => [(Math.sin(i * 12.9898) * 43758.5453) % 1, row])
    .sort((a, b) => a[0] - b[0])
  for (const [i, [, row]] of order.entries()) parts[i % 4 === 3 ? 'test' : 'train'].push(row)
  const encode = (some) => ({
    rows: some,
    inputs: some.map((row) => features.map(({ column, of }) => of(row[column]))),
    targets: isOfNumbers
      ? some.map((row) => [scale.of(row[name])])
      : some.map((row) => labels.map((label) => Number(label === String(row[name]))))
  })
  set = { name, labels, features, train: encode(parts.train), test: encode(parts.test) }
  axes = [0, Math.min(1, features.length - 1)]
  postMessage({
    type: 'table',
    about: String(table).split('\n')[0],
    columns: columns.map((column) => column.name),
    target: name,
    labels,
    features: features.map((feature) => feature.name)
  })
}

function build() {
  const { hidden, activation, optimizer, rate, l2, seed } = settings
  const layer = (units) => ({ units, activation, l2 })
  const outputs = set.labels?.length ?? 1
  network = new NeuralNetwork({
    layers: [set.features.length, ...hidden.map(layer), outputs],
    loss: set.labels === undefined ? 'mse' : 'crossEntropy',
    seed
  })
  trainer = network.trainer({
    optimizer,
    learningRate: rate,
    batchSize: Math.min(settings.batch, set.train.rows.length)
  })
  epochs = 0
}

/** Trains for about so long, at least an epoch, and tells of it. */
function train(milliseconds) {
  const start = performance.now()
  const { inputs, targets } = set.train
  do {
    trainer.fitSync(inputs, targets, { epochs: 1 })
    epochs++
  } while (performance.now() - start < milliseconds)
  tell()
}

/** Points of a map of two inputs; the others are 0, the mean. */
function pointsOf(side) {
  const [x, y] = axes.map((k) => set.features[k])
  const at = ({ range: [least, most] }, t) => {
    const margin = 0.1 * (most - least)
    return least - margin + t * (most - least + 2 * margin)
  }
  return Array.from({ length: side * side }, (_, i) => {
    const point = new Array(set.features.length).fill(0)
    point[axes[1]] = at(y, 1 - (Math.floor(i / side) + 0.5) / side)
    point[axes[0]] = at(x, ((i % side) + 0.5) / side)
    return point
  })
}

/** What each hidden neuron makes of the points. */
function mapsOf(weights) {
  const points = pointsOf(SMALL)
  const { hidden, activation } = settings
  return hidden.map((units, l) => {
    const part = new NeuralNetwork({
      layers: [set.features.length, ...hidden.slice(0, l + 1).map((count) => ({ units: count, activation }))],
      loss: 'mse',
      seed: 0
    })
    part.setWeights(weights.slice(0, l + 1))
    const found = part.predictBatch(points)
    return Array.from({ length: units }, (_, k) => Float32Array.from(found, (row) => row[k]))
  })
}

function tell() {
  const weights = network.getWeights()
  const lossOf = ({ inputs, targets }) => (inputs.length > 0 ? network.evaluate(inputs, targets) : {})
  const [training, held] = [lossOf(set.train), lossOf(set.test)]
  const answers = set.test.rows.length > 0 ? network.predictBatch(set.test.inputs) : []
  const errors = answers.map((row, i) =>
    set.labels === undefined
      ? Math.abs(row[0] - set.test.targets[i][0])
      : 1 - row[set.test.targets[i].indexOf(1)]
  )
  const worst = errors
    .map((error, i) => [error, i])
    .sort((a, b) => b[0] - a[0])
    .slice(0, WORST)
    .map(([error, i]) => ({
      row: set.test.rows[i],
      error,
      said: set.labels === undefined ? undefined : set.labels[answers[i].indexOf(Math.max(...answers[i]))]
    }))
  postMessage({
    type: 'news',
    epochs,
    weights,
    maps: mapsOf(weights),
    output: network.predictBatch(pointsOf(LARGE)).map((row) => (row.length === 1 ? row[0] : row)),
    points: set.train.inputs.map((row, i) => [row[axes[0]], row[axes[1]], classOf(set.train.targets[i])]),
    ranges: axes.map((k) => set.features[k].range),
    training: training.loss,
    held: held.loss,
    accuracy: held.accuracy,
    r2: held.r2,
    confusion: held.confusionMatrix,
    scatter:
      set.labels === undefined ? [set.test.targets.map(([t]) => t), answers.map(([y]) => y)] : undefined,
    worst
  })
}

const classOf = (target) => (target.length === 1 ? target[0] : target.indexOf(1))

function loop() {
  if (!isRunning) return
  guarded(() => train(TURN))
  setTimeout(loop)
}

function guarded(work) {
  try {
    work()
  } catch (error) {
    isRunning = false
    postMessage({ type: 'error', message: error.message, isRunning })
  }
}

const ORDERS = {
  load(given) {
    isRunning = false
    settings = given.settings
    load(given)
    build()
    tell()
  },
  settings(given) {
    settings = given.settings
    build()
    tell()
  },
  run(given) {
    isRunning = given.isRunning
    if (isRunning) loop()
  },
  step: () => train(0),
  axes(given) {
    axes = given.axes
    tell()
  },
  weight({ layer, to, from, value }) {
    const weights = network.getWeights()
    if (from < 0) weights[layer].biases[to] = value
    else weights[layer].weights[to][from] = value
    network.setWeights(weights)
    tell()
  },
  download({ format }) {
    const content = {
      json: () => JSON.stringify(network),
      onnx: () => network.toONNX(),
      mjs: () => network.toModule()
    }
    postMessage({ type: 'download', format, content: content[format]() })
  }
}

addEventListener('message', ({ data }) => guarded(() => ORDERS[data.type](data)))
postMessage({ type: 'ready' })
