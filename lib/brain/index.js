'use strict'

const { invalidLength } = require('../errors.js')
const { NeuralNetwork } = require('./network.js')

/** The name, or the place, of the largest output. */
function likely(input, network) {
  const outputs = network.run(input)
  const [name] = Object.entries(outputs).reduce((best, entry) => (entry[1] > best[1] ? entry : best))
  return ArrayBuffer.isView(outputs) || Array.isArray(outputs) ? Number(name) : name
}

const BINARY = ['truePos', 'trueNeg', 'falsePos', 'falseNeg']

/** Trains and tests by folds. Every row is tested once, also where the folds cannot be of the same size. */
class CrossValidate {
  json = null

  /** @param {() => NeuralNetwork} create - a new network */
  constructor(create) {
    this.initClassifier = create
  }

  testPartition(options, trainSet, testSet) {
    const network = this.initClassifier()
    const start = performance.now()
    const { error: _, ...trained } = network.train(trainSet, options)
    const middle = performance.now()
    const tested = network.test(testSet)
    return {
      ...tested,
      trainTime: middle - start,
      testTime: performance.now() - middle,
      iterations: trained.iterations,
      network: network.toJSON()
    }
  }

  train(data, options = {}, k = 4) {
    if (data.length < k) throw invalidLength(`at least ${k} rows, one for each fold,`, 'data', data.length)
    const rows = shuffled(data)
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
      ['trainTime', 'testTime', 'iterations', 'error'].map((key) => [key, mean(key)])
    )
    this.json = { avgs, stats, sets }
    return this.json
  }

  /** The network with the smallest error. */
  toNeuralNetwork() {
    return this.fromJSON(this.json)
  }

  toJSON() {
    return this.json
  }

  fromJSON(json) {
    const best = json.sets.reduce((best, set) => (set.error < best.error ? set : best))
    this.json = json
    return this.initClassifier().fromJSON(best.network)
  }
}

/** A copy in a random order: Fisher and Yates. */
function shuffled(rows) {
  const copy = [...rows]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const row = copy[i]
    copy[i] = copy[j]
    copy[j] = row
  }
  return copy
}

module.exports = { CrossValidate, NeuralNetwork, likely }
