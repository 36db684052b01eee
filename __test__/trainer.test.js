'use strict'

// `network.trainer()`: steps and fits that go on where the last one ended.

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, describe, test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { NeuralNetwork } = require('../index.js')
const {
  ARGUMENTS,
  BUSY,
  COMBINATION,
  CORRUPT_FILE,
  DIVERGED,
  FILE,
  LENGTH,
  OPTION,
  RANGE,
  TYPE,
  randomOf,
  refuses,
  rejects
} = require('./helpers.js')

const folder = mkdtempSync(path.join(tmpdir(), 'mikir-trainer-'))
after(() => rmSync(folder, { recursive: true }))

const XOR = {
  inputs: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1]
  ],
  targets: [[0], [1], [1], [0]]
}

const small = (options = {}) => new NeuralNetwork({ layers: [2, 6, 1], loss: 'mse', seed: 5, ...options })

/** Rows of numbers from -1 to 1, and targets that the loss takes. */
function rows(count, [inputCount, outputCount], isOneHot, seed = 1) {
  const random = randomOf(seed)
  const row = (width) => Array.from({ length: width }, () => random() * 2 - 1)
  const oneHot = () => {
    const row = Array(outputCount).fill(0)
    row[Math.floor(random() * outputCount)] = 1
    return row
  }
  return {
    inputs: Array.from({ length: count }, () => row(inputCount)),
    targets: Array.from({ length: count }, () => (isOneHot ? oneHot() : row(outputCount)))
  }
}

/** The numbers of a network. */
const numbersOf = (network) => network.getWeights().flatMap((layer) => Object.values(layer).flat(2))

