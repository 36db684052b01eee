'use strict'

const {
  SINGLE,
  checkArguments,
  checkArray,
  checkCount,
  checkFinite,
  checkOptions,
  checkSeed,
  copyFinite,
  copyVector
} = require('./check.js')
const { busy, corruptFile, invalidType, outOfRange } = require('./errors.js')
const host = require('./host.js')
const { fileOf, measuresOf } = require('./replies.js')
const { createBuffer, modelOf, sigmoidModel, viewOf } = require('./model.js')
const { plain } = require('./options.js')
// Now, before a test replaces timers.
require('./turn.js')
const { uncloneable } = require('./uncloneable.js')

const { learningRate: LEARNING_RATE } = host.border

const NOT_NEGATIVE = 'a number of at least 0'

/** What is not needed to predict is loaded when it is asked for: `require('mikir')` is to be quick. */
let training
function loadTraining() {
  training ??= { ...require('./data.js'), ...require('./fit.js') }
  return training
}

/** Counts calls, to notice one that begins while another reads its arguments. */
let calls = 0

/** What a network is made of: a constructor argument that users cannot make. */
class Parts {
  constructor(model, seed) {
    this.model = model
    this.seed = seed
  }
}

/** What comparisons of networks look at: assert.deepStrictEqual and the matchers of test runners see no private fields. */
const CONTENTS = Symbol('contents')

const generate = function* NeuralNetwork() {}

/** What reads networks of files, by what a path ends in; and one of JSON, by its name in errors. */
let [readers, networkOf] = []

/** A multilayer perceptron; index.d.ts says what users may count on. */
class NeuralNetwork extends uncloneable(generate) {
  #model
  /** All that is this network's own: the one argument of every call to the host. */
  #buffer
  /** The same as numbers: see `#numbers`. */
  #view
  #seed
  /** The fit that is running. */
  #run
  /** What has newer weights than the buffer: a fit that is running, or a trainer. */
  #lead
  /** Counts changes of the weights in the buffer, for trainers. */
  #version = 0

