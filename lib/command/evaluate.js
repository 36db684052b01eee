'use strict'

const { Model, load } = require('../../index.js')
const { UsageError } = require('./arguments.js')
const { print } = require('./output.js')

module.exports = {
  usage: 'mikir evaluate MODEL DATA.csv',
  arguments: [2, 2],
  help: `Tells how good a model is on rows whose answers are known.

Examples:
  mikir evaluate iris.json test.csv
  mikir evaluate iris.json test.csv --json
`,
  async run([file, data], values) {
    const model = await load(file)
    if (!(model instanceof Model))
      throw new UsageError(`'${file}' is a network, which reads numbers and no table`)
    const report = await model.evaluate(data)
    print(String(report), report, values)
  }
}
