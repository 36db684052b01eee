'use strict'

// Cross-validation: every row is tested once, by a model that has not seen it.

const { checkArguments, checkCount, checkOptions } = require('../check.js')
const { invalidLength, invalidType, outOfRange } = require('../errors.js')
const host = require('../host.js')
const { Classifier, Model, scoreOf, seedOf, untrained } = require('./model.js')
const { groupsOf } = require('./column.js')
const { USES, columnNamed, columnsOf, newTable, toTable } = require('./table.js')

async function crossValidate(model, data, options) {
  checkArguments('crossValidate', arguments.length, 3)
  if (!(model instanceof Model)) throw invalidType('a Classifier or a Regressor', 'model', model)
  const { folds = 5, ...fit } = checkOptions('options', options)
  checkCount('options.folds', folds)
  if (folds < 2) throw outOfRange('an integer of at least 2', 'options.folds', folds)
  const table = await toTable(data)
  if (table.rowCount < folds)
    throw invalidLength(`at least ${folds} rows, one for each fold,`, 'data', table.rowCount)
  const order = host.permutation(table.rowCount, seedOf(model), USES.folds)
  const isOfClasses = model instanceof Classifier && typeof fit.target === 'string'
  const label = isOfClasses ? columnNamed(table, 'options.target', fit.target) : undefined
  const fold = dealt(order, label, folds)
  const reports = []
  for (let k = 0; k < folds; k++) {
    const part = (isTested) => {
      const rows = Array.from(fold.keys()).filter((row) => (fold[row] === k) === isTested)
      return newTable(columnsOf(table).map((column) => column.select(rows)))
    }
    const learner = untrained(model)
    await learner.fit(part(false), fit)
    reports.push(await learner.evaluate(part(true)))
  }
  const scores = reports.map(scoreOf)
  const mean = scores.reduce((sum, score) => sum + score / folds, 0)
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2 / folds, 0)
  return { scores, mean, standardDeviation: Math.sqrt(variance), folds: reports }
}

/** The fold of each row; the rows of each label are dealt out one by one, and so are all. */
function dealt(order, column, folds) {
  const fold = new Uint32Array(order.length)
  for (const [i, row] of groupsOf(order, column).flat().entries()) fold[row] = i % folds
  return fold
}

module.exports = { crossValidate }
