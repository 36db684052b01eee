'use strict'

// One run of `fit` or `fitSync`: its options, its reports, and all the ways in which it can end. The training
// itself is the addon's, on threads of its own or, for `fitSync`, on this one.

const { AsyncResource } = require('node:async_hooks')
const path = require('node:path')
const { checkOptions, isNumbers, plainView } = require('./check.js')
const { createDataSet } = require('./data.js')
const { invalidType } = require('./errors.js')
const { task } = require('./files.js')
const host = require('./host.js')
const { plain } = require('./options.js')
const { clearInterval, nextTurn, setInterval } = require('./turn.js')

/** How long callbacks may hold the event loop in one go, in milliseconds. */
const TURN = 2

/** How often a progress bar is drawn, in milliseconds. */
const PERIOD = 66

/** Reports are read so many at a time; one is epoch, loss, validation loss or NaN, learning rate, milliseconds. */
const REPORTS = 64
const { reportLength: REPORT_LENGTH } = host.border

class Run {
  /** The method that runs, for errors. */
  name
  /** The addon's number of the fit, while it can run. */
  #fit
  /** The addon's number of the call that prepares or does the run. */
  #scope
  /** Whether the run has a thread of its own. */
  #isStarted = false
  /** A promise, while a checkpoint is read. Never rejects. */
  #reading
  /** The addon's number of the trainer that it belongs to, or -1. */
  #trainer
  #onEpoch
  /** The progress bar, where one is wanted and there is a terminal. */
  #bar
  #signal
  #abort = () => this.#stop('abort')
  /** The epochs that there will be at most. */
  #epochs
  /** How many are reported, those of a checkpoint among them. */
  #reported
  /** Room for reports, where somebody wants them. */
  #reports
  /** Whether the user has ended the run: then there are no more reports. */
  #isStopped = false
  /** `{ error }`, where something threw. */
  #failure

  constructor(name, scope, trainer = -1) {
    this.name = name
    this.#scope = scope
    this.#trainer = trainer
  }

  /**
   * Whether the run can go on no more, and nobody ended it: the time of a `vm` was up, where neither `catch` nor
   * `finally` runs. The addon has dropped what it had of it.
   */
  get isCut() {
    return !this.#isStarted && !host.isWithin(this.#scope)
  }

  /**
   * Checks options and data, and makes everything ready to run.
   * @param {{ model: object, buffer: ArrayBuffer, seed: number }} network
   * @param {object} data - as `readArguments` gives it
   */
  prepare(network, data, options) {
    const { heldOut, onEpoch, progress, rest, sampleWeights, signal } = readOptions(options)
    const fit = createFit(network, rest)
    try {
      throwIfAborted(signal)
      const sets = createDataSets(network, data, sampleWeights, heldOut)
      this.#onEpoch = onEpoch
      this.#signal = signal
      if (rest.resume !== undefined && this.name === 'fit' && this.#trainer < 0) {
        this.#read(fit, network.buffer, sets, progress)
      } else {
        host.prepareFit(fit, network.buffer, ...sets, this.#trainer)
        this.#ready(fit, progress)
      }
      // Reading the data may have run code of the user's.
      throwIfAborted(signal)
      signal?.addEventListener('abort', this.#abort)
    } catch (error) {
      this.#fit = undefined
      host.dropFit(fit)
      throw error
    }
  }

  /** Reads a checkpoint on a thread of the addon, and then gets ready. */
  #read(fit, buffer, sets, progress) {
    const reading = task(
      (wake) => host.readFit(fit, buffer, wake, ...sets),
      (number) => host.adoptFit(number, fit)
    )
    this.#isStarted = true
    this.#reading = reading.then(
      () => {
        if (this.#isStopped) host.dropFit(fit)
        else this.#ready(fit, progress)
      },
      (error) => {
        this.#failure = { error }
        host.dropFit(fit)
      }
    )
  }

  #ready(fit, progress) {
    this.#fit = fit
    this.#epochs = host.fitEpochs(fit)
    this.#reported = host.fitFirstEpoch(fit)
    if (progress === true) this.#bar = require('./progress.js').progressBar(this.#reported)
    if (this.#onEpoch !== undefined || this.#bar !== undefined) {
      this.#reports = new Float64Array(REPORTS * REPORT_LENGTH)
    }
  }

