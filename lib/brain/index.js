'use strict'

const { invalidLength } = require('../errors.js')
const { NeuralNetwork, defaults, trainDefaults } = require('./network.js')

/** The name of the largest output; without names its place, as a string. */
function likely(input, network) {
  const [name] = Object.entries(network.run(input)).reduce((best, entry) =>
    entry[1] > best[1] ? entry : best
  )
  return name
}

const BINARY = ['truePos', 'trueNeg', 'falsePos', 'falseNeg']

/** Trains and tests by folds. Every row is tested once, also where the folds cannot be of the same size. */
class CrossValidate {
  json = {
    avgs: { error: 0, testError: 0, iterations: 0, testTime: 0, trainTime: 0 },
    stats: { total: 0, testSize: 0, trainSize: 0 },
    sets: []
  }

  /** @param {Function} create - gives a new network, or is the class of one, which `options` are for */
  constructor(create, options) {
    const isClass = typeof create.prototype?.train === 'function'
    this.initClassifier = isClass ? () => new create(options) : create
  }

  static isBinaryStats(stats) {
    return stats.accuracy !== undefined
  }

  static isBinaryResults({ stats }) {
    return CrossValidate.isBinaryStats(stats)
  }

  static isBinaryPartitionResults(set) {
    return set.accuracy !== undefined
  }

  /** In a random order: Fisher and Yates. */
  shuffleArray(rows) {
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1))
      const row = rows[i]
      rows[i] = rows[j]
      rows[j] = row
    }
    return rows
  }

  testPartition(options, trainSet, testSet) {
    const network = this.initClassifier()
    const start = performance.now()
    const { error, iterations } = network.train(trainSet, options)
    const middle = performance.now()
    const tested = network.test(testSet)
    return {
      ...tested,
      error,
      testError: tested.error,
      trainTime: middle - start,
      testTime: performance.now() - middle,
      iterations,
      network: network.toJSON()
    }
  }

  train(data, options = {}, k = 4) {
    if (data.length < k) {
      const cure = `Training set size is too small for ${data.length} k folds of ${k}`
      throw invalidLength(`at least ${k} rows, one for each fold,`, 'data', data.length, cure)
    }
    const rows = this.shuffleArray([...data])
    const sets = Array.from({ length: k }, (_, fold) => {
      const isTested = (_, i) => i % k === fold
      return this.testPartition(
        options,
        rows.filter((row, i) => !isTested(row, i)),
        rows.filter(isTested)
      )
    })
    const mean = (key) => sets.reduce((sum, set) => sum + set[key], 0) / k
    const total = (key) => sets.reduce((sum, set) => sum + set[key], 0)
    const stats = { total: data.length, testSize: data.length / k, trainSize: data.length - data.length / k }
    if (sets.every((set) => set.truePos !== undefined)) {
      for (const key of BINARY) stats[key] = total(key)
      const { truePos, trueNeg, falsePos, falseNeg } = stats
      stats.precision = truePos > 0 ? truePos / (truePos + falsePos) : 0
      stats.recall = truePos > 0 ? truePos / (truePos + falseNeg) : 0
      stats.accuracy = (truePos + trueNeg) / data.length
    }
    const avgs = Object.fromEntries(
      ['trainTime', 'testTime', 'iterations', 'error', 'testError'].map((key) => [key, mean(key)])
    )
    this.json = { avgs, stats, sets }
    return this.json
  }

  /** The network that is best on the rows which it was not trained on. */
  toNeuralNetwork() {
    return this.fromJSON(this.json)
  }

  toJSON() {
    return this.json
  }

  fromJSON(json) {
    // A file of brain.js has the error of training only.
    const errorOf = ({ error, testError = error }) => testError
    const best = json.sets.reduce((best, set) => (errorOf(set) < errorOf(best) ? set : best))
    this.json = json
    return this.initClassifier().fromJSON(best.network)
  }
}

module.exports = { CrossValidate, NeuralNetwork, defaults, likely, trainDefaults }
