'use strict'

// Training that goes on: what index.d.ts calls a Trainer. Its weights are in the addon, and come into the network's
// buffer when somebody asks for them.

const { isFloat32Array, isFloat64Array } = require('node:util').types
const { checkArguments, checkOptions, lengthOf } = require('./check.js')
const { createDataSet, readArguments } = require('./data.js')
const { invalidType, notForTrainer } = require('./errors.js')
const { pathOf, task } = require('./files.js')
const { checkFitOptions, Run } = require('./fit.js')
const host = require('./host.js')
const { numbersOf } = require('./model.js')
const { uncloneable } = require('./uncloneable.js')

// The buffer of a step, as src/engine/trainer.rs lays it out: the trainer's number and other 32-bit words, a loss, the
// rows.
const { step } = host.border
const NUMBER = 0
const [ROWS, FLAGS, IS_REFUSED] = [step.rows / 4, step.flags / 4, step.isRefused / 4]
const { begin: HEADER, loss: LOSS, weighted: WEIGHTED, gradients: GRADIENTS } = step

/** Up to so many numbers a loop is quicker than `set`. */
const FEW = 32

/** After so many steps weights that nobody asked for come into the buffer all the same: should training diverge, they are
 * not lost. */
const STEPS = 64

const IDENTITY = Symbol('identity')

const dropped = new FinalizationRegistry((number) => host.dropTrainer(number))

/**
 * What a trainer may do with its network.
 * @typedef {object} Access
 * @property {object} model
 * @property {unknown} buffer - the host's
 * @property {number} seed
 * @property {(name: string) => number} claim - refuses while the network trains, and brings the weights that another
 *   trainer has into the buffer; which version of the weights that is
 * @property {(trainer?: Trainer) => void} lead - whose weights are newer than those in the buffer
 * @property {() => number} change - counts a change of the weights in the buffer; the version they are now
 * @property {(run?: Run) => void} run - the fit that is running
 */

class Trainer extends uncloneable(function* Trainer() {}) {
  /** No two are equal: comparisons see no private fields. */
  [IDENTITY] = Symbol('trainer')
  #network
  #access
  #options
  /** The addon's number of the trainer. */
  #number
  /** Which version of the network's weights the trainer went on from. */
  #version
  /** How many steps were taken since they were in the buffer. */
  #ahead = 0
  /** The buffer of a step, as whose it is freed, its views, and how many numbers of rows it has room for. */
  #buffer
  #owner
  #words
  #loss
  #numbers
  #count

