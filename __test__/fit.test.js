'use strict'

// `fit` and `fitSync`: their options, histories, every rule that ends them, and the same bits every way. How `fit`
// goes along with the event loop is in fit-async.test.js.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { availableParallelism } = require('node:os')
const { join } = require('node:path')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const {
  COMBINATION,
  DIVERGED,
  FILE,
  LENGTH,
  OPTION,
  RANGE,
  TYPE,
  agrees,
  flat,
  needs,
  notFinite,
  refuses,
  rejects,
  rowsOf,
  runsAlone
} = require('./helpers.js')

/** Both methods, as functions of a network and arguments that return a promise. */
const ways = {
  fit: (network, ...args) => network.fit(...args),
  fitSync: async (network, ...args) => network.fitSync(...args)
}

/**
 * The network w x + b that begins with w = 1, b = 0. With the row x = 1 of target 0, a step of plain descent at the
 * rate r makes 1 - 2 r times as much of its prediction: at 1/4 half, at 1 its negative, at 3/2 minus twice. All of
 * that is exact, and so are the losses, half the squares.
 */
function line(w = 1) {
  const network = new NeuralNetwork({ layers: [1, 1], seed: 1 })
  network.setWeights([{ weights: [[w]], biases: [0] }])
  return network
}
const HALVING = { optimizer: 'sgd', learningRate: 0.25 }
const FLIPPING = { optimizer: 'sgd', learningRate: 1 }
const DOUBLING = { optimizer: 'sgd', learningRate: 1.5 }
const ROW = [[[1]], [[0]]]

const weightsOf = (network) => {
  const [{ weights, biases }] = network.getWeights()
  return [weights[0][0], biases[0]]
}

const said = (rule, name, received) => `Expected ${rule} for ${name} but received ${received}`

