'use strict'

// `new NeuralNetwork(options)`: every mistake, the defaults, seeds, precision, and what a network tells of itself.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')
const { NeuralNetwork } = require('../index.js')
const { ACTIVATIONS } = require('./deep-oracle.js')
const {
  ARGUMENTS,
  LENGTH,
  OPTION,
  RANGE,
  TOO_LARGE,
  TYPE,
  agrees,
  flat,
  randomOf,
  refuses,
  refusesUntouched,
  runsAlone
} = require('./helpers.js')

const COUNT = 'an integer from 1 to 268435456'
const SEED = 'an integer from 0 to 9007199254740991'
const LAYERS = 'an array of the input count and at least one layer'
const LAYER = 'a count of neurons or an object with `units`'
const LAYER_KEYS = [
  'units',
  'activation',
  'initializer',
  'biasInitializer',
  'dropout',
  'l1',
  'l2',
  'normalization'
]
const PLAIN = 'a number, a string, an array or an object'

/** The weights of seed 42 for three inputs and two neurons. */
const SNAPSHOT = {
  heUniform: [
    [0.888989197912926, -0.512451484722901, 1.368659390779704],
    [0.5688973815163919, 0.830156059878875, 0.24918009220538823]
  ],
  glorotNormal: [
    [-0.4863539109845656, -0.549253544942669, -0.9556244867632635],
    [-0.2584900058608588, 0.39429180727257135, 0.47617352416981984]
  ],
  orthogonal: [
    [-0.40369484755684915, -0.45590427276881984, -0.7932097856980749],
    [-0.8941351171793082, 0.3802428091966265, 0.23651172969009984]
  ]
}

const quoted = (names) => names.map((name) => `'${name}'`).join(', ')
const ACTIVATION = `one of ${quoted([...Object.keys(ACTIVATIONS), 'softmax'])}`
const LOSS =
  "one of 'squaredError', 'mse', 'mae', 'huber', 'logCosh', 'crossEntropy', 'binaryCrossEntropy', 'poisson', " +
  "'hinge', 'quantile'"
const INITIALIZER =
  "one of 'uniform', 'normal', 'glorotUniform', 'glorotNormal', 'heUniform', 'heNormal', 'lecunUniform', " +
  "'lecunNormal', 'fanInUniform', 'orthogonal', 'zeros'"
const BIAS_INITIALIZER = INITIALIZER.replace("'orthogonal', ", '')

/** Networks with an option of each kind, to put mistakes in. */
const withOption = (key, value) => () => new NeuralNetwork({ layers: [2, 3, 1], [key]: value })
const withLayer = (layer) => () => new NeuralNetwork({ layers: [2, layer, 1] })
const withLayerOption = (key, value) => withLayer({ units: 3, [key]: value })
const withOutput = (output, loss) => () => new NeuralNetwork({ layers: [2, 3, output], loss })

const said = (rule, name, received) => `Expected ${rule} for ${name} but received ${received}`
const refusesOption = (call, code, rule, name, received) => refuses(call, code, said(rule, name, received))

function refusesCombination(call, rule, name, received) {
  const message = `Expected ${rule}, for ${name} but received ${received}`
  assert.throws(call, { name: 'TypeError', code: 'ERR_MIKIR_INVALID_COMBINATION', message })
}