describe('a step', () => {
  const networks = {
    'a tiny network': { layers: [2, 2, 1], loss: 'mse' },
    'a narrow network': { layers: [4, 16, 3], loss: 'crossEntropy' },
    'a wide network': { layers: [20, 70, 3], loss: 'crossEntropy', precision: 'f32' },
    'a network with extras': {
      layers: [
        9,
        { units: 30, dropout: 0.3, normalization: 'batch', l2: 1e-3 },
        { units: 20, dropout: 0.2 },
        5
      ]
    }
  }
  const courses = [
    { optimizer: 'sgd', learningRate: 0.05 },
    { optimizer: 'adam', schedule: { type: 'cosine', warmup: 3 } },
    { optimizer: 'nadam', clipNorm: 0.5 },
    { optimizer: 'momentum', schedule: { type: 'plateau', factor: 0.5, patience: 1 } },
    { optimizer: { type: 'lbfgs', maxIterations: 3 } }
  ]
  for (const [name, options] of Object.entries(networks)) {
    test(`of ${name} is an epoch of one batch, to the bit`, () => {
      for (const course of courses) {
        const all = { ...course, epochs: 12 }
        const { layers, loss } = options
        const { inputs, targets } = rows(23, [layers[0], layers.at(-1)], loss === 'crossEntropy')
        const [one, other] = [
          new NeuralNetwork({ ...options, seed: 3 }),
          new NeuralNetwork({ ...options, seed: 3 })
        ]
        const trainer = one.trainer(all)
        const history = other.fitSync(inputs, targets, { ...all, batchSize: 'full', shuffle: false })
        // L-BFGS may find a minimum.
        const losses = Array.from(history.loss, () => trainer.step(inputs, targets))
        assert.deepEqual(losses, [...history.loss], JSON.stringify(course))
        assert.deepEqual(numbersOf(one), numbersOf(other), JSON.stringify(course))
        assert.equal(trainer.steps, history.epochs)
      }
    })
  }

  test('takes rows in every form, with the same result', () => {
    const { inputs, targets } = rows(5, [2, 1])
    const forms = [
      [inputs, targets],
      [Float64Array.from(inputs.flat()), Float64Array.from(targets.flat())],
      [inputs.map((row) => Float64Array.from(row)), targets.flat().map((t) => Float64Array.of(t))],
      [inputs, Float64Array.from(targets.flat())]
    ]
    const results = forms.map((form) => {
      const network = small()
      const trainer = network.trainer()
      return [trainer.step(...form), trainer.step(...form), numbersOf(network)]
    })
    for (const result of results) assert.deepEqual(result, results[0])
  })

  test('takes batches of other sizes than the one before', () => {
    const network = small()
    const trainer = network.trainer({ optimizer: 'sgd', learningRate: 0.1 })
    const other = small()
    for (const count of [3, 1, 40, 2, 1500, 7]) {
      const { inputs, targets } = rows(count, [2, 1], false, count)
      const loss = trainer.step(inputs, targets)
      const history = other.fitSync(inputs, targets, {
        ...{ optimizer: 'sgd', learningRate: 0.1, epochs: 1 },
        ...{ batchSize: 'full', shuffle: false }
      })
      assert.equal(loss, history.loss[0])
    }
    assert.deepEqual(numbersOf(network), numbersOf(other))
  })

  test('of new rows learns from those, not from the first ones', () => {
    const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
    const trainer = network.trainer({ optimizer: 'sgd', learningRate: 0.5 })
    for (let i = 0; i < 3000; i++) {
      const k = i % 4
      trainer.step([XOR.inputs[k]], [[k === 3 ? 1 : 0]])
    }
    const outputs = network.predictBatch(XOR.inputs).map(([y]) => y)
    assert.ok(outputs[3] > 0.8 && Math.max(...outputs.slice(0, 3)) < 0.2, String(outputs))
  })

  test('shows in every answer of the network at once', () => {
    const network = small()
    const trainer = network.trainer({ learningRate: 0.1 })
    const looks = [
      () => network.predict([0, 1]),
      () => network.predictBatch([[0, 1]]),
      () => network.evaluate(XOR.inputs, XOR.targets).loss,
      () => network.getWeights()[1].biases,
      () => network.clone().predict([0, 1])
    ]
    for (const look of looks) {
      const before = look()
      trainer.step(XOR.inputs, XOR.targets)
      assert.notDeepEqual(look(), before)
    }
  })

  test('goes on from weights that were changed meanwhile', () => {
    const loss = (network) => network.evaluate(XOR.inputs, XOR.targets).loss
    const network = small()
    const trainer = network.trainer()
    trainer.step(XOR.inputs, XOR.targets)
    const changes = [
      () => network.setWeights(small({ seed: 9 }).getWeights()),
      () => network.train([0, 1], [1]),
      () => network.fitSync(XOR.inputs, XOR.targets, { epochs: 2 }),
      () => network.trainer().step(XOR.inputs, XOR.targets),
      () => network.trainer().fitSync(XOR.inputs, XOR.targets, { epochs: 2 })
    ]
    for (const change of changes) {
      trainer.step(XOR.inputs, XOR.targets)
      change()
      const now = loss(network)
      assert.equal(trainer.step(XOR.inputs, XOR.targets), now, String(change))
    }
  })

  test('weighs its rows, by the sum of the absolute weights', () => {
    const gradientOf = (weights) => {
      const network = small()
      const before = numbersOf(network)
      network
        .trainer({ optimizer: 'sgd', learningRate: 1 })
        .step(XOR.inputs, XOR.targets, { sampleWeights: weights })
      return numbersOf(network).map((x, i) => before[i] - x)
    }
    const each = [0, 1, 2, 3].map((k) => gradientOf([0, 1, 2, 3].map((i) => (i === k ? 1 : 0))))
    const mixed = gradientOf([3, -2, 0, 5])
    mixed.forEach((g, i) => {
      const exact = (3 * each[0][i] - 2 * each[1][i] + 5 * each[3][i]) / 10
      assert.ok(Math.abs(g - exact) < 1e-12, `${g}, not ${exact}`)
    })
    assert.ok(gradientOf([0, 0, 0, 0]).every((g) => g === 0))
    assert.deepEqual(gradientOf(Float32Array.of(3, -2, 0, 5)), mixed)
  })

  test("takes the gradient of a loss of one's own", () => {
    for (const output of ['linear', 'sigmoid', 'softmax', 'tanh']) {
      for (const layers of [
        [3, 5],
        [3, 40, 30]
      ]) {
        const options = {
          layers: [...layers, { units: 4, activation: output }],
          loss: 'squaredError',
          seed: 2
        }
        if (output === 'softmax') options.loss = 'crossEntropy'
        const { inputs, targets } = rows(6, [3, 4])
        const network = new NeuralNetwork(options)
        // Half of the squared distance, as a loss of the user's.
        const error = (outputs) =>
          outputs.reduce(
            (sum, row, i) => sum + row.reduce((s, y, k) => s + (y - targets[i][k]) ** 2 / 2, 0),
            0
          ) / 6
        const outputs = network.predictBatch(inputs)
        const gradients = outputs.map((row, i) => row.map((y, k) => y - targets[i][k]))
        const start = network.getWeights()
        const loss = network
          .trainer({ optimizer: 'sgd', learningRate: 1e-3 })
          .step(inputs, gradients, { gradients: true })
        const linear =
          outputs.reduce((s, row, i) => s + row.reduce((s, y, k) => s + y * gradients[i][k], 0), 0) / 6
        assert.ok(Math.abs(loss - linear) < 1e-12)
        const moved = network.getWeights()
        for (const [l, key, j, i] of [
          [0, 'weights', 1, 2],
          [layers.length - 1, 'weights', 3, 4],
          [0, 'biases', 2]
        ]) {
          const at = (weights) => (i === undefined ? weights[l][key][j] : weights[l][key][j][i])
          const errorAt = (shift) => {
            const weights = structuredClone(start)
            if (i === undefined) weights[l][key][j] += shift
            else weights[l][key][j][i] += shift
            const probe = new NeuralNetwork(options)
            probe.setWeights(weights)
            return error(probe.predictBatch(inputs))
          }
          const slope = (errorAt(1e-5) - errorAt(-1e-5)) / 2e-5
          const taken = (at(start) - at(moved)) / 1e-3
          assert.ok(
            Math.abs(slope - taken) < 1e-6 * (1 + Math.abs(slope)),
            `${output}: ${taken}, not ${slope}`
          )
        }
      }
    }
  })

  test('counts the classes as classWeights say', () => {
    const options = { layers: [2, 6, 3], loss: 'crossEntropy', seed: 1 }
    const { inputs, targets } = rows(9, [2, 3], true)
    const course = { optimizer: 'sgd', classWeights: [1, 5, 2] }
    const [one, other] = [new NeuralNetwork(options), new NeuralNetwork(options)]
    const loss = one.trainer(course).step(inputs, targets)
    const history = other.fitSync(inputs, targets, {
      ...course,
      epochs: 1,
      batchSize: 'full',
      shuffle: false
    })
    assert.equal(loss, history.loss[0])
    assert.deepEqual(numbersOf(one), numbersOf(other))
  })
})

