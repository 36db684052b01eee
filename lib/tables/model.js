'use strict'

// What index.d.ts calls Classifier and Regressor: preparation, networks, and answers in the user's own words and units.

const { checkArguments, checkCount, checkOptions, checkSeed } = require('../check.js')
const {
  corruptFile,
  describe,
  invalidLength,
  invalidType,
  outOfRange,
  unknownOption
} = require('../errors.js')
const { load, objectOf, save } = require('../files.js')
const { NeuralNetwork, networkOf } = require('../network.js')
const host = require('../host.js')
const { fileOf } = require('../replies.js')
const { plain } = require('../options.js')
const { uncloneable } = require('../uncloneable.js')
const { average, train } = require('./ensemble.js')
const { moduleOf } = require('./module.js')
const { PARTS, encode, featuresOf, widthOf } = require('./preparation.js')
const reports = require('./report.js')
const { MISSING_WORDS, Table, USES, columnsOf, newTable, tableOfRows, toTable } = require('./table.js')
const targets = require('./target.js')

const VERSION = 1
const OPTIONS = ['hidden', 'precision', 'seed', 'ensemble']
/** A layer that is wide enough for what 20 inputs of each number say: see docs/tables.md. */
const HIDDEN = [128]
const ENSEMBLE = 8
const MOST = 256

/** What tells Classifier and Regressor apart: the format of their JSON, and how targets are learnt and read. */
const FORMAT = Symbol('format')
const GOALS = Symbol('goals')

/** What the others of this folder may do with a model. */
let access

/** What Classifier and Regressor share. */
class Model extends uncloneable(function* Model() {}) {
  #options
  /** What was learnt: undefined before the first fit. */
  #learnt