describe('new NeuralNetwork refuses', () => {
  test('what is no object of options', () => {
    for (const [value, received] of [
      [null, 'null'],
      [[], 'an array of 0 elements'],
      [[2, 3], 'an array of 2 elements']
    ]) {
      refusesOption(() => new NeuralNetwork(value), TYPE, 'an object', 'options', received)
    }
    for (const value of [3, '2-3-1', true, 3n, Symbol('x'), () => ({ layers: [2, 1] }), undefined]) {
      assert.throws(() => new NeuralNetwork(value), { name: 'TypeError', code: ARGUMENTS })
    }
  })

  test('anything beside the options', () => {
    for (const rest of [[undefined], [1], [{}], [1, 2], [1, 2, {}, 4]]) {
      assert.throws(() => new NeuralNetwork({ layers: [2, 1] }, ...rest), {
        name: 'TypeError',
        code: /^ERR_MIKIR_/
      })
    }
  })

  test('unknown options, and suggests the nearest', () => {
    const rule = "only 'layers', 'loss', 'precision', 'seed'"
    for (const [key, received] of [
      ['layer', "'layer': did you mean 'layers'?"],
      ['Seed', "'Seed': did you mean 'seed'?"],
      ['los', "'los': did you mean 'loss'?"],
      ['presicion', "'presicion': did you mean 'precision'?"],
      ['xyz', "'xyz'"],
      ['', "''"],
      ['constructor', "'constructor'"],
      ['x'.repeat(60), `'${'x'.repeat(40)}…'`]
    ]) {
      refusesOption(withOption(key, 1), OPTION, rule, 'options', received)
    }
    const layer =
      "only 'units', 'activation', 'initializer', 'biasInitializer', 'dropout', 'l1', 'l2', 'normalization'"
    for (const [key, received] of [
      ['unit', "'unit': did you mean 'units'?"],
      ['activations', "'activations': did you mean 'activation'?"],
      ['dropuot', "'dropuot': did you mean 'dropout'?"],
      ['normalisation', "'normalisation': did you mean 'normalization'?"],
      ['weights', "'weights'"]
    ]) {
      refusesOption(withLayerOption(key, 1), OPTION, layer, 'options.layers[1]', received)
    }
  })

  test('parameters that a choice does not have', () => {
    for (const [call, rule, name, received] of [
      [withOption('loss', { type: 'mse', delta: 1 }), "only 'type'", 'options.loss', "'delta'"],
      [
        withOption('loss', { type: 'huber', dleta: 1 }),
        "only 'type', 'delta'",
        'options.loss',
        "'dleta': did you mean 'delta'?"
      ],
      [
        withLayerOption('activation', { type: 'relu', alpha: 1 }),
        "only 'type'",
        'options.layers[1].activation',
        "'alpha'"
      ],
      [
        withLayerOption('activation', { type: 'elu', aplha: 1 }),
        "only 'type', 'alpha'",
        'options.layers[1].activation',
        "'aplha': did you mean 'alpha'?"
      ],
      [
        withLayerOption('initializer', { type: 'uniform', max: 1 }),
        "only 'type', 'minimum', 'maximum'",
        'options.layers[1].initializer',
        "'max': did you mean 'maximum'?"
      ],
      [
        withLayerOption('initializer', { type: 'heNormal', gain: 1 }),
        "only 'type'",
        'options.layers[1].initializer',
        "'gain'"
      ]
    ]) {
      refusesOption(call, OPTION, rule, name, received)
    }
  })

  test('unknown names, and suggests the nearest', () => {
    for (const [name, received] of [
      ['relo', "'relo': did you mean 'relu'?"],
      ['ReLU', "'ReLU': did you mean 'relu'?"],
      ['sigmiod', "'sigmiod': did you mean 'sigmoid'?"],
      ['leaky_relu', "'leaky_relu': did you mean 'leakyRelu'?"],
      ['', "''"],
      ['q', "'q'"],
      ['toString', "'toString'"],
      ['z'.repeat(60), `'${'z'.repeat(40)}…'`]
    ]) {
      const activation = 'options.layers[1].activation'
      refusesOption(withLayerOption('activation', name), RANGE, ACTIVATION, activation, received)
      const typed = withLayerOption('activation', { type: name })
      refusesOption(typed, RANGE, ACTIVATION, `${activation}.type`, received)
    }
    const initializer = 'options.layers[1].initializer'
    const glorot = "'glorot': did you mean 'glorotNormal'?"
    assert.throws(withLayerOption('initializer', 'glorot'), { code: RANGE })
    assert.throws(withLayerOption('initializer', 'glorot'), (error) =>
      [glorot, glorot.replace('Normal', 'Uniform')].some(
        (received) => error.message === said(INITIALIZER, initializer, received)
      )
    )
    // There is no right angle between single numbers.
    for (const [value, name] of [
      ['orthogonal', 'biasInitializer'],
      [{ type: 'orthogonal', gain: 1 }, 'biasInitializer.type']
    ]) {
      const received = "'orthogonal': did you mean 'glorotNormal'?"
      const call = withLayerOption('biasInitializer', value)
      refusesOption(call, RANGE, BIAS_INITIALIZER, `options.layers[1].${name}`, received)
    }
    refusesOption(
      withOption('loss', 'crossEntropie'),
      RANGE,
      LOSS,
      'options.loss',
      "'crossEntropie': did you mean 'crossEntropy'?"
    )
    refusesOption(
      withOption('loss', { type: 'msee' }),
      RANGE,
      LOSS,
      'options.loss.type',
      "'msee': did you mean 'mse'?"
    )
    refusesOption(
      withLayerOption('normalization', 'bacth'),
      RANGE,
      "one of 'batch', 'layer'",
      'options.layers[1].normalization',
      "'bacth': did you mean 'batch'?"
    )
    refusesOption(withOption('precision', 'f16'), RANGE, "one of 'f64', 'f32'", 'options.precision', "'f16'")
  })

  test('the wrong kind of every option', () => {
    const kinds = [
      [null, 'null'],
      [true, 'true'],
      [[], 'an array of 0 elements'],
      [[1], 'an array of 1 element']
    ]
    for (const [value, received] of kinds) {
      if (!Array.isArray(value)) {
        refusesOption(withOption('layers', value), TYPE, LAYERS, 'options.layers', received)
      }
      refusesOption(withLayer(value), TYPE, LAYER, 'options.layers[1]', received)
      refusesOption(
        () => new NeuralNetwork({ layers: [value, 1] }),
        TYPE,
        COUNT,
        'options.layers[0]',
        received
      )
      refusesOption(withOption('loss', value), TYPE, LOSS, 'options.loss', received)
      refusesOption(
        withOption('precision', value),
        TYPE,
        "one of 'f64', 'f32'",
        'options.precision',
        received
      )
      for (const [key, rule] of [
        ['units', COUNT],
        ['activation', ACTIVATION],
        ['initializer', INITIALIZER],
        ['biasInitializer', BIAS_INITIALIZER],
        ['dropout', 'a number in [0, 1)'],
        ['l1', 'a number from 0 to 1e30'],
        ['l2', 'a number from 0 to 1e30'],
        ['normalization', "one of 'batch', 'layer'"]
      ]) {
        refusesOption(withLayerOption(key, value), TYPE, rule, `options.layers[1].${key}`, received)
      }
    }
    for (const value of [3, 'x']) {
      const received = inspect(value)
      refusesOption(withOption('layers', value), TYPE, LAYERS, 'options.layers', received)
    }
    refusesOption(withLayer('3'), TYPE, LAYER, 'options.layers[1]', "'3'")
    refusesOption(() => new NeuralNetwork({ layers: ['2', 1] }), TYPE, COUNT, 'options.layers[0]', "'2'")
    refusesOption(
      () => new NeuralNetwork({ layers: [{ units: 2 }, 1] }),
      TYPE,
      COUNT,
      'options.layers[0]',
      'an object'
    )
    refusesOption(withLayerOption('activation', 3), TYPE, ACTIVATION, 'options.layers[1].activation', '3')
    refusesOption(
      withLayerOption('dropout', '0.5'),
      TYPE,
      'a number in [0, 1)',
      'options.layers[1].dropout',
      "'0.5'"
    )
    for (const [value, received] of [
      [null, 'null'],
      [true, 'true'],
      ['7', "'7'"],
      [{}, 'an object']
    ]) {
      refusesOption(withOption('seed', value), TYPE, SEED, 'options.seed', received)
    }
  })

  test('what is missing', () => {
    refusesOption(() => new NeuralNetwork({}), TYPE, LAYERS, 'options.layers', 'undefined')
    const message = /^Expected an integer .* for options\.layers\[1\]\.units but received undefined$/
    assert.throws(withLayer({}), { name: 'TypeError', code: TYPE, message })
    assert.throws(withLayer({ units: undefined }), { name: 'TypeError', code: TYPE, message })
    for (const [call, rule, name] of [
      [withOption('loss', {}), LOSS, 'options.loss.type'],
      [withLayerOption('activation', {}), ACTIVATION, 'options.layers[1].activation.type'],
      [withLayerOption('initializer', { gain: 1 }), INITIALIZER, 'options.layers[1].initializer.type'],
      [withLayerOption('biasInitializer', {}), BIAS_INITIALIZER, 'options.layers[1].biasInitializer.type']
    ]) {
      refusesOption(call, TYPE, rule, name, 'undefined')
    }
  })

  test('holes', () => {
    const layers = [2, 3, 1]
    delete layers[1]
    refusesOption(() => new NeuralNetwork({ layers }), TYPE, PLAIN, 'options.layers[1]', 'undefined')
    refusesOption(withLayer(undefined), TYPE, PLAIN, 'options.layers[1]', 'undefined')
  })

  test('functions, symbols and bigints anywhere', () => {
    for (const [value, received] of [
      [() => 1, 'a function'],
      [class {}, 'a function'],
      [Symbol('x'), 'a symbol'],
      [3n, '3n']
    ]) {
      for (const key of ['layers', 'loss', 'precision', 'seed']) {
        refusesOption(withOption(key, value), TYPE, PLAIN, `options.${key}`, received)
      }
      refusesOption(withLayer(value), TYPE, PLAIN, 'options.layers[1]', received)
      for (const key of LAYER_KEYS) {
        refusesOption(withLayerOption(key, value), TYPE, PLAIN, `options.layers[1].${key}`, received)
      }
    }
    refusesOption(
      withOption('toJSON', () => ({})),
      TYPE,
      PLAIN,
      'options.toJSON',
      'a function'
    )
  })

  test('NaN and the infinities anywhere', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (const [call, name] of [
        [withOption('seed', value), 'options.seed'],
        [withLayer(value), 'options.layers[1]'],
        [withLayerOption('units', value), 'options.layers[1].units'],
        [withLayerOption('dropout', value), 'options.layers[1].dropout'],
        [withLayerOption('l1', value), 'options.layers[1].l1'],
        [withLayerOption('l2', value), 'options.layers[1].l2'],
        [withLayerOption('activation', { type: 'elu', alpha: value }), 'options.layers[1].activation.alpha'],
        [withOption('loss', { type: 'huber', delta: value }), 'options.loss.delta']
      ]) {
        refusesOption(call, RANGE, 'a finite number', name, String(value))
      }
    }
  })

  test('cycles and deep nesting', () => {
    const layers = [2]
    layers.push(layers)
    const code = TYPE
    assert.throws(() => new NeuralNetwork({ layers }), {
      code,
      message: /^Expected options nested at most 8 deep for/
    })
    const options = { layers: [2, { units: 1 }] }
    options.layers[1].activation = options
    assert.throws(() => new NeuralNetwork(options), {
      code,
      message: /^Expected options nested at most 8 deep for/
    })
    let deep = []
    for (let i = 0; i < 1e5; i++) deep = [deep]
    assert.throws(withLayer(deep), { code, message: /^Expected options nested at most 8 deep for/ })
  })

  test('too few and too many layers', () => {
    for (const layers of [[], [2]]) {
      const received = `an array of ${layers.length} element${layers.length === 1 ? '' : 's'}`
      const rule = 'the input count and at least one layer'
      refusesOption(() => new NeuralNetwork({ layers }), LENGTH, rule, 'options.layers', received)
    }
    for (const length of [100_001, 2 ** 32 - 1]) {
      const call = () => new NeuralNetwork({ layers: new Array(length) })
      refusesOption(call, LENGTH, 'at most 100000 elements', 'options.layers', length)
    }
  })

  test('counts that are negative, fractional, 0 or beyond the cap', () => {
    for (const [value, received] of [
      [0, '0'],
      [-0, '0'],
      [-1, '-1'],
      [2.7, '2.7'],
      [0.5, '0.5'],
      [1e-300, '1e-300'],
      [2 ** 28 + 1, '268435457'],
      [2 ** 32 + 5, '4294967301'],
      [-(2 ** 31), '-2147483648']
    ]) {
      for (const [call, name] of [
        [() => new NeuralNetwork({ layers: [value, 1] }), 'options.layers[0]'],
        [withLayer(value), 'options.layers[1]'],
        [withLayerOption('units', value), 'options.layers[1].units']
      ]) {
        refusesOption(call, RANGE, COUNT, name, received)
      }
    }
  })

  test('seeds that are no integer from 0 to 2^53 - 1', () => {
    for (const value of [-1, 0.5, 1.5, -0.5, 2 ** 53, 2 ** 60, -(2 ** 53)]) {
      refusesOption(withOption('seed', value), RANGE, SEED, 'options.seed', String(value))
    }
  })

  test('parameters outside their range', () => {
    const huber = (delta) => withOption('loss', { type: 'huber', delta })
    const quantile = (level) => withOption('loss', { type: 'quantile', level })
    const smoothing = (labelSmoothing) => withOutput(2, { type: 'crossEntropy', labelSmoothing })
    const positive = (positiveWeight) => withOutput(2, { type: 'binaryCrossEntropy', positiveWeight })
    const rules = [
      [
        'a number in [0, 1)',
        'options.layers[1].dropout',
        (x) => withLayerOption('dropout', x),
        [-0.1, 1, 1.5]
      ],
      ['a number from 0 to 1e30', 'options.layers[1].l1', (x) => withLayerOption('l1', x), [-1, -1e-300]],
      ['a number from 0 to 1e30', 'options.layers[1].l2', (x) => withLayerOption('l2', x), [-0.5]],
      ['a number above 0 and up to 1e30', 'options.loss.delta', huber, [0, -1]],
      ['a number in (0, 1)', 'options.loss.level', quantile, [0, 1, -0.5, 2]],
      ['a number in [0, 1)', 'options.loss.labelSmoothing', smoothing, [-0.1, 1, 3]],
      ['a number above 0 and up to 1e30', 'options.loss.positiveWeight', positive, [0, -2]],
      [
        'a number from 0 to 1e30',
        'options.layers[1].initializer.standardDeviation',
        (x) => withLayerOption('initializer', { type: 'normal', standardDeviation: x }),
        [-1]
      ]
    ]
    for (const [rule, name, call, values] of rules) {
      for (const value of values) refusesOption(call(value), RANGE, rule, name, String(value))
    }
    for (const [initializer, received] of [
      [{ type: 'uniform', minimum: 2, maximum: -1 }, '2 and -1'],
      [{ type: 'uniform', minimum: 2 }, '2 and 1'],
      [{ type: 'uniform', maximum: -2 }, '0 and -2']
    ]) {
      const rule = 'a minimum not above the maximum'
      const call = withLayerOption('initializer', initializer)
      refusesOption(call, RANGE, rule, 'options.layers[1].initializer', received)
    }
    const endless = { type: 'uniform', minimum: -1.7e308, maximum: 1.7e308 }
    assert.throws(withLayerOption('initializer', endless), { name: 'RangeError', code: RANGE })
  })

  test('the wrong kind of a parameter', () => {
    for (const [call, rule, name] of [
      [
        withLayerOption('activation', { type: 'elu', alpha: '1' }),
        'a number from -1e30 to 1e30',
        'options.layers[1].activation.alpha'
      ],
      [
        withOption('loss', { type: 'huber', delta: '1' }),
        'a number above 0 and up to 1e30',
        'options.loss.delta'
      ],
      [
        withLayerOption('initializer', { type: 'orthogonal', gain: '1' }),
        'a number from -1e30 to 1e30',
        'options.layers[1].initializer.gain'
      ]
    ]) {
      refusesOption(call, TYPE, rule, name, "'1'")
    }
  })

  test('combinations without meaning, and names the cure', () => {
    const softmax = { units: 2, activation: 'softmax' }
    refusesCombination(
      withLayer(softmax),
      'softmax on the output layer only, where it makes probabilities',
      'options.layers[1].activation',
      "'softmax'"
    )
    refusesCombination(
      withOutput({ units: 1, dropout: 0.5 }),
      '0 on the output layer, whose outputs are the prediction',
      'options.layers[2].dropout',
      '0.5'
    )
    for (const activation of Object.keys(ACTIVATIONS)) {
      refusesCombination(
        withOutput({ units: 2, activation }, 'crossEntropy'),
        "'softmax', which loss 'crossEntropy' is computed with",
        'options.layers[2].activation',
        `'${activation}'`
      )
      if (activation === 'sigmoid') continue
      refusesCombination(
        withOutput({ units: 2, activation }, { type: 'binaryCrossEntropy' }),
        "'sigmoid', which loss 'binaryCrossEntropy' is computed with",
        'options.layers[2].activation',
        `'${activation}'`
      )
    }
    refusesCombination(
      withOutput(1, 'crossEntropy'),
      "at least 2 classes, or loss 'binaryCrossEntropy' with one output",
      'options.layers[2].units',
      '1'
    )
    for (const activation of ['linear', 'tanh', 'leakyRelu', 'elu', 'gelu', 'softsign', 'hardTanh']) {
      refusesCombination(
        withOutput({ units: 1, activation }, 'poisson'),
        "an activation without negative outputs, such as 'softplus', with loss 'poisson'",
        'options.layers[2].activation',
        `'${activation}'`
      )
    }
    for (const loss of ['squaredError', 'mse', 'mae', 'huber', 'logCosh', 'poisson', 'hinge', 'quantile']) {
      const rule = "'crossEntropy', which fits a softmax output"
      refusesCombination(withOutput(softmax, loss), rule, 'options.loss', `'${loss}'`)
    }
    refusesCombination(
      withOutput(softmax),
      "'crossEntropy', which fits a softmax output",
      'options.loss',
      "'squaredError'"
    )
  })

  test('parameters beyond any use, which single precision could not hold', () => {
    for (const layer of [
      { units: 3, activation: { type: 'elu', alpha: 1e300 } },
      { units: 3, activation: { type: 'leakyRelu', alpha: -1e300 } },
      { units: 3, initializer: { type: 'normal', mean: 2e30 } },
      { units: 3, initializer: { type: 'uniform', minimum: 1e39, maximum: 2e39 } },
      { units: 3, initializer: { type: 'orthogonal', gain: 1e39 } },
      { units: 3, biasInitializer: { type: 'normal', mean: 2e30 } }
    ]) {
      const call = () => new NeuralNetwork({ layers: [2, layer, 1], precision: 'f32' })
      assert.throws(call, { name: 'RangeError', code: RANGE }, JSON.stringify(layer))
    }
  })

  test('networks over the cap, before anything is allocated', () => {
    runsAlone(() => {
      const assert = require('node:assert/strict')
      const { NeuralNetwork } = require('./index.js')
      const before = process.memoryUsage().rss
      for (const layers of [
        [2 ** 14, 2 ** 14],
        [2 ** 28, 1],
        [1, 2 ** 28],
        [2 ** 28, 2 ** 28],
        [2, 2 ** 27, 1, 1],
        [1, { units: 2 ** 26, normalization: 'batch' }, 1]
      ]) {
        assert.throws(() => new NeuralNetwork({ layers }), {
          name: 'RangeError',
          code: 'ERR_MIKIR_TOO_LARGE',
          message: /^Expected at most 268435456 parameters for the network but received \d+ or more$/
        })
      }
      assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20)
    })
    refuses(
      () => new NeuralNetwork({ layers: [16384, 16384] }),
      TOO_LARGE,
      'Expected at most 268435456 parameters for the network but received 268451840 or more'
    )
  })

  test('and lets errors of getters and proxies through', () => {
    const mine = new Error('mine')
    const fails = () => {
      throw mine
    }
    for (const options of [
      Object.defineProperty({}, 'layers', { get: fails, enumerable: true }),
      { layers: [2, Object.defineProperty({}, 'units', { get: fails, enumerable: true })] },
      Object.defineProperty({ layers: [2, 1] }, 'seed', { get: fails, enumerable: true }),
      new Proxy({}, { ownKeys: fails })
    ]) {
      assert.throws(
        () => new NeuralNetwork(options),
        (error) => error === mine
      )
    }
  })
})

