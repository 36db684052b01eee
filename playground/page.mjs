// The page: its controls, what it draws, and the worker that trains.

import uPlot from 'uplot'
import { drawMap, drawNetwork, hueOf } from './draw.mjs'
import { tables } from './tables.mjs'

const element = (id) => document.getElementById(id)
const CONTROLS = ['data', 'target', 'hidden', 'activation', 'optimizer', 'rate', 'batch', 'l2']
/** The most characters of a table that a link holds. */
const MOST_IN_LINK = 20_000
/** The most points of the chart of losses. */
const MOST_LOSSES = 2000

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

let isRunning = false
let table
let own = ''
let seed = 1
let last
let losses = [[], [], []]
let isDrawing = false

const program = element('worker').textContent
/** A page that is opened as a file may have no worker of a blob's address. */
const address =
  location.protocol === 'file:'
    ? `data:text/javascript,${encodeURIComponent(program)}`
    : URL.createObjectURL(new Blob([program], { type: 'text/javascript' }))
const worker = new Worker(address, { type: 'module' })
const order = (type, given = {}) => worker.postMessage({ type, ...given })

function settings() {
  const hidden = element('hidden')
    .value.split(/[\s,]+/)
    .filter(Boolean)
    .map(Number)
  if (hidden.length > 6 || !hidden.every((units) => Number.isInteger(units) && units >= 1 && units <= 64)) {
    throw new Error('Expected up to 6 layers of 1 to 64 neurons for the hidden layers')
  }
  const number = (id, least, most) => {
    const value = Number(element(id).value)
    if (!(value >= least && value <= most)) {
      throw new Error(
        `Expected a number from ${least} to ${most} for ${element(id).labels[0].firstChild.textContent.trim()}`
      )
    }
    return value
  }
  return {
    hidden,
    seed,
    activation: element('activation').value,
    optimizer: element('optimizer').value,
    rate: number('rate', 1e-5, 10),
    batch: Math.round(number('batch', 1, 4096)),
    l2: number('l2', 0, 1)
  }
}

/** Runs what may go wrong, and says so. */
function guarded(work) {
  element('error').hidden = true
  try {
    work()
  } catch (error) {
    say(error.message)
  }
}

function say(message) {
  element('error').textContent = message
  element('error').hidden = false
}

function setRunning(value) {
  isRunning = value
  element('run').textContent = isRunning ? 'Pause' : 'Start'
  order('run', { isRunning })
}

function loadTable() {
  guarded(() => {
    const name = element('data').value
    element('drop').hidden = name !== 'csv'
    const text = name === 'csv' ? own : tables[name]()
    if (text.trim() === '') return
    setRunning(false)
    forget()
    order('load', { text, target: element('target').value, settings: settings() })
  })
}

function rebuild() {
  guarded(() => {
    forget()
    order('settings', { settings: settings() })
  })
}

function forget() {
  losses = [[], [], []]
}

function options(select, names, chosen) {
  const items = names.map((name) => new Option(name, name))
  element(select).replaceChildren(...items)
  if (names.includes(chosen)) element(select).value = chosen
}

const MESSAGES = {
  ready: begin,
  table(given) {
    table = given
    options('target', given.columns, given.target)
    options('x', given.features, given.features[0])
    options('y', given.features, given.features[Math.min(1, given.features.length - 1)])
    element('about').textContent = given.about
    element('axes').hidden = given.features.length <= 2
    element('edit').hidden = false
  },
  news(given) {
    last = given
    losses[0].push(given.epochs)
    losses[1].push(given.training)
    losses[2].push(given.held ?? null)
    if (losses[0].length > MOST_LOSSES) losses = losses.map((column) => column.filter((_, i) => i % 2 === 0))
    if (!isDrawing) requestAnimationFrame(draw)
    isDrawing = true
  },
  download: ({ format, content }) => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([content]))
    link.download = `model.${format}`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  },
  error({ message, isRunning: goesOn }) {
    if (goesOn === false) setRunning(false)
    say(message)
  }
}
worker.onmessage = ({ data }) => MESSAGES[data.type](data)
worker.onerror = ({ message }) => say(`The worker failed: ${message}`)

let chart

function drawLosses() {
  const width = element('loss').clientWidth
  if (chart === undefined) {
    const line = (label, colour) => ({ label, stroke: style(colour), width: 2, points: { show: false } })
    const axis = {
      stroke: style('--dim'),
      grid: { stroke: style('--edge') },
      ticks: { stroke: style('--edge') }
    }
    chart = new uPlot(
      {
        width,
        height: 220,
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false } },
        axes: [axis, { ...axis, size: 56 }],
        series: [{ label: 'epoch' }, line('training', '--blue'), line('held out', '--orange')]
      },
      losses,
      element('loss')
    )
  } else {
    if (chart.width !== width && width > 0) chart.setSize({ width, height: 220 })
    chart.setData(losses)
  }
}

let scatter