describe('fits of a trainer', () => {
  const { inputs, targets } = rows(50, [2, 1])

  test('go on as one fit would: optimizer, schedule, order and masks', async () => {
    const layers = [2, { units: 12, dropout: 0.3 }, 1]
    for (const course of [
      { optimizer: 'adam', schedule: { type: 'cosine' } },
      { optimizer: 'nadam' },
      { optimizer: 'sgd', schedule: { type: 'plateau', factor: 0.5, patience: 0 } }
    ]) {
      const [one, other] = [small({ layers }), small({ layers })]
      const trainer = one.trainer({ ...course, epochs: 9, batchSize: 8 })
      const losses = []
      for (const epochs of [1, 3, 5]) losses.push(...(await trainer.fit(inputs, targets, { epochs })).loss)
      const history = other.fitSync(inputs, targets, { ...course, epochs: 9, batchSize: 8 })
      assert.deepEqual(losses, [...history.loss])
      assert.deepEqual(numbersOf(one), numbersOf(other))
      assert.equal(trainer.steps, 9 * 7)
    }
  })

  test('hold out the same rows each time', () => {
    const [one, other] = [small(), small()]
    const trainer = one.trainer({ validation: 0.3, epochs: 6 })
    const losses = [2, 4].flatMap((epochs) => [
      ...trainer.fitSync(inputs, targets, { epochs }).validationLoss
    ])
    assert.deepEqual(losses, [
      ...other.fitSync(inputs, targets, { validation: 0.3, epochs: 6 }).validationLoss
    ])
  })

  test('stop as others do, and training goes on', async () => {
    const network = small()
    const trainer = network.trainer({ optimizer: 'adam' })
    const controller = new AbortController()
    const running = trainer.fit(inputs, targets, { epochs: 1e9, signal: controller.signal })
    for (const [name, call] of [
      ['step', () => trainer.step(inputs, targets)],
      ['train', () => network.train([0, 1], [1])],
      ['fitSync', () => network.fitSync(inputs, targets)]
    ]) {
      assert.throws(call, { code: BUSY }, name)
    }
    await rejects(() => trainer.fit(inputs, targets), BUSY, busy('fit'))
    await rejects(() => trainer.save(path.join(folder, 'x')), BUSY, busy('save'))
    controller.abort()
    await assert.rejects(running, { name: 'AbortError' })
    assert.ok(Number.isFinite(trainer.step(inputs, targets)))
    const { stoppedBy } = await trainer.fit(inputs, targets, { epochs: 50, targetLoss: 1e9 })
    assert.equal(stoppedBy, 'targetLoss')
  })

  test("refuse what is the trainer's", () => {
    const network = small()
    const trainer = network.trainer({ optimizer: 'sgd', schedule: { type: 'exponential', factor: 0.9 } })
    trainer.fitSync(inputs, targets, { epochs: 1, optimizer: 'sgd', learningRate: 0.5 })
    for (const [options, message] of [
      [
        { optimizer: 'adam' },
        /^Expected the trainer's own optimizer, with the same parameters, for options\.optimizer but received 'adam': make another trainer$/
      ],
      [
        { schedule: { type: 'constant' } },
        /^Expected the trainer's own schedule, with the same parameters, for options\.schedule but received 'constant': make another trainer$/
      ],
      [
        { resume: 'a' },
        /^Expected no checkpoint for options\.resume but received '.*a': use trainer\.resume\(\)$/
      ]
    ]) {
      assert.throws(() => trainer.fitSync(inputs, targets, options), { code: COMBINATION, message })
    }
    assert.ok(Number.isFinite(trainer.step(inputs, targets)))
  })

  function busy(name) {
    return `Expected a network that is not training for ${name}() but received one in fit(): wait until it has ended, or work on a clone()`
  }
})