describe('options', () => {
  test('are read once and never changed', () => {
    const freeze = (value) => {
      if (typeof value === 'object') Object.values(Object.freeze(value)).forEach(freeze)
      return value
    }
    const options = freeze({
      layers: [2, { units: 3, activation: { type: 'elu', alpha: 0.5 }, normalization: 'batch' }, 2],
      loss: { type: 'crossEntropy', labelSmoothing: 0.1 },
      seed: 4
    })
    const copy = structuredClone(options)
    new NeuralNetwork(options)
    assert.deepEqual(options, copy)
    let reads = 0
    new NeuralNetwork({
      get layers() {
        reads++
        return [2, 1]
      }
    })
    assert.equal(reads, 1)
  })

  test('that are undefined are left out, and may come from a class or another realm', () => {
    const network = new NeuralNetwork({
      layers: [2, { units: 3, l1: undefined }, 1],
      loss: undefined,
      seed: undefined
    })
    assert.equal(network.precision, 'f64')
    class Options {
      layers = [2, 1]
    }
    assert.equal(new NeuralNetwork(new Options()).parameterCount, 3)
    const foreign = require('node:vm').runInNewContext('({ layers: [2, 3, 1], seed: 1 })')
    assert.deepEqual(
      new NeuralNetwork(foreign).getWeights(),
      new NeuralNetwork({ layers: [2, 3, 1], seed: 1 }).getWeights()
    )
  })

  test('may be inherited: from an object of defaults, and from the getters of a class', () => {
    const defaults = { layers: [2, 3, 1], precision: 'f32', seed: 1 }
    class Config {
      get layers() {
        return [{ units: 2 }, Object.create({ units: 3 }), 1]
          .slice(0, 3)
          .map((layer, l) => (l === 0 ? 2 : layer))
      }
      get seed() {
        return 1
      }
      describe() {
        return 'no option'
      }
    }
    class Single extends Config {
      precision = 'f32'
    }
    const expected = new NeuralNetwork(defaults).getWeights()
    for (const options of [Object.create(defaults), Object.create(Object.create(defaults)), new Single()]) {
      const network = new NeuralNetwork(options)
      assert.deepStrictEqual([network.precision, network.getWeights()], ['f32', expected])
    }
    const nearer = Object.assign(Object.create(defaults), { seed: 2, precision: undefined })
    assert.deepEqual([new NeuralNetwork(nearer).seed, new NeuralNetwork(nearer).precision], [2, 'f64'])

    const network = new NeuralNetwork(2, 2, 1, Object.create({ seed: 5 }))
    assert.equal(network.seed, 5)
    const rows = [[[0, 1]], [[1]]]
    assert.equal(network.fitSync(...rows, Object.create({ epochs: 3 })).epochs, 3)
    assert.equal(network.fitSync(...rows, Object.create({ onEpoch: () => false })).epochs, 1)
    const validation = Object.create({ inputs: rows[0], targets: rows[1] })
    assert.equal(network.fitSync(...rows, { epochs: 2, validation }).validationLoss.length, 2)
    const optimizer = Object.create({ type: 'adam', beta1: 0.5 })
    assert.equal(network.fitSync(...rows, { epochs: 2, optimizer }).epochs, 2)
    assert.throws(() => network.fitSync(...rows, Object.create({ epocs: 3 })), { code: OPTION })
    assert.throws(() => new NeuralNetwork(2, 2, 1, Object.create({ sede: 3 })), { code: OPTION })
  })

  test('are not what all objects inherit', () => {
    Object.prototype.layers = [2, 9, 1]
    try {
      refusesOption(() => new NeuralNetwork({}), TYPE, LAYERS, 'options.layers', 'undefined')
    } finally {
      delete Object.prototype.layers
    }
  })

  test('in a collection, or in what has no properties, are refused', () => {
    const cure = ': make one of it with Object.fromEntries()'
    const network = new NeuralNetwork(2, 2, 1)
    const kinds = [
      [new Map([['layers', [2, 1]]]), `Map${cure}`],
      [new URLSearchParams('seed=1'), `URLSearchParams${cure}`],
      [new Set(['layers']), 'Set'],
      [new Date(0), 'Date'],
      [/x/, 'RegExp'],
      [Promise.resolve({ layers: [2, 1] }), 'Promise'],
      [new Float64Array(0), 'Float64Array'],
      [new Error('x'), 'Error'],
      [Object(1), 'Number'],
      [Object.create({ [Symbol.toStringTag]: 'x'.repeat(99) }), 'x'.repeat(40)]
    ]
    for (const [value, received] of kinds) {
      const places = {
        options: [() => new NeuralNetwork(value), () => network.fitSync([[0, 1]], [[1]], value)],
        'options.layers[1]': [() => new NeuralNetwork({ layers: [2, value] })],
        'options.validation': [() => network.fitSync([[0, 1]], [[1]], { validation: value })],
        'options.schedule': [() => network.fitSync([[0, 1]], [[1]], { schedule: value })]
      }
      for (const [name, calls] of Object.entries(places)) {
        const message = `Expected a plain object for ${name} but received a value of kind ${received}`
        for (const call of calls) refuses(call, TYPE, message)
      }
    }
  })

  test('with ever more prototypes are refused', () => {
    const endless = () => new Proxy({}, { getPrototypeOf: endless, get: () => undefined })
    const said = (name) => `Expected an object of at most 100 prototypes for ${name} but received one of more`
    const network = new NeuralNetwork(2, 2, 1)
    refuses(() => network.fitSync([[0, 1]], [[1]], endless()), TYPE, said('options'))
    refuses(() => new NeuralNetwork({ layers: [2, endless()] }), TYPE, said('options.layers[1]'))
  })

  test('with every name and parameter make a network that predicts', () => {
    const initializers = INITIALIZER.match(/(?<=')\w+(?=')/g)
    const losses = LOSS.match(/(?<=')\w+(?=')/g)
    assert.equal(initializers.length * losses.length, 110)
    const predicts = (options) => {
      const network = new NeuralNetwork({ seed: 1, ...options })
      assert.ok(network.predict([0.3, -0.7]).every(Number.isFinite), JSON.stringify(options))
    }
    for (const precision of ['f64', 'f32']) {
      for (const activation of Object.keys(ACTIVATIONS))
        predicts({ layers: [2, { units: 3, activation }, 1], precision })
      for (const initializer of initializers)
        predicts({ layers: [2, { units: 3, initializer }, 1], precision })
      for (const biasInitializer of BIAS_INITIALIZER.match(/(?<=')\w+(?=')/g))
        predicts({ layers: [2, { units: 3, biasInitializer }, 1], precision })
      for (const loss of losses) predicts({ layers: [2, 3, 2], loss, precision })
      for (const loss of losses) predicts({ layers: [2, 3, 2], loss: { type: loss }, precision })
    }
    predicts({ layers: [2, { units: 3, activation: { type: 'leakyRelu', alpha: -1 }, l1: 0, l2: 1e30 }, 1] })
    predicts({ layers: [2, { units: 3, initializer: { type: 'uniform', minimum: 1, maximum: 1 } }, 1] })
    predicts({ layers: [2, { units: 3, dropout: 0.999 }, { units: 1, dropout: 0 }], seed: 2 ** 53 - 1 })
  })
})

