'use strict'

const path = require('node:path')
const { Classifier, Model, Table, load } = require('../../index.js')
const { print } = require('./output.js')

module.exports = {
  usage: 'mikir inspect MODEL|DATA.csv',
  arguments: [1, 1],
  help: `Tells what is in a file: the columns of a table, or what a model predicts from what.

Examples:
  mikir inspect iris.csv
  mikir inspect iris.json --json
`,
  async run([file], values) {
    if (['.csv', '.tsv', '.txt'].includes(path.extname(file).toLowerCase())) {
      const table = await Table.readCSV(file)
      return print(String(table), { rows: table.rowCount, columns: table.columns }, values)
    }
    const model = await load(file)
    if (!(model instanceof Model)) return print(model.summary(), model.options, values)
    const { features, target, networks } = model.toJSON()
    const columns = [...new Set(features.map(({ column }) => column))]
    const kind = model instanceof Classifier ? 'Classifier' : 'Regressor'
    const of = target.columns
    const lines = [
      `${kind} of ${of.join(', ')}${model instanceof Classifier && model.labels.length <= 20 ? `: ${model.labels.join(', ')}` : ''}`,
      `from ${columns.join(', ')}`,
      `the mean of ${networks.length} network${networks.length === 1 ? '' : 's'} such as`,
      model.network.summary()
    ]
    print(lines.join('\n'), { kind, target: of, features: columns, networks: networks.length }, values)
  }
}
