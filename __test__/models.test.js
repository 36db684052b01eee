'use strict'

// Classifier and Regressor: what they learn of tables, what they answer, their files and modules.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, describe, test } = require('node:test')
const { Classifier, Model, NeuralNetwork, Regressor, Table, crossValidate, load } = require('..')
const preparation = require('../lib/tables/preparation.js')
const { columnsOf } = require('../lib/tables/table.js')
const { randomOf } = require('./helpers.js')

const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-models-'))
after(() => rmSync(folder, { recursive: true }))

/** Quick, where it does not matter how good a model is. */
const QUICK = { epochs: 4 }
const SMALL = { ensemble: 2, hidden: [8], seed: 1 }

const COLOURS = ['red', 'green', 'blue']

/** A table of everything: gaps, rare words, a constant, numbers as text, dates, flags, names of rows. */
function mixed(count = 240, seed = 3) {
  const random = randomOf(seed)
  return Array.from({ length: count }, (_, i) => {
    const colour = COLOURS[Math.floor(random() * 3)]
    const size = 10 * random()
    const isOn = random() < 0.5
    const day = new Date(
      Date.UTC(2026, Math.floor(random() * 12), 1 + Math.floor(random() * 28), Math.floor(random() * 24))
    )
    const score = size + (isOn ? 4 : 0) + 5 * COLOURS.indexOf(colour) + (day.getUTCMonth() > 5 ? 3 : 0)
    return {
      name: `row ${i}`,
      same: 'x',
      size: random() < 0.1 ? null : String(size),
      colour: random() < 0.05 ? undefined : random() < 0.03 ? `rare ${i}` : colour,
      isOn,
      day: random() < 0.05 ? null : day,
      price: 17_000 + 100 * size,
      score,
      double: 2 * score,
      label: score < 8 ? 'low' : score < 14 ? 'middle' : 'high',
      isHigh: score > 11 ? 'yes' : 'no',
      isOdd: Math.floor(score) % 2 === 1
    }
  })
}

const ANSWERS = ['score', 'double', 'label', 'isHigh', 'isOdd']
const featuresOf = (rows) => Object.keys(rows[0]).filter((name) => !ANSWERS.includes(name))

/** A frozen copy, so that whoever changes it fails. */
const frozen = (rows) => Object.freeze(rows.map((row) => Object.freeze({ ...row })))