  static #contents = {
    enumerable: true,
    get() {
      return this.#digest()
    }
  }

  constructor(...parameters) {
    super()
    const [first] = parameters
    const { model, seed } = first instanceof Parts ? first : partsOf(parameters)
    this.#model = model
    this.#seed = seed
    this.#buffer = createBuffer(this, model)
    this.#view = viewOf(this.#buffer, model)
    if (!(first instanceof Parts)) host.initialize(this.#buffer, seed)
    Object.defineProperty(this, CONTENTS, NeuralNetwork.#contents)
  }

  get inputCount() {
    return this.#model.inputCount
  }

  get outputCount() {
    return this.#model.outputCount
  }

  get parameterCount() {
    return this.#model.parameterCount
  }

  get seed() {
    return this.#seed
  }

  get precision() {
    return this.#model.precision
  }

  get options() {
    return { ...JSON.parse(this.#model.options), seed: this.#seed }
  }

  /** What is in the buffer. Any call may make memory grow, and this view another one. */
  #numbers() {
    if (this.#view.length === 0) this.#view = viewOf(this.#buffer, this.#model)
    return this.#view
  }

  predict(inputs) {
    checkArguments('predict', arguments.length, 1)
    const model = this.#model
    const memory = this.#numbers()
    const call = ++calls
    copyVector('inputs', inputs, model.inputCount, memory, model.inputs)
    // Reading the array ran code of its own (a getter, a proxy) that came here: take it from a copy.
    if (call !== calls) copyVector('inputs', [...inputs], model.inputCount, memory, model.inputs)
    if (this.#lead !== undefined) this.#refresh()
    try {
      host.predict(this.#buffer)
    } catch (error) {
      throw inSingle(error, model, { inputs })
    }
    const after = this.#numbers()
    const outputs = [after[model.outputs]]
    for (let k = 1; k < model.outputCount; k++) outputs.push(after[model.outputs + k])
    return outputs
  }

  predictBatch(inputs) {
    checkArguments('predictBatch', arguments.length, 1)
    const { inputCount, outputCount } = this.#model
    const isFlat = !Array.isArray(inputs)
    const flat = loadTraining().flatRows('inputs', inputs, inputCount)
    const rows = flat.length / inputCount
    const outputs = new flat.constructor(rows * outputCount)
    this.#refresh()
    const place = host.predictBatch(this.#buffer, flat, outputs)
    if (place >= 0) {
      const name = isFlat ? `[${place}]` : `[${Math.floor(place / inputCount)}][${place % inputCount}]`
      const rule = Number.isFinite(flat[place]) ? SINGLE : 'a finite number'
      throw outOfRange(rule, `inputs${name}`, flat[place])
    }
    if (isFlat) return outputs
    return Array.from({ length: rows }, (_, i) =>
      Array.from(outputs.subarray(i * outputCount, (i + 1) * outputCount))
    )
  }

  train(inputs, targets, learningRate = 0.1) {
    checkArguments('train', arguments.length, 2, 3)
    const model = this.#model
    const memory = this.#numbers()
    const call = ++calls
    copyVector('inputs', inputs, model.inputCount, memory, model.inputs)
    copyVector('targets', targets, model.outputCount, memory, model.targets)
    if (call !== calls) {
      const copies = [[...inputs], [...targets]]
      copyVector('inputs', copies[0], model.inputCount, memory, model.inputs)
      copyVector('targets', copies[1], model.outputCount, memory, model.targets)
    }
    memory[LEARNING_RATE] = checkFinite('learningRate', learningRate)
    this.#claim('train')
    this.#version++
    try {
      host.train(this.#buffer)
    } catch (error) {
      throw inSingle(error, model, { inputs, targets, learningRate })
    }
  }

  // The promise of an async function takes what is thrown, and keeps the caller's stack in later errors.
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

  /** The run that is on, if there is one. */
  #running() {
    if (this.#run?.isCut) {
      this.#setRun()
      this.#version++
    }
    return this.#run
  }

  /** Brings weights that are newer than those in the buffer into it. */
  #refresh() {
    this.#running()
    this.#lead?.refresh(this.#buffer)
  }

  /** A short text that is the same for networks that are: options, seed, weights. */
  #digest() {
    this.#refresh()
    const { options, values } = this.#model
    const hash = require('node:crypto').createHash('sha256')
    return hash.update(`${this.#seed} ${options}`).update(this.#numbers().subarray(values)).digest('hex')
  }

  #begin(name, parameters, scope) {
    const { readArguments, Run } = loadTraining()
    const { data, options } = readArguments(name, parameters, 1)
    this.#claim(name)
    const run = new Run(name, scope)
    // From now on: reading options and data may run code of the user's that comes here.
    this.#setRun(run)
    try {
      run.prepare({ model: this.#model, buffer: this.#buffer, seed: this.#seed }, data, options)
      return run
    } catch (error) {
      this.#setRun()
      throw error
    }
  }

  #end(run) {
    this.#setRun()
    this.#version++
    return run.finish(this.#buffer)
  }

  trainer(options) {
    checkArguments('trainer', arguments.length, 0, 1)
    const { Trainer } = require('./trainer.js')
    return new Trainer(
      this,
      {
        model: this.#model,
        buffer: this.#buffer,
        seed: this.#seed,
        claim: (name, trainer) => this.#claim(name, trainer),
        lead: (trainer) => {
          this.#lead = trainer
        },
        change: () => ++this.#version,
        run: (run) => this.#setRun(run)
      },
      options
    )
  }

  #setRun(run) {
    this.#run = run
    this.#lead = run
  }

  /**
   * Refuses what would change the weights while they are trained, and brings those that a trainer has, unless it is the
   * one that asks, into the buffer; the version that the buffer then has.
   */
  #claim(name, trainer) {
    const run = this.#running()
    if (run !== undefined) throw busy(name, run.name)
    if (this.#lead !== undefined && this.#lead !== trainer) this.#lead.refresh()
    return this.#version
  }

  evaluate(...parameters) {
    const { createDataSet, readArguments } = loadTraining()
    const { data } = readArguments('evaluate', parameters, 0)
    let measures
    host.within(() => {
      const set = createDataSet({ model: this.#model, buffer: this.#buffer }, data)
      this.#refresh()
      measures = host.evaluate(this.#buffer, set)
    })
    return measuresOf(measures)
  }

  getWeights() {
    checkArguments('getWeights', arguments.length, 0)
    const flat = new Float64Array(this.#model.valueCount)
    this.#refresh()
    host.exportWeights(this.#buffer, flat)
    let at = 0
    const take = (count) => {
      at += count
      return Array.from(flat.subarray(at - count, at))
    }
    return this.#model.layers.map((layer) => {
      const weights = Array.from({ length: layer.units }, () => take(layer.inputs))
      return Object.fromEntries([
        ['weights', weights],
        ...vectorsOf(layer).map((key) => [key, take(layer.units)])
      ])
    })
  }

  setWeights(layers) {
    checkArguments('setWeights', arguments.length, 1)
    const flat = new Float64Array(this.#model.valueCount)
    const taken = []
    let at = 0
    const put = (name, vector, count) => {
      copyFinite(name, vector, count, flat, at)
      taken.push({ name, end: at + count })
      at += count
    }
    checkArray('layers', layers, this.#model.layers.length)
    this.#model.layers.forEach((layer, l) => {
      const vectors = vectorsOf(layer)
      const given = checkOptions(`layers[${l}]`, layers[l], ['weights', ...vectors])
      const rows = checkArray(`layers[${l}].weights`, given.weights, layer.units)
      for (let j = 0; j < layer.units; j++) put(`layers[${l}].weights[${j}]`, rows[j], layer.inputs)
      for (const key of vectors) put(`layers[${l}].${key}`, given[key], layer.units)
    })
    this.#claim('setWeights')
    this.#version++
    const place = host.importWeights(this.#buffer, flat)
    if (place >= 0) {
      const i = taken.findIndex(({ end }) => place < end)
      const name = `${taken[i].name}[${place - (taken[i - 1]?.end ?? 0)}]`
      const rule = flat[place] < 0 && name.includes('.variance[') ? NOT_NEGATIVE : SINGLE
      throw outOfRange(rule, name, flat[place])
    }
  }

  toJSON() {
    // JSON.stringify() passes a key.
    checkArguments('toJSON', arguments.length, 0, 1)
    return require('./files.js').toJSON(this.options, this.getWeights())
  }

  static fromJSON(json) {
    checkArguments('fromJSON', arguments.length, 1)
    return NeuralNetwork.#fromJSON(json, 'json')
  }

  static #fromJSON(json, name) {
    return NeuralNetwork.#assemble(require('./files.js').readJSON(json, name), name)
  }

  static #assemble({ layers, options }, name) {
    try {
      const { model, seed } = partsOf([checkOptions('options', options)])
      const network = new NeuralNetwork(new Parts(model, seed))
      network.setWeights(layers)
      return network
    } catch (error) {
      throw corruptFile('a network', name, `another: ${error.message}`, error)
    }
  }

  toSafetensors() {
    checkArguments('toSafetensors', arguments.length, 0)
    return this.#write('safetensors')
  }

  static fromSafetensors(bytes, options = {}) {
    checkArguments('fromSafetensors', arguments.length, 1, 2)
    const hints = JSON.stringify(plain('options', checkOptions('options', options)))
    return NeuralNetwork.#read('safetensors', require('./files.js').bytesOf(bytes), 'bytes', hints)
  }

  toONNX() {
    checkArguments('toONNX', arguments.length, 0)
    return this.#write('onnx')
  }

  static fromONNX(bytes) {
    checkArguments('fromONNX', arguments.length, 1)
    return NeuralNetwork.#read('onnx', require('./files.js').bytesOf(bytes), 'bytes')
  }

  /** A file of a format of the addon. */
  #write(format) {
    this.#refresh()
    return fileOf(host.writeNetwork(this.#buffer, format, this.#seed))
  }

  static #read(format, bytes, name, hints = '{}') {
    const { seed, ...options } = JSON.parse(host.inspectFile(bytes, format, name, hints))
    const network = new NeuralNetwork(new Parts(modelOf(options), seedOf(seed)))
    host.readNetwork(network.#buffer, bytes, format, name, hints)
    return network
  }

  toModule(options = {}) {
    checkArguments('toModule', arguments.length, 0, 1)
    const { format = 'esm' } = checkOptions('options', options, ['format'])
    if (format !== 'esm' && format !== 'cjs') throw invalidType("'esm' or 'cjs'", 'options.format', format)
    return require('./module.js').moduleOf(this.toJSON(), format)
  }

  async save(path) {
    checkArguments('save', arguments.length, 1)
    await require('./files.js').save(this, path, (name, format, wake) => {
      this.#refresh()
      return host.saveNetwork(name, this.#buffer, wake, format, this.#seed)
    })
  }

  static async load(path) {
    checkArguments('load', arguments.length, 1)
    return require('./files.js').load(path, readers)
  }

  static {
    networkOf = (json, name) => NeuralNetwork.#fromJSON(json, name)
    readers = {
      '.json': (bytes, name) => networkOf(bytes.toString('utf8'), name),
      '.safetensors': (bytes, name) => NeuralNetwork.#read('safetensors', bytes, name),
      '.onnx': (bytes, name) => NeuralNetwork.#read('onnx', bytes, name),
      '.net': (bytes, name) =>
        NeuralNetwork.#assemble(require('./imports.js').fann(bytes.toString('latin1'), name), name)
    }
  }

  clone() {
    checkArguments('clone', arguments.length, 0)
    const copy = new NeuralNetwork(new Parts(this.#model, this.#seed))
    this.#refresh()
    copy.#numbers().set(this.#numbers())
    return copy
  }

  summary() {
    checkArguments('summary', arguments.length, 0)
    return require('./summary.js').summaryOf(this.#model)
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    // The prototype can be inspected too.
    if (!(#model in this)) return 'NeuralNetwork {}'
    return require('./summary.js').lineOf(this.#model, this.#seed)
  }
}

generate.prototype = NeuralNetwork.prototype

/** The parts of a network from the arguments of its constructor. */
function partsOf(parameters) {
  const [first, second, third, fourth = {}] = parameters
  if (typeof first === 'object' && parameters.length === 1) {
    const { seed, ...architecture } = plain('options', checkOptions('options', first))
    return new Parts(modelOf(architecture), seedOf(seed))
  }
  checkArguments('new NeuralNetwork', parameters.length, 3, 4)
  checkCount('inputCount', first)
  checkCount('hiddenCount', second)
  checkCount('outputCount', third)
  const { seed } = checkOptions('options', fourth, ['seed'])
  return new Parts(sigmoidModel([first, second, third]), seedOf(seed))
}

/** The error of a number that is infinite in the network's memory: where the caller's is not, it says so. */
function inSingle(error, { precision }, numbers) {
  if (precision === 'f64' || error.code !== 'ERR_MIKIR_OUT_OF_RANGE') return error
  for (const [name, given] of Object.entries(numbers)) {
    const isVector = typeof given !== 'number'
    const vector = isVector ? Array.from(given) : [given]
    const place = vector.findIndex((x) => !Number.isFinite(Math.fround(x)))
    if (place < 0) continue
    return Number.isFinite(vector[place])
      ? outOfRange(SINGLE, isVector ? `${name}[${place}]` : name, vector[place])
      : error
  }
  return error
}

function seedOf(seed) {
  return seed === undefined ? host.drawSeed() : checkSeed('options.seed', seed)
}

/** The names of a layer's vectors, in the order of the addon. */
function vectorsOf({ normalization }) {
  if (normalization === 'batch') return ['biases', 'gamma', 'beta', 'mean', 'variance']
  return normalization === 'layer' ? ['biases', 'gamma', 'beta'] : ['biases']
}

module.exports = { NeuralNetwork, networkOf, readers }