describe('options that are refused', () => {
  const LONG =
    "only 'epochs', 'batchSize', 'optimizer', 'learningRate', 'schedule', 'shuffle', 'validation', 'earlyStopping', " +
    "'targetLoss', 'timeout', 'sampleWeights', 'classWeights', 'clipNorm', 'threads', 'onEpoch', 'signal', " +
    "'progress', 'checkpoint', 'resume'"
  const OPTIMIZERS =
    "one of 'sgd', 'momentum', 'nesterov', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamw', 'nadam', 'radam', " +
    "'lion', 'rprop', 'lbfgs'"
  const SCHEDULES = "one of 'constant', 'step', 'exponential', 'cosine', 'oneCycle', 'plateau'"
  const PLAIN = 'a number, a string, an array or an object'
  const COUNT = 'an integer of at least 1'
  const SIZE = "an integer of at least 1 or 'full'"
  const ABOVE = 'a number above 0'

  /** [options, code, the rule, the name after `options`, what was received] */
  const cases = {
    'unknown names, with the nearest': [
      [{ epoch: 3 }, OPTION, LONG, '', "'epoch': did you mean 'epochs'?"],
      [{ batchsize: 3 }, OPTION, LONG, '', "'batchsize': did you mean 'batchSize'?"],
      [{ sampleWeight: [1] }, OPTION, LONG, '', "'sampleWeight': did you mean 'sampleWeights'?"],
      [{ onepoch() {} }, OPTION, LONG, '', "'onepoch': did you mean 'onEpoch'?"],
      [{ sgnal: AbortSignal.abort() }, OPTION, LONG, '', "'sgnal': did you mean 'signal'?"],
      [{ xyz: 1n }, TYPE, PLAIN, '.xyz', '1n']
    ],
    epochs: [
      ...[0, -1, 2.5, 1e300].map((value) => [{ epochs: value }, RANGE, COUNT, '.epochs', value]),
      ...[
        ['3', "'3'"],
        [true, 'true'],
        [null, 'null'],
        [[3], 'an array of 1 element']
      ].map(([value, received]) => [{ epochs: value }, TYPE, COUNT, '.epochs', received]),
      ...notFinite.map(([value, name]) => [{ epochs: value }, RANGE, 'a finite number', '.epochs', name]),
      [{ epochs: () => 3 }, TYPE, PLAIN, '.epochs', 'a function'],
      [{ epochs: 3n }, TYPE, PLAIN, '.epochs', '3n']
    ],
    batchSize: [
      [{ batchSize: 0 }, RANGE, SIZE, '.batchSize', 0],
      [{ batchSize: 1.5 }, RANGE, SIZE, '.batchSize', 1.5],
      [{ batchSize: 'ful' }, RANGE, SIZE, '.batchSize', "'ful': did you mean 'full'?"],
      [{ batchSize: true }, TYPE, SIZE, '.batchSize', 'true']
    ],
    optimizer: [
      [{ optimizer: 'adan' }, RANGE, OPTIMIZERS, '.optimizer', "'adan': did you mean 'adam'?"],
      [{ optimizer: 3 }, TYPE, OPTIMIZERS, '.optimizer', 3],
      [{ optimizer: {} }, TYPE, OPTIMIZERS, '.optimizer.type', 'undefined'],
      [
        { optimizer: { type: 'momentum', momentun: 1 } },
        OPTION,
        "only 'type', 'momentum', 'dampening', 'weightDecay'",
        '.optimizer',
        "'momentun': did you mean 'momentum'?"
      ],
      [
        { optimizer: { type: 'adam', learningRate: 0.1 } },
        OPTION,
        'no learningRate',
        '.optimizer',
        '0.1: write it beside the optimizer, as options.learningRate'
      ],
      [{ optimizer: { type: 'adam', beta1: 1 } }, RANGE, 'a number in [0, 1)', '.optimizer.beta1', 1]
    ],
    learningRate: [
      [{ learningRate: 0 }, RANGE, ABOVE, '.learningRate', 0],
      [{ learningRate: -0.1 }, RANGE, ABOVE, '.learningRate', -0.1],
      [{ learningRate: '0.1' }, TYPE, ABOVE, '.learningRate', "'0.1'"]
    ],
    schedule: [
      [
        { schedule: { type: 'cosin' } },
        RANGE,
        SCHEDULES,
        '.schedule.type',
        "'cosin': did you mean 'cosine'?"
      ],
      [{ schedule: null }, TYPE, SCHEDULES, '.schedule', 'null'],
      [{ schedule: { type: 'step', factor: 0.5 } }, TYPE, COUNT, '.schedule.every', 'undefined']
    ],
    validation: [
      ...[0, 1, -0.5, 2].map((value) => [
        { validation: value },
        RANGE,
        'a number in (0, 1)',
        '.validation',
        value
      ]),
      [{ validation: '0.2' }, TYPE, 'a number in (0, 1)', '.validation', "'0.2'"],
      [{ validation: null }, TYPE, 'a number in (0, 1)', '.validation', 'null'],
      [
        { validation: 0.1 },
        RANGE,
        'a fraction that leaves rows on both sides of 4',
        '.validation',
        '0.1: choose another fraction, or give rows of their own'
      ],
      [
        { validation: 0.9 },
        RANGE,
        'a fraction that leaves rows on both sides of 4',
        '.validation',
        '0.9: choose another fraction, or give rows of their own'
      ]
    ],
    earlyStopping: [
      [{ earlyStopping: true }, TYPE, 'an object', '.earlyStopping', 'true'],
      [{ earlyStopping: { patience: -1 } }, RANGE, 'an integer of at least 0', '.earlyStopping.patience', -1],
      [{ earlyStopping: { minDelta: -1 } }, RANGE, 'a number of at least 0', '.earlyStopping.minDelta', -1],
      [{ earlyStopping: { restoreBest: 1 } }, TYPE, 'true or false', '.earlyStopping.restoreBest', 1],
      [
        { earlyStopping: { patients: 1 } },
        OPTION,
        "only 'patience', 'minDelta', 'restoreBest'",
        '.earlyStopping',
        "'patients': did you mean 'patience'?"
      ]
    ],
    classWeights: [
      [{ classWeights: 3 }, TYPE, 'an array of numbers', '.classWeights', 3],
      [
        { classWeights: [1, 2] },
        COMBINATION,
        "loss 'crossEntropy', 'binaryCrossEntropy' or 'hinge', which have classes,",
        '.classWeights',
        "loss 'squaredError': weigh the examples with sampleWeights"
      ]
    ],
    'the others': [
      [{ shuffle: 1 }, TYPE, 'true or false', '.shuffle', 1],
      [{ progress: 'yes' }, TYPE, 'true or false', '.progress', "'yes'"],
      [{ targetLoss: '1' }, TYPE, 'a number', '.targetLoss', "'1'"],
      [{ targetLoss: Number.NaN }, RANGE, 'a finite number', '.targetLoss', 'NaN'],
      [{ timeout: 0 }, RANGE, ABOVE, '.timeout', 0],
      [{ timeout: '1s' }, TYPE, ABOVE, '.timeout', "'1s'"],
      [{ clipNorm: 0 }, RANGE, ABOVE, '.clipNorm', 0],
      [{ threads: 0 }, RANGE, 'an integer from 1 to 256', '.threads', 0],
      [{ threads: 257 }, RANGE, 'an integer from 1 to 256', '.threads', 257],
      [{ threads: 1.5 }, RANGE, 'an integer from 1 to 256', '.threads', 1.5],
      [{ checkpoint: 'x' }, TYPE, 'an object', '.checkpoint', "'x'"],
      [{ checkpoint: {} }, TYPE, 'the path of a file', '.checkpoint.path', 'undefined'],
      [{ checkpoint: { path: '' } }, RANGE, 'the path of a file', '.checkpoint.path', "''"],
      [{ checkpoint: { path: 'x', everyEpochs: 0 } }, RANGE, COUNT, '.checkpoint.everyEpochs', 0],
      [{ resume: 3 }, TYPE, 'the path of a file', '.resume', 3],
      [{ onEpoch: 3 }, TYPE, 'a function', '.onEpoch', 3],
      [{ onEpoch: null }, TYPE, 'a function', '.onEpoch', 'null'],
      [{ signal: null }, TYPE, 'an AbortSignal', '.signal', 'null'],
      [{ signal: {} }, TYPE, 'an AbortSignal', '.signal', 'an object'],
      [{ signal: new EventTarget() }, TYPE, 'an AbortSignal', '.signal', 'an object'],
      [{ signal: new AbortController() }, TYPE, 'an AbortSignal', '.signal', 'an object']
    ],
    'what has no meaning together': [
      [
        { optimizer: 'lbfgs', batchSize: 2 },
        COMBINATION,
        "'full', which optimizer 'lbfgs' works with,",
        '.batchSize',
        2
      ],
      [
        { optimizer: 'lbfgs', clipNorm: 1 },
        COMBINATION,
        "no limit beside optimizer 'lbfgs', whose line search needs the whole gradient,",
        '.clipNorm',
        '1: leave it out, or choose another optimizer'
      ]
    ]
  }

  for (const [name, refusals] of Object.entries(cases)) {
    test(name, async () => {
      for (const [options, code, rule, place, received] of refusals) {
        const network = new NeuralNetwork({ layers: [2, 3, 1], seed: 1 })
        const before = network.getWeights()
        const args = [rowsOf(4, 2), rowsOf(4, 1), options]
        const message = said(rule, `options${place}`, received)
        refuses(() => network.fitSync(...args), code, message)
        await rejects(() => network.fit(...args), code, message)
        assert.deepStrictEqual(network.getWeights(), before)
      }
    })
  }

  test('what is no object of options', async () => {
    for (const [value, received] of [
      [null, 'null'],
      [3, '3'],
      ['adam', "'adam'"],
      [[], 'an array of 0 elements'],
      [() => {}, 'a function']
    ]) {
      const message = said('an object', 'options', received)
      refuses(() => line().fitSync(...ROW, value), TYPE, message)
      await rejects(() => line().fit(...ROW, value), TYPE, message)
      refuses(() => line().fitSync([{ input: [1], output: [0] }], value), TYPE, message)
    }
  })

  test('class weights that do not fit the classes', () => {
    const classifier = new NeuralNetwork({ layers: [2, 3], loss: 'crossEntropy', seed: 1 })
    const binary = new NeuralNetwork({ layers: [2, 1], loss: 'binaryCrossEntropy', seed: 1 })
    const labels = new NeuralNetwork({ layers: [2, 2], loss: 'hinge', seed: 1 })
    const rule = 'a number from 0 to 1e30'
    for (const [network, targets, classWeights, code, ...words] of [
      [classifier, [[0, 1, 0]], [1, 2], LENGTH, '3 weights, one for each class,', '', 2],
      [binary, [[1]], [1], LENGTH, '2 weights, one for each class,', '', 1],
      [classifier, [[0, 1, 0]], [1, -1, 1], RANGE, rule, '[1]', -1],
      [classifier, [[0, 1, 0]], [1, '1', 1], TYPE, rule, '[1]', "'1'"],
      [classifier, [[0, 1, 0]], Float32Array.of(1, Number.NaN, 1), RANGE, 'a finite number', '[1]', 'NaN'],
      [classifier, [[0, 1, 0]], [0, 0, 0], RANGE, 'a weight above 0 for at least one class', '', 'only 0'],
      [
        labels,
        [[1, -1]],
        [1, 1],
        COMBINATION,
        "one output, which makes two classes with loss 'hinge',",
        '',
        '2 outputs: weigh the examples with sampleWeights'
      ]
    ]) {
      const [expected, place, received] = words
      const call = () => network.fitSync([[1, 2]], targets, { classWeights })
      refuses(call, code, said(expected, `options.classWeights${place}`, received))
    }
  })

  test('files that cannot be', () => {
    const nowhere = '/no/such/folder/run.mikir'
    const call = (options) => () => line().fitSync(...ROW, options)
    const reason = 'No such file or directory (os error 2)'
    refuses(call({ resume: nowhere }), FILE, said('a file that can be read', `'${nowhere}'`, reason))
    const rule = 'a file that can be written'
    refuses(call({ checkpoint: { path: nowhere } }), FILE, said(rule, `'${nowhere}'`, reason))
  })
})

