'use strict'

// Networks as JSON, safetensors and modules, and in files.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, describe, test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { NeuralNetwork, load } = require('../index.js')
const { ACTIVATIONS } = require('./deep-oracle.js')
const { ARGUMENTS, CORRUPT_FILE, FILE, LENGTH, OPTION, RANGE, TYPE, randomOf, refuses, rowsOf } =
  require('./helpers.js')

const folder = mkdtempSync(path.join(tmpdir(), 'mikir-files-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = (ending) => path.join(folder, `${++files}${ending}`)

/** That a call throws an error of this code, and says so. */
function throws(call, code, message) {
  assert.throws(call, message === undefined ? { code } : { code, message })
}

/** Networks of every activation, normalization, depth and precision, all of their numbers moved. */
function* networks() {
  const hidden = Object.keys(ACTIVATIONS).filter((name) => name !== 'softmax')
  for (const precision of ['f64', 'f32']) {
    for (const [i, activation] of hidden.entries()) {
      for (const normalization of [undefined, 'batch', 'layer']) {
        const depth = 1 + (i % 6)
        const layer = { units: 5, activation, normalization, dropout: i % 2 === 0 ? 0.3 : 0 }
        const layers = [
          3,
          ...Array.from({ length: depth - 1 }, () => layer),
          { ...layer, units: 2, dropout: 0 }
        ]
        yield moved(new NeuralNetwork({ layers, loss: 'mse', precision, seed: i + 1 }))
      }
    }
    for (const loss of ['crossEntropy', 'binaryCrossEntropy', 'huber']) {
      yield moved(new NeuralNetwork({ layers: [4, 6, 3], loss, precision, seed: 3 }))
    }
  }
  yield new NeuralNetwork(2, 3, 1, { seed: 4 })
  const options = {
    layers: [2, { units: 3, activation: { type: 'elu', alpha: 0.3 }, initializer: 'orthogonal' }, 1]
  }
  yield new NeuralNetwork({ ...options, loss: { type: 'huber', delta: 2 }, seed: 5 })
}

/** The same network with statistics and gammas that are not neutral, and a bias of exactly 0. */
function moved(network) {
  const random = randomOf(7)
  const layers = network
    .getWeights()
    .map((layer) =>
      Object.fromEntries(
        Object.entries(layer).map(([key, values]) => [
          key,
          key === 'weights'
            ? values
            : values.map((x, j) => (key === 'biases' && j === 0 ? 0 : Math.abs(x) + random()))
        ])
      )
    )
  network.setWeights(layers)
  return network
}

function assertSame(actual, expected) {
  assert.deepEqual(actual.options, expected.options)
  assert.deepEqual(actual.getWeights(), expected.getWeights())
  for (const row of rowsOf(3, expected.inputCount))
    assert.deepEqual(actual.predict(row), expected.predict(row))
}

test('the options of a network make it again', () => {
  for (const network of networks()) {
    const again = new NeuralNetwork(network.options)
    assert.deepEqual(again.options, network.options)
    again.setWeights(network.getWeights())
    assertSame(again, network)
  }
  const fresh = new NeuralNetwork({ layers: [3, 4, 2], loss: 'crossEntropy' })
  assert.deepEqual(new NeuralNetwork(fresh.options).getWeights(), fresh.getWeights())
  const original = new NeuralNetwork(3, 4, 2)
  assert.deepEqual(new NeuralNetwork(original.options).getWeights(), original.getWeights())
  original.options.layers.push(7)
  assert.equal(original.options.layers.length, 3)
})

describe('JSON', () => {
  test('is the whole network, to the bit', () => {
    for (const network of networks()) {
      assertSame(NeuralNetwork.fromJSON(network.toJSON()), network)
      assertSame(NeuralNetwork.fromJSON(JSON.stringify(network)), network)
      assertSame(NeuralNetwork.fromJSON(structuredClone(network.toJSON())), network)
    }
  })

  test('has the documented form', () => {
    const network = new NeuralNetwork({ layers: [2, 1], loss: 'binaryCrossEntropy', seed: 42 })
    network.setWeights([{ weights: [[0.5, -0.25]], biases: [0.125] }])
    const docs = readFileSync(path.join(__dirname, '../docs/file-format.md'), 'utf8')
    assert.deepEqual(
      JSON.parse(JSON.stringify(network)),
      JSON.parse(docs.split('```json\n')[1].split('```')[0])
    )
  })

  test('that is none of a network is refused with the reason', () => {
    const good = new NeuralNetwork({ layers: [2, 2, 1], seed: 1 }).toJSON()
    const spoilt = (change) => {
      const json = structuredClone(good)
      change(json)
      return json
    }
    for (const [json, said] of [
      ['{', /^Expected JSON for json but received another text: /],
      [
        {},
        "Expected the format 'mikir-network', or a network of brain.js or synaptic, for json but received undefined"
      ],
      [spoilt((json) => (json.version = 2)), 'Expected version 1 of the format for json but received 2'],
      [
        spoilt((json) => json.layers.pop()),
        'Expected a network for json but received another: Expected 2 elements for layers but received 1'
      ],
      [
        spoilt((json) => (json.layers[1].weights[0][1] = null)),
        'Expected a network for json but received another: Expected a finite number for layers[1].weights[0][1] but ' +
          'received null: fill in a number'
      ],
      [
        spoilt((json) => (json.options.layers[1].units = 1e9)),
        /^Expected a network for json but received another: Expected /
      ],
      [
        spoilt((json) => (json.options = null)),
        /^Expected a network for json but received another: Expected an object /
      ]
    ]) {
      throws(() => NeuralNetwork.fromJSON(json), CORRUPT_FILE, said)
    }
    for (const json of [null, 1, [], undefined, 'null', '[]'])
      throws(() => NeuralNetwork.fromJSON(json), TYPE)
    throws(() => NeuralNetwork.fromJSON(), ARGUMENTS)
    throws(() => NeuralNetwork.fromJSON(good, 1), ARGUMENTS)
  })
})

describe('safetensors', () => {
  test('are the whole network, to the bit', () => {
    for (const network of networks()) {
      const bytes = network.toSafetensors()
      assertSame(NeuralNetwork.fromSafetensors(bytes), network)
      const { buffer } = Uint8Array.from(bytes)
      assertSame(NeuralNetwork.fromSafetensors(buffer), network)
      assert.deepEqual(network.toSafetensors(), bytes)
    }
  })

  test('of PyTorch take their activations from the caller', () => {
    const network = moved(
      new NeuralNetwork({
        layers: [
          3,
          { units: 4, activation: 'tanh', normalization: 'batch' },
          { units: 5, normalization: 'layer' },
          2
        ],
        loss: 'mse',
        seed: 2
      })
    )
    const bytes = withoutMetadata(network.toSafetensors(), 'net.')
    const read = NeuralNetwork.fromSafetensors(bytes, { activations: ['tanh', 'relu'] })
    assert.deepEqual(read.getWeights(), network.getWeights())
    assert.deepEqual(read.predict([1, 2, 3]), network.predict([1, 2, 3]))
    assert.equal(read.options.layers[3].activation, 'linear')
    const classifier = NeuralNetwork.fromSafetensors(bytes, { activations: ['tanh', 'relu', 'softmax'] })
    assert.equal(classifier.options.loss.type, 'crossEntropy')
    const open = (options) => () => NeuralNetwork.fromSafetensors(bytes, options)
    const rule = 'an activation for each of the 3 layers, or for all but the last, for options.activations'
    refuses(open(), TYPE, `Expected ${rule} but received undefined: the file does not say them`)
    refuses(open({ activations: ['relu'] }), LENGTH, `Expected ${rule} but received 1`)
    throws(open({ activations: ['relu', 'rleu'] }), RANGE)
    throws(open({ activations: 'relu' }), TYPE)
    throws(open({ activation: [] }), OPTION)
    throws(open(1), TYPE)
  })

  for (const { name, activations, file, inputs, outputs } of require('./goldens/torch_files.json').cases) {
    test(`of PyTorch predict what PyTorch predicts: ${name}`, () => {
      const network = NeuralNetwork.fromSafetensors(Buffer.from(file, 'base64'), { activations })
      const tolerance = network.precision === 'f64' ? 1e-12 : 1e-6
      for (const [row, exact] of outputs.entries()) {
        const predicted = network.predict(inputs[row])
        for (const [k, x] of exact.entries()) {
          assert.ok(Math.abs(predicted[k] - x) <= tolerance * (1 + Math.abs(x)), `${predicted[k]}, not ${x}`)
        }
      }
    })
  }

  test('that are damaged anywhere are refused, or whole', () => {
    const network = moved(
      new NeuralNetwork({ layers: [2, { units: 2, normalization: 'batch' }, 1], seed: 1 })
    )
    const bytes = network.toSafetensors()
    const reasons = new Set()
    const tries = (damaged) => {
      try {
        NeuralNetwork.fromSafetensors(damaged).predict([1, 2])
      } catch (error) {
        assert.ok([CORRUPT_FILE, TYPE].includes(error.code), `${error.code} ${error.message}`)
        assert.match(error.message, /^Expected .* for (bytes|options\.activations) but received /s)
        reasons.add(error.message)
      }
    }
    for (let length = 0; length < bytes.length; length++) tries(bytes.subarray(0, length))
    for (let place = 0; place < bytes.length; place++) {
      for (const bit of [1, 128]) {
        const damaged = Buffer.from(bytes)
        damaged[place] ^= bit
        tries(damaged)
      }
    }
    assert.ok(reasons.size > 50, `${reasons.size} reasons`)
  })

  test('that lie are refused', () => {
    const lie = (header, body = 0) => {
      const text = typeof header === 'string' ? header : JSON.stringify(header)
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(text.length))
      return Buffer.concat([size, Buffer.from(text), Buffer.alloc(body)])
    }
    const tensor = (shape, start, end, dtype = 'F32') => ({ dtype, shape, data_offsets: [start, end] })
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(8, 255),
      lie({}),
      lie(`{"a":${'['.repeat(100_000)}`),
      lie({ '0.weight': tensor([2 ** 31, 2 ** 31], 0, 8) }, 8),
      lie({ '0.weight': tensor([2, 2], 0, 16), '0.bias': tensor([3], 16, 28) }, 28),
      lie({ '0.weight': tensor([2, 2], 0, 16), '1.weight': tensor([2, 3], 16, 40) }, 40),
      lie({ '0.weight': tensor([0, 2], 0, 0) }),
      lie({ '0.weight': tensor([2, 2], 0, 32, 'I64') }, 32),
      lie({ 'x.weight': tensor([2, 2], 0, 16) }, 16),
      lie({ '0.weight': tensor([2, 2], 0, 16), 'a.1.weight': tensor([2, 2], 16, 32) }, 32),
      lie({ '99999999999999999999.weight': tensor([2, 2], 0, 16) }, 16),
      lie({ __metadata__: { mikir: '{"version":1}' } }),
      lie({ __metadata__: { mikir: '{"version":9}' } }),
      lie({ __metadata__: { mikir: '{"version":1,"options":{"layers":[1000,100000]}}' } })
    ]) {
      const read = (activations) => () => NeuralNetwork.fromSafetensors(bytes, { activations })
      for (const activations of [['relu'], ['relu', 'linear']]) {
        assert.throws(read(activations), ({ code }) => [CORRUPT_FILE, LENGTH, RANGE].includes(code))
      }
    }
    const infinite = new NeuralNetwork({ layers: [1, 1], seed: 1 }).toSafetensors()
    infinite.writeDoubleLE(Infinity, infinite.length - 8)
    refuses(
      () => NeuralNetwork.fromSafetensors(infinite),
      CORRUPT_FILE,
      'Expected finite numbers for bytes but received Infinity'
    )
    for (const bytes of [undefined, null, 'text', [1], new Float64Array(1), {}]) {
      throws(() => NeuralNetwork.fromSafetensors(bytes), TYPE)
    }
  })
})

