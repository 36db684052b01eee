'use strict'

// How good the defaults of Classifier and Regressor are on real tables: the table of docs/tables.md.
//
//   node scripts/tables.js FOLDER               three seeds of every table
//   node scripts/tables.js FOLDER --seeds=1 --only=bikes,olive
//   node scripts/tables.js FOLDER --inner       on a part of the training rows: what settings are chosen by
//   node scripts/tables.js FOLDER --inner --without=intervals --model='{"ensemble":1}' --fit='{"epochs":100}'
//
// The folder has NAME.csv with a last column `split` of `train` and `test`, tables.json with target and task of each, and
// reference.json with the scores of other models. They come from packages of R and Python whose licences do not let us ship
// them.

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const mikir = require('..')
const preparation = require('../lib/tables/preparation.js')

const OTHERS = ['sklearnMLP', 'realMLP-TD-S', 'realMLP-TD', 'lightGBM']

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '3' },
      only: { type: 'string' },
      inner: { type: 'boolean', default: false },
      without: { type: 'string' },
      model: { type: 'string', default: '{}' },
      fit: { type: 'string', default: '{}' }
    }
  })
  const [folder] = positionals
  const read = (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
  const [tables, references] = [read('tables.json'), read('reference.json').tables]
  const [model, fit] = [JSON.parse(values.model), JSON.parse(values.fit)]
  if (values.without === 'intervals') {
    const { featuresOf } = preparation
    preparation.featuresOf = (columns) =>
      featuresOf(columns).map((feature) => (feature.kind === 'number' ? { ...feature, bins: [] } : feature))
  }
  const { Table } = mikir
  const rows = []
  console.log(
    '| table | metrics | scikit-learn MLP | RealMLP-TD-S | LightGBM | mikir | normalised | seconds |'
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const [name, { target, task }] of Object.entries(tables)) {
    if (values.only !== undefined && !values.only.split(',').includes(name)) continue
    const whole = await Table.readCSV(path.join(folder, `${name}.csv`))
    const of = (part) => Array.from(whole.rows()).filter((row) => row.split === part)
    const runs = []
    for (let seed = 0; seed < Number(values.seeds); seed++) {
      let [train, test] = await Promise.all([Table.from(of('train')), Table.from(of('test'))])
      if (values.inner) [train, test] = train.split({ seed: 100 + seed })
      runs.push(await run(task, target, train, test, { seed, ...model }, fit))
    }
    const mean = (key) => runs.reduce((sum, run) => sum + run[key] / runs.length, 0)
    const keys = task === 'regression' ? ['r2', 'mae'] : ['accuracy', 'logLoss']
    const normalised = keys.map((key) => normal(mean(key), key, references[name]))
    const scores = (reference) => keys.map((key) => digits(reference[key])).join(' / ')
    const own = Object.fromEntries(keys.map((key) => [key, mean(key)]))
    const shown = ['sklearnMLP', 'realMLP-TD-S', 'lightGBM'].map((other) => scores(references[name][other]))
    const said = normalised.map((x) => x.toFixed(2)).join(' / ')
    const cells = [name, keys.join(' / '), ...shown, scores(own), said, mean('seconds').toFixed(2)]
    console.log(`| ${cells.join(' | ')} |`)
    rows.push({ task, normalised, seconds: mean('seconds') })
  }
  for (const task of ['classification', 'regression', undefined]) {
    const some = rows.filter((row) => task === undefined || row.task === task)
    const mean = (k) => some.reduce((sum, { normalised }) => sum + normalised[k] / some.length, 0).toFixed(2)
    const times = some.map(({ seconds }) => seconds).sort((a, b) => a - b)
    console.log(`${task ?? 'all'}: ${mean(0)} / ${mean(1)}, median ${times[times.length >> 1]?.toFixed(2)} s`)
  }
}

async function run(task, target, train, test, options, fit) {
  const model = task === 'regression' ? new mikir.Regressor(options) : new mikir.Classifier(options)
  // The split is no input.
  const features = train.columns.map(({ name }) => name).filter((name) => name !== target && name !== 'split')
  const start = performance.now()
  await model.fit(train, { target, features, ...fit })
  return { seconds: (performance.now() - start) / 1000, ...(await model.evaluate(test)) }
}

/** 0 is the linear model, 1 the best of the others; within -1 and 2. */
function normal(score, key, reference) {
  const others = OTHERS.map((other) => reference[other][key])
  const best = key === 'logLoss' || key === 'mae' ? Math.min(...others) : Math.max(...others)
  const { [key]: linear } = reference.linear
  return Math.max(-1, Math.min(2, (score - linear) / (best - linear)))
}

const digits = (x) => (x >= 10 ? x.toPrecision(4) : x.toFixed(3))

main()