describe('options that are as good as none', () => {
  test('undefined', () => {
    const names = [
      ...['epochs', 'batchSize', 'optimizer', 'learningRate', 'schedule', 'shuffle', 'validation'],
      ...['earlyStopping', 'targetLoss', 'timeout', 'sampleWeights', 'classWeights', 'clipNorm', 'threads'],
      ...['onEpoch', 'signal', 'progress', 'checkpoint', 'resume']
    ]
    const [plain, bare, none] = [line(), line(), line()]
    plain.fitSync(...ROW)
    bare.fitSync(...ROW, Object.fromEntries(names.map((name) => [name, undefined])))
    none.fitSync(...ROW, undefined)
    assert.deepEqual(weightsOf(bare), weightsOf(plain))
    assert.deepEqual(weightsOf(none), weightsOf(plain))
  })

  test('those that the defaults are', () => {
    const [inputs, targets] = [rowsOf(70, 2), rowsOf(70, 1, 2)]
    const fitted = (options) => {
      const network = new NeuralNetwork({ layers: [2, 4, 1], seed: 3 })
      return [network.fitSync(inputs, targets, options).loss, network.getWeights()]
    }
    const defaults = {
      epochs: 100,
      batchSize: 32,
      optimizer: 'adam',
      learningRate: 0.001,
      schedule: { type: 'constant' },
      shuffle: true,
      progress: false
    }
    assert.deepEqual(fitted(defaults), fitted())
    const validation = 0.2
    assert.deepEqual(
      fitted({ validation, earlyStopping: { patience: 10, minDelta: 0, restoreBest: true } }),
      fitted({ validation, earlyStopping: {} })
    )
    const lbfgs = { optimizer: 'lbfgs', epochs: 3 }
    assert.deepEqual(fitted({ ...lbfgs, batchSize: 'full', learningRate: 1 }), fitted(lbfgs))
  })
})