describe('ONNX', () => {
  test('is the whole network, to the bit', () => {
    for (const network of networks()) {
      const bytes = network.toONNX()
      assertSame(NeuralNetwork.fromONNX(bytes), network)
      assert.deepEqual(network.toONNX(), bytes)
    }
  })

  const foreign = ['onnx_files', 'keras_files'].flatMap((name) => require(`./goldens/${name}.json`).cases)
  for (const { name, precision, file, inputs, outputs } of foreign) {
    test(`predicts what its maker predicts: ${name}`, () => {
      const network = NeuralNetwork.fromONNX(Buffer.from(file, 'base64'))
      assert.equal(network.precision, precision)
      const tolerance = precision === 'f64' ? 1e-12 : 1e-6
      for (const [row, exact] of outputs.entries()) {
        const predicted = network.predict(inputs[row])
        assert.equal(predicted.length, exact.length)
        for (const [k, x] of exact.entries()) {
          assert.ok(Math.abs(predicted[k] - x) <= tolerance * (1 + Math.abs(x)), `${predicted[k]}, not ${x}`)
        }
      }
    })
  }

  test('that is damaged anywhere is refused, or whole', () => {
    const { cases } = require('./goldens/onnx_files.json')
    const foreign = Buffer.from(
      cases.find(({ name }) => name === 'scikit-learn: MLPClassifier of two').file,
      'base64'
    )
    const own = new NeuralNetwork({ layers: [2, { units: 2, normalization: 'batch' }, 1], seed: 1 }).toONNX()
    const reasons = new Set()
    const tries = (damaged) => {
      try {
        const network = NeuralNetwork.fromONNX(damaged)
        network.predict(new Array(network.inputCount).fill(1))
      } catch (error) {
        assert.equal(error.code, CORRUPT_FILE, error.stack)
        assert.match(error.message, /^Expected .* for bytes but received /s)
        reasons.add(error.message)
      }
    }
    for (const bytes of [own, foreign]) {
      for (let length = 0; length < bytes.length; length++) tries(bytes.subarray(0, length))
      for (let place = 0; place < bytes.length; place++) {
        for (const bit of [1, 8, 128]) {
          const damaged = Buffer.from(bytes)
          damaged[place] ^= bit
          tries(damaged)
        }
      }
    }
    assert.ok(reasons.size > 100, `${reasons.size} reasons`)
  })

  // Messages by hand: a field of bytes, and one of a number.
  const varint = (x) => {
    const bytes = []
    for (let left = BigInt(x); ; left >>= 7n) {
      if (left < 128n) return Buffer.from([...bytes, Number(left)])
      bytes.push(Number(left & 127n) | 128)
    }
  }
  const field = (tag, content) => {
    const bytes = Buffer.concat([content].flat().map((part) => Buffer.from(part)))
    return Buffer.concat([varint(tag * 8 + 2), varint(bytes.length), bytes])
  }
  const number = (tag, x) => Buffer.concat([varint(tag * 8), varint(x)])
  const node = (op, inputs, output, name = 'n') =>
    field(1, [...inputs.map((input) => field(1, input)), field(2, output), field(3, name), field(4, op)])
  const matrix = (name, dims) => {
    const numbers = Buffer.from(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5).buffer)
    return field(5, [...dims.map((dim) => number(1, dim)), number(2, 1), field(8, name), field(9, numbers)])
  }
  const model = (...parts) => field(7, [...parts, field(11, field(1, 'x')), field(12, field(1, 'y'))])

  test('of another kind is refused by the node that no perceptron has', () => {
    const w = matrix('w', [2, 2])
    const said = (bytes) => {
      try {
        NeuralNetwork.fromONNX(bytes)
      } catch (error) {
        assert.equal(error.code, CORRUPT_FILE)
        return error.message
      }
    }
    assert.equal(said(model(w, node('MatMul', ['x', 'w'], 'y'))), undefined)
    assert.equal(
      said(model(w, node('Conv', ['x', 'w'], 'y', 'first'))),
      "Expected the operators of a multilayer perceptron for bytes but received Conv (node 'first')"
    )
    assert.equal(
      said(model(w, node('MatMul', ['x', 'v'], 'y'))),
      "Expected a matrix of weights as a constant for bytes but received MatMul (node 'n')"
    )
    assert.equal(
      said(model(w, node('MatMul', ['x', 'w'], 'z'), node('HardSwish', ['z'], 'y', 'swish'))),
      "Expected the operators of a multilayer perceptron for bytes but received HardSwish (node 'swish')"
    )
    assert.equal(
      said(model(w, node('MatMul', ['x', 'w'], 'z'), node('Exp', ['z'], 'y'))),
      'Expected an activation that mikir has on the output for bytes but received another'
    )
    assert.equal(
      said(model(w, w, node('MatMul', ['x', 'w'], 'y'))),
      "Expected each name once for bytes but received 'w' twice"
    )
    // Integers are no weights, and functions need something to be of.
    const integers = field(5, [number(1, 2), number(1, 2), number(2, 7), field(8, 'w')])
    const weightless = model(integers, node('MatMul', ['x', 'w'], 'y'))
    assert.match(said(weightless), /^Expected a matrix of weights as a constant /)
    assert.match(said(model(integers, node('Transpose', ['w'], 'v'))), /received Transpose \(node 'n'\)$/)
    assert.match(
      said(model(w, node('MatMul', ['x', 'w'], 'z'), node('Clip', [], 'y'))),
      /received Clip \(node 'n'\)$/
    )
    // A circle: what it reads is not known yet.
    assert.match(
      said(model(w, node('Add', ['z', 'x'], 'z'), node('MatMul', ['z', 'w'], 'y'))),
      /received Add/
    )
    assert.match(
      said(model(w, matrix('v', [3, 2]), node('MatMul', ['x', 'w'], 'z'), node('MatMul', ['z', 'v'], 'y'))),
      /^Expected weights for the outputs of the layer before/
    )
    assert.match(
      said(model(node('Identity', ['x'], 'y'))),
      /^Expected a graph whose output comes from layers/
    )
    assert.match(said(Buffer.alloc(0)), /^Expected a graph for bytes but received none$/)
  })

  test('that claims more than it has is refused at once', () => {
    const start = performance.now()
    const huge = field(5, [
      number(1, 2 ** 40),
      number(1, 2 ** 40),
      number(2, 1),
      field(8, 'w'),
      field(9, 'abcd')
    ])
    const empty = Buffer.alloc(2_000_000)
    for (let i = 0; i < empty.length; i += 2) empty[i] = 8 + 2
    for (const [bytes, said] of [
      [
        model(huge, node('MatMul', ['x', 'w'], 'y')),
        /^Expected (the numbers of 'w', of shape \[|dimensions that fit into memory)/
      ],
      [field(7, empty), /^Expected a whole ONNX file for bytes but received more than 200000 fields$/],
      [field(7, field(1, empty)), /received more than 200000 fields$/]
    ]) {
      assert.throws(() => NeuralNetwork.fromONNX(bytes), { code: CORRUPT_FILE, message: said })
    }
    assert.ok(performance.now() - start < 2000)
  })
})