describe('defaults', () => {
  /** The activation and the initializer of each layer, told by what it does. */
  const activationsOf = (network) =>
    network
      .summary()
      .split('\n')
      .filter((line) => /^(hidden|output)/.test(line))
      .map((line) => line.match(/\s([a-z]\w*)(?=\s+[\d,]+$)/)?.[1])

  test('are ReLU in hidden layers and the output that fits the loss', () => {
    for (const [loss, output] of [
      [undefined, 'linear'],
      ['squaredError', 'linear'],
      ['mse', 'linear'],
      ['mae', 'linear'],
      ['huber', 'linear'],
      ['logCosh', 'linear'],
      ['crossEntropy', 'softmax'],
      ['binaryCrossEntropy', 'sigmoid'],
      ['poisson', 'softplus'],
      ['hinge', 'linear'],
      ['quantile', 'linear']
    ]) {
      const network = new NeuralNetwork({ layers: [2, 3, { units: 4 }, 2], loss })
      assert.deepEqual(activationsOf(network), ['relu', 'relu', output])
      assert.match(network.summary(), new RegExp(`, loss ${loss ?? 'squaredError'}, precision f64\n`))
    }
  })

  test('are weights from fanInUniform and biases too, those of the output 0, whatever the activation', () => {
    for (const activation of Object.keys(ACTIVATIONS)) {
      const weights = (initializer, biasInitializer, outputBiases) =>
        new NeuralNetwork({
          layers: [
            5,
            { units: 4, activation, initializer, biasInitializer },
            { units: 2, initializer, biasInitializer: outputBiases }
          ],
          seed: 1
        }).getWeights()
      const [hidden, output] = weights()
      assert.deepEqual([hidden, output], weights('fanInUniform', 'fanInUniform', 'zeros'), activation)
      assert.notDeepEqual(hidden.weights, weights('lecunUniform')[0].weights)
      assert.equal(new Set(hidden.biases).size, 4)
      assert.ok(hidden.biases.every((b) => Math.abs(b) <= 1 / Math.sqrt(5)))
      assert.deepEqual(output.biases, [0, 0])
    }
    // Choosing the weights leaves the biases as they are.
    const [chosen] = new NeuralNetwork({
      layers: [5, { units: 4, initializer: 'zeros' }, 2],
      seed: 1
    }).getWeights()
    assert.equal(new Set(chosen.biases).size, 4)
  })

  test('of parameters are those written in docs/math.md', () => {
    const outputs = (layer) =>
      new NeuralNetwork({ layers: [3, layer, 2], seed: 5 }).predictBatch([
        [1, -2, 3],
        [-3, 1, 1]
      ])
    for (const [key, name, parameters] of [
      ['activation', 'leakyRelu', { alpha: 0.01 }],
      ['activation', 'elu', { alpha: 1 }],
      ['initializer', 'uniform', { minimum: 0, maximum: 1 }],
      ['initializer', 'normal', { mean: 0, standardDeviation: 1 }],
      ['initializer', 'orthogonal', { gain: 1 }]
    ]) {
      const plain = outputs({ units: 6, [key]: name })
      assert.deepEqual(outputs({ units: 6, [key]: { type: name, ...parameters } }), plain, name)
      for (const parameter of Object.keys(parameters)) {
        const other = { type: name, ...parameters, [parameter]: parameters[parameter] + 0.5 }
        assert.notDeepEqual(outputs({ units: 6, [key]: other }), plain, parameter)
      }
    }
    const trained = (loss) => {
      const network = new NeuralNetwork({ layers: [3, 2], loss, seed: 5 })
      network.train([1, -2, 3], [1, 0])
      return network.getWeights()
    }
    for (const [type, parameters, other] of [
      ['huber', { delta: 1 }, { delta: 0.01 }],
      ['crossEntropy', { labelSmoothing: 0 }, { labelSmoothing: 0.1 }],
      ['binaryCrossEntropy', { positiveWeight: 1 }, { positiveWeight: 2 }],
      ['quantile', { level: 0.5 }, { level: 0.6 }]
    ]) {
      assert.deepEqual(trained(type), trained({ type, ...parameters }))
      assert.notDeepEqual(trained(type), trained({ type, ...other }))
    }
  })

  test('of the three-number network stay those of the original', () => {
    const network = new NeuralNetwork(2, 3, 1)
    assert.deepEqual(activationsOf(network), ['sigmoid', 'sigmoid'])
    assert.ok(flat(network.getWeights()).every((x) => x >= 0 && x < 1))
    assert.ok(network.getWeights()[0].biases.some((b) => b > 0))
  })
})