for (const [way, fit] of Object.entries(ways)) {
  describe(`the history of ${way}`, () => {
    test('has its fields, in their shapes', async () => {
      const history = await fit(line(), ...ROW, { ...HALVING, epochs: 3 })
      assert.deepEqual(Object.keys(history), [
        ...['loss', 'epochs', 'bestEpoch', 'durationMs', 'stoppedBy', 'warnings']
      ])
      assert.equal(Object.getPrototypeOf(history.loss), Float64Array.prototype)
      assert.deepEqual(history.loss, Float64Array.of(0.5, 0.125, 0.03125))
      assert.ok(history.durationMs > 0 && history.durationMs < 60_000)
      const { epochs, bestEpoch, stoppedBy } = history
      assert.deepEqual({ epochs, bestEpoch, stoppedBy }, { epochs: 3, bestEpoch: 3, stoppedBy: 'epochs' })
    })

    test('has validation losses where there are such rows', async () => {
      const validation = { inputs: [[1]], targets: [[0.25]] }
      const network = line()
      const history = await fit(network, ...ROW, { ...HALVING, epochs: 4, validation })
      assert.deepEqual(Object.keys(history).slice(0, 2), ['loss', 'validationLoss'])
      assert.deepEqual(history.validationLoss, Float64Array.of(0.03125, 0, 0.0078125, 0.017578125))
      assert.equal(history.bestEpoch, 2)
      // Nothing asked for the best ones.
      assert.deepEqual(weightsOf(network), [0.53125, -0.46875])
    })

    test('weighs the rows of a short last batch as all others', async () => {
      // Without steps to speak of: five rows in batches of two.
      const network = line()
      const rows = [[[0], [1], [2], [3], [4]], new Float64Array(5)]
      const options = { optimizer: 'sgd', learningRate: 1e-30, batchSize: 2, epochs: 1 }
      const { loss } = await fit(network, ...rows, options)
      assert.equal(loss[0], (0 + 1 + 4 + 9 + 16) / 2 / 5)
      const sampleWeights = [1, 0, 2, 0, 1]
      const weighted = await fit(network, ...rows, { ...options, sampleWeights })
      agrees([weighted.loss[0]], [(0 + 2 * 4 + 16) / 2 / 4], 1e-15)
    })
  })

  describe(`${way} stops`, () => {
    test('after its epochs, and goes on from there', async () => {
      const network = line()
      await fit(network, ...ROW, { ...HALVING, epochs: 2 })
      assert.deepEqual(weightsOf(network), [0.625, -0.375])
      const { loss } = await fit(network, ...ROW, { ...HALVING, epochs: 1 })
      assert.deepEqual([...loss], [0.03125])
      assert.deepEqual(weightsOf(network), [0.5625, -0.4375])
    })

    test('at the target loss, also where it is just met', async () => {
      for (const [targetLoss, epochs] of [
        [0.6, 1],
        [0.5, 1],
        [0.49, 2],
        [0.125, 2],
        [0.04, 3]
      ]) {
        const history = await fit(line(), ...ROW, { ...HALVING, targetLoss })
        assert.deepEqual([history.stoppedBy, history.epochs], ['targetLoss', epochs])
      }
      const never = await fit(line(), ...ROW, { ...HALVING, targetLoss: -1, epochs: 5 })
      assert.deepEqual([never.stoppedBy, never.epochs], ['epochs', 5])
      // The loss of validation is the one that counts, where there is one.
      const validation = { inputs: [[1]], targets: [[0.25]] }
      const watched = await fit(line(), ...ROW, { ...HALVING, targetLoss: 0, validation })
      assert.deepEqual([watched.stoppedBy, watched.epochs], ['targetLoss', 2])
    })

    test('early, when nothing improves, with the best weights or the last', async () => {
      // Flips between w = 1, b = 0 and w = 0, b = -1, each as bad as the other.
      for (const [patience, epochs] of [
        [0, 2],
        [1, 2],
        [2, 3],
        [3, 4]
      ]) {
        for (const restoreBest of [undefined, true, false]) {
          const network = line()
          const options = { ...FLIPPING, earlyStopping: { patience, restoreBest } }
          const history = await fit(network, ...ROW, options)
          assert.deepEqual([...history.loss], new Array(epochs).fill(0.5))
          assert.equal(history.stoppedBy, 'earlyStopping')
          assert.equal(history.bestEpoch, 1)
          const isFlipped = restoreBest !== false || epochs % 2 === 1
          assert.deepEqual(weightsOf(network), isFlipped ? [0, -1] : [1, 0])
        }
      }
      const { epochs } = await fit(line(), ...ROW, { ...FLIPPING, earlyStopping: {} })
      assert.equal(epochs, 11)
    })

    test('early by the loss of validation', async () => {
      const validation = { inputs: [[1]], targets: [[0.25]] }
      const network = line()
      const options = { ...HALVING, validation, earlyStopping: { patience: 2 } }
      const history = await fit(network, ...ROW, options)
      assert.deepEqual([history.stoppedBy, history.epochs, history.bestEpoch], ['earlyStopping', 4, 2])
      assert.deepEqual(weightsOf(network), [0.625, -0.375])
      const kept = line()
      options.earlyStopping.restoreBest = false
      await fit(kept, ...ROW, options)
      assert.deepEqual(weightsOf(kept), [0.53125, -0.46875])
    })

    test('early when improvements are too small', async () => {
      // 0.5, 0.125, 0.03125, 0.0078125, ...
      for (const [minDelta, patience, bestEpoch] of [
        [0.5, 2, 1],
        [0.4, 1, 1],
        [0.4, 2, 3],
        [0.3, 2, 2],
        [0.05, 2, 3],
        // Exactly as much less is not enough.
        [0.375, 1, 1],
        [0.374, 1, 2]
      ]) {
        const history = await fit(line(), ...ROW, { ...HALVING, earlyStopping: { patience, minDelta } })
        assert.deepEqual([history.stoppedBy, history.bestEpoch], ['earlyStopping', bestEpoch], `${minDelta}`)
        assert.equal(history.epochs, bestEpoch + patience)
      }
    })

    test('with the best weights, whatever it was that stopped it', async () => {
      const options = { ...FLIPPING, epochs: 4, earlyStopping: { patience: 1e9 } }
      const [all, told] = [line(), line()]
      assert.equal((await fit(all, ...ROW, options)).stoppedBy, 'epochs')
      assert.deepEqual(weightsOf(all), [0, -1])
      const onEpoch = ({ epoch }) => epoch < 2
      assert.equal((await fit(told, ...ROW, { ...options, epochs: 1e9, onEpoch })).stoppedBy, 'callback')
      assert.deepEqual(weightsOf(told), [0, -1])
    })

    test('when time is up, with the weights of a whole epoch', async () => {
      const [inputs, targets] = [rowsOf(2000, 10), rowsOf(2000, 1)]
      const fresh = () => new NeuralNetwork({ layers: [10, 30, 1], seed: 1 })
      const [network, same] = [fresh(), fresh()]
      const options = { batchSize: 8, epochs: 1e9 }
      const history = await fit(network, inputs, targets, { ...options, timeout: 60 })
      assert.equal(history.stoppedBy, 'timeout')
      assert.ok(history.durationMs >= 60 && history.durationMs < 10_000, `${history.durationMs} ms`)
      if (history.epochs > 0) same.fitSync(inputs, targets, { ...options, epochs: history.epochs })
      assert.deepEqual(network.getWeights(), same.getWeights())
    })

    test('where time is up before the first epoch, with the weights that were there', async () => {
      const network = new NeuralNetwork({ layers: [200, 200, 1], seed: 1 })
      const before = network.getWeights()
      const [inputs, targets] = [new Float64Array(200 * 50_000), new Float64Array(50_000)]
      for (const earlyStopping of [undefined, {}]) {
        const options = { batchSize: 1, timeout: 20, earlyStopping }
        const history = await fit(network, inputs, targets, options)
        const { durationMs, ...rest } = history
        assert.ok(durationMs < 5000, `${durationMs} ms`)
        const nothing = { loss: new Float64Array(0), epochs: 0, bestEpoch: 0, warnings: [] }
        assert.deepEqual(rest, { ...nothing, stoppedBy: 'timeout' })
        assert.deepEqual(network.getWeights(), before)
      }
    })

    test('when L-BFGS has found the minimum', async () => {
      const network = line()
      const history = await fit(network, ...ROW, { optimizer: 'lbfgs' })
      assert.equal(history.stoppedBy, 'converged')
      assert.ok(history.epochs < 10)
      assert.ok(Math.abs(network.predict([1])[0]) < 1e-6)
    })
  })

  describe(`${way} refuses to go on with numbers that are not finite`, () => {
    const cure = (rate) =>
      `: try a learningRate below ${rate}, clipNorm: 1, or inputs and targets scaled to about -1 to 1`

    test('and keeps the weights of the last epoch that was', async () => {
      // The prediction after e epochs is (-2)^e.
      const network = line()
      const reports = []
      const options = { ...DOUBLING, epochs: 10_000, onEpoch: (report) => void reports.push(report) }
      await assert.rejects(fit(network, ...ROW, options), (error) => {
        assert.equal(error.code, DIVERGED)
        assert.equal(Object.getPrototypeOf(error), Error.prototype)
        const [, epoch] = /for epoch (\d+) /.exec(error.message) ?? []
        assert.equal(error.message, `${said('a finite loss', `epoch ${epoch}`, 'Infinity')}${cure(1.5)}`)
        // The first square that is too large is that of 2^512, after 512 epochs.
        assert.equal(Number(epoch), 513)
        return true
      })
      assert.equal(reports.length, 512)
      assert.equal(network.predict([1])[0], 2 ** 512)
      // And the network can be trained again.
      network.setWeights(line().getWeights())
      assert.equal(network.fitSync(...ROW, { ...HALVING, epochs: 1 }).epochs, 1)
    })

    test('and keeps the best ones, if they are to be kept', async () => {
      const network = line()
      const options = { ...DOUBLING, epochs: 10_000, earlyStopping: { patience: 9999 } }
      await assert.rejects(fit(network, ...ROW, options), { code: DIVERGED })
      assert.equal(network.predict([1])[0], -2)
    })

    test('and keeps the weights that were there, where it is the first epoch', async () => {
      const network = new NeuralNetwork({ layers: [2, 8, 1], seed: 1 })
      const before = network.getWeights()
      const options = { optimizer: 'sgd', learningRate: 1e200, batchSize: 1 }
      await assert.rejects(fit(network, rowsOf(20, 2), rowsOf(20, 1), options), (error) => {
        assert.equal(error.code, DIVERGED)
        assert.match(
          error.message,
          /^Expected (a finite loss|finite weights) for epoch 1 but received [-\w ]+: try a learningRate below 1e\+?200,/
        )
        return true
      })
      assert.deepEqual(network.getWeights(), before)
    })

    test('and says so of validation', async () => {
      const network = line()
      const validation = { inputs: [[1e160]], targets: [[0]] }
      await assert.rejects(fit(network, ...ROW, { ...HALVING, validation }), {
        code: DIVERGED,
        message: `${said('a finite validation loss', 'epoch 1', 'Infinity')}${cure(0.25)}`
      })
      assert.deepEqual(weightsOf(network), [1, 0])
    })
  })
}