/** Predicted against actual. */
function drawScatter([actual, predicted]) {
  const order = actual.map((_, i) => i).sort((a, b) => actual[a] - actual[b])
  const data = [order.map((i) => actual[i]), order.map((i) => predicted[i]), order.map((i) => actual[i])]
  const width = Math.min(384, element('scatter').clientWidth)
  if (scatter !== undefined) return scatter.setData(data)
  const axis = (label) => ({ label, stroke: style('--dim'), grid: { stroke: style('--edge') } })
  scatter = new uPlot(
    {
      width,
      height: 300,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false } },
      axes: [axis('actual'), axis('predicted')],
      series: [
        {},
        { stroke: style('--blue'), paths: () => null, points: { show: true, size: 4 } },
        { stroke: style('--edge'), points: { show: false } }
      ]
    },
    data,
    element('scatter')
  )
}

const percent = (share) => `${(100 * share).toFixed(1)} %`

/** What is drawn, a part in each picture of the screen: the page is never held up for long. */
const PARTS = [
  () => {
    element('state').textContent = `epoch ${last.epochs}`
    drawLosses()
    const { held, training } = last
    element('losses').textContent =
      `training ${training.toFixed(4)}${held === undefined ? '' : `, held out ${held.toFixed(4)}`}`
  },
  () => {
    const isOfNumbers = table.labels === undefined
    element('scatter').hidden = !isOfNumbers
    element('map').hidden = isOfNumbers && table.features.length > 2
    if (isOfNumbers) drawScatter(last.scatter)
    if (!element('map').hidden) drawMap(element('map'), { ...last, labels: table.labels })
    element('legend').replaceChildren(...legendOf(table.labels))
  },
  () => {
    const labels = table.labels ?? [table.target]
    drawNetwork(element('network'), { ...last, features: table.features, labels }, chooseWeight)
  },
  () => {
    const { accuracy, confusion, r2, worst } = last
    fillWeights()
    element('score').textContent =
      table.labels === undefined ? `R2 ${r2?.toFixed(4)}` : `${percent(accuracy)} right`
    element('confusion').replaceChildren(...(confusion === undefined ? [] : [confusionOf(confusion)]))
    element('wrong').replaceChildren(worstOf(worst))
    element('code').textContent = codeOf()
  }
]

function draw() {
  const [left, drawn] = [[...PARTS], last]
  const next = () => {
    left.shift()()
    if (left.length > 0) return requestAnimationFrame(next)
    isDrawing = last !== drawn
    // What has come meanwhile.
    if (isDrawing) requestAnimationFrame(draw)
  }
  next()
}

function legendOf(labels = []) {
  return labels.map((label, k) => {
    const item = document.createElement('span')
    item.textContent = ` ■ ${label} `
    item.style.color = `hsl(${hueOf(k, labels.length)} 70% 50%)`
    return item
  })
}

function tableOf(rows) {
  const made = document.createElement('table')
  for (const [i, cells] of rows.entries()) {
    const line = made.insertRow()
    for (const [k, text] of cells.entries()) {
      const cell = document.createElement(i === 0 || k === 0 ? 'th' : 'td')
      cell.textContent = text
      line.append(cell)
    }
  }
  return made
}

function confusionOf(matrix) {
  const labels = table.labels.length === matrix.length ? table.labels : matrix.map((_, k) => String(k))
  return tableOf([['actual \\ said', ...labels], ...matrix.map((row, k) => [labels[k], ...row])])
}

function worstOf(worst) {
  const shown = (value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : (value ?? ''))
  const head = ['error', ...(table.labels === undefined ? [] : ['said']), ...table.columns]
  return tableOf([
    head,
    ...worst.map(({ row, error, said }) => [
      error.toFixed(3),
      ...(table.labels === undefined ? [] : [said]),
      ...table.columns.map((name) => shown(row[name]))
    ])
  ])
}

/** The choice of weights: rebuilt where the network has another shape. */
function fillWeights() {
  const { weights } = last
  const names = weights.flatMap(({ biases }, l) =>
    biases.map((_, k) => (l === weights.length - 1 ? `output ${k + 1}` : `layer ${l + 1}, neuron ${k + 1}`))
  )
  if (element('to').length !== names.length) options('to', names, names[0])
  const { layer } = chosen()
  const inputs = layer === 0 ? table.features : weights[layer - 1].biases.map((_, k) => `neuron ${k + 1}`)
  const from = ['bias', ...inputs]
  const known = Array.from(element('from').options, ({ value }) => value)
  if (known.join() !== from.join()) options('from', from, element('from').value)
  if (document.activeElement !== element('weight')) {
    const { to, from } = chosen()
    const value = from < 0 ? weights[layer].biases[to] : weights[layer].weights[to][from]
    element('weight').value = Number(value.toPrecision(4))
  }
}

function chosen() {
  let to = Math.max(0, element('to').selectedIndex)
  for (const [layer, { biases }] of last.weights.entries()) {
    if (to < biases.length) return { layer, to, from: element('from').selectedIndex - 1 }
    to -= biases.length
  }
  return { layer: 0, to: 0, from: -1 }
}

