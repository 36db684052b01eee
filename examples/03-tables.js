'use strict'

// Five tables as they come, each from the file to a tested model in under a second: kinds of iris and of wine, a diagnosis,
// the course of a disease, and three measures of a body at once.

const path = require('node:path')
const { Classifier, Regressor, Table } = require('..')

const TABLES = [
  { name: 'iris', target: 'species', least: 0.9 },
  { name: 'wine', target: 'cultivar', least: 0.9 },
  { name: 'cancer', target: 'diagnosis', least: 0.92 },
  { name: 'diabetes', target: 'progression', least: 0.3 },
  // 20 people are too few to learn much of.
  { name: 'linnerud', target: ['Weight', 'Waist', 'Pulse'], least: -2 }
]

async function main() {
  for (const { name, target, least } of TABLES) {
    const start = performance.now()
    const table = await Table.readCSV(path.join(__dirname, `data/${name}.csv`))
    const isOfWords = table.columns.some((column) => column.name === target && column.kind === 'category')
    const [train, test] = table.split({ seed: 1, ...(isOfWords && { stratify: target }) })
    const model = isOfWords ? new Classifier({ seed: 1 }) : new Regressor({ seed: 1 })
    await model.fit(train, { target })
    const report = await model.evaluate(test)
    const seconds = (performance.now() - start) / 1000
    console.log(`${name}, ${seconds.toFixed(2)} s\n\n${report}\n`)
    if (!((report.accuracy ?? report.r2) > least)) process.exitCode = 1
  }
}

main()
