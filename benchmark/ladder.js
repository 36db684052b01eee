'use strict'

// A step of training on every rung of a ladder of networks, against PyTorch in its eager mode and against JAX with the
// whole loop compiled: single precision, ReLU in hidden layers, softmax and cross-entropy, plain SGD.
//
//   npm run bench -- ladder                                   a quarter of an hour, once the peers are there
//   npm run bench -- ladder --rivals=mikir --only=784-128     mikir alone, and only rungs with this in their names
//   npm run bench -- ladder --rounds=9 --svg                  more rounds; draws benchmark/ladder.svg
//
// Every measurement runs in a process of its own. All rivals get the same batches, starting weights and learning rate,
// and must come to the same loss after one epoch. What is timed is a stretch of many epochs after others that warm up
// and compile: all the data are in memory, and setting up does not count. Within a round the rivals take turns; times
// are medians over the rounds, and a ratio is the median of those of one round each.
//
// The peers are installed into .peers/ by the first run, with Python's pip.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
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
  times
} = require('./common.js')
const { BATCHES, RUNGS, multiplyAdds, writeTask } = require('./step.js')

const MIKIR = require.resolve('./step.js')
const THREADS = [1, 2]
/** How long is measured at least, in seconds. */
const STRETCH = 0.5
/** So small that hours of training on few rows neither diverge nor end in numbers too small for full speed. */
const RATES = { sgd: 1e-3, adam: 1e-4 }
/** The edge of the square matrices of the bare product. */
const SIZE = 1024

const SGD = { optimizer: 'sgd', precision: 'f32' }
const ADAM = { optimizer: 'adam', precision: 'f32' }
const F64 = { optimizer: 'sgd', precision: 'f64' }