/** A line was clicked. */
function chooseWeight(layer, to, from) {
  const before = last.weights.slice(0, layer).reduce((sum, { biases }) => sum + biases.length, 0)
  element('to').selectedIndex = before + to
  fillWeights()
  element('from').selectedIndex = from + 1
  fillWeights()
  element('weight').focus()
  element('weight').select()
}

function codeOf() {
  const { hidden, activation, optimizer, rate, batch, l2 } = settings()
  const isOfNumbers = table.labels === undefined
  const layers = hidden.map(
    (units) => `{ units: ${units}, activation: '${activation}'${l2 > 0 ? `, l2: ${l2}` : ''} }`
  )
  return `const { ${isOfNumbers ? 'Regressor' : 'Classifier'}, Table } = require('mikir')

const table = await Table.readCSV('data.csv')
const [train, test] = table.split({ seed: 1 })
const model = new ${isOfNumbers ? 'Regressor' : 'Classifier'}({
  hidden: [${layers.join(', ')}],
  ensemble: 1,
  seed: ${seed}
})
await model.fit(train, {
  target: ${JSON.stringify(table.target)},
  optimizer: '${optimizer}',
  learningRate: ${rate},
  batchSize: ${batch},
  schedule: 'constant',
  epochs: ${Math.max(1, last.epochs)}
})
console.log(String(await model.evaluate(test)))
await model.save('model.json')`
}

/** All that the page shows, in the address. */
function linkOf() {
  const state = Object.fromEntries(CONTROLS.map((id) => [id, element(id).value]))
  if (state.data === 'csv') {
    if (own.length > MOST_IN_LINK)
      throw new Error('Expected a table of at most 20 kB for a link but received a larger one')
    state.own = own
  }
  state.seed = seed
  const bytes = new TextEncoder().encode(JSON.stringify(state))
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return `${location.href.split(/[?#]/)[0]}#${btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

function restore() {
  const text = location.hash.slice(1)
  if (text === '') return
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) =>
      sign.charCodeAt(0)
    )
    const state = JSON.parse(new TextDecoder().decode(bytes))
    own = String(state.own ?? '')
    seed = Number.isSafeInteger(state.seed) && state.seed >= 0 ? state.seed : 1
    element('text').value = own
    for (const id of CONTROLS) {
      if (id === 'target') element('target').replaceChildren(new Option(state.target, state.target))
      if (typeof state[id] === 'string') element(id).value = state[id]
    }
  } catch {
    say('The link of this page is damaged: this is the page without it')
  }
}

async function begin() {
  restore()
  const name = new URLSearchParams(location.search).get('data')
  if (name !== null) {
    const response = await fetch('/data.csv').catch(() => undefined)
    if (response?.ok) {
      own = await response.text()
      element('text').value = own.slice(0, 100_000)
      element('data').value = 'csv'
    } else say(`Expected the table '${name}' from the server of this page but received none`)
  }
  loadTable()
  if (name !== null) setRunning(true)
}

async function take(file) {
  own = await file.text()
  element('text').value = own.slice(0, 100_000)
  element('data').value = 'csv'
  element('target').replaceChildren()
  loadTable()
}

element('run').addEventListener('click', () => guarded(() => setRunning(!isRunning)))
element('step').addEventListener('click', () => {
  setRunning(false)
  order('step')
})
element('reset').addEventListener('click', () => {
  setRunning(false)
  seed++
  rebuild()
})
element('data').addEventListener('change', () => {
  element('target').replaceChildren()
  loadTable()
})
element('target').addEventListener('change', loadTable)
for (const id of ['hidden', 'activation', 'optimizer', 'rate', 'batch', 'l2'])
  element(id).addEventListener('change', rebuild)
for (const id of ['x', 'y']) {
  element(id).addEventListener('change', () =>
    order('axes', { axes: ['x', 'y'].map((axis) => element(axis).selectedIndex) })
  )
}
for (const id of ['to', 'from']) element(id).addEventListener('change', fillWeights)
element('weight').addEventListener('change', () => {
  const value = Number(element('weight').value)
  if (Number.isFinite(value)) order('weight', { ...chosen(), value })
})
element('text').addEventListener('change', () => {
  own = element('text').value
  element('target').replaceChildren()
  loadTable()
})
element('file').addEventListener('change', ({ target }) => target.files[0] && take(target.files[0]))
for (const type of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    event.preventDefault()
    element('drop').classList.toggle('over', type === 'dragover')
    if (type === 'dragover') element('drop').hidden = false
    if (type === 'drop' && event.dataTransfer.files[0]) take(event.dataTransfer.files[0])
  })
}
for (const button of document.querySelectorAll('[data-format]')) {
  button.addEventListener('click', () => order('download', { format: button.dataset.format }))
}
element('link').addEventListener('click', () =>
  guarded(() => {
    const link = linkOf()
    history.replaceState(null, '', link)
    navigator.clipboard?.writeText(link).catch(() => {})
    element('state').textContent = 'the address of this page is the link'
  })
)
