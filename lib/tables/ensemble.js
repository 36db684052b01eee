'use strict'

// Several networks that learn one thing, each with other rows of validation: their answers are averaged.

const os = require('node:os')
const { checkOptions } = require('../check.js')
const { invalidCombination } = require('../errors.js')
const { NeuralNetwork } = require('../network.js')
const { progressBar } = require('../progress.js')

/** With fewer rows all are trained on, and none is for validation. */
const LEAST_VALIDATED = 40
/** How many rows all epochs together go over, about, in a large table. */
const MOST_VISITS = 2_500_000
const [LEAST_EPOCHS, USUAL_EPOCHS] = [10, 50]
/** Options of a fit of one network that have no meaning for several. */
const OF_ONE = ['checkpoint', 'resume']

/** How a network is trained on so many rows, where the user does not say it: see docs/tables.md. */
function defaultsFor(rows) {
  const epochs = Math.round(MOST_VISITS / rows)
  return {
    epochs: Math.min(USUAL_EPOCHS, Math.max(LEAST_EPOCHS, epochs)),
    batchSize: rows > 20_000 ? 256 : Math.min(64, Math.max(8, 2 ** Math.floor(Math.log2(rows / 32)))),
    optimizer: { type: 'adamw', beta2: 0.95, weightDecay: 0.02 },
    learningRate: 0.003,
    schedule: 'cosine'
  }
}

/**
 * Trains `count` networks.
 * @param {object} network - options of each but for its seed
 * @param {{ inputs: TypedArray, targets: TypedArray, rows: number }} data
 * @param {Uint32Array} order - of the rows: every `count`-th one is for the validation of a network
 * @param {object} options - of the fits
 */
async function train(network, { inputs, targets, rows }, order, count, seed, options) {
  const { onEpoch, progress, signal, threads, timeout, ...given } = checkOptions('options', options)
  for (const key of OF_ONE) {
    if (given[key] !== undefined && count > 1) {
      throw invalidCombination(
        `no ${key}`,
        `a model of ${count} networks`,
        given[key],
        'use the option ensemble: 1'
      )
    }
  }
  const start = performance.now()
  const usual = defaultsFor(rows)
  const isValidated = rows >= LEAST_VALIDATED && given.validation === undefined
  const stop = new AbortController()
  const abort = () => stop.abort(signal.reason)
  signal?.throwIfAborted()
  signal?.addEventListener('abort', abort)
  const bar = progress === true ? progressBar(0) : undefined
  let [finished, isStopped] = [0, false]
  const tell = (report) => {
    finished++
    const all = { ...report, epoch: finished, epochs: report.epochs * count }
    if (bar !== undefined && (bar.isDue || finished === all.epochs)) bar.draw(all)
    if (onEpoch?.(all) === false) isStopped = true
    return !isStopped
  }
  const networks = []
  const histories = []
  const one = async (member) => {
    const left = timeout === undefined ? undefined : timeout - (performance.now() - start)
    if (member > 0 && (isStopped || left <= 0)) return
    const isHeldOut = (i) => isValidated && i % count === member && count > 1
    const parts = [[], []]
    for (const [i, row] of order.entries())
      parts[isHeldOut(i) || (isValidated && count === 1 && i % 8 === 0) ? 1 : 0].push(row)
    const [training, validation] = parts.map((part) => pick(part, { inputs, targets, rows }))
    const learner = new NeuralNetwork({ ...network, seed: (seed + member) % Number.MAX_SAFE_INTEGER })
    const fit = {
      ...usual,
      ...(isValidated && { validation, earlyStopping: { patience: given.epochs ?? usual.epochs } }),
      ...given,
      ...(left !== undefined && { timeout: Math.max(left, 1) }),
      ...((bar !== undefined || onEpoch !== undefined) && { onEpoch: tell }),
      signal: stop.signal,
      threads: 1
    }
    const history = await learner.fit(training.inputs, training.targets, fit)
    networks[member] = learner
    histories[member] = history
  }
  try {
    // As many at a time as there are cores; each is on a thread of its own.
    let next = 0
    const worker = async () => {
      while (next < count) await one(next++)
    }
    const workers = Array.from({ length: Math.min(count, threads ?? os.availableParallelism()) }, worker)
    await Promise.all(workers).catch(async (error) => {
      stop.abort(error)
      await Promise.allSettled(workers)
      throw error
    })
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  const trained = histories.filter((history) => history !== undefined)
  const history = summed(trained, performance.now() - start)
  bar?.end(history.warnings)
  return { networks: networks.filter((network) => network !== undefined), history }
}

/** Some rows of inputs and targets. */
function pick(places, { inputs, targets, rows }) {
  const some = (all) => {
    const width = all.length / rows
    const part = new all.constructor(places.length * width)
    for (const [i, row] of places.entries()) {
      for (let k = 0; k < width; k++) part[i * width + k] = all[row * width + k]
    }
    return part
  }
  return { inputs: some(inputs), targets: some(targets) }
}

/** What all fits came to: the mean of their losses, epoch by epoch. */
function summed(histories, durationMs) {
  const length = Math.min(...histories.map(({ epochs }) => epochs))
  const mean = (key) =>
    Float64Array.from({ length }, (_, e) =>
      histories.reduce((sum, history) => sum + history[key][e] / histories.length, 0)
    )
  const [first] = histories
  const hasValidation = first.validationLoss !== undefined
  const validationLoss = hasValidation ? mean('validationLoss') : undefined
  const loss = mean('loss')
  const watched = validationLoss ?? loss
  const warnings = new Map(
    histories.flatMap(({ warnings }) => warnings).map((warning) => [warning.code, warning])
  )
  // Of the encoded inputs and targets nobody has to know.
  for (const code of ['inputScale', 'missingClasses', 'stillImproving', 'targetRange', 'targetScale'])
    warnings.delete(code)
  return {
    loss,
    ...(hasValidation && { validationLoss }),
    epochs: length,
    bestEpoch: length === 0 ? 0 : watched.indexOf(Math.min(...watched)) + 1,
    durationMs,
    stoppedBy: histories.find(({ stoppedBy }) => stoppedBy !== 'epochs')?.stoppedBy ?? 'epochs',
    warnings: Array.from(warnings.values())
  }
}

/** The mean of the networks' outputs for rows of inputs. */
function average(networks, inputs) {
  let sums
  for (const network of networks) {
    const outputs = network.predictBatch(inputs)
    sums ??= new Float64Array(outputs.length)
    for (let i = 0; i < sums.length; i++) sums[i] += outputs[i]
  }
  return sums.map((sum) => sum / networks.length)
}

module.exports = { average, train }
