'use strict'

// The model in a file, whatever kind it is of.

const { checkArguments } = require('../check.js')
const files = require('../files.js')
const { networkOf, readers } = require('../network.js')

async function load(path) {
  checkArguments('load', arguments.length, 1)
  return files.load(path, { ...readers, '.json': readJSON })
}

/** A text is parsed once, whatever it is of. */
function readJSON(bytes, name) {
  const { Classifier, Regressor, formatOf, readModel } = require('./model.js')
  const json = files.objectOf(bytes.toString('utf8'), name)
  const found = [Classifier, Regressor].find((kind) => formatOf(kind) === json.format)
  return found === undefined ? networkOf(json, name) : readModel(found, json, name)
}

module.exports = { load }
