'use strict'

// A step of training on one thread and on two, beside programs that keep cores busy, and on a single core: two threads
// should be faster on a quiet machine, and hardly slower on any.
//
//   npm run bench -- busy               some minutes
//   npm run bench -- busy --rounds=9    more rounds
//
// Every measurement runs in a process of its own. Within a round one and two threads take turns; times are medians over
// the rounds, and a ratio is the median of those of one round each. Other programs are loops in Node.js.

const { spawn } = require('node:child_process')
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
  runProgram,
  takeTurns,
  times
} = require('./common.js')
const { BATCHES, writeTask } = require('./step.js')

const RUNG = { layers: [803, 128, 128, 3], batchSize: 32 }
const TRAININGS = [
  { precision: 'f32', optimizer: 'adam' },
  { precision: 'f64', optimizer: 'adam' },
  { precision: 'f32', optimizer: 'sgd' }
]
const THREADS = [1, 2]
const LOADS = [
  { name: 'nothing else', others: 0 },
  { name: '1 other program', others: 1 },
  { name: '2 other programs', others: 2 },
  { name: '4 other programs', others: 4 },
  { name: 'a single core', others: 0, cores: '0' }
]
/** How long is measured at least, in seconds: long enough for the system to have moved programs from core to core. */
const STRETCH = 1

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '5' } }).rounds)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-busy-'))
  const rows = []
  try {
    const file = path.join(folder, 'rung.f32')
    writeTask(file, RUNG)
    const loads = LOADS.filter(({ cores }) => cores === undefined || process.platform === 'linux')
    for (const load of loads) {
      const others = Array.from({ length: load.others }, () => spawn(process.execPath, ['-e', 'for (;;);']))
      try {
        for (const training of TRAININGS) {
          process.stderr.write(`${load.name}, ${training.optimizer} ${training.precision}\n`)
          const us = takeTurns(rounds, THREADS, (threads) => measure({ ...training, threads, file }, load))
          rows.push([
            load.name,
            `${training.optimizer} ${training.precision}`,
            ...THREADS.map((threads) => digits(median(us[threads]))),
            times(ratio(us[2], us[1]))
          ])
        }
      } finally {
        for (const other of others) other.kill('SIGKILL')
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  console.log(`${machine()}\n`)
  console.log(
    `${RUNG.layers.join('-')}, batch ${RUNG.batchSize}: microseconds a step, medians of ${rounds} runs.\n`
  )
  printTable(['beside', 'training', ...THREADS.map(plural), '2 threads / 1 thread'], rows, 2)
}

function measure(training, { cores }) {
  const task = { ...RUNG, ...training, batches: BATCHES, stretch: STRETCH, learningRate: 1e-4 }
  const command = [process.execPath, require.resolve('./step.js'), JSON.stringify(task)]
  if (cores !== undefined) command.unshift('taskset', '-c', cores)
  const [program, ...args] = command
  return JSON.parse(runProgram(program, args)).us
}

main()