describe('seeds', () => {
  const layers = [3, { units: 5, normalization: 'batch' }, 2]

  test('that are equal give equal weights, others do not', () => {
    for (const seed of [0, 1, 42, 2 ** 32, 2 ** 53 - 1]) {
      const weights = () => new NeuralNetwork({ layers, seed }).getWeights()
      assert.deepEqual(weights(), weights())
      assert.notDeepEqual(weights(), new NeuralNetwork({ layers, seed: Math.abs(seed - 1) }).getWeights())
      assert.equal(new NeuralNetwork({ layers, seed }).seed, seed)
    }
  })

  test('give single precision the same weights, rounded', () => {
    for (const initializer of INITIALIZER.match(/(?<=')\w+(?=')/g)) {
      const weights = (precision) =>
        new NeuralNetwork({ layers: [7, { units: 6, initializer }, 2], precision, seed: 42 }).getWeights()
      assert.deepEqual(flat(weights('f32')), flat(weights('f64')).map(Math.fround), initializer)
    }
  })

  test('are drawn at random and readable where none is given', () => {
    const seeds = Array.from({ length: 50 }, () => new NeuralNetwork({ layers }).seed)
    assert.equal(new Set(seeds).size, 50)
    assert.ok(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0))
    assert.ok(seeds.some((seed) => seed > 2 ** 32))
    const network = new NeuralNetwork({ layers })
    assert.deepEqual(new NeuralNetwork({ layers, seed: network.seed }).getWeights(), network.getWeights())
  })

  test('give the weights they always gave', () => {
    // Written down once: a change breaks everybody's reproducible runs.
    const first = (initializer) =>
      new NeuralNetwork({ layers: [3, { units: 2, initializer }], seed: 42 }).getWeights()[0].weights
    assert.deepEqual(first('heUniform'), SNAPSHOT.heUniform)
    assert.deepEqual(first('glorotNormal'), SNAPSHOT.glorotNormal)
    assert.deepEqual(first('orthogonal'), SNAPSHOT.orthogonal)
  })
})