describe('a trainer that is saved', () => {
  const { inputs, targets } = rows(30, [2, 1])
  const course = {
    optimizer: 'adam',
    schedule: { type: 'cosine', warmup: 4 },
    epochs: 40,
    learningRate: 0.01
  }

  test('goes on in another network to the bit', async () => {
    for (const precision of ['f64', 'f32']) {
      const one = small({ precision })
      const trainer = one.trainer(course)
      for (let i = 0; i < 7; i++) trainer.step(inputs, targets)
      const file = path.join(folder, `trainer-${precision}`)
      await trainer.save(file)
      const other = small({ precision, seed: 99 })
      const second = other.trainer()
      await second.resume(pathToFileURL(file))
      assert.equal(second.steps, 7)
      assert.deepEqual(other.predict([0.3, 0.4]), one.predict([0.3, 0.4]))
      for (let i = 0; i < 5; i++) assert.equal(second.step(inputs, targets), trainer.step(inputs, targets))
      assert.deepEqual(
        (await second.fit(inputs, targets, { epochs: 3 })).loss,
        trainer.fitSync(inputs, targets, { epochs: 3 }).loss
      )
      assert.deepEqual(numbersOf(other), numbersOf(one))
    }
  })

  test('is the trainer as it was when save was called', async () => {
    const network = small()
    const trainer = network.trainer(course)
    trainer.step(inputs, targets)
    const before = numbersOf(network)
    const saved = trainer.save(path.join(folder, 'moment'))
    trainer.step(inputs, targets)
    await saved
    const other = small()
    const second = other.trainer()
    await second.resume(path.join(folder, 'moment'))
    assert.deepEqual(numbersOf(other), before)
  })

  test('is refused by another network, another course, and where the file is none', async () => {
    const network = small()
    const trainer = network.trainer(course)
    trainer.step(inputs, targets)
    const file = path.join(folder, 'refused')
    await trainer.save(file)
    const before = numbersOf(network)
    const wrong = small({ layers: [2, 7, 1] }).trainer()
    await assert.rejects(wrong.resume(file), { code: COMBINATION })
    await assert.rejects(small().trainer({ optimizer: 'sgd' }).resume(file), { code: COMBINATION })
    await assert.rejects(trainer.resume(path.join(folder, 'nothing')), { code: FILE })
    await assert.rejects(trainer.save(path.join(folder, 'no', 'folder')), { code: FILE })
    const bytes = readFileSync(file)
    for (const [name, content] of [
      ['cut', bytes.subarray(0, bytes.length - 9)],
      ['flipped', Buffer.from(bytes.map((byte, i) => (i === bytes.length - 20 ? byte ^ 1 : byte)))],
      ['words', Buffer.from('not a trainer')]
    ]) {
      writeFileSync(path.join(folder, name), content)
      await assert.rejects(trainer.resume(path.join(folder, name)), { code: CORRUPT_FILE }, name)
    }
    await network.fit(inputs, targets, { epochs: 1, checkpoint: { path: path.join(folder, 'fit') } })
    network.setWeights(network.getWeights())
    await assert.rejects(trainer.resume(path.join(folder, 'fit')), { code: CORRUPT_FILE })
    assert.notDeepEqual(numbersOf(network), before)
    for (const path of [undefined, 7, '', 'a\0b', new URL('https://example.com/a')]) {
      await assert.rejects(trainer.save(path), { code: TYPE })
      await assert.rejects(trainer.resume(path), { code: TYPE })
    }
  })
})