  /**
   * @param {object} network - the NeuralNetwork
   * @param {Access} access
   */
  constructor(network, access, options) {
    super()
    this.#network = network
    this.#access = access
    this.#options = ownOptions(options)
    this.#version = access.claim('trainer')
    const json = checkFitOptions(access, this.#options)
    this.#number = host.createTrainer(access.buffer, json, access.seed)
    dropped.register(this, this.#number)
    this.#reserve(1)
  }

  get network() {
    return this.#network
  }

  get steps() {
    return host.trainerSteps(this.#number)
  }

  step(inputs, targets, options) {
    checkArguments('step', arguments.length, 2, 3)
    const { gradients, sampleWeights } = options === undefined ? NOTHING : stepOptions(options)
    const rows = this.#copy(inputs, targets, sampleWeights)
    this.#claim('step')
    this.#see()
    const words = this.#words
    let loss
    try {
      if (rows > 0) {
        words[ROWS] = rows
        words[FLAGS] = (sampleWeights === undefined ? 0 : WEIGHTED) | (gradients === true ? GRADIENTS : 0)
        host.step(this.#buffer)
        this.#see()
        loss = this.#loss[0]
      }
      // Whatever is unusual takes the long way, which also finds the words for what is wrong.
      if (rows === 0 || this.#words[IS_REFUSED] !== 0) loss = this.#stepSlowly(inputs, targets, options)
    } catch (error) {
      if (error.code === 'ERR_MIKIR_DIVERGED') this.#restart()
      throw error
    }
    if (++this.#ahead === STEPS) this.refresh()
    else if (this.#ahead === 1) this.#access.lead(this)
    return loss
  }

  async fit(...parameters) {
    let run
    let ended
    host.within((scope) => {
      run = this.#begin('fit', parameters, scope)
      ended = run.start()
    })
    await ended
    return this.#end(run)
  }

  fitSync(...parameters) {
    let history
    host.within((scope) => {
      const run = this.#begin('fitSync', parameters, scope)
      run.run()
      history = this.#end(run)
    })
    return history
  }

  async save(file) {
    checkArguments('save', arguments.length, 1)
    const name = pathOf(file)
    this.#claim('save')
    await task((wake) => host.saveTrainer(this.#number, name, wake), host.endTask)
  }

  async resume(file) {
    checkArguments('resume', arguments.length, 1)
    const name = pathOf(file)
    this.#claim('resume')
    this.#access.run({ name: 'resume', isCut: false, refresh() {} })
    try {
      await task(
        (wake) => host.readTrainer(this.#number, name, wake),
        (read) => host.adoptTrainer(read, this.#number, this.#access.buffer)
      )
      this.#version = this.#access.change()
      this.#options = { ...this.#options, ...JSON.parse(host.trainerOptions(this.#number)) }
    } finally {
      this.#access.run()
    }
  }

  /** Brings the weights into the network's buffer: a network asks for it before anybody sees them. */
  refresh() {
    this.#ahead = 0
    this.#access.lead()
    try {
      host.publishTrainer(this.#number, this.#access.buffer)
    } finally {
      this.#version = this.#access.change()
    }
  }

  /** Goes back to the weights in the network's buffer, the last that are known to be finite. */
  #restart() {
    this.#ahead = 0
    this.#access.lead()
    host.restartTrainer(this.#number, this.#access.buffer)
  }

  /** Gets ready to go on from the weights that the network has now. */
  #claim(name) {
    const version = this.#access.claim(name, this)
    if (version === this.#version) return
    host.loadTrainer(this.#number, this.#access.buffer)
    this.#version = version
    this.#ahead = 0
  }

  #begin(name, parameters, scope) {
    const { data, options = {} } = readArguments(name, parameters, 1)
    this.#claim(name)
    if (this.#ahead > 0) this.refresh()
    const run = new Run(name, scope, this.#number)
    this.#access.run(run)
    try {
      const { model, buffer, seed } = this.#access
      const all = { ...this.#options, ...checkOptions('options', options) }
      run.prepare({ model, buffer, seed }, data, all)
      return run
    } catch (error) {
      this.#access.run()
      throw error
    }
  }

  #end(run) {
    this.#access.run()
    try {
      return run.finish(this.#access.buffer)
    } finally {
      this.#version = this.#access.change()
    }
  }

  /** Makes room for so many rows in the buffer of a step. */
  #reserve(rows) {
    const { inputCount, outputCount } = this.#access.model
    const count = rows * (inputCount + outputCount + 1)
    const bytes = HEADER + count * numbersOf(this.#access.model).BYTES_PER_ELEMENT
    // Each belongs to an object of its own, so that one that was too short goes.
    this.#owner = {}
    this.#buffer = host.allocate(this.#owner, bytes)
    this.#words = undefined
    this.#see(count)
    this.#words[NUMBER] = this.#number
  }

  /** Looks at the buffer of a step. Any call may make memory grow, and its views others. */
  #see(count = this.#count) {
    if (this.#words?.length > 0) return
    this.#count = count
    this.#words = host.view(this.#buffer, Uint32Array, 0, HEADER / 4)
    this.#loss = host.view(this.#buffer, Float64Array, LOSS, 1)
    this.#numbers = host.view(this.#buffer, numbersOf(this.#access.model), HEADER, count)
  }

  /** Copies rows into the buffer of a step: how many, or 0 if they are not written in the usual ways. */
  #copy(inputs, targets, weights) {
    const { inputCount, outputCount } = this.#access.model
    const rows = Array.isArray(inputs) ? inputs.length : lengthOfFloats(inputs) / inputCount
    if (!Number.isInteger(rows) || rows === 0) return 0
    const width = inputCount + outputCount + 1
    if (this.#count < rows * width) this.#reserve(rows)
    this.#see()
    const numbers = this.#numbers
    const end = rows * inputCount
    const isCopied =
      copyRows(inputs, rows, inputCount, numbers, 0) &&
      copyRows(targets, rows, outputCount, numbers, end) &&
      (weights === undefined || copyRow(weights, rows, numbers, end + rows * outputCount))
    return isCopied ? rows : 0
  }

  #stepSlowly(inputs, targets, options = {}) {
    const { data } = readArguments('step', [inputs, targets], 0)
    const { gradients, sampleWeights } = options
    const { model, buffer } = this.#access
    const isOfGradients = gradients === true
    return host.stepBy(
      this.#number,
      createDataSet({ model, buffer }, data, sampleWeights, { isStep: true, isOfGradients })
    )
  }
}

const NOTHING = {}

/** The options of a trainer: those of its fits, but for what belongs to one of them alone. */
function ownOptions(options = {}) {
  const given = checkOptions('options', options)
  const { resume, sampleWeights } = given
  if (resume !== undefined) throw notForTrainer('resume', resume, 'call trainer.resume()')
  if (sampleWeights !== undefined) {
    throw notForTrainer('sampleWeights', sampleWeights, 'give them to step() or fit(), with the rows')
  }
  return { ...given }
}

function stepOptions(options) {
  const known = checkOptions('options', options, ['sampleWeights', 'gradients'])
  if (known.gradients !== undefined && typeof known.gradients !== 'boolean') {
    throw invalidType('true or false', 'options.gradients', known.gradients)
  }
  return known
}

function lengthOfFloats(array) {
  return isFloat64Array(array) || isFloat32Array(array) ? lengthOf(array) : Number.NaN
}

/** Copies rows into `target` from `start` on; whether they are rows of so many numbers. */
function copyRows(rows, count, width, target, start) {
  if (!Array.isArray(rows)) return copyRow(rows, count * width, target, start)
  if (rows.length !== count) return false
  for (let row = 0; row < count; row++) {
    if (!copyRow(rows[row], width, target, start + row * width)) return false
  }
  return true
}

/** Copies numbers into `target` from `start` on; whether they are so many numbers. */
function copyRow(vector, count, target, start) {
  if (Array.isArray(vector)) {
    if (vector.length !== count) return false
    for (let i = 0; i < count; i++) {
      const x = vector[i]
      if (typeof x !== 'number') return false
      target[start + i] = x
    }
    return true
  }
  if (lengthOfFloats(vector) !== count) return false
  if (count > FEW) target.set(vector, start)
  else for (let i = 0; i < count; i++) target[start + i] = vector[i]
  return true
}

module.exports = { Trainer }