function main() {
  const { only, rivals, rounds, svg } = readOptions()
  const peers = install(rivals.filter((rival) => rival !== 'mikir'))
  const present = ['mikir', ...Object.keys(peers)]
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-ladder-'))
  const versions = new Set()
  const figures = []
  try {
    for (const rung of RUNGS.filter(({ name }) => name.includes(only))) {
      const file = path.join(folder, 'rung.f32')
      writeTask(file, rung)
      for (const threads of THREADS) {
        process.stderr.write(`${rung.name}, ${plural(threads)}\n`)
        figures.push({ rung, threads, us: measureAll({ rung, threads, file, peers, rounds, versions }) })
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }

  console.log(`${[machine(), ...versions].join(', ')}\n`)
  printLadder(figures, present, rounds)
  printTop(figures, present)
  printF64(figures)
  printAdam(figures, present)
  if (svg) drawLadder(figures, present)
}

function readOptions() {
  const values = readFlags({
    only: { type: 'string', default: '' },
    rivals: { type: 'string', default: 'mikir,pytorch,jax' },
    rounds: { type: 'string' },
    svg: { type: 'boolean', default: false }
  })
  const rivals = values.rivals.split(',')
  const unknown = rivals.filter((rival) => !['mikir', 'pytorch', 'jax'].includes(rival))
  if (unknown.length > 0) throw new Error(`There is no rival '${unknown[0]}'.`)
  return { ...values, rivals, rounds: Number(values.rounds ?? (rivals.length > 1 ? 5 : 3)) }
}

/** The interpreters of these peers; without those that cannot be installed. */
function install(names) {
  const file = path.join(__dirname, 'peers/install.py')
  const interpreters = {}
  for (const name of names) {
    try {
      interpreters[name] = runProgram('python3', [file, name]).trim()
    } catch (error) {
      console.log(`Without ${name}, as it cannot be installed: ${error.message}\n`)
    }
  }
  return interpreters
}

/** Microseconds of everything that is measured on a rung: for each contender a list with one for each round. */
function measureAll({ rung, threads, file, peers, rounds, versions }) {
  const task = { ...rung, threads, file, batches: BATCHES, stretch: STRETCH }
  const train = (settings) => ({ ...task, ...settings, learningRate: RATES[settings.optimizer] })
  const { pytorch, jax } = peers
  const contenders = [
    pytorch && ['pytorch', pytorch, 'with_pytorch.py', train(SGD)],
    jax && ['jax', jax, 'with_jax.py', train(SGD)],
    ['mikir', undefined, MIKIR, train(SGD)],
    rung.hasF64 && ['mikir f64', undefined, MIKIR, train(F64)],
    rung.hasAdam && ['mikir adam', undefined, MIKIR, train(ADAM)],
    rung.hasAdam && pytorch && ['pytorch adam', pytorch, 'with_pytorch.py', train(ADAM)],
    rung.isTop &&
      pytorch && ['product', pytorch, 'with_pytorch.py', { size: SIZE, threads, stretch: STRETCH }]
  ].filter(Boolean)

  const us = Object.fromEntries(contenders.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const losses = {}
    for (const [name, interpreter, script, task] of contenders) {
      const found = runPinned(threads, interpreter, script, task)
      us[name].push(found.us)
      if (found.version) versions.add(found.version)
      if (found.loss) losses[task.optimizer] = [...(losses[task.optimizer] ?? []), found.loss]
    }
    for (const [optimizer, [first, ...others]] of Object.entries(losses)) {
      if (others.every((loss) => Math.abs(loss / first - 1) < 1e-3)) continue
      throw new Error(`With ${optimizer} on ${rung.name} the losses differ: ${[first, ...others].join(', ')}`)
    }
  }
  return us
}

/** Runs a rival on as many cores as it is to have threads: what JAX takes, it decides by the cores that it sees. */
function runPinned(threads, interpreter = process.execPath, script, task) {
  const command = [interpreter, path.resolve(__dirname, 'peers', script), JSON.stringify(task)]
  if (process.platform === 'linux') command.unshift('taskset', '-c', `0-${threads - 1}`)
  const [program, ...args] = command
  const env = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads, PYTHONDONTWRITEBYTECODE: 1 }
  if (threads === 1) env.XLA_FLAGS = '--xla_cpu_multi_thread_eigen=false'
  return JSON.parse(runProgram(program, args, env))
}

function printLadder(figures, present, rounds) {
  const peers = present.filter((name) => name !== 'mikir')
  const rows = figures.map(({ rung, threads, us }) => [
    rung.name,
    threads,
    ...present.map((name) => digits(median(us[name]))),
    ...peers.map((name) => times(ratio(us[name], us.mikir))),
    digits(rate(rung, us.mikir))
  ])
  console.log(
    `Microseconds a step, medians of ${rounds} runs, how many times faster mikir is, and GFLOP/s of mikir.\n`
  )
  const faster = peers.map((name) => `to ${name}`)
  printTable(['layers', 'threads', ...present, ...faster, 'GFLOP/s'], rows, 1)

  for (const name of peers) {
    const means = THREADS.map((threads) => {
      const logs = figures
        .filter((figure) => figure.threads === threads)
        .map(({ us }) => Math.log(ratio(us[name], us.mikir)))
      return `${times(Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length))} with ${plural(threads)}`
    })
    console.log(`\nGeometric mean to ${name}: ${means.join(', ')}.`)
  }
  for (const { rung, threads, us } of figures) {
    const ahead = peers.filter((name) => ratio(us[name], us.mikir) < 1)
    if (ahead.length > 0) console.log(`\nBehind ${ahead.join(' and ')}: ${rung.name}, ${plural(threads)}.`)
  }
}

function printTop(figures, present) {
  const rows = figures
    .filter(({ us }) => us.product)
    .map(({ rung, threads, us }) => {
      const product = (2 * SIZE ** 3) / median(us.product) / 1e3
      const share = ratio(us.product, us.mikir) * (flops(rung) / (2 * SIZE ** 3))
      return [threads, product, ...present.map((name) => rate(rung, us[name])), share].map((x, column) =>
        column === 0 ? x : column === present.length + 2 ? percent(x) : digits(x)
      )
    })
  if (rows.length === 0) return
  console.log(
    `\nThe top rung against the bare product of two matrices of ${SIZE} x ${SIZE} in PyTorch, GFLOP/s.\n`
  )
  printTable(['threads', 'product', ...present, 'mikir / product'], rows, 0)
}

function printF64(figures) {
  const rows = figures
    .filter(({ us }) => us['mikir f64'])
    .map(({ rung, threads, us }) => [
      rung.name,
      threads,
      digits(median(us.mikir)),
      digits(median(us['mikir f64'])),
      percent(ratio(us.mikir, us['mikir f64']))
    ])
  if (rows.length === 0) return
  console.log('\nDouble precision, microseconds a step.\n')
  printTable(['layers', 'threads', 'f32', 'f64', 'rate of f64'], rows, 1)
}

function printAdam(figures, present) {
  const rows = figures
    .filter(({ us }) => us['mikir adam'])
    .flatMap(({ rung, threads, us }) =>
      present
        .filter((name) => us[`${name} adam`])
        .map((name) => [
          rung.name,
          name,
          threads,
          digits(median(us[name])),
          digits(median(us[`${name} adam`])),
          times(ratio(us[`${name} adam`], us[name]))
        ])
    )
  if (rows.length === 0) return
  console.log('\nAdam, microseconds a step.\n')
  printTable(['layers', 'rival', 'threads', 'SGD', 'Adam', 'Adam / SGD'], rows, 2)
}

function drawLadder(figures, present) {
  const { drawDots } = require('./chart.js')
  const file = path.join(__dirname, 'ladder.svg')
  const rows = [...new Set(figures.map(({ rung }) => rung))].map(({ name }) => ({
    name,
    dots: figures
      .filter(({ rung }) => rung.name === name)
      .flatMap(({ threads, us }) =>
        present.map((series) => ({ series, isHollow: threads === 1, us: median(us[series]) }))
      )
  }))
  const titles = { mikir: 'mikir', pytorch: 'PyTorch, eager', jax: 'JAX, compiled' }
  writeFileSync(
    file,
    drawDots({
      title: 'Time of a training step: left is faster, hollow is one thread, filled two',
      note: machine(),
      series: present.map((name) => ({ name, title: titles[name] })),
      rows
    })
  )
  console.log(`\nDrawn: ${path.relative(process.cwd(), file)}`)
}

/** The floating-point operations of a step. */
function flops({ layers, batchSize }) {
  return 2 * batchSize * multiplyAdds(layers)
}

/** GFLOP/s. */
function rate(rung, us) {
  return flops(rung) / median(us) / 1e3
}

function percent(x) {
  return `${(100 * x).toFixed(0)} %`
}

main()
