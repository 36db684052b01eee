'use strict'

// What a fit on every core leaves to the rest of the program: how late the event loop is, how soon an abort takes
// effect, and how fast an HTTP server in the same process answers predictions.
//
// Every case runs in a process of its own; the cases of a table alternate, and its figures are medians over the
// rounds. The loop is watched from the turn after the call of `fit` on, which reads and copies the data
// synchronously, and up to the abort; how long call and end hold the loop has columns of its own.

const http = require('node:http')
const { monitorEventLoopDelay } = require('node:perf_hooks')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { digits, examples, machine, median, printTable, runApart, takeTurns } = require('./common.js')

const ROUNDS = 5
/** How long a case of delays or of answers is watched, in milliseconds. */
const WATCHED = 4000
/** More than can be done. */
const ENDLESS = 1e9

const DELAYS = {
  idle: undefined,
  '784-128-10, batch 32': { layers: [784, 128, 10], batchSize: 32, rows: 60_000 },
  '1024-2048-2048-10, batch 256': { layers: [1024, 2048, 2048, 10], batchSize: 256, rows: 12_800 },
  '2-8-1, batch 4, `onEpoch`': { layers: [2, 8, 1], batchSize: 4, rows: 4, onEpoch() {} }
}

const LADDER = {
  '2-2-2, batch 4': { layers: [2, 2, 2], batchSize: 4 },
  '4-16-3, batch 16': { layers: [4, 16, 3], batchSize: 16 },
  '64-32-10, batch 32': { layers: [64, 32, 10], batchSize: 32 },
  '784-128-10, batch 1': { layers: [784, 128, 10], batchSize: 1 },
  '784-128-10, batch 32': { layers: [784, 128, 10], batchSize: 32 },
  "784-128-10, batch 'full'": { layers: [784, 128, 10], batchSize: 'full' },
  '784-512-512-10, batch 128': { layers: [784, 512, 512, 10], batchSize: 128 },
  '1024-2048-2048-10, batch 256': { layers: [1024, 2048, 2048, 10], batchSize: 256 }
}
const ABORTS = 11
/** An epoch is to take so many milliseconds, unless its rows would take more bytes. */
const EPOCH = 1200
const MOST_BYTES = 1 << 29

/** A prediction is asked for so often, in milliseconds. */
const PERIOD = 5

const measurements = { delays, aborts, answers }

function main() {
  console.log(`${machine()}\n`)
  printDelays()
  printAborts()
  printAnswers()
}

function printDelays() {
  const figures = alternate('delays', Object.keys(DELAYS))
  const added = (name, i) => figures[name][i].p99 - figures.idle[i].p99
  const rows = Object.entries(figures).map(([name, rounds]) => [
    name,
    ...['p50', 'p99', 'max'].map((key) => digits(median(rounds.map((round) => round[key])))),
    name === 'idle' ? '' : median(rounds.map((_, i) => added(name, i))).toFixed(2),
    ...['call', 'end'].map((key) =>
      name === 'idle' ? '' : digits(median(rounds.map((round) => round[key])))
    )
  ])
  console.log(`How late the event loop is while a fit uses every core: milliseconds between the ticks of a timer of
1 ms, medians of ${ROUNDS} runs of ${WATCHED / 1000} s. Target: less than 5 ms added to the p99 of a loop that idles.\n`)
  printTable(['fit', 'p50', 'p99', 'max', 'p99 added', 'call of `fit`', 'its end'], rows, 1)
}

function printAborts() {
  const rows = Object.keys(LADDER).map((name) => {
    const { bytes, epoch, latencies } = runApart(__filename, ['aborts', name])
    const figures = [bytes / 2 ** 20, epoch, median(latencies), Math.max(...latencies)]
    return [name, ...figures.map(digits)]
  })
  console.log(`\nHow soon an abort at a random moment of a long epoch takes effect: milliseconds from \`abort()\` to the
rejection, ${ABORTS} aborts each, the first as the epoch begins. Target: at most 50 ms.\n`)
  printTable(['fit', 'data, MB', 'an epoch', 'median', 'max'], rows, 1)
}

function printAnswers() {
  const figures = alternate('answers', ['without a fit', 'during a fit'])
  const rows = Object.entries(figures).map(([name, rounds]) => [
    name,
    median(rounds.map((round) => round.answered)).toFixed(0),
    ...['p50', 'p99', 'max'].map((key) => digits(median(rounds.map((round) => round[key]))))
  ])
  console.log(`\nHow fast an HTTP server answers a prediction every ${PERIOD} ms, while a fit of its network (784-128-10,
batch 32) uses every core: milliseconds from the moment a request is due to its answer, the client in the same process,
medians of ${ROUNDS} runs of ${WATCHED / PERIOD} requests.\n`)
  printTable(['server', 'answers', 'p50', 'p99', 'max'], rows, 1)
}

/** The figures of every case, by name, a round each. */
function alternate(measurement, names) {
  return takeTurns(ROUNDS, names, (name) => runApart(__filename, [measurement, name]))
}