describe('a Classifier', () => {
  test('learns iris from a file and answers in its words', async () => {
    const table = await Table.readCSV(path.join(__dirname, 'data/iris.csv'))
    const target = table.columns.at(-1).name
    const [train, held] = table.split({ stratify: target, seed: 1 })
    const model = new Classifier({ seed: 1 })
    const history = await model.fit(train, { target })
    assert.equal(history.loss.length, history.epochs)
    assert.equal(history.stoppedBy, 'epochs')
    const report = await model.evaluate(held)
    assert.ok(report.accuracy >= 0.9, `${report.accuracy}`)
    assert.ok(report.logLoss < 0.35 && report.rocAuc > 0.97)
    const rows = Array.from(held.rows())
    const answers = model.predict(rows)
    assert.deepEqual(await model.predict(held), answers)
    const right = rows.filter((row, i) => String(row[target]) === answers[i]).length
    assert.equal(right / rows.length, report.accuracy)
    for (const [i, probabilities] of model.probabilities(rows).entries()) {
      assert.deepEqual(Object.keys(probabilities), model.labels)
      const sum = Object.values(probabilities).reduce((sum, p) => sum + p, 0)
      assert.ok(Math.abs(sum - 1) < 1e-6)
      const [best] = Object.entries(probabilities).sort((a, b) => b[1] - a[1])[0]
      assert.equal(best, answers[i])
    }
  })

  test('reports what a plain count of its answers gives', async () => {
    const rows = mixed()
    const model = new Classifier(SMALL)
    await model.fit(rows, { target: 'label', features: featuresOf(rows), ...QUICK })
    const report = await model.evaluate(rows)
    const answers = model.predict(rows)
    const chances = model.probabilities(rows)
    const count = (is) => rows.filter((row, i) => is(row.label, answers[i])).length
    assert.deepEqual(report.labels, ['high', 'low', 'middle'])
    assert.deepEqual(
      report.confusionMatrix,
      report.labels.map((a) =>
        report.labels.map((p) => count((actual, predicted) => actual === a && predicted === p))
      )
    )
    assert.equal(report.accuracy, count((a, p) => a === p) / rows.length)
    const logLoss = rows.reduce((sum, { label }, i) => sum - Math.log(chances[i][label]) / rows.length, 0)
    assert.ok(Math.abs(report.logLoss - logLoss) < 1e-6 * logLoss)
    const shares = report.labels.map((label) => {
      const hits = count((a, p) => a === label && p === label)
      return [hits / (count((_, p) => p === label) || 1), hits / count((a) => a === label)]
    })
    const mean = (values) => values.reduce((sum, x) => sum + x / values.length, 0)
    assert.ok(Math.abs(report.precision - mean(shares.map(([precision]) => precision))) < 1e-12)
    assert.ok(Math.abs(report.recall - mean(shares.map(([, recall]) => recall))) < 1e-12)
    const text = String(report)
    assert.match(text, /^ +precision +recall +F1 +rows\nhigh /)
    assert.match(text, /\naccuracy 0\.\d{4}, ROC AUC 0\.\d{4}, log loss \d\.\d{4} \(240 rows\)\n/)
    assert.match(text, /\nactual \\ predicted +high +low +middle\n/)
  })

  test('of several targets answers by name', async () => {
    const rows = mixed()
    const model = new Classifier({ seed: 1, ensemble: 3 })
    await model.fit(rows, { target: ['isHigh', 'isOdd'], features: featuresOf(rows) })
    const answers = model.predict(rows)
    assert.deepEqual(Object.keys(answers[0]), ['isHigh', 'isOdd'])
    const right = rows.filter(({ isHigh }, i) => answers[i].isHigh === isHigh).length / rows.length
    assert.ok(right > 0.85, `${right}`)
    const chances = model.probabilities(rows[0])
    assert.equal(answers[0].isHigh, chances.isHigh >= 0.5 ? 'yes' : 'no')
    assert.equal(answers[0].isOdd, chances.isOdd >= 0.5 ? 'true' : 'false')
    const report = await model.evaluate(rows)
    assert.deepEqual(report.labels, ['isHigh', 'isOdd'])
    assert.ok(report.logLoss > 0)
  })
})

describe('a Regressor', () => {
  test('answers in the units of its target', async () => {
    const rows = mixed(400)
    const model = new Regressor({ seed: 2 })
    await model.fit(rows.slice(0, 300), { target: 'score', features: featuresOf(rows) })
    const report = await model.evaluate(rows.slice(300))
    assert.ok(report.r2 > 0.8, `${report.r2}`)
    const answers = model.predict(rows.slice(300))
    const mae = answers.reduce((sum, x, i) => sum + Math.abs(x - rows[300 + i].score) / answers.length, 0)
    assert.ok(Math.abs(report.mae - mae) < 1e-9)
    assert.match(
      String(report),
      /^R2 0\.\d{4}, mean absolute error \d\.\d{4}, mean squared error \d\.\d{4} \(100 rows\)$/
    )
  })

  test('of several targets answers by name', async () => {
    const rows = mixed(300)
    const model = new Regressor({ seed: 2, ensemble: 3 })
    await model.fit(rows, { target: ['score', 'double'], features: featuresOf(rows) })
    const { score, double } = model.predict(rows[0])
    assert.ok(Math.abs(double - 2 * score) < 3, `${score}, ${double}`)
    assert.ok((await model.evaluate(rows)).r2 > 0.8)
  })

  test('takes inputs around 17,000 and targets of 3 to 6', async () => {
    const random = randomOf(5)
    const rows = Array.from({ length: 500 }, () => {
      const price = 16_000 + 2000 * random()
      return { price, target: 3 + (3 * (price - 16_000)) / 2000 }
    })
    const model = new Regressor({ seed: 1 })
    await model.fit(rows, { target: 'target' })
    assert.ok((await model.evaluate(rows)).r2 > 0.99)
  })
})