  constructor(options = {}) {
    super()
    if (new.target === Model) throw invalidType('a Classifier or a Regressor', 'new', Model)
    const {
      hidden = HIDDEN,
      precision = 'f32',
      seed,
      ensemble = ENSEMBLE
    } = checkOptions('options', options, OPTIONS)
    if (!Array.isArray(hidden)) throw invalidType('an array of layers', 'options.hidden', hidden)
    const rule = `an integer from 1 to ${MOST}`
    checkCount('options.ensemble', ensemble)
    if (ensemble > MOST) throw outOfRange(rule, 'options.ensemble', ensemble)
    this.#options = {
      hidden: plain('options.hidden', hidden),
      precision,
      seed: seed === undefined ? host.drawSeed() : checkSeed('options.seed', seed),
      ensemble
    }
    // With all the checks of a network's options, before there are data.
    new NeuralNetwork({ layers: [1, ...hidden, 1], precision })
  }

  async fit(data, options) {
    checkArguments('fit', arguments.length, 2)
    const { target, features, ...fit } = checkOptions('options', options)
    const whole = await toTable(data)
    const names = columnsOf(whole).map(({ name }) => name)
    const wanted = targetNames(target, names)
    const known = featureNames(features, names, wanted)
    const table = withTargets(whole, wanted)
    const rows = table.rowCount
    const goalColumns = columnsNamed(table, wanted)
    const goal = this.constructor[GOALS].of(goalColumns)
    const columns = columnsNamed(table, known)
    const learnt = featuresOf(columns)
    if (learnt.length === 0) {
      throw invalidLength('at least 1 column that says something about the target', 'data', 0)
    }
    const { seed, ensemble, hidden, precision } = this.#options
    const Numbers = precision === 'f64' ? Float64Array : Float32Array
    const set = {
      rows,
      inputs: encode(learnt, columns, rows, Numbers, 'data'),
      targets: goal.encode(goalColumns, rows, Numbers)
    }
    const network = {
      layers: [set.inputs.length / rows, ...hidden, { units: goal.units, activation: goal.activation }],
      loss: goal.loss,
      precision
    }
    const order = host.permutation(rows, seed, USES.ensemble)
    const { networks, history } = await train(network, set, order, ensemble, seed, fit)
    this.#learnt = { features: learnt, goal, networks }
    return history
  }

  predict(data) {
    checkArguments('predict', arguments.length, 1)
    return this.#answers(data, (goal, outputs) => goal.answers(outputs))
  }

  async evaluate(data) {
    checkArguments('evaluate', arguments.length, 1)
    return this.#report(await toTable(data, kindsOf(this.#fitted('evaluate'))))
  }

  async importance(data, options = {}) {
    checkArguments('importance', arguments.length, 1, 2)
    const { repeats = 5, seed = 0 } = checkOptions('options', options, ['repeats', 'seed'])
    checkCount('options.repeats', repeats)
    checkSeed('options.seed', seed)
    const learnt = this.#fitted('importance')
    const names = new Set(learnt.features.map(({ column }) => column))
    const table = await toTable(data, kindsOf(learnt))
    const best = scoreOf(this.#report(table))
    const found = Array.from(names, (feature, k) => {
      const losses = Array.from({ length: repeats }, (_, r) => {
        const order = host.permutation(table.rowCount, seed, USES.importance + k * repeats + r)
        const columns = columnsOf(table).map((column) =>
          column.name === feature ? column.select(order) : column
        )
        return best - scoreOf(this.#report(newTable(columns)))
      })
      const importance = losses.reduce((sum, loss) => sum + loss / repeats, 0)
      const variance = losses.reduce((sum, loss) => sum + (loss - importance) ** 2 / repeats, 0)
      return { feature, importance, deviation: Math.sqrt(variance) }
    })
    return found.sort((a, b) => b.importance - a.importance)
  }

  summary() {
    checkArguments('summary', arguments.length, 0)
    const { features, goal, networks } = this.#fitted('summary')
    const columns = new Map()
    for (const feature of features)
      columns.set(feature.column, (columns.get(feature.column) ?? 0) + widthOf(feature))
    const widths = Array.from(columns, ([name, width]) => `${name} (${width})`)
    const count = networks.length === 1 ? 'one network' : `the mean of ${networks.length} networks`
    return [
      `${this.constructor.name} of ${goal.columns.map((name) => `'${name}'`).join(', ')}: ${count}`,
      `Inputs of each column: ${widths.join(', ')}`,
      networks[0].summary()
    ].join('\n')
  }

  get network() {
    return this.#fitted('network').networks[0]
  }

  get networks() {
    return [...this.#fitted('networks').networks]
  }

  toJSON() {
    const { features, goal, networks } = this.#fitted('toJSON')
    return {
      format: this.constructor[FORMAT],
      version: VERSION,
      options: { ...this.#options },
      target: goal.toJSON(),
      features,
      networks: networks.map((network) => network.toJSON())
    }
  }

  toModule(options = {}) {
    checkArguments('toModule', arguments.length, 0, 1)
    const { format = 'esm' } = checkOptions('options', options, ['format'])
    if (format !== 'esm' && format !== 'cjs') throw invalidType("'esm' or 'cjs'", 'options.format', format)
    const { features, goal, networks } = this.#fitted('toModule')
    return moduleOf({ features, goal, networks, kind: this.constructor.name }, format)
  }

  toONNX() {
    checkArguments('toONNX', arguments.length, 0)
    const { features, goal, networks } = this.#fitted('toONNX')
    const description = { features, target: goal.toJSON(), missing: ['', ...MISSING_WORDS] }
    return fileOf(
      host.writeModel(JSON.stringify(description), ...networks.map((network) => network.toONNX()))
    )
  }

  async save(path) {
    checkArguments('save', arguments.length, 1)
    this.#fitted('save')
    await save(this, path, (name, _, wake) => host.saveFile(name, this.toONNX(), wake), { '.onnx': 'onnx' })
  }

  static fromJSON(json) {
    checkArguments('fromJSON', arguments.length, 1)
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked
    return access.read(this, json, 'json')
  }

  static async load(path) {
    checkArguments('load', arguments.length, 1)
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked
    return load(path, { '.json': (bytes, name) => access.read(this, bytes.toString('utf8'), name) })
  }

  static {
    access = {
      answers: (model, data, of) => model.#answers(data, of),
      goal: (model, name) => model.#fitted(name).goal,
      kinds: (model) => kindsOf(model.#fitted('predict')),
      read: (Kind, json, name) => {
        const { options, ...learnt } = readJSON(Kind, json, name)
        const model = modelOf(Kind, options, name)
        model.#learnt = learnt
        return model
      },
      seed: (model) => model.#options.seed,
      untrained: (model) => new model.constructor(model.#options)
    }
  }

  /** The mean outputs for a table, `[rows][units]`. */
  #outputs(table, source) {
    const { features, networks } = this.#fitted('predict')
    const Numbers = this.#options.precision === 'f64' ? Float64Array : Float32Array
    return average(networks, encode(features, columnsOf(table), table.rowCount, Numbers, source))
  }

  /** What `of` makes of the outputs: of a row, of rows, or, later, of data that are read first. */
  #answers(data, of) {
    const learnt = this.#fitted('predict')
    const { goal } = learnt
    const kinds = kindsOf(learnt)
    if (typeof data !== 'string' && (typeof data !== 'object' || data === null)) {
      throw invalidType('a row, rows, a Table or the path of a CSV file', 'data', data)
    }
    const answers = (table, source) => of(goal, this.#outputs(table, source))
    if (Array.isArray(data)) return data.length === 0 ? [] : answers(tableOfRows(data, 'rows', kinds), 'rows')
    const isRead =
      typeof data === 'string' ||
      data instanceof Table ||
      Symbol.iterator in data ||
      Symbol.asyncIterator in data
    if (!isRead) return answers(tableOfRows([data], 'row', kinds), 'row')[0]
    return toTable(data, kinds).then((table) => answers(table, 'data'))
  }

  #report(table) {
    const { goal } = this.#fitted('evaluate')
    const names = columnsOf(table).map(({ name }) => name)
    for (const name of goal.columns) {
      if (!names.includes(name)) {
        throw invalidType(`the column '${name}', which the model predicts,`, 'data', undefined)
      }
    }
    const some = withTargets(table, goal.columns)
    const exact = goal.encode(columnsNamed(some, goal.columns), some.rowCount, Float64Array)
    return goal.report(reports, this.#outputs(some, 'data'), exact)
  }

  #fitted(name) {
    if (this.#learnt === undefined) {
      throw invalidType('a model that was trained', name, undefined, 'call fit() first')
    }
    return this.#learnt
  }
}

class Classifier extends Model {
  static [FORMAT] = 'mikir-classifier'
  static [GOALS] = { of: targets.classesOf, read: targets.readClasses }

  probabilities(data) {
    checkArguments('probabilities', arguments.length, 1)
    return access.answers(this, data, (goal, outputs) => goal.probabilities(outputs))
  }

  get labels() {
    return [...access.goal(this, 'labels').labels]
  }
}

class Regressor extends Model {
  static [FORMAT] = 'mikir-regressor'
  static [GOALS] = { of: targets.numbersOf, read: targets.readNumbers }
}

/** Options of a model, and what it has learnt, of its JSON; `name` is what it is called in errors. */
function readJSON(Kind, json, name) {
  const { format, version, options, ...value } = objectOf(json, name)
  if (format !== Kind[FORMAT]) throw corruptFile(`the format '${Kind[FORMAT]}'`, name, describe(format))
  if (version !== VERSION) throw corruptFile(`version ${VERSION} of the format`, name, describe(version))
  const features = readFeatures(value.features, name)
  const goal = Kind[GOALS].read(value.target, name)
  if (!Array.isArray(value.networks) || value.networks.length === 0 || value.networks.length > MOST) {
    throw corruptFile('networks', name, describe(value.networks))
  }
  const networks = value.networks.map((network) => networkOf(network, name))
  const width = features.reduce((sum, feature) => sum + widthOf(feature), 0)
  if (!networks.every(({ inputCount, outputCount }) => inputCount === width && outputCount === goal.units)) {
    throw corruptFile(`networks of ${width} inputs and ${goal.units} outputs`, name, 'others')
  }
  return { options, features, goal, networks }
}

/** The rows of a table in which no target is missing. */
function withTargets(table, names) {
  const targets = columnsNamed(table, names)
  const rows = Array.from(Array(table.rowCount).keys())
  const some = rows.filter((row) => !targets.some((column) => column.isMissing(row)))
  if (some.length === 0) throw invalidLength('at least 1 row with a target', 'data', 0)
  if (some.length === rows.length) return table
  return newTable(columnsOf(table).map((column) => column.select(some)))
}

function columnsNamed(table, names) {
  return names.map((name) => columnsOf(table).find((column) => column.name === name))
}

/** Accuracy or R2: what is compared. */
function scoreOf(report) {
  return report.accuracy ?? report.r2 ?? -report.mse
}

/** The kinds of columns that a model knows: words stay words, whatever they look like, but true and false are recognized. */
function kindsOf({ features, goal }) {
  const learnt = features.filter(({ kind }) => kind === 'word')
  const columns = [...learnt.map(({ column, words }) => [column, words]), ...goal.words()]
  const isOfWords = ([, words]) => !words.every((word) => word === 'true' || word === 'false')
  return Object.fromEntries(columns.filter(isOfWords).map(([column]) => [column, 'category']))
}

/** A model of options that a file says. */
function modelOf(Kind, options, name) {
  try {
    return new Kind(options)
  } catch (error) {
    throw corruptFile('the options of a model', name, `others: ${error.message}`, error)
  }
}

function targetNames(target, names) {
  const wanted = Array.isArray(target) ? target : [target]
  if (wanted.length === 0) throw invalidLength('at least 1 column', 'options.target', 0)
  for (const name of wanted) {
    if (typeof name !== 'string') throw invalidType('the name of a column', 'options.target', name)
    if (!names.includes(name)) throw unknownOption(names, 'options.target', name)
  }
  return [...new Set(wanted)]
}

function featureNames(features, names, wanted) {
  if (features === undefined) return names.filter((name) => !wanted.includes(name))
  if (!Array.isArray(features)) throw invalidType('an array of column names', 'options.features', features)
  for (const [i, name] of features.entries()) {
    if (typeof name !== 'string') throw invalidType('the name of a column', `options.features[${i}]`, name)
    if (!names.includes(name)) throw unknownOption(names, 'options.features', name)
    if (wanted.includes(name)) throw invalidType('columns beside the target', 'options.features', name)
  }
  return [...new Set(features)]
}

function readFeatures(features, name) {
  const isNumber = (x) => typeof x === 'number' && Number.isFinite(x)
  const isWord = (word) => typeof word === 'string'
  const isRising = (bins) => bins.every((edge, k) => isNumber(edge) && (k === 0 || edge > bins[k - 1]))
  const fits = (feature) => {
    if (typeof feature !== 'object' || feature === null || typeof feature.column !== 'string') return false
    const { kind, part, bins, words } = feature
    if (kind === 'word')
      return (
        Array.isArray(words) &&
        words.length > 0 &&
        words.every(isWord) &&
        typeof feature.hasOther === 'boolean'
      )
    return (
      kind === 'number' &&
      (part === undefined || Object.hasOwn(PARTS, part)) &&
      Array.isArray(bins) &&
      bins.length !== 1 &&
      isRising(bins) &&
      isNumber(feature.median) &&
      isNumber(feature.mean) &&
      isNumber(feature.scale) &&
      typeof feature.hasGaps === 'boolean'
    )
  }
  if (!Array.isArray(features) || features.length === 0 || !features.every(fits)) {
    throw corruptFile('features of columns', name, describe(features))
  }
  return features
}

module.exports = {
  Classifier,
  Model,
  Regressor,
  /** The kinds of the columns whose words a model knows, for tables that it is to read. */
  kindsOfModel: (model) => access.kinds(model),
  formatOf: (Kind) => Kind[FORMAT],
  readModel: (Kind, json, name) => access.read(Kind, json, name),
  scoreOf,
  seedOf: (model) => access.seed(model),
  untrained: (model) => access.untrained(model)
}
