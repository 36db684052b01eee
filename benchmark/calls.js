'use strict'

// The price of one `train` and one `predict` through the public class, with plain arrays, against the same
// arithmetic in plain JavaScript, one object a neuron, arrays mapped and reduced (__test__/oracle.js).
//
// Every measurement runs in a process of its own, so that neither rival inherits what the engine learned
// from the other; the rivals alternate, and a ratio is the median of those of neighbouring runs.

const { spawnSync } = require('node:child_process')
const { digits, machine, median, printTable } = require('./common.js')

const SHAPES = [
  [2, 2, 1],
  [3, 3, 1],
  [4, 8, 3],
  [64, 32, 10],
  [784, 128, 10]
]
const RIVALS = { original: '../__test__/oracle.js', mikir: '..' }
const ROUNDS = 7
const ROWS = 8
const CHUNK_MS = 20
const CHUNKS = 15

function main() {
  const table = []
  for (const shape of SHAPES) {
    for (const method of ['train', 'predict']) {
      const times = { original: [], mikir: [] }
      for (let round = 0; round < ROUNDS; round++) {
        for (const rival of Object.keys(RIVALS)) times[rival].push(measureApart(rival, method, shape))
      }
      const ratios = times.original.map((time, round) => time / times.mikir[round])
      table.push([
        shape.join('-'),
        `\`${method}\``,
        digits(median(times.original)),
        digits(median(times.mikir)),
        `${median(ratios).toFixed(1)}x`
      ])
    }
  }
  console.log(`Microseconds a call, medians of ${ROUNDS} runs. ${machine()}\n`)
  printTable(['layers', 'call', 'plain JavaScript', 'mikir', 'faster'], table, 2)
}

/** Microseconds a call, measured in a process of its own. */
function measureApart(rival, method, shape) {
  const child = spawnSync(process.execPath, [__filename, rival, method, ...shape.map(String)], {
    encoding: 'utf8'
  })
  if (child.status !== 0) throw new Error(child.stderr)
  return Number(child.stdout)
}

/** Microseconds a call, the median of several stretches of time. */
function measure(rival, method, shape) {
  const { NeuralNetwork } = require(RIVALS[rival])
  const network = new NeuralNetwork(...shape)
  const { inputs, targets } = examples(shape[0], shape[2])
  let total = 0
  const call = {
    train(row) {
      network.train(inputs[row], targets[row], 0.1)
    },
    predict(row) {
      total += network.predict(inputs[row])[0]
    }
  }[method]

  // A network is trained before it predicts: V8 then knows the kinds of arrays that training leaves behind.
  for (let i = 0; i < 200; i++) network.train(inputs[i % ROWS], targets[i % ROWS], 0.1)

  // How many passes over the rows fit a stretch; finding out warms the engine up.
  let passes = 1
  while (time(call, passes) < CHUNK_MS) passes *= 2
  const end = performance.now() + 5 * CHUNK_MS
  while (performance.now() < end) time(call, passes)

  const times = Array.from({ length: CHUNKS }, () => time(call, passes))
  if (!Number.isFinite(total)) throw new Error('the predictions make no sense')
  return (1000 * median(times)) / (passes * ROWS)
}

function time(call, passes) {
  const start = performance.now()
  for (let pass = 0; pass < passes; pass++) {
    for (let row = 0; row < ROWS; row++) call(row)
  }
  return performance.now() - start
}

/** Distinct rows in turn: XOR's own at two inputs, else numbers from a fixed stream, the same for both rivals. */
function examples(inputCount, outputCount) {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const rows = Array.from({ length: ROWS }, (_, row) => row)
  return {
    inputs: rows.map((row) =>
      inputCount === 2 ? [row & 1, (row >> 1) & 1] : Array.from({ length: inputCount }, random)
    ),
    targets: rows.map((row) => Array.from({ length: outputCount }, (_, k) => (row ^ (row >> 1) ^ k) & 1))
  }
}

const [rival, method, ...shape] = process.argv.slice(2)
if (require.main === module && rival !== undefined) console.log(measure(rival, method, shape.map(Number)))
else main()