/** A fit that goes on until `stop` is called, which says how long that took. */
function begin({ layers, batchSize, rows, onEpoch }) {
  const { NeuralNetwork } = require('..')
  const outputCount = layers.at(-1)
  const loss = outputCount === 1 ? 'binaryCrossEntropy' : 'crossEntropy'
  const network = new NeuralNetwork({ layers, loss, precision: 'f32', seed: 1 })
  const { inputs, targets } = examples(rows, layers[0], outputCount)
  const controller = new AbortController()
  const { signal } = controller
  // So small a rate that the loss cannot get lost in a long run.
  const options = { epochs: ENDLESS, batchSize, optimizer: 'sgd', learningRate: 1e-3, onEpoch, signal }

  const start = performance.now()
  const ended = network.fit(inputs, targets, options).then(
    () => {
      throw new Error('it was to go on')
    },
    (error) => {
      if (error !== signal.reason) throw error
      return performance.now()
    }
  )
  const call = performance.now() - start

  const stop = async () => {
    const start = performance.now()
    controller.abort()
    return (await ended) - start
  }
  return { call, inputs, network, stop }
}

/** How late the event loop is. */
async function delays(name) {
  const fit = DELAYS[name] && begin(DELAYS[name])
  await turn()
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await sleep(WATCHED)
  const milliseconds = (nanoseconds) => nanoseconds / 1e6
  const figures = {
    p50: milliseconds(histogram.percentile(50)),
    p99: milliseconds(histogram.percentile(99)),
    max: milliseconds(histogram.max),
    call: fit?.call
  }
  // The timer of the histogram ticks once before the end, so that it does not start with what came before.
  histogram.reset()
  await fit?.stop()
  await sleep(2)
  return { ...figures, end: milliseconds(histogram.max) }
}

/** How long aborts take. */
async function aborts(name) {
  const { layers, batchSize } = LADDER[name]
  const bytes = Float32Array.BYTES_PER_ELEMENT * (layers[0] + layers.at(-1))
  const most = Math.floor(MOST_BYTES / bytes)
  const step = batchSize === 'full' ? 1024 : batchSize
  let rows = step
  let epoch = epochOf(layers, batchSize, rows)
  // The longer an epoch, the better it tells how long one of more rows takes.
  while (epoch < EPOCH && rows < most) {
    const growth = Math.min(8, Math.max(1.2, EPOCH / epoch))
    rows = Math.min(most, Math.ceil((rows * growth) / step) * step)
    epoch = epochOf(layers, batchSize, rows)
  }
  const latencies = []
  for (let i = 0; i < ABORTS; i++) {
    const { stop } = begin({ layers, batchSize, rows })
    // The first at once, while the epoch is put into its order.
    await sleep(i === 0 ? 0 : 0.95 * epoch * Math.random())
    latencies.push(await stop())
  }
  return { bytes: bytes * rows, epoch, latencies }
}

/** How long an epoch takes, the first with its page faults left out. */
function epochOf(layers, batchSize, rows) {
  const { NeuralNetwork } = require('..')
  const network = new NeuralNetwork({ layers, loss: 'crossEntropy', precision: 'f32', seed: 1 })
  const { inputs, targets } = examples(rows, layers[0], layers.at(-1))
  const ends = []
  network.fitSync(inputs, targets, {
    epochs: 2,
    batchSize,
    optimizer: 'sgd',
    learningRate: 1e-3,
    onEpoch: ({ elapsedMs }) => {
      ends.push(elapsedMs)
    }
  })
  return ends[1] - ends[0]
}

/** How fast a server answers. */
async function answers(name) {
  const rows = 60_000
  const { network, inputs, stop } = begin({ layers: [784, 128, 10], batchSize: 32, rows })
  if (name === 'without a fit') await stop()
  const server = http.createServer((request, response) => {
    const row = Number(request.url.slice(1))
    response.end(JSON.stringify(network.predict(inputs.subarray(row * 784, (row + 1) * 784))))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new http.Agent({ keepAlive: true })
  const options = { agent, host: '127.0.0.1', port: server.address().port }
  const ask = (row) =>
    new Promise((resolve, reject) => {
      const read = async (response) => resolve(JSON.parse((await response.toArray()).join('')))
      http.get({ ...options, path: `/${row}` }, read).once('error', reject)
    })
  const answer = async (row, due) => {
    const outputs = await ask(row)
    if (outputs.length !== 10) throw new Error('the answer makes no sense')
    return performance.now() - due
  }

  for (let row = 0; row < 200; row++) await ask(row)
  const pending = []
  const start = performance.now()
  for (let i = 0; i < WATCHED / PERIOD; i++) {
    const due = start + i * PERIOD
    await sleep(Math.max(0, due - performance.now()))
    pending.push(answer(i, due))
  }
  const latencies = (await Promise.all(pending)).sort((a, b) => a - b)
  if (name !== 'without a fit') await stop()
  agent.destroy()
  server.close()
  const at = (share) => latencies[Math.ceil(share * latencies.length) - 1]
  return { answered: latencies.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

const [measurement, name] = process.argv.slice(2)
if (require.main === module && measurement !== undefined) {
  measurements[measurement](name).then((figures) => console.log(JSON.stringify(figures)))
} else {
  main()
}