describe('the same bits', () => {
  const [inputs, targets] = [rowsOf(300, 64), rowsOf(300, 10, 2)]
  const classes = targets.map((row) =>
    row.map((_, k) => (k === Math.abs(Math.round(row[0] * 4)) % 10 ? 1 : 0))
  )
  const wide = { layers: [64, { units: 128, dropout: 0.2 }, 64, 10], loss: 'crossEntropy', seed: 7 }
  const problems = {
    'a classifier in single precision': [
      { ...wide, precision: 'f32' },
      classes,
      { batchSize: 128, validation: 0.2, earlyStopping: {} }
    ],
    'a classifier of batch normalization': [
      { ...wide, layers: [64, { units: 128, normalization: 'batch' }, 10] },
      classes,
      { batchSize: 100, optimizer: 'adamw', schedule: { type: 'oneCycle', maximum: 0.01 } }
    ],
    'weighted rows and classes': [
      wide,
      classes,
      {
        batchSize: 'full',
        classWeights: classes[0].map((_, k) => k + 1),
        sampleWeights: targets.map(([x]) => x + 2)
      }
    ],
    'a regression of narrow layers': [
      { layers: [64, 16, 8, 10], seed: 7 },
      targets,
      { batchSize: 300, optimizer: 'nesterov', clipNorm: 0.5 }
    ],
    'L-BFGS': [{ layers: [64, { units: 32, l2: 0.01 }, 10], seed: 7 }, targets, { optimizer: 'lbfgs' }],
    'one row at a time': [{ layers: [64, 32, 10], seed: 7 }, targets, { batchSize: 1, optimizer: 'sgd' }]
  }

  for (const [name, [architecture, goals, options]] of Object.entries(problems)) {
    test(`from any number of threads, sync or async: ${name}`, async () => {
      const results = []
      for (const fit of Object.values(ways)) {
        for (const threads of [undefined, 1, 2, 3, 4, 7]) {
          const network = new NeuralNetwork(architecture)
          const history = await fit(network, inputs, goals, { epochs: 4, ...options, threads })
          const { durationMs, ...rest } = history
          results.push({ ...rest, weights: network.getWeights() })
        }
      }
      for (const result of results) assert.deepEqual(result, results[0])
      const reports = []
      const told = new NeuralNetwork(architecture)
      told.fitSync(inputs, goals, { epochs: 4, ...options, onEpoch: (report) => void reports.push(report) })
      assert.deepEqual(told.getWeights(), results[0].weights)
      assert.deepEqual(
        reports.map(({ loss }) => loss),
        [...results[0].loss]
      )
    })
  }

  test('from one process as from another', () => {
    const body = () => {
      const { NeuralNetwork } = require('./index.js')
      const { rowsOf } = require('./__test__/helpers.js')
      const network = new NeuralNetwork({ layers: [5, { units: 9, dropout: 0.3 }, 2], seed: 11 })
      network.fitSync(rowsOf(50, 5), rowsOf(50, 2), { epochs: 5, validation: 0.3 })
      console.log(JSON.stringify(network.getWeights()))
    }
    assert.equal(runsAlone(body), runsAlone(body))
  })

  test('from other seeds other ones', () => {
    const fitted = (seed) => {
      const network = new NeuralNetwork({ layers: [64, 10], seed })
      // The same start, so that only the order of the rows differs.
      network.setWeights(new NeuralNetwork({ layers: [64, 10], seed: 0 }).getWeights())
      network.fitSync(inputs, targets, { epochs: 2 })
      return flat(network.getWeights()).join()
    }
    assert.equal(fitted(1), fitted(1))
    assert.notEqual(fitted(1), fitted(2))
  })
})