describe('a model of a mixed table', () => {
  const rows = mixed()
  const options = { features: featuresOf(rows), ...QUICK }
  /** Cells that training has not seen. */
  const strangers = [
    { ...rows[0], colour: 'violet', size: -1e9 },
    { ...rows[1], colour: null, size: null, day: null, isOn: null },
    { ...rows[2], size: '1e300', colour: ' red ', day: '2031-05-05T05:05:05Z' },
    { ...rows[3], size: Number.NaN, isOn: 'TRUE', day: '1999-01-01' }
  ]
  const all = [...rows, ...strangers]
  const trained = (async () => {
    const models = [
      new Classifier(SMALL),
      new Classifier(SMALL),
      new Regressor(SMALL),
      new Regressor({ ...SMALL, precision: 'f64' })
    ]
    const targets = ['label', ['isHigh', 'isOdd'], 'score', ['score', 'double']]
    for (const [k, model] of models.entries()) await model.fit(rows, { target: targets[k], ...options })
    return models
  })()

  test('leaves out what says nothing', async () => {
    const [model] = await trained
    const [, inputs] = model.summary().split('\n')
    assert.match(
      inputs,
      /^Inputs of each column: size \(2\d\), colour \(4\), isOn \(1\), day \(\d+\), price \(21\)$/
    )
  })

  test('never answers with NaN', async () => {
    for (const model of await trained) {
      for (const answer of model.predict(all)) {
        for (const part of typeof answer === 'object' ? Object.values(answer) : [answer]) {
          assert.ok(typeof part === 'string' || Number.isFinite(part))
        }
      }
    }
  })

  test('answers the same from JSON and from a file', async () => {
    for (const [k, model] of (await trained).entries()) {
      const expected = model.predict(all)
      const again = model.constructor.fromJSON(JSON.stringify(model))
      assert.deepEqual(again.predict(all), expected)
      assert.deepEqual(JSON.stringify(again), JSON.stringify(model))
      const file = path.join(folder, `${k}.json`)
      await model.save(file)
      const loaded = await load(file)
      assert.equal(loaded.constructor, model.constructor)
      assert.deepEqual(loaded.predict(all), expected)
      assert.deepEqual((await model.constructor.load(file)).predict(all), expected)
    }
  })

  test('answers the same as a module in a bare process', async () => {
    const data = path.join(folder, 'rows.json')
    // Of what JSON leaves out.
    writeFileSync(
      data,
      JSON.stringify(all, (_, value) => (value === undefined ? null : value))
    )
    for (const [k, model] of (await trained).entries()) {
      for (const ending of ['.cjs', '.mjs']) {
        const file = path.join(folder, `model-${k}${ending}`)
        await model.save(file)
        const program = `import(${JSON.stringify(file)}).then(({ predict }) => {
          const rows = JSON.parse(require('fs').readFileSync(${JSON.stringify(data)}, 'utf8'))
          console.log(JSON.stringify(rows.map((row) => predict(row))))
        })`
        const flags = ['--disallow-code-generation-from-strings', '-e', program]
        const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
        assert.equal(stderr, '')
        const found = JSON.parse(stdout)
        for (const [i, answer] of model.predict(all).entries()) same(found[i], answer)
      }
    }
  })

  test('is one graph of ONNX, which is no network', async () => {
    for (const [k, model] of (await trained).entries()) {
      const bytes = model.toONNX()
      assert.deepEqual(model.toONNX(), bytes)
      const file = path.join(folder, `model-${k}.onnx`)
      await model.save(file)
      assert.deepEqual(readFileSync(file), bytes)
      // What ONNX Runtime answers: scripts/goldens/models_check.py
      for (const name of ['size', 'colour', 'isOn', 'day', 'price']) assert.ok(bytes.includes(name))
      assert.throws(() => NeuralNetwork.fromONNX(bytes), {
        code: 'ERR_MIKIR_CORRUPT_FILE',
        message: 'Expected a graph of one input for bytes but received another count'
      })
    }
  })

  function same(found, expected) {
    if (typeof expected === 'number') {
      assert.ok(Math.abs(found - expected) <= 1e-4 * (1 + Math.abs(expected)), `${found}, not ${expected}`)
    } else if (typeof expected === 'string') assert.equal(found, expected)
    else for (const key of Object.keys(expected)) same(found[key], expected[key])
  }

  test('refuses rows that it cannot answer', async () => {
    const [model] = await trained
    const { colour, ...rest } = rows[0]
    assert.throws(() => model.predict(rest), {
      code: 'ERR_MIKIR_INVALID_TYPE',
      message:
        /^Expected the column 'colour', which the model has learnt from, for row but received undefined: there are 'name', /
    })
    assert.throws(() => model.predict([rows[0], { ...rows[0], size: 'large' }]), {
      code: 'ERR_MIKIR_CORRUPT_FILE',
      message: "Expected numbers in column 'size', as in training, for rows but received 'large'"
    })
    assert.deepEqual(model.predict([]), [])
    assert.throws(() => model.predict(5), { code: 'ERR_MIKIR_INVALID_TYPE' })
  })

  test('is no structured clone: its JSON is', async () => {
    const [model] = await trained
    for (const object of [model, await Table.from(rows)]) {
      assert.throws(() => structuredClone(object), { name: 'DataCloneError' })
    }
    const { predict } = Classifier.fromJSON(structuredClone(model.toJSON()))
    assert.equal(typeof predict, 'function')
  })

  test('refuses JSON that is none of it', async () => {
    const [model, , regressor] = await trained
    const text = JSON.stringify(model)
    const changed = (change) => {
      const json = JSON.parse(text)
      change(json)
      return json
    }
    assert.throws(() => Classifier.fromJSON(regressor.toJSON()), {
      code: 'ERR_MIKIR_CORRUPT_FILE',
      message: "Expected the format 'mikir-classifier' for json but received 'mikir-regressor'"
    })
    for (const change of [
      (json) => {
        json.version = 2
      },
      (json) => {
        json.features = []
      },
      (json) => {
        json.features[0].bins = [1, 1]
      },
      (json) => {
        json.features[0].scale = null
      },
      (json) => {
        json.features[1].words.pop()
      },
      (json) => {
        json.target.labels = ['one']
      },
      (json) => {
        json.target = null
      },
      (json) => {
        json.networks = []
      },
      (json) => {
        json.networks[0] = {}
      },
      (json) => {
        json.networks[0].layers.pop()
      },
      (json) => {
        json.options = { ensemble: 0 }
      }
    ]) {
      assert.throws(() => Classifier.fromJSON(changed(change)), {
        code: /^ERR_MIKIR_(?:CORRUPT_FILE|OUT_OF_RANGE|INVALID_LENGTH|INVALID_TYPE)$/
      })
    }
    for (let length = 0; length < 200; length++) {
      assert.throws(() => Classifier.fromJSON(text.slice(0, length)), { code: 'ERR_MIKIR_CORRUPT_FILE' })
    }
  })
})

