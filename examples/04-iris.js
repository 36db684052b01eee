'use strict'

// Tells three kinds of iris apart by the measures of their flowers: learns from two thirds of Anderson's 150
// flowers without stopping the event loop, and is tested on the rest.

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { NeuralNetwork } = require('..')

const file = path.join(__dirname, '../__test__/data/iris.csv')
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n')
const kinds = ['setosa', 'versicolor', 'virginica']
const flowers = lines.map((line) => {
  const cells = line.split(',')
  return { measures: cells.slice(0, 4).map(Number), kind: cells[4].trim() }
})

// Every third flower is for the test: the file is sorted by kind, so each has its share.
const lessons = flowers.filter((_, i) => i % 3 !== 0)
const tests = flowers.filter((_, i) => i % 3 === 0)

// Networks learn best from numbers around 0 that vary by about 1, as seen in the lessons.
const scales = [0, 1, 2, 3].map((column) => {
  const values = lessons.map(({ measures }) => measures[column])
  const mean = values.reduce((sum, x) => sum + x) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance) }
})
const scaled = (measures) => measures.map((x, i) => (x - scales[i].mean) / scales[i].deviation)

/** A flower as an example: its kind is a row of zeros with a 1 in its place. */
const example = ({ measures, kind }) => ({
  input: scaled(measures),
  output: kinds.map((other) => (other === kind ? 1 : 0))
})

async function main() {
  const network = new NeuralNetwork({ layers: [4, 16, 3], loss: 'crossEntropy', seed: 1 })
  const history = await network.fit(lessons.map(example), {
    epochs: 200,
    learningRate: 0.01,
    batchSize: 16,
    validation: 0.2,
    earlyStopping: { patience: 20 },
    onEpoch({ epoch, loss, validationLoss }) {
      if (epoch % 10 !== 0) return
      console.log(
        `epoch ${String(epoch).padStart(3)}  loss ${loss.toFixed(4)}  validation ${validationLoss.toFixed(4)}`
      )
    }
  })
  console.log(
    `${history.epochs} epochs, stopped by ${history.stoppedBy}; the best was ${history.bestEpoch}\n`
  )

  const { accuracy, confusionMatrix } = network.evaluate(tests.map(example))
  console.log(`${(100 * accuracy).toFixed(1)} % of ${tests.length} unseen flowers are told right:`)
  for (const [k, row] of confusionMatrix.entries()) {
    console.log(`  ${kinds[k].padEnd(10)} taken for ${row.map((n, j) => `${n} ${kinds[j]}`).join(', ')}`)
  }

  const found = network.predict(scaled([5.1, 3.5, 1.4, 0.2]))
  console.log(`\nA flower of 5.1, 3.5, 1.4 and 0.2 cm is ${kinds[found.indexOf(Math.max(...found))]}`)
  if (accuracy < 0.9 || found[0] < 0.5) process.exitCode = 1
}

main()