describe('the order of the rows', () => {
  /** What a step learns from shows in the weights: plain descent on one weight, a row a step. */
  const network = () => {
    const one = new NeuralNetwork({ layers: [8, 1], seed: 5 })
    one.setWeights([{ weights: [new Array(8).fill(0)], biases: [0] }])
    return one
  }
  const inputs = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => (i === j ? 1 : 0)))

  test('is that of the data without shuffling, and another each epoch with it', () => {
    const orders = (shuffle) => {
      // The loss of a row is seen when its turn comes: the bias tells how many were before it.
      const targets = inputs.map(() => [1])
      const options = { optimizer: 'sgd', learningRate: 0.5, batchSize: 1, epochs: 1, shuffle }
      const trained = network()
      trained.fitSync(inputs, targets, options)
      const [{ weights }] = trained.getWeights()
      // The later a row comes, the smaller its error was.
      return weights[0]
        .map((w, i) => [w, i])
        .sort(([a], [b]) => b - a)
        .map(([, i]) => i)
    }
    assert.deepEqual(orders(false), [0, 1, 2, 3, 4, 5, 6, 7])
    const shuffled = orders(true)
    assert.notDeepEqual(shuffled, [0, 1, 2, 3, 4, 5, 6, 7])
    assert.deepEqual([...shuffled].sort(), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.deepEqual(orders(undefined), shuffled)
  })

  test('holds out the last rows without shuffling, drawn ones with it', () => {
    const targets = inputs.map(() => [1])
    const trainedOn = (options) => {
      const trained = network()
      trained.fitSync(inputs, targets, { optimizer: 'sgd', learningRate: 0.1, epochs: 1, ...options })
      return trained.getWeights()[0].weights[0].flatMap((w, i) => (w > 0 ? [i] : []))
    }
    assert.deepEqual(trainedOn({ validation: 0.25, shuffle: false }), [0, 1, 2, 3, 4, 5])
    assert.deepEqual(trainedOn({ validation: 0.5, shuffle: false }), [0, 1, 2, 3])
    // round(0.4 * 8) = 3
    assert.deepEqual(trainedOn({ validation: 0.4, shuffle: false }), [0, 1, 2, 3, 4])
    const drawn = trainedOn({ validation: 0.5 })
    assert.equal(drawn.length, 4)
    assert.notDeepEqual(drawn, [0, 1, 2, 3])
    assert.deepEqual(trainedOn({ validation: 0.5 }), drawn)
  })
})

