'use strict'

const path = require('node:path')
const { Classifier, Regressor, Table } = require('../../index.js')
const { UsageError } = require('./arguments.js')
const { print, sparkline, tell } = require('./output.js')

/** Options of the model; all others are of its fit. */
const OF_MODEL = ['hidden', 'precision', 'seed', 'ensemble']

const command = {
  usage: 'mikir train DATA.csv --target COLUMN [--out MODEL] [OPTIONS]',
  arguments: [1, 1],
  takesOthers: true,
  options: {
    target: { type: 'string' },
    out: { type: 'string' },
    task: { type: 'string' },
    test: { type: 'string' },
    report: { type: 'string' },
    features: { type: 'string' }
  },
  help: `Learns to predict a column of a table from the others, tests what it has learnt on rows that it has not seen, and
writes the model.

  --target COLUMN     what to predict; several with commas
  --out MODEL         the file: .json, .onnx, .mjs or .cjs; default: DATA.json
  --features A,B      the columns to learn from; default: all others
  --task KIND         classify or regress; default: regress where the column is of numbers
  --test SHARE        of the rows, for the report; default 0.2; 0 for none
  --report FILE.html  a page with the course of training and the report
  --OPTION VALUE      any option of Classifier, Regressor and their fit: --hidden '[64,64]', --epochs 20, --seed 1,
                      --learning-rate 0.01, --optimizer adam

Ctrl-C ends the training, keeps the best so far, and writes it.

Examples:
  mikir train iris.csv --target species
  mikir train houses.csv --target price --out houses.onnx --epochs 100
`,
  run
}

async function run([file], values, others) {
  const { target, task, quiet } = values
  if (target === undefined) throw new UsageError('--target is missing')
  const share = shareOf(values.test)
  const targets = target.split(',')
  const out = values.out ?? `${path.basename(file, path.extname(file))}.json`
  const table = await Table.readCSV(file)
  tell(String(table), values)
  const columns = targets.map((name) => columnOf(table, name, file))
  const areNumbers = columns.every(({ kind }) => kind === 'number')
  const Kind = kindOf(task, areNumbers)
  const model = new Kind(pick(others, (key) => OF_MODEL.includes(key)))
  const seed = typeof others.seed === 'number' ? others.seed : 0
  const stratify = Kind === Classifier && targets.length === 1 && table.rowCount > 1 ? target : undefined
  const [train, test] = share > 0 ? table.split({ testSize: share, seed, stratify }) : [table]

  let isStopped = false
  const stop = () => {
    isStopped = true
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const history = await model.fit(train, {
    ...pick(others, (key) => !OF_MODEL.includes(key)),
    target: targets.length === 1 ? targets[0] : targets,
    ...(values.features !== undefined && { features: values.features.split(',') }),
    progress: quiet !== true,
    onEpoch: () => !isStopped
  })
  process.removeListener('SIGINT', stop)
  process.removeListener('SIGTERM', stop)
  await model.save(out)

  const watched = history.validationLoss ?? history.loss
  const course = watched.length > 1 ? ` ${sparkline(watched)}` : ''
  tell(
    `loss ${watched[0]?.toFixed(4)}${course} ${watched.at(-1)?.toFixed(4)} in ${history.epochs} epochs`,
    values
  )
  const report = test === undefined ? undefined : await model.evaluate(test)
  if (values.report !== undefined)
    await writeReport(values.report, { model, history, report, test, file, target })
  const how = isStopped ? 'stopped; the best so far is in' : 'wrote'
  tell(`${how} ${out}`, values)
  const measured = report === undefined ? { rows: 0 } : { ...report }
  print(
    report === undefined ? out : String(report),
    { model: out, epochs: history.epochs, ...measured },
    values
  )
  if (isStopped) process.exitCode = 130
}

async function writeReport(file, { model, test, ...known }) {
  const { pageOf } = require('./report.js')
  const { writeFile } = require('node:fs/promises')
  const importance = test === undefined ? [] : await model.importance(test, { repeats: 3 })
  await writeFile(file, pageOf({ ...known, importance }))
}

function shareOf(text = '0.2') {
  const share = Number(text)
  if (!(share >= 0 && share < 1))
    throw new UsageError(`--test is a share of at least 0 and below 1, not '${text}'`)
  return share
}

function columnOf(table, name, file) {
  const found = table.columns.find((column) => column.name === name)
  if (found !== undefined) return found
  const names = table.columns.slice(0, 10).map((column) => column.name)
  throw new UsageError(`'${file}' has no column '${name}'; it has ${names.join(', ')}`)
}

function kindOf(task, areNumbers) {
  if (task === undefined) return areNumbers ? Regressor : Classifier
  const kinds = { classify: Classifier, regress: Regressor }
  if (!Object.hasOwn(kinds, task)) throw new UsageError(`--task is classify or regress, not '${task}'`)
  return kinds[task]
}

function pick(options, isWanted) {
  return Object.fromEntries(Object.entries(options).filter(([key]) => isWanted(key)))
}

module.exports = command