/** The same tensors under other names, as PyTorch would save them. */
function withoutMetadata(bytes, prefix) {
  const length = Number(bytes.readBigUInt64LE(0))
  const { __metadata__, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length))
  assert.ok(__metadata__.mikir.length > 0)
  const renamed = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]))
  const header = Buffer.from(
    JSON.stringify(renamed).padEnd(Math.ceil(JSON.stringify(renamed).length / 8) * 8)
  )
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([size, header, bytes.subarray(8 + length)])
}

describe('a module', () => {
  /** The outputs of a module for rows, in a process of its own that refuses to make code of text. */
  const run = (file, rows) => {
    const program = `
      import(${JSON.stringify(pathToFileURL(file).href)}).then(({ predict }) => {
        console.log(JSON.stringify(${JSON.stringify(rows)}.map((row) => predict(row))))
      })`
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=commonjs', '-e', program],
      { encoding: 'utf8' }
    )
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }

  test('computes what predict does, for every activation and normalization', () => {
    for (const network of networks()) {
      const { predict } = evaluateModule(network.toModule({ format: 'cjs' }))
      const tolerance = network.precision === 'f64' ? 1e-12 : 1e-5
      for (const row of [...rowsOf(5, network.inputCount), new Array(network.inputCount).fill(0)]) {
        const expected = network.predict(row)
        const actual = predict(row)
        expected.forEach((x, k) => {
          assert.ok(
            Math.abs(x - actual[k]) <= tolerance * (1 + Math.abs(x)),
            `${network.summary()}: ${actual[k]}, not ${x}`
          )
        })
      }
    }
  })

  test('is a file of either kind that runs alone', async () => {
    const network = new NeuralNetwork({ layers: [4, 16, 3], loss: 'crossEntropy', seed: 3 })
    const rows = rowsOf(4, 4)
    for (const ending of ['.mjs', '.cjs']) {
      const file = newFile(ending)
      await network.save(file)
      const outputs = run(file, rows)
      rows.forEach((row, i) => {
        for (const [k, x] of network.predict(row).entries()) assert.ok(Math.abs(x - outputs[i][k]) < 1e-12)
      })
    }
  })

  test('says how many inputs it takes', () => {
    const { predict } = evaluateModule(new NeuralNetwork({ layers: [3, 2, 1] }).toModule({ format: 'cjs' }))
    assert.throws(() => predict([1, 2]), {
      name: 'RangeError',
      message: 'Expected 3 numbers for inputs but received 2'
    })
  })

  test('is short, and linear in depth', () => {
    for (const precision of ['f64', 'f32']) {
      for (const layers of [
        [100, 100, 100, 100, 10],
        [20, 30, 10]
      ]) {
        const network = new NeuralNetwork({ layers, precision, seed: 1 })
        const size = network.toModule().length / network.parameterCount
        assert.ok(size < (precision === 'f64' ? 30 : 20), `${size} bytes a parameter`)
      }
    }
    const of = (depth) => new NeuralNetwork({ layers: new Array(depth).fill(10), seed: 1 }).toModule().length
    assert.ok(of(41) - of(21) < 1.1 * (of(21) - of(1 + 1)) && of(41) < 2.2 * of(21))
  })

  test('of an unknown format is refused', () => {
    const network = new NeuralNetwork({ layers: [1, 1] })
    refuses(
      () => network.toModule({ format: 'umd' }),
      TYPE,
      "Expected 'esm' or 'cjs' for options.format but received 'umd'"
    )
    throws(() => network.toModule({ formats: 'esm' }), OPTION)
    throws(() => network.toModule(1), TYPE)
  })
})