describe('XOR', () => {
  const inputs = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1]
  ]
  const targets = [[0], [1], [1], [0]]
  const answersOf = (network) => network.predictBatch(inputs).map(([p]) => Math.round(p))

  // A few ReLU neurons may all be dead from the start (for some seeds in a hundred at 8): many, or smooth ones, are not.
  for (const [name, options] of Object.entries({
    'the defaults': { layers: [2, 32, 1] },
    'the loss of two classes': { layers: [2, 32, 1], loss: 'binaryCrossEntropy' },
    tanh: { layers: [2, { units: 8, activation: 'tanh' }, 1] }
  })) {
    test(`is learned from 200 of 200 seeds with ${name}`, () => {
      const failed = []
      for (let seed = 0; seed < 200; seed++) {
        const network = new NeuralNetwork({ ...options, seed })
        network.fitSync(inputs, targets, { epochs: 500, learningRate: 0.02 })
        if (answersOf(network).join() !== '0,1,1,0') failed.push(seed)
      }
      assert.deepEqual(failed, [])
    })
  }

  test("is learned by the original's network", () => {
    const network = new NeuralNetwork(2, 4, 1, { seed: 1 })
    const examples = inputs.map((input, i) => ({ input, output: targets[i] }))
    const options = { epochs: 10_000, learningRate: 0.05, targetLoss: 0.001 }
    assert.equal(network.fitSync(examples, options).stoppedBy, 'targetLoss')
    assert.deepEqual(answersOf(network), [0, 1, 1, 0])
  })
})