  /** Brings the weights of the last finished epoch into a network's buffer. */
  refresh(buffer) {
    if (this.#fit !== undefined) host.refreshFit(this.#fit, buffer)
  }

  /** Trains on threads of the addon, until the run has ended and its reports are delivered. Never rejects. */
  async start() {
    if (this.#reading !== undefined) {
      await this.#reading
      if (this.#fit === undefined) return
    }
    const timer = this.#bar && setInterval(() => this.#draw(), PERIOD)
    await this.#train()
    clearInterval(timer)
  }

  #train() {
    return new Promise((resolve) => {
      let isAwake = false
      const wake = () => {
        if (!isAwake) nextTurn(deliver)
        isAwake = true
      }
      const deliver = () => {
        isAwake = false
        if (this.#fit === undefined) return
        try {
          // Asked before the reports are read: none comes after it.
          const isDone = host.fitIsDone(this.#fit)
          if (!this.#deliver(host.now() + TURN)) wake()
          else if (isDone) resolve()
        } catch (error) {
          this.#failure = { error }
          resolve()
        }
      }
      try {
        // Callbacks find the AsyncLocalStorage of the call: not by themselves from Node.js 24 on.
        host.startFit(this.#fit, this.#onEpoch !== undefined, AsyncResource.bind(wake, 'mikir.fit'))
        this.#isStarted = true
      } catch (error) {
        this.#failure = { error }
        host.dropFit(this.#fit)
        this.#fit = undefined
        resolve()
      }
    })
  }

  /** Trains on this thread. Never throws. */
  run() {
    // Without anybody to tell or to ask, in one go.
    const isAsked = this.#onEpoch !== undefined || this.#signal !== undefined
    const step = isAsked || this.#bar !== undefined ? 1 : 2 ** 31
    try {
      for (let isDone = false; !isDone; ) {
        isDone = host.advanceFit(this.#fit, step, step === 1)
        this.#deliver(Infinity)
        if (this.#bar?.isDue || isDone) this.#draw()
        if (this.#signal?.aborted) this.#stop('abort')
      }
    } catch (error) {
      this.#failure = { error }
    }
  }

  /** Puts the final weights into the buffer; the history, or throws what the run failed by. */
  finish(buffer) {
    let history
    try {
      if (this.#isStarted) this.#draw()
      if (this.#fit !== undefined) history = finish(this.#fit, buffer, this.#trainer)
    } catch (error) {
      this.#failure ??= { error }
    }
    this.#bar?.end(history?.warnings ?? [])
    this.#fit = undefined
    this.#signal?.removeEventListener('abort', this.#abort)
    if (this.#failure !== undefined) throw this.#failure.error
    throwIfAborted(this.#signal)
    return history
  }

  /** Reports finished epochs until `deadline`; whether there are none left. */
  #deliver(deadline) {
    if (this.#onEpoch === undefined) return true
    while (!this.#isStopped) {
      const count = host.fitReports(this.#fit, this.#reported, this.#reports)
      if (count === 0) return true
      for (let i = 0; i < count && !this.#isStopped; i++) {
        this.#reported++
        this.#tell(this.#report(i * REPORT_LENGTH))
        if (host.now() > deadline) return false
      }
    }
    return true
  }

  /** Draws the bar as it is after the last finished epoch. */
  #draw() {
    if (this.#bar === undefined || this.#fit === undefined) return
    const done = host.fitEpochsDone(this.#fit)
    if (done > 0 && host.fitReports(this.#fit, done - 1, this.#reports) > 0) this.#bar.draw(this.#report(0))
  }

  #report(at) {
    const [epoch, loss, validationLoss, learningRate, elapsedMs] = this.#reports.subarray(at)
    const report = { epoch, epochs: this.#epochs, loss, validationLoss, learningRate, elapsedMs }
    if (Number.isNaN(validationLoss)) delete report.validationLoss
    return report
  }

  #tell(report) {
    const onEpoch = this.#onEpoch
    try {
      if (onEpoch(report) === false) this.#stop('callback')
    } catch (error) {
      this.#failure = { error }
      this.#stop('callback')
    }
  }

  #stop(reason) {
    this.#isStopped = true
    if (this.#fit !== undefined) host.stopFit(this.#fit, reason)
  }
}

/** Takes out of the options what only JavaScript can use; the rest is for the core. */
function readOptions(options = {}) {
  const { classWeights, onEpoch, sampleWeights, signal, validation, ...rest } = checkOptions(
    'options',
    options
  )
  checkCallbacks(onEpoch, signal)
  const { checkpoint, resume } = rest
  const { progress } = rest
  const isHeldOut = typeof validation === 'object' && validation !== null
  if (typeof rest.learningRate === 'function') {
    const cure = 'to change it from epoch to epoch, use the option schedule'
    throw invalidType('a number above 0', 'options.learningRate', rest.learningRate, cure)
  }
  return {
    heldOut: isHeldOut ? heldOutData(validation) : undefined,
    onEpoch,
    progress,
    rest: {
      ...rest,
      // The process may work elsewhere when the file is written.
      checkpoint:
        typeof checkpoint?.path === 'string'
          ? { ...checkpoint, path: absolute(checkpoint.path) }
          : checkpoint,
      resume: typeof resume === 'string' ? absolute(resume) : resume,
      classWeights: isNumbers(classWeights) ? Array.from(plainView(classWeights)) : classWeights,
      validation: isHeldOut ? undefined : validation
    },
    sampleWeights,
    signal
  }
}

function checkCallbacks(onEpoch, signal) {
  if (onEpoch !== undefined && typeof onEpoch !== 'function') {
    throw invalidType('a function', 'options.onEpoch', onEpoch)
  }
  if (signal !== undefined && !isSignal(signal)) throw invalidType('an AbortSignal', 'options.signal', signal)
}

/** What is no path at all is for the core to refuse. */
function absolute(file) {
  return file === '' ? file : path.resolve(file)
}

function heldOutData(validation) {
  if (Array.isArray(validation)) return { name: 'options.validation', examples: validation }
  const { inputs, targets } = checkOptions('options.validation', validation, ['inputs', 'targets'])
  return { prefix: 'options.validation.', inputs, targets }
}

/** A fit of the addon, with these options once they are checked. */
function createFit({ buffer, seed }, options) {
  let json
  try {
    json = JSON.stringify(plain('options', options))
  } catch (error) {
    throw misspelling(buffer, options) ?? error
  }
  return host.createFit(buffer, json, seed)
}

/** What JSON cannot carry may be a callback or a signal under a misspelled name: the core's error for that, if so. */
function misspelling(buffer, options) {
  const names = Object.keys(options).filter((name) => ['function', 'object'].includes(typeof options[name]))
  for (const name of names) {
    try {
      host.dropFit(host.createFit(buffer, JSON.stringify({ [name]: null }), 0))
    } catch (error) {
      if (error.code === 'ERR_MIKIR_UNKNOWN_OPTION') return error
    }
  }
}

/** Also those of other realms and libraries. */
function isSignal(value) {
  return (
    typeof value === 'object' &&
    typeof value?.aborted === 'boolean' &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function'
  )
}

function throwIfAborted(signal) {
  if (signal?.aborted !== true) return
  throw signal.reason === undefined
    ? new DOMException('This operation was aborted', 'AbortError')
    : signal.reason
}

/** The data sets of a fit in the addon: what to train on, and what is held out or -1. */
function createDataSets(network, data, sampleWeights, heldOut) {
  const training = createDataSet(network, data, sampleWeights)
  try {
    return [training, heldOut === undefined ? -1 : createDataSet(network, heldOut)]
  } catch (error) {
    host.dropData(training)
    throw error
  }
}

/** Ends a fit of the addon; its history. */
function finish(fit, buffer, trainer) {
  const epochs = host.fitEpochsDone(fit)
  const loss = new Float64Array(epochs)
  const validationLoss = new Float64Array(host.fitHasValidation(fit) ? epochs : 0)
  const rest = JSON.parse(host.finishFit(fit, buffer, loss, validationLoss, trainer))
  const { bestEpoch, durationMs, stoppedBy, warnings } = rest
  const all = { loss, validationLoss, epochs, bestEpoch, durationMs, stoppedBy, warnings }
  if (validationLoss.length === 0) delete all.validationLoss
  return all
}

/** Refuses options that no fit would take; those for the core as JSON. */
function checkFitOptions(network, options) {
  const { rest } = readOptions(options)
  host.dropFit(createFit(network, rest))
  return JSON.stringify(plain('options', rest))
}

module.exports = { checkCallbacks, checkFitOptions, Run }
