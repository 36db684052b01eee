'use strict'

// Whether the cost of training grows as its work, without cliffs: the time of an example against width, depth and
// batch, awkward numbers among them (single precision, ReLU, softmax and cross-entropy, plain SGD).
//
//   npm run bench -- cost                           two minutes
//   npm run bench -- cost --rounds=1 --only=width   fewer rounds, and only sweeps with this in their names
//   npm run bench -- cost --svg                     draws benchmark/cost.svg
//
// A point is a cliff if it takes more than 1.5 times as long as the point before it would, had that its work. Work is
// counted in multiplications and additions of matrix products, and is the same for an example of a large batch as of
// a small one. Every sweep runs in a process of its own, once for each number of threads, and the processes take turns;
// times are medians over the rounds.

const { writeFileSync } = require('node:fs')
const path = require('node:path')
const {
  digits,
  examples,
  machine,
  median,
  plural,
  printTable,
  readFlags,
  runApart,
  takeTurns
} = require('./common.js')
const { microsecondsOfEpoch, multiplyAdds } = require('./step.js')

const THREADS = [1, 2]
const LIMIT = 1.5
/** How long a point is measured at least, in seconds, and about how many examples an epoch has. */
const STRETCH = 0.1
const EXAMPLES = 1024
/** How many rows a full batch has. */
const FULL = 4096

const WIDTHS = [
  ...[1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 256, 257, 512, 513, 1024, 2048],
  4096
]
const DEPTHS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32]
const BATCHES = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65, 96, 128, 129, 256, 512, 1023],
  ...[1024, 1025, 2048, FULL]
]

/** Points of rising work, or of equal work in rising batches. */
const SWEEPS = {
  width: WIDTHS.map((width) => ({ x: width, layers: [64, width, 10], batchSize: 32 })),
  depth: DEPTHS.map((depth) => ({ x: depth, layers: [64, ...Array(depth).fill(64), 10], batchSize: 32 })),
  'batch, 784-128-10': BATCHES.map((size) => ({ x: size, layers: [784, 128, 10], batchSize: size })),
  'batch, 4-16-3': BATCHES.map((size) => ({ x: size, layers: [4, 16, 3], batchSize: size }))
}
const TITLES = {
  width: 'Width: 64-w-10, batch 32',
  depth: 'Depth: 64, so many hidden layers of 64, 10, batch 32',
  'batch, 784-128-10': `Batch: 784-128-10, ${FULL} being the full one`,
  'batch, 4-16-3': `Batch: 4-16-3, ${FULL} being the full one`
}

function main() {
  const { only, svg, ...flags } = readFlags({
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    svg: { type: 'boolean', default: false }
  })
  const rounds = Number(flags.rounds)
  const sweeps = Object.keys(SWEEPS).filter((name) => name.includes(only))
  const figures = sweeps.map((name) => ({ name, us: measureSweep(name, rounds) }))

  console.log(`Cost of training, medians of ${rounds} runs. ${machine()}.
Target: no point takes more than ${LIMIT} times as long as the one before it would, had that its work.`)
  for (const { name, us } of figures) printSweep(name, us)
  printCliffs(figures)
  if (svg) draw(figures)
}

/** Microseconds an example: for each number of threads a list with one for each point. */
function measureSweep(name, rounds) {
  const runs = takeTurns(rounds, THREADS, (threads) => runApart(__filename, [name, threads]))
  return THREADS.map((threads) => SWEEPS[name].map((_, i) => median(runs[threads].map((us) => us[i]))))
}

function printSweep(name, us) {
  const rows = SWEEPS[name].map(({ x, layers }, i) => [
    x,
    ...us.map((curve) => digits(curve[i])),
    ...us.map((curve) => digits((1000 * curve[i]) / multiplyAdds(layers))),
    ...us.map((curve) => growth(name, curve, i)).map((times) => (times === undefined ? '' : times.toFixed(2)))
  ])
  console.log(`\n${TITLES[name]}.
Microseconds an example, nanoseconds a multiplication and addition, and growth: the time over that which the point before would take, had it this work.\n`)
  const columns = (what) => THREADS.map((threads) => `${what}, ${plural(threads)}`)
  printTable([name.split(',')[0], ...columns('µs'), ...columns('ns'), ...columns('growth')], rows, 0)
}

function printCliffs(figures) {
  const cliffs = figures.flatMap(({ name, us }) =>
    us.flatMap((curve, t) =>
      SWEEPS[name]
        .map(({ x }, i) => ({ x, times: growth(name, curve, i) }))
        .filter(({ times }) => times > LIMIT)
        .map(({ x, times }) => `- ${name}, ${plural(THREADS[t])}: ${times.toFixed(2)} times at ${x}`)
    )
  )
  console.log(cliffs.length > 0 ? `\nCliffs:\n\n${cliffs.join('\n')}` : '\nNo cliffs.')
}

/** How many times as long as the point before it a point takes, beyond the growth of the work. */
function growth(name, curve, i) {
  if (i === 0) return undefined
  const [before, here] = SWEEPS[name].slice(i - 1, i + 1).map(({ layers }) => multiplyAdds(layers))
  return curve[i] / curve[i - 1] / (here / before)
}

function draw(figures) {
  const { drawCurves } = require('./chart.js')
  const file = path.join(__dirname, 'cost.svg')
  const curves = figures.map(({ name, us }) => ({
    title: name,
    lines: THREADS.map((threads, t) => ({
      isHollow: threads === 1,
      points: SWEEPS[name].map(({ x }, i) => ({ x, us: us[t][i] }))
    }))
  }))
  const title = 'Time of an example in training: dashed is one thread, solid two'
  writeFileSync(file, drawCurves({ title, note: machine(), across: 'width, depth or batch', curves }))
  console.log(`\nDrawn: ${path.relative(process.cwd(), file)}`)
}

/** Microseconds an example at each point of a sweep. */
function measure(name, threads) {
  const { NeuralNetwork } = require('..')
  return SWEEPS[name].map(({ layers, batchSize }) => {
    // Whole batches only.
    const rows = batchSize * Math.ceil(EXAMPLES / batchSize)
    const { inputs, targets } = examples(rows, layers[0], layers.at(-1))
    const network = new NeuralNetwork({ layers, loss: 'crossEntropy', precision: 'f32', seed: 1 })
    // So small a rate that no stretch diverges.
    const options = { batchSize, optimizer: 'sgd', learningRate: 1e-3, threads, shuffle: false }
    return (
      microsecondsOfEpoch((epochs) => network.fitSync(inputs, targets, { ...options, epochs }), STRETCH) /
      rows
    )
  })
}

const [name, threads] = process.argv.slice(2)
if (require.main === module) console.log(JSON.stringify(measure(name, Number(threads))))
else main()
