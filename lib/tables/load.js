'use strict'

// The model in a file, whatever kind it is of.

const { checkArguments } = require('../check.js')
const files = require('../files.js')
const { readers } = require('../network.js')

async function load(path) {
  checkArguments('load', arguments.length, 1)
  return files.load(path, { ...readers, '.json': readJSON })
}

/** Names the format in the first bytes of JSON, so that a large text is parsed once. */
function readJSON(bytes, name) {
  const { Classifier, Regressor, formatOf, readModel } = require('./model.js')
  const start = bytes.subarray(0, 100).toString('latin1')
  const found = [Classifier, Regressor].find((kind) => start.includes(`"${formatOf(kind)}"`))
  return found === undefined ? readers['.json'](bytes, name) : readModel(found, bytes.toString('utf8'), name)
}

module.exports = { load }