describe('training that diverges', () => {
  test('goes back to the last weights that are known to be good, and can go on', () => {
    const network = small()
    const trainer = network.trainer({ optimizer: 'sgd', learningRate: 0.1 })
    trainer.step(XOR.inputs, XOR.targets)
    const good = numbersOf(network)
    refuses(
      () => trainer.step([[1e200, 1e200]], [[-1e200]]),
      DIVERGED,
      'Expected a finite loss for step 2 but received Infinity: try a learningRate below 0.1, clipNorm: 1, or inputs ' +
        'and targets scaled to about -1 to 1'
    )
    assert.deepEqual(numbersOf(network), good)
    // A finite loss whose step overflows the weights: whoever looks is told.
    network.trainer({ optimizer: 'sgd', learningRate: 1e308 }).step([[100, 100]], [[-100]])
    assert.throws(() => network.predict([0, 1]), {
      code: DIVERGED,
      message:
        'Expected finite weights for step 2 but received NaN or Infinity: try a learningRate below 1e308, ' +
        'clipNorm: 1, or inputs and targets scaled to about -1 to 1'
    })
    assert.deepEqual(numbersOf(network), good)
    assert.ok(Number.isFinite(trainer.step(XOR.inputs, XOR.targets)))
    assert.throws(() => trainer.fitSync([[1e200, 1e200]], [[-1e200]]), { code: DIVERGED })
    assert.ok(Number.isFinite(trainer.step(XOR.inputs, XOR.targets)))
  })

  test('also where only the memory of the optimizer overflows, which would stop weights for ever', () => {
    for (const optimizer of ['rmsprop', 'adagrad', 'adam', 'adamw', 'nadam', 'radam', 'adadelta']) {
      const network = new NeuralNetwork({ layers: [1, 1], precision: 'f32', seed: 1 })
      const before = numbersOf(network)
      const look = () => {
        // The gradient is finite, and its square is not.
        network.trainer({ optimizer }).step([[1e20]], [[0.5]], { gradients: true })
        network.predict([1])
      }
      const message =
        /^Expected a finite memory of the optimizer for step 2 but received NaN or Infinity: try /
      assert.throws(look, { code: DIVERGED, message }, optimizer)
      assert.deepEqual(numbersOf(network), before, optimizer)
    }
  })
})