describe('a network', () => {
  const options = {
    layers: [
      4,
      { units: 8, normalization: 'batch', dropout: 0.25 },
      { units: 1200, normalization: 'layer' },
      3
    ],
    loss: 'crossEntropy',
    precision: 'f32',
    seed: 7
  }

  test('has read-only properties', () => {
    const network = new NeuralNetwork(options)
    const { inputCount, outputCount, parameterCount, precision, seed } = network
    assert.deepEqual([inputCount, outputCount, precision, seed], [4, 3, 'f32', 7])
    assert.equal(parameterCount, 4 * 8 + 8 + 2 * 8 + 8 * 1200 + 1200 + 2 * 1200 + 1200 * 3 + 3)
    for (const key of ['inputCount', 'outputCount', 'parameterCount', 'precision', 'seed']) {
      assert.throws(() => {
        network[key] = 1
      }, TypeError)
    }
  })

  test('counts what training changes, and no statistics', () => {
    const count = (layer) => new NeuralNetwork({ layers: [2, layer, 1] }).parameterCount
    assert.equal(count(3), 2 * 3 + 3 + 3 + 1)
    assert.equal(count({ units: 3, normalization: 'batch' }), count(3) + 6)
    assert.equal(count({ units: 3, normalization: 'layer' }), count(3) + 6)
    assert.equal(new NeuralNetwork({ layers: [1, 1] }).parameterCount, 2)
  })

  test('summarizes itself', () => {
    assert.equal(
      new NeuralNetwork(options).summary(),
      [
        'NeuralNetwork of 4 inputs, loss crossEntropy, precision f32',
        'layer     inputs  units  activation  extras                             parameters',
        'hidden 1  4       8      relu        batch normalization, dropout 0.25  56',
        'hidden 2  8       1200   relu        layer normalization                13,200',
        'output    1200    3      softmax                                        3,603',
        '16,859 parameters'
      ].join('\n')
    )
    assert.equal(
      new NeuralNetwork(1, 1, 1).summary(),
      [
        'NeuralNetwork of 1 input, loss squaredError, precision f64',
        'layer     inputs  units  activation  extras  parameters',
        'hidden 1  1       1      sigmoid             2',
        'output    1       1      sigmoid             2',
        '4 parameters'
      ].join('\n')
    )
    const said = 'Expected 0 arguments for summary but received 1'
    refuses(() => new NeuralNetwork(options).summary({}), ARGUMENTS, said)
  })

  test('is one line in console.log', () => {
    assert.equal(
      inspect(new NeuralNetwork(options)),
      'NeuralNetwork 4-8-1200-3 (16859 parameters, f32, seed 7)'
    )
    assert.equal(
      inspect([new NeuralNetwork({ layers: [2, 1], seed: 0 })]),
      '[ NeuralNetwork 2-1 (3 parameters, f64, seed 0) ]'
    )
  })

  test('cannot be made from the inside of another', () => {
    const network = new NeuralNetwork(options)
    assert.deepEqual(Object.keys(network), [])
    assert.throws(() => new NeuralNetwork(network), { name: 'TypeError', code: OPTION })
  })
})