describe('training a model', () => {
  const rows = frozen(mixed(120))
  const options = { target: 'label', features: featuresOf(rows), ...QUICK }

  test('gives equal bits for equal seeds, on any number of threads, and leaves the data alone', async () => {
    const texts = new Set()
    for (const threads of [1, 2, 5]) {
      const model = new Classifier({ ...SMALL, ensemble: 4 })
      await model.fit(rows, { ...options, threads })
      texts.add(JSON.stringify(model))
    }
    assert.equal(texts.size, 1)
    const other = new Classifier({ ...SMALL, ensemble: 4, seed: 2 })
    await other.fit(rows, options)
    assert.ok(!texts.has(JSON.stringify(other)))
  })

  test('tells of the epochs of all networks, and stops at will', async () => {
    const reports = []
    const model = new Classifier({ ...SMALL, ensemble: 3 })
    await model.fit(rows, { ...options, onEpoch: (report) => void reports.push(report) })
    assert.deepEqual(
      reports.map(({ epoch, epochs }) => [epoch, epochs]),
      Array.from({ length: 12 }, (_, i) => [i + 1, 12])
    )
    const history = await model.fit(rows, {
      ...options,
      epochs: 1e5,
      onEpoch: ({ epoch }) => epoch < 2,
      threads: 1
    })
    assert.equal(history.stoppedBy, 'callback')
    assert.equal(model.networks.length, 1)
  })

  test('that is aborted leaves the model as it was', async () => {
    const model = new Classifier(SMALL)
    await model.fit(rows, options)
    const before = JSON.stringify(model)
    const controller = new AbortController()
    const fit = model.fit(rows, { ...options, epochs: 1e6, signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await assert.rejects(fit, { name: 'AbortError' })
    assert.equal(JSON.stringify(model), before)
  })

  test('takes few rows, duplicates and contradictions', async () => {
    for (const few of [
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' }
      ],
      Array(50)
        .fill({ a: 1, c: 2, b: 'x' })
        .concat(Array(50).fill({ a: 2, c: 1, b: 'y' })),
      Array.from({ length: 60 }, (_, i) => ({ a: i % 2, b: i % 3 === 0 ? 'x' : 'y' }))
    ]) {
      const model = new Classifier(SMALL)
      await model.fit(few, { target: 'b' })
      const { x, y } = model.probabilities(few[0])
      assert.ok(Math.abs(x + y - 1) < 1e-6)
    }
  })

  test('takes numbers of every size', async () => {
    const rows = Array.from({ length: 80 }, (_, i) => ({
      tiny: i * 1e-300,
      tiniest: i * 1e-311,
      huge: (i % 2 ? -1 : 1) * 1.7e308,
      near: 1e15 + (i % 3),
      kind: i % 2 ? 'odd' : 'even'
    }))
    const model = new Classifier(SMALL)
    await model.fit(rows, { target: 'kind', epochs: 20 })
    assert.ok((await model.evaluate(rows)).accuracy > 0.9)
    assert.deepEqual(Classifier.fromJSON(JSON.stringify(model)).predict(rows), model.predict(rows))
    for (const tiny of [0, 1.7e308, -1.7e308, 5e-324]) {
      const { odd, even } = model.probabilities({ tiny, tiniest: tiny, huge: tiny, near: -tiny })
      assert.ok(Math.abs(odd + even - 1) < 1e-6)
    }
  })

  test('refuses what cannot be learnt', async () => {
    const model = new Classifier(SMALL)
    const cases = [
      [
        [
          { a: 1, b: 'x' },
          { a: 2, b: 'x' }
        ],
        { target: 'b' },
        'ERR_MIKIR_INVALID_TYPE',
        "Expected at least 2 labels in column 'b' for options.target but received 'x': there is nothing to tell apart"
      ],
      [
        rows,
        { target: 'lable' },
        'ERR_MIKIR_UNKNOWN_OPTION',
        /^Expected only 'name', .* for options\.target but received 'lable'$/
      ],
      [
        rows,
        {},
        'ERR_MIKIR_INVALID_TYPE',
        'Expected the name of a column for options.target but received undefined'
      ],
      [
        rows,
        { target: 'label', features: ['size', 'label'] },
        'ERR_MIKIR_INVALID_TYPE',
        "Expected columns beside the target for options.features but received 'label'"
      ],
      [
        rows,
        { target: 'label', features: ['same'] },
        'ERR_MIKIR_INVALID_LENGTH',
        'Expected at least 1 column that says something about the target for data but received 0'
      ],
      [
        rows,
        { target: ['label', 'isHigh'] },
        'ERR_MIKIR_INVALID_LENGTH',
        "Expected 2 labels in column 'label', one of several targets, for options.target but received 3"
      ],
      [
        [{ a: 1, b: null }],
        { target: 'b' },
        'ERR_MIKIR_INVALID_LENGTH',
        'Expected at least 1 row with a target for data but received 0'
      ],
      [
        rows,
        { ...options, checkpoint: { path: 'a' } },
        'ERR_MIKIR_INVALID_COMBINATION',
        'Expected no checkpoint for a model of 2 networks but received an object: use the option ensemble: 1'
      ],
      [rows, { ...options, epoch: 3 }, 'ERR_MIKIR_UNKNOWN_OPTION', /did you mean 'epochs'\?$/],
      [
        5,
        options,
        'ERR_MIKIR_INVALID_TYPE',
        'Expected a Table, rows or the path of a CSV file for data but received 5'
      ],
      [
        rows,
        { ...options, threads: 0 },
        'ERR_MIKIR_OUT_OF_RANGE',
        /^Expected an integer from 1 to \d+ for options\.threads but received 0$/
      ],
      [
        rows,
        { ...options, threads: 257 },
        'ERR_MIKIR_OUT_OF_RANGE',
        'Expected an integer from 1 to 256 for options.threads but received 257'
      ],
      [
        rows,
        { ...options, timeout: -1 },
        'ERR_MIKIR_OUT_OF_RANGE',
        'Expected a number above 0 for options.timeout but received -1'
      ],
      [
        rows,
        { ...options, onEpoch: 5 },
        'ERR_MIKIR_INVALID_TYPE',
        'Expected a function for options.onEpoch but received 5'
      ],
      [
        rows,
        { ...options, signal: {} },
        'ERR_MIKIR_INVALID_TYPE',
        'Expected an AbortSignal for options.signal but received an object'
      ],
      [
        rows,
        { ...options, validation: {} },
        'ERR_MIKIR_INVALID_TYPE',
        'Expected a share of the rows for options.validation but received an object'
      ],
      [
        rows,
        { ...options, epochs: 0 },
        'ERR_MIKIR_OUT_OF_RANGE',
        'Expected an integer of at least 1 for options.epochs but received 0'
      ]
    ]
    for (const [data, options, code, message] of cases)
      await assert.rejects(model.fit(data, options), { code, message })
    await assert.rejects(new Regressor(SMALL).fit(rows, { target: 'label' }), {
      code: 'ERR_MIKIR_INVALID_TYPE',
      message:
        /^Expected numbers in column 'label' for options\.target but received '\w+': a Classifier predicts words$/
    })
    assert.throws(() => model.predict(rows[0]), {
      code: 'ERR_MIKIR_INVALID_TYPE',
      message: 'Expected a model that was trained for predict but received undefined: call fit() first'
    })
    assert.throws(() => new Model(), { code: 'ERR_MIKIR_INVALID_TYPE' })
    assert.throws(() => new Classifier({ ensemble: 257 }), { code: 'ERR_MIKIR_OUT_OF_RANGE' })
    assert.throws(() => new Classifier({ hidden: [{ units: 3, activation: 'relo' }] }), {
      message: /did you mean 'relu'\?$/
    })
  })
})

describe('the preparation of columns', () => {
  const table = Table.fromCSV(
    `n,word,pair\n${Array.from({ length: 41 }, (_, i) => `${i === 40 ? '' : i},${i < 20 ? 'a' : i < 39 ? 'b' : 'rare'},${i % 2 ? 'x' : 'y'}`).join('\n')}`
  )

  test('is what docs/tables.md says', () => {
    const columns = columnsOf(table)
    const features = preparation.featuresOf(columns)
    const inputs = preparation.encode(features, columns, 41, Float64Array, 'the table')
    // n: z, whether it is missing, 20 intervals; word: a, b; pair: one. A word of one row is rare, and there is one.
    const width = 22 + 3 + 1
    assert.equal(inputs.length, 41 * width)
    const numbers = Array.from({ length: 40 }, (_, i) => i)
    const [mean, deviation] = [19.5, Math.sqrt(numbers.reduce((sum, i) => sum + (i - 19.5) ** 2, 0) / 40)]
    // The quantiles of 0 to 39 are equally far apart.
    const edge = (k) => (39 * k) / 20
    for (let row = 0; row < 41; row++) {
      const x = row === 40 ? 19.5 : row
      const z = (x - mean) / deviation
      const expected = [z / Math.sqrt(1 + (z / 5) ** 2), row === 40 ? 1 : 0]
      for (let k = 1; k <= 20; k++) {
        const share = (x - edge(k - 1)) / (edge(k) - edge(k - 1))
        expected.push((share < 0 ? 0 : share > 1 ? 1 : share) - 0.5)
      }
      expected.push(row < 20 ? 1 : 0, row >= 20 && row < 39 ? 1 : 0, row >= 39 ? 1 : 0, row % 2 ? 1 : -1)
      for (const [k, x] of expected.entries()) {
        assert.ok(Math.abs(inputs[row * width + k] - x) < 1e-12, `row ${row}, input ${k}`)
      }
    }
  })

  test('is of 8 networks, whose mean answers, each with rows of its own for validation', async () => {
    const model = new Classifier({ hidden: [4], seed: 3, precision: 'f64' })
    const { validationLoss } = await model.fit(table, { target: 'pair', ...QUICK })
    assert.equal(validationLoss.length, 4)
    assert.equal(model.networks.length, 8)
    const columns = columnsOf(table)
    const features = preparation.featuresOf(columns.filter(({ name }) => name !== 'pair'))
    const inputs = preparation.encode(features, columns, 41, Float64Array, 'the table')
    const outputs = model.networks.map((network) => network.predictBatch(inputs))
    for (const [row, chances] of model.probabilities(Array.from(table.rows())).entries()) {
      for (const [k, p] of Object.values(chances).entries()) {
        const mean = outputs.reduce((sum, each) => sum + each[row * 2 + k] / 8, 0)
        assert.ok(Math.abs(mean - p) < 1e-12)
      }
    }
    const few = await model.fit(Array.from(table.rows()).slice(0, 39), { target: 'pair', ...QUICK })
    assert.equal(few.validationLoss, undefined)
  })

  test('reads the same words wherever they come from', async () => {
    const lines = Array.from({ length: 80 }, (_, i) => (i % 2 ? 'True,007,odd' : 'FALSE,x9,even'))
    const file = path.join(folder, 'words.csv')
    writeFileSync(file, `flag,zip,kind\n${lines.join('\n')}\n`)
    // All zips look like numbers, and the flags are written in another way.
    const other = path.join(folder, 'others.csv')
    writeFileSync(other, 'flag,zip,kind\ntrue,007,odd\nTRUE,007,odd\n')
    for (const features of [['flag'], ['zip']]) {
      const model = new Classifier({ seed: 1, ensemble: 2, hidden: [8] })
      await model.fit(file, { target: 'kind', features, epochs: 30 })
      assert.equal((await model.evaluate(file)).accuracy, 1)
      assert.deepEqual(
        await model.predict(file),
        lines.map((line) => line.split(',')[2])
      )
      assert.deepEqual(await model.predict(other), ['odd', 'odd'])
      const { odd } = model.probabilities({ flag: true, zip: '007' })
      assert.ok(Math.abs((await model.evaluate(other)).logLoss + Math.log(odd)) < 1e-6)
      const module = path.join(folder, `${features}.cjs`)
      await model.save(module)
      assert.equal(require(module).predict({ flag: 'TRUE', zip: '007' }), 'odd')
    }
  })
})

describe('what models are asked besides', () => {
  test('cross-validation tests every row once, by a model that has not seen it', async () => {
    const rows = mixed(103)
    const model = new Classifier(SMALL)
    const options = { target: 'label', features: featuresOf(rows), ...QUICK }
    const validation = await crossValidate(model, frozen(rows), { ...options, folds: 4 })
    assert.equal(validation.folds.length, 4)
    const counts = validation.folds.map(({ rows }) => rows)
    assert.deepEqual(counts.sort(), [25, 26, 26, 26])
    // Of each label about as many in every fold.
    for (const label of [0, 1, 2]) {
      const of = validation.folds.map(({ confusionMatrix }) =>
        confusionMatrix[label].reduce((sum, count) => sum + count, 0)
      )
      assert.ok(Math.max(...of) - Math.min(...of) <= 1, `${of}`)
    }
    const mean = validation.scores.reduce((sum, score) => sum + score / 4, 0)
    assert.ok(Math.abs(validation.mean - mean) < 1e-12)
    const again = await crossValidate(model, rows, { ...options, folds: 4 })
    assert.deepEqual(again.scores, validation.scores)
    assert.throws(() => model.predict(rows[0]), { message: /call fit\(\) first$/ })
    await assert.rejects(crossValidate(new NeuralNetwork(1, 1, 1), rows, options), {
      code: 'ERR_MIKIR_INVALID_TYPE'
    })
    await assert.rejects(crossValidate(model, rows.slice(0, 3), options), {
      message: 'Expected at least 5 rows, one for each fold, for data but received 3'
    })
  })

  test('cross-validation shows what was learnt by heart', async () => {
    const random = randomOf(9)
    const rows = Array.from({ length: 120 }, () => ({
      a: random(),
      b: random(),
      kind: random() < 0.5 ? 'x' : 'y'
    }))
    const model = new Classifier({ seed: 1, ensemble: 2, hidden: [64] })
    // Without validation, whose best epoch is an early one.
    const options = { target: 'kind', epochs: 300, earlyStopping: undefined, learningRate: 0.01 }
    const { mean } = await crossValidate(model, rows, options)
    assert.ok(mean < 0.65, `${mean}`)
    await model.fit(rows, options)
    const { accuracy } = await model.evaluate(rows)
    assert.ok(accuracy > mean + 0.15, `${accuracy}, ${mean}`)
  })

  test('importance finds what matters', async () => {
    const random = randomOf(1)
    const rows = Array.from({ length: 300 }, () => {
      const [a, b, noise] = [random(), random(), random()]
      return { noise, b, a, y: 10 * a + b }
    })
    const model = new Regressor({ seed: 1, ensemble: 2 })
    await model.fit(rows, { target: 'y' })
    const found = await model.importance(rows, { repeats: 3 })
    assert.deepEqual(
      found.map(({ feature }) => feature),
      ['a', 'b', 'noise']
    )
    assert.ok(found[0].importance > 1 && Math.abs(found[2].importance) < 0.01)
    assert.deepEqual(await model.importance(rows, { repeats: 3 }), found)
  })
})
