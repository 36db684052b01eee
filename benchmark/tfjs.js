'use strict'

// A step of training (784-128-10, batch 32, single precision, ReLU, softmax and cross-entropy, plain SGD) against
// TensorFlow.js on its WebAssembly and its JavaScript backend, the two that need nothing native.
//
//   npm run build:web                        first, for mikir on WebAssembly
//   npm run bench -- tfjs                    a minute, once the peer is there
//   npm run bench -- tfjs --rounds=1         fewer rounds
//
// All rivals get the same batches, starting weights and learning rate, and must come to the same loss after one epoch.
// Times are medians over the rounds, in which the rivals take turns, each in a process of its own; a ratio is the
// median of those of one round each. The batches of TensorFlow.js are tensors before the clock starts.
//
// The peer is installed into .peers/ by the first run, with npm.

const { mkdtempSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const {
  digits,
  machine,
  median,
  plural,
  printTable,
  ratio,
  readFlags,
  runApart,
  takeTurns,
  times
} = require('./common.js')
const { install, namesWith, versions } = require('./peers/npm.js')
const { writeTask } = require('./step.js')

const RUNG = { layers: [784, 128, 10], batchSize: 32 }
const LEARNING_RATE = 1e-3
/** How long mikir is measured at least, in seconds. */
const STRETCH = 0.5
/** TensorFlow.js is measured in so many stretches of at least so many milliseconds. */
const STRETCHES = { stretch: 200, count: 5 }

const PEER = 'TensorFlow.js'
const MIKIR = require.resolve('./step.js')
const TFJS = require.resolve('./peers/with_tfjs.js')
const SGD = { optimizer: 'sgd', precision: 'f32', stretch: STRETCH }
const RIVALS = {
  'mikir, 1 thread': { script: MIKIR, settings: { ...SGD, threads: 1 } },
  'mikir, 2 threads': { script: MIKIR, settings: { ...SGD, threads: 2 } },
  'mikir, WebAssembly': { script: MIKIR, settings: { ...SGD, threads: 1 }, env: { MIKIR_HOST: 'wasm' } },
  'TensorFlow.js, wasm': { peer: PEER, script: TFJS, settings: { ...STRETCHES, backend: 'wasm' } },
  'TensorFlow.js, cpu': { peer: PEER, script: TFJS, settings: { ...STRETCHES, backend: 'cpu' } }
}

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '5' } }).rounds)
  const peers = install([PEER])
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-tfjs-'))
  try {
    const file = path.join(folder, 'task.f32')
    writeTask(file, RUNG)
    const figures = takeTurns(rounds, namesWith(peers, RIVALS), (name) => {
      const { env, script, settings } = RIVALS[name]
      const task = { ...RUNG, ...settings, file, learningRate: LEARNING_RATE }
      return runApart(script, [JSON.stringify(task)], { env })
    })
    checkLosses(figures)
    print(figures, rounds, peers)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function checkLosses(figures) {
  const losses = Object.entries(figures).map(([name, [{ loss }]]) => [name, loss])
  for (const [name, loss] of losses) {
    // Not a number fails too.
    if (Math.abs(loss / losses[0][1] - 1) < 1e-3) continue
    throw new Error(`After an epoch the loss of ${name} is ${loss}, but that of mikir ${losses[0][1]}`)
  }
}

function print(figures, rounds, peers) {
  const us = (name) => figures[name].map((round) => round.us)
  const rows = Object.keys(figures).map((name) => [
    name,
    digits(median(us(name))),
    ...[1, 2].map((threads) => times(ratio(us(name), us(`mikir, ${plural(threads)}`))))
  ])
  const network = `${RUNG.layers.join('-')}, batch ${RUNG.batchSize}`
  console.log(`Microseconds a step of training (${network}, single precision), medians of ${rounds} runs.
${[machine(), ...versions(peers)].join(', ')}.
Targets: 60 times as fast as TensorFlow.js on wasm, 350 times as on cpu.\n`)
  printTable(['rival', 'µs', 'mikir with 1 thread is faster by', 'with 2 threads by'], rows, 1)
}

main()