describe('clone', () => {
  for (const precision of ['f64', 'f32']) {
    test(`is the same to the bit, and independent, in ${precision}`, () => {
      const network = new NeuralNetwork({
        layers: [3, { units: 6, normalization: 'batch' }, { units: 4, normalization: 'layer' }, 2],
        precision,
        seed: 6
      })
      for (let i = 0; i < 10; i++) network.train([0.1, 0.2, -0.3], [1, -1], 0.01)
      const before = [network.getWeights(), network.predict([1, 2, 3])]
      const copy = network.clone()
      assert.ok(copy instanceof NeuralNetwork)
      assert.deepEqual([copy.getWeights(), copy.predict([1, 2, 3])], before)
      assert.deepEqual([copy.seed, copy.precision, copy.summary()], [6, precision, network.summary()])
      copy.train([1, 1, 1], [0, 0], 0.01)
      assert.notDeepEqual(copy.getWeights(), before[0])
      assert.deepEqual([network.getWeights(), network.predict([1, 2, 3])], before)
      const after = copy.getWeights()
      network.train([-1, 1, 1], [0, 3], 0.01)
      assert.notDeepEqual(network.getWeights(), before[0])
      assert.deepEqual(copy.getWeights(), after)
    })
  }

  test('takes no arguments', () => {
    const network = new NeuralNetwork({ layers: [2, 1] })
    refuses(() => network.clone({}), ARGUMENTS, 'Expected 0 arguments for clone but received 1')
  })
})