/** The exports of a CommonJS module. */
function evaluateModule(text) {
  const file = newFile('.cjs')
  writeFileSync(file, text)
  return require(file)
}

describe('save and load', () => {
  test('bring a network back by either name, from a path or a URL', async () => {
    for (const ending of ['.json', '.safetensors', '.onnx', '.JSON']) {
      const network = moved(new NeuralNetwork({ layers: [3, 4, 2], precision: 'f32', seed: 9 }))
      const file = newFile(ending)
      assert.equal(await network.save(file), undefined)
      assertSame(await load(file), network)
      assertSame(await NeuralNetwork.load(pathToFileURL(file)), network)
    }
    const bytes = readFileSync(path.join(folder, `${files}.JSON`), 'utf8')
    assert.ok(bytes.endsWith('}\n'))
  })

  test('save the network of the call, whatever happens to it after', async () => {
    const network = new NeuralNetwork({ layers: [2, 8, 1], seed: 1 })
    const before = network.getWeights()
    const file = newFile('.safetensors')
    const saved = network.save(file)
    network.train([1, 2], [3])
    await saved
    assert.deepEqual((await load(file)).getWeights(), before)
  })

  test('save the weights of the last epoch while a fit is running', async () => {
    const network = new NeuralNetwork({ layers: [2, 8, 1], seed: 1 })
    const file = newFile('.json')
    const fit = network.fit([[1, 2]], [[3]], { epochs: 20_000 })
    await network.save(file)
    const saved = await load(file)
    assert.ok(
      saved
        .getWeights()
        .flatMap(({ biases }) => biases)
        .every(Number.isFinite)
    )
    await fit
  })

  test('two saves to one path leave one of them whole', async () => {
    const file = newFile('.safetensors')
    const networks = [1, 2, 3, 4].map((seed) => new NeuralNetwork({ layers: [20, 50, 5], seed }))
    for (let i = 0; i < 20; i++) {
      await Promise.all(networks.map((network) => network.save(file)))
      const { seed } = await load(file)
      assert.ok([1, 2, 3, 4].includes(seed))
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.tmp')),
      []
    )
  })

  test('refuse what they cannot do, with the reason', async () => {
    const network = new NeuralNetwork({ layers: [2, 1], seed: 1 })
    const absent = path.join(folder, 'no such folder', 'a.json')
    await assert.rejects(() => network.save(absent), { code: FILE })
    await assert.rejects(() => load(absent), { code: FILE })
    await assert.rejects(() => load(folder), { code: RANGE })
    const said =
      /^Expected a path that ends in \.json, \.mjs, \.cjs, \.safetensors or \.onnx for path but received '\//
    await assert.rejects(() => network.save(path.join(folder, 'a.txt')), { code: RANGE, message: said })
    await assert.rejects(() => load(newFile('.mjs')), { code: RANGE })
    for (const wrong of [undefined, null, 1, '', {}, 'a\0.json', new URL('https://a/b.json')]) {
      await assert.rejects(() => network.save(wrong), { code: TYPE })
      await assert.rejects(() => load(wrong), { code: TYPE })
    }
    await assert.rejects(() => network.save(), { code: ARGUMENTS })
    await assert.rejects(() => NeuralNetwork.load('a.json', { code: 1 }), ARGUMENTS)
    const broken = newFile('.json')
    writeFileSync(broken, '{"format"')
    await assert.rejects(load(broken), (error) => {
      assert.equal(error.code, CORRUPT_FILE)
      return error.message.startsWith(`Expected JSON for '${broken}' but received another text: `)
    })
    const cut = newFile('.safetensors')
    writeFileSync(cut, network.toSafetensors().subarray(0, 100))
    await assert.rejects(load(cut), (error) =>
      error.message.startsWith(`Expected a whole safetensors file for '${cut}' `)
    )
  })

  test('follow links, and leave no file where it cannot be written', {
    skip: process.platform === 'win32'
  }, async () => {
    const network = new NeuralNetwork({ layers: [2, 1], seed: 1 })
    const [file, link] = [newFile('.json'), newFile('.json')]
    writeFileSync(file, '')
    symlinkSync(file, link)
    await network.save(link)
    assertSame(await load(file), network)
    assert.ok(existsSync(link))
  })

  test('a save that is killed leaves the old file or the new one', { timeout: 120_000 }, async () => {
    const file = newFile('.safetensors')
    const old = new NeuralNetwork({ layers: [300, 1000, 10], seed: 1 })
    await old.save(file)
    const program = `
      const { NeuralNetwork } = require('.')
      const network = new NeuralNetwork({ layers: [300, 1000, 10], seed: 2 })
      console.log('ready')
      const again = () => network.save(${JSON.stringify(file)}).then(again)
      again()`
    const { spawn } = require('node:child_process')
    const seeds = new Set()
    for (let i = 0; i < 25; i++) {
      const child = spawn(process.execPath, ['-e', program], { cwd: path.join(__dirname, '..') })
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, (i * 7) % 40))
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      seeds.add((await load(file)).seed)
    }
    assert.ok(seeds.has(2) && [...seeds].every((seed) => seed === 1 || seed === 2))
  })
})
