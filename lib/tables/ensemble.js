'use strict'

// Several networks that learn one thing, each with other rows of validation: their answers are averaged.

const os = require('node:os')
const { checkCount, checkFinite, checkOptions } = require('../check.js')
const { invalidCombination, invalidType, outOfRange } = require('../errors.js')
const { checkCallbacks } = require('../fit.js')
const { NeuralNetwork } = require('../network.js')
const { progressBar } = require('../progress.js')

/** With fewer rows all are trained on, and none is for validation. */
const LEAST_VALIDATED = 40
/** Of the rows a network has one of so many shares for validation. */
const SHARES = 8
const MOST_THREADS = 256
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
 * @param {Uint32Array} order - of the rows: every `SHARES`-th one is for the validation of a network
 * @param {object} options - of the fits
 */
async function train(network, data, order, count, seed, options) {
  const { signal, threads, timeout, ...given } = readOptions(options, count)
  const start = performance.now()
  const usual = defaultsFor(data.rows)
  const isValidated = data.rows >= LEAST_VALIDATED && given.validation === undefined
  const watch = watcher(given, count)
  const trained = []
  const one = async (member, stop) => {
    const left = timeout - (performance.now() - start)
    // There is one in any case.
    if (member > 0 && (watch.isStopped || left <= 0)) return
    const places = { training: [], validation: [] }
    for (const [i, row] of order.entries()) {
      const isHeldOut = isValidated && i % SHARES === member % SHARES
      places[isHeldOut ? 'validation' : 'training'].push(row)
    }
    const learner = new NeuralNetwork({ ...network, seed: (seed + member) % Number.MAX_SAFE_INTEGER })
    const { inputs, targets } = pick(places.training, data)
    const history = await learner.fit(inputs, targets, {
      ...usual,
      ...(isValidated && {
        validation: pick(places.validation, data),
        earlyStopping: { patience: given.epochs ?? usual.epochs }
      }),
      ...given,
      ...(timeout !== undefined && { timeout: Math.max(left, 1) }),
      onEpoch: watch.onEpoch,
      progress: false,
      signal: stop,
      threads: 1
    })
    trained[member] = { learner, history }
  }
  await inParallel(count, threads ?? os.availableParallelism(), signal, one)
  const whole = trained.filter((each) => each !== undefined)
  const history = summed(
    whole.map(({ history }) => history),
    performance.now() - start
  )
  watch.bar?.end(history.warnings)
  return { networks: whole.map(({ learner }) => learner), history }
}

/** The options that are for all networks together, checked; what is for each is checked by its fit. */
function readOptions(options, count) {
  const given = checkOptions('options', options)
  for (const key of OF_ONE) {
    if (given[key] !== undefined && count > 1) {
      const owner = `a model of ${count} networks`
      throw invalidCombination(`no ${key}`, owner, given[key], 'use the option ensemble: 1')
    }
  }
  const { onEpoch, signal, threads, timeout, validation } = given
  checkCallbacks(onEpoch, signal)
  if (threads !== undefined && checkCount('options.threads', threads) > MOST_THREADS) {
    throw outOfRange(`an integer from 1 to ${MOST_THREADS}`, 'options.threads', threads)
  }
  if (timeout !== undefined && !(checkFinite('options.timeout', timeout) > 0)) {
    throw outOfRange('a number above 0', 'options.timeout', timeout)
  }
  if (typeof validation === 'object')
    throw invalidType('a share of the rows', 'options.validation', validation)
  return given
}

/** What is told of the epochs of all networks, as if they were one after the other. */
function watcher({ onEpoch, progress }, count) {
  const watch = { isStopped: false, bar: progress === true ? progressBar(0) : undefined, onEpoch: undefined }
  if (onEpoch === undefined && watch.bar === undefined) return watch
  let finished = 0
  watch.onEpoch = (report) => {
    finished++
    const all = { ...report, epoch: finished, epochs: report.epochs * count }
    if (watch.bar !== undefined && (watch.bar.isDue || finished === all.epochs)) watch.bar.draw(all)
    if (onEpoch?.(all) === false) watch.isStopped = true
    return !watch.isStopped
  }
  return watch
}

/** Runs `body(i, signal)` for all i, so many at a time; the first that fails stops the others. */
async function inParallel(count, most, signal, body) {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = () => stop.abort(signal.reason)
  signal?.addEventListener('abort', abort)
  let next = 0
  const worker = async () => {
    while (next < count) await body(next++, stop.signal)
  }
  const workers = Array.from({ length: Math.min(count, most) }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(workers)
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
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