describe('the weights of a normalized network', () => {
  const layers = [2, { units: 3, normalization: 'batch' }, { units: 2, normalization: 'layer' }, 1]
  const fresh = (precision) => new NeuralNetwork({ layers, precision, seed: 2 })

  test('have gamma and beta, and running statistics where they are of the batch', () => {
    const [batch, layer, plain] = fresh().getWeights()
    assert.deepEqual(Object.keys(batch), ['weights', 'biases', 'gamma', 'beta', 'mean', 'variance'])
    assert.deepEqual(Object.keys(layer), ['weights', 'biases', 'gamma', 'beta'])
    assert.deepEqual(Object.keys(plain), ['weights', 'biases'])
    assert.deepEqual(
      [batch.gamma, batch.beta],
      [
        [1, 1, 1],
        [0, 0, 0]
      ]
    )
    assert.deepEqual(
      [batch.mean, batch.variance],
      [
        [0, 0, 0],
        [1, 1, 1]
      ]
    )
    assert.deepEqual(
      [layer.gamma, layer.beta],
      [
        [1, 1],
        [0, 0]
      ]
    )
  })

  test('go out and in to the bit, and mean what they say', () => {
    for (const precision of ['f64', 'f32']) {
      const network = fresh(precision)
      const random = randomOf(4)
      const draw = (value) => (Array.isArray(value) ? value.map(draw) : Math.fround(random() + 0.25))
      const weights = network
        .getWeights()
        .map((layer) => Object.fromEntries(Object.entries(layer).map(([key, value]) => [key, draw(value)])))
      network.setWeights(weights)
      assert.deepEqual(network.getWeights(), weights)
      network.setWeights(JSON.parse(JSON.stringify(weights)))
      assert.deepEqual(network.getWeights(), weights)
      const [batch, layer, plain] = weights
      const sums = ({ weights, biases }, x) =>
        weights.map((row, j) => row.reduce((sum, w, i) => sum + w * x[i], biases[j]))
      const scaled = (z, { gamma, beta }, mean, variance) =>
        z.map((z, j) => Math.max(0, (gamma[j] * (z - mean[j])) / Math.sqrt(variance[j] + 1e-5) + beta[j]))
      const h = scaled(sums(batch, [0.5, -1]), batch, batch.mean, batch.variance)
      const z = sums(layer, h)
      const mean = (z[0] + z[1]) / 2
      const variance = ((z[0] - mean) ** 2 + (z[1] - mean) ** 2) / 2
      const expected = sums(plain, scaled(z, layer, [mean, mean], [variance, variance]))
      agrees(network.predict([0.5, -1]), expected, precision === 'f64' ? 1e-12 : 1e-4)
    }
  })

  test('are refused with their place', () => {
    const network = fresh()
    const changed = (l, change) => () => {
      const weights = network.getWeights()
      change(weights[l])
      network.setWeights(weights)
    }
    for (const key of ['gamma', 'beta', 'mean', 'variance']) {
      const name = `layers[0].${key}`
      const shorter = changed(0, (layer) => {
        layer[key] = [1, 1]
      })
      refusesUntouched(network, shorter, LENGTH, `Expected 3 numbers for ${name} but received 2`)
      const nan = changed(0, (layer) => {
        layer[key][1] = Number.NaN
      })
      refusesUntouched(network, nan, RANGE, `Expected a finite number for ${name}[1] but received NaN`)
      const none = changed(0, (layer) => void delete layer[key])
      const message = `Expected an array or a typed array of numbers for ${name} but received undefined`
      refusesUntouched(network, none, TYPE, message)
    }
    const running = changed(1, (layer) => {
      layer.mean = [0, 0]
    })
    const only = "Expected only 'weights', 'biases', 'gamma', 'beta' for layers[1] but received 'mean'"
    assert.throws(running, (error) => error.code === OPTION && error.message.startsWith(only))
    const negative = changed(0, (layer) => {
      layer.variance[2] = -1
    })
    const rule = 'Expected a number of at least 0 for layers[0].variance[2] but received -1'
    refusesUntouched(network, negative, RANGE, rule)
  })

  test('that single precision cannot hold are refused with their place', () => {
    const network = fresh('f32')
    for (const [l, path, name] of [
      [0, ['weights', 2, 1], 'layers[0].weights[2][1]'],
      [0, ['biases', 0], 'layers[0].biases[0]'],
      [0, ['gamma', 1], 'layers[0].gamma[1]'],
      [0, ['mean', 2], 'layers[0].mean[2]'],
      [0, ['variance', 0], 'layers[0].variance[0]'],
      [1, ['weights', 0, 0], 'layers[1].weights[0][0]'],
      [1, ['beta', 1], 'layers[1].beta[1]'],
      [2, ['weights', 0, 1], 'layers[2].weights[0][1]'],
      [2, ['biases', 0], 'layers[2].biases[0]']
    ]) {
      const call = () => {
        const weights = network.getWeights()
        const last = path.slice(0, -1).reduce((value, key) => value[key], weights[l])
        last[path.at(-1)] = 1e39
        network.setWeights(weights)
      }
      const message = `Expected a number that single precision can hold for ${name} but received 1e+39`
      refusesUntouched(network, call, RANGE, message)
    }
    const weights = network.getWeights()
    weights[2].biases[0] = 3.4028234663852886e38
    network.setWeights(weights)
    assert.deepEqual(network.getWeights(), weights)
  })
})