describe('mistakes', () => {
  const network = small()
  const trainer = network.trainer()
  const before = numbersOf(network)
  const { inputs, targets } = XOR
  const refused = [
    [() => trainer.step(inputs), ARGUMENTS],
    [() => trainer.step(inputs, targets, {}, 1), ARGUMENTS],
    [() => trainer.step([], []), LENGTH],
    [() => trainer.step(inputs, targets.slice(1)), LENGTH],
    [() => trainer.step([[1]], [[1]]), LENGTH],
    [() => trainer.step([[1, 'x']], [[1]]), TYPE],
    [() => trainer.step([[1, Number.NaN]], [[1]]), RANGE],
    [() => trainer.step(new Float64Array(3), new Float64Array(1)), LENGTH],
    [() => trainer.step(inputs, targets, { sampleWeights: [1, 2] }), LENGTH],
    [() => trainer.step(inputs, targets, { sampleWeights: [1, 2, 3, Number.NaN] }), RANGE],
    [() => trainer.step(inputs, targets, { sampleWeight: [1, 2, 3, 4] }), OPTION],
    [() => trainer.step(inputs, targets, { gradients: 1 }), TYPE],
    [() => trainer.step(inputs, targets, 7), TYPE],
    [() => network.trainer({ epoch: 3 }), OPTION],
    [() => network.trainer({ learningRate: -1 }), RANGE],
    [() => network.trainer({}, 1), ARGUMENTS],
    [() => network.trainer({ resume: 'a' }), COMBINATION],
    [() => network.trainer({ sampleWeights: [1] }), COMBINATION]
  ]
  refused.forEach(([call, code]) => {
    test(`${call.toString().slice(6)} is refused and changes nothing`, () => {
      assert.throws(call, { code })
      assert.deepEqual(numbersOf(network), before)
      assert.equal(trainer.steps, 0)
    })
  })

  test('to clone one is refused, and no two are equal', () => {
    assert.throws(() => structuredClone(trainer), { name: 'DataCloneError' })
    assert.notDeepStrictEqual(network.trainer(), trainer)
    assert.deepStrictEqual({ trainer }, { trainer })
  })

  test('options may be inherited', () => {
    const own = small().trainer({ optimizer: 'adam', learningRate: 0.1 })
    const inherited = small().trainer(Object.create({ optimizer: 'adam', learningRate: 0.1 }))
    for (let i = 0; i < 3; i++) {
      const weighted = Object.create({ sampleWeights: [1, 2, 3, 4] })
      assert.equal(
        inherited.step(XOR.inputs, XOR.targets, weighted),
        own.step(XOR.inputs, XOR.targets, { sampleWeights: [1, 2, 3, 4] })
      )
    }
    assert.throws(() => network.trainer(new Map()), { code: TYPE })
  })

  test('a target that the loss does not take is named', () => {
    const network = new NeuralNetwork({ layers: [2, 3, 2], loss: 'crossEntropy', seed: 1 })
    assert.throws(() => network.trainer().step([[1, 2]], [[0.5, 0.9]]), {
      code: RANGE,
      message: /^Expected probabilities that sum to 1/
    })
  })

  test('rows whose reading comes back to the trainer do no harm', () => {
    const trainer = network.trainer()
    const row = new Proxy([0, 1], {
      get(target, key) {
        if (key === '0') trainer.step(XOR.inputs, XOR.targets)
        return target[key]
      }
    })
    assert.ok(Number.isFinite(trainer.step([row], [[1]])))
    assert.equal(trainer.steps, 2)
  })
})