describe('threads', { skip: process.platform !== 'linux' }, () => {
  /** The names of the threads there were after each epoch, in a process that is bound to `cores`. */
  const namesOn = (cores, layers, options) => {
    const body = `
      const { readFileSync, readdirSync } = require('node:fs')
      const { NeuralNetwork } = require('./index.js')
      const { rowsOf } = require('./__test__/helpers.js')
      const names = new Set()
      const network = new NeuralNetwork({ layers: ${JSON.stringify(layers)}, seed: 1 })
      const onEpoch = () => {
        for (const task of readdirSync('/proc/self/task')) {
          names.add(readFileSync(\`/proc/self/task/\${task}/comm\`, 'utf8').trim())
        }
      }
      const options = { epochs: 3, batchSize: 64, onEpoch, ...${JSON.stringify(options)} }
      network.fitSync(rowsOf(256, ${layers[0]}), rowsOf(256, ${layers.at(-1)}), options)
      console.log(JSON.stringify([...names].filter((name) => name.startsWith('mikir'))))`
    const args = ['-c', cores, process.execPath, '-e', body]
    const { status, stdout, stderr } = spawnSync('taskset', args, {
      cwd: join(__dirname, '..'),
      encoding: 'utf8'
    })
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  const first = /^\d+/.exec(allowed)?.[0]
  const large = [400, 200, 10]

  test('are as many as the process has cores, and one on a single core', needs('threads'), () => {
    assert.deepEqual(namesOn(first, large, {}), [])
    assert.deepEqual(namesOn(first, large, { threads: 2 }), [])
    // Where the cores are there, but not for all of the time, there may be fewer.
    const quota = '/sys/fs/cgroup/cpu.max'
    if (existsSync(quota) && !readFileSync(quota, 'utf8').startsWith('max')) return
    const expected = Array.from({ length: availableParallelism() - 1 }, (_, i) => `mikir-fit-${i + 1}`)
    assert.deepEqual(namesOn(allowed, large, {}).sort(), expected.sort())
  })

  test('do not start where a step is too short to share', () => {
    assert.deepEqual(namesOn(allowed, [4, 8, 2], { threads: 4 }), [])
    assert.deepEqual(namesOn(allowed, [40, 30, 2], { threads: 4 }), [])
  })
})
