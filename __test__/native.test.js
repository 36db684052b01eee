'use strict'

// The addon's own functions, which the checks in lib/ protect: garbage makes them throw, never crash.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { agrees, runsAlone } = require('./helpers.js')

/** Runs in a process of its own, where a crash is a failed test. */
function survives(body, ...args) {
  const printed = runsAlone(body, ...args)
  assert.match(printed, /survived\n$/)
  return printed
}

describe('MIKIR_SIMD', () => {
  const { simdLevels } = require('../lib/hosts/addon.js')
  /** What a network has learned with these instructions, and which they were. */
  const learned = (level) =>
    JSON.parse(
      runsAlone((level) => {
        process.env.MIKIR_SIMD = level
        const { NeuralNetwork } = require('.')
        const { rowsOf } = require('./__test__/helpers.js')
        const results = [
          [2, 3, 1],
          [5, 8, 3],
          [70, 40, 5]
        ].map((layers) => {
          const network = new NeuralNetwork({ layers, seed: 1 })
          const [inputs, targets] = [rowsOf(50, layers[0]), rowsOf(50, layers[2], 2)]
          network.fitSync(inputs, targets, { epochs: 3, batchSize: 16, learningRate: 0.01, optimizer: 'sgd' })
          network.train(inputs[0], targets[0], 0.01)
          return network.predictBatch(inputs)
        })
        console.log(JSON.stringify([require('./lib/hosts/addon.js').simdLevel, results]))
      }, level)
    )

  test('chooses among the instruction sets of the processor, which give the same results', () => {
    assert.equal(simdLevels[0], 'portable')
    const [all, ...others] = [...simdLevels].reverse().map((level) => {
      const [used, results] = learned(level)
      assert.equal(used, level)
      return results
    })
    for (const results of others) agrees(results, all, 1e-9)
  })

  test('that the processor does not have is none above it', { skip: process.arch !== 'x64' }, () => {
    assert.equal(learned('avx512')[0], simdLevels.at(-1))
  })

  test('of an unknown name is refused when the library is loaded', { skip: process.arch !== 'x64' }, () => {
    runsAlone(() => {
      process.env.MIKIR_SIMD = 'sse9'
      const { RANGE, refuses } = require('./__test__/helpers.js')
      const message = "Expected one of 'portable', 'avx2', 'avx512' for MIKIR_SIMD but received 'sse9'"
      refuses(() => require('.'), RANGE, message)
    })
  })
})

describe('MIKIR_WITHOUT', () => {
  test('of an unknown name is refused when the library is loaded', () => {
    runsAlone(() => {
      process.env.MIKIR_WITHOUT = 'tiny,fast'
      const { RANGE, refuses } = require('./__test__/helpers.js')
      const message =
        "Expected some of 'tiny', 'narrow', 'oneRow', 'blocks' for MIKIR_WITHOUT but received 'fast'"
      refuses(() => require('.'), RANGE, message)
    })
  })

  test('leaves a network as good as it was', () => {
    runsAlone(() => {
      process.env.MIKIR_WITHOUT = 'tiny,narrow,oneRow,blocks'
      const assert = require('node:assert/strict')
      const { NeuralNetwork } = require('.')
      const network = new NeuralNetwork({ layers: [2, 8, 1], loss: 'binaryCrossEntropy', seed: 1 })
      const rows = [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1]
      ]
      network.fitSync(rows, [[0], [1], [1], [0]], { epochs: 1000, batchSize: 1, learningRate: 0.05 })
      assert.deepEqual(
        rows.map((row) => Math.round(network.predict(row)[0])),
        [0, 1, 1, 0]
      )
    })
  })
})

describe('every function', () => {
  test('throws where an argument is missing or of a wrong kind', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const { detached } = require('./__test__/helpers.js')
      const model = JSON.parse(native.createSigmoidModel(Float64Array.of(2, 2, 1)))
      const own = () => {
        const values = new Float64Array(model.length)
        new Uint32Array(values.buffer)[0] = model.number
        return values
      }
      // Those are right, so that what follows fails for its own reason.
      native.initialize(own().buffer, 1)
      native.predict(own().buffer)
      native.train(own().buffer)
      native.exportWeights(own().buffer, new Float64Array(model.parameterCount))
      native.importWeights(own().buffer, new Float64Array(model.parameterCount))
      assert.equal(native.sigmoid(0), 0.5)

      const nothing = [undefined, null, true, 'x', 1n, Symbol('x'), {}, [], () => 1, Object(1)]
      const wrongNumber = own()
      new Uint32Array(wrongNumber.buffer)[0] = 2 ** 32 - 1
      const noBuffers = [
        ...nothing,
        7,
        new ArrayBuffer(0),
        new ArrayBuffer(3),
        new ArrayBuffer(8),
        new ArrayBuffer(model.length * 8 - 8),
        new ArrayBuffer(model.length * 8 - 1),
        new ArrayBuffer(model.length * 8 + 8),
        new ArrayBuffer(0, { maxByteLength: 64 }),
        new DataView(own().buffer),
        own(),
        wrongNumber.buffer,
        Buffer.alloc(model.length * 8),
        (() => {
          const { buffer } = own()
          structuredClone(buffer, { transfer: [buffer] })
          return buffer
        })()
      ]
      const throws = (name, ...args) =>
        assert.throws(
          () => native[name](...args),
          { code: 'ERR_MIKIR_INTERNAL' },
          `${name} ${String(args.length)}`
        )
      for (const name of ['predict', 'train', 'initialize', 'exportWeights', 'importWeights']) {
        throws(name)
        const second =
          {
            initialize: [1],
            exportWeights: [new Float64Array(model.parameterCount)],
            importWeights: [new Float64Array(model.parameterCount)]
          }[name] ?? []
        for (const buffer of noBuffers) throws(name, buffer, ...second)
      }
      throws('initialize', own().buffer)
      throws('importWeights', own().buffer)
      for (const value of nothing) {
        throws('initialize', own().buffer, value)
        throws('importWeights', own().buffer, value)
        throws('sigmoid', value)
        throws('dropModel', value)
        throws('createSigmoidModel', value)
      }
      const wrongValues = [0, 1, model.parameterCount - 1, model.parameterCount + 1].map(
        (n) => new Float64Array(n)
      )
      const wrongKinds = [
        new Float32Array(9),
        new Uint8Array(72),
        new ArrayBuffer(72),
        detached(new Float64Array(9))
      ]
      for (const values of [...wrongValues, ...wrongKinds]) throws('importWeights', own().buffer, values)
      throws('sigmoid')
      // Some versions of Node.js take shared memory for an ArrayBuffer, some do not.
      const shared = new SharedArrayBuffer(model.length * 8)
      for (const name of ['predict', 'train', 'initialize', 'exportWeights', 'importWeights']) {
        try {
          native[name](shared, 1)
        } catch {}
      }
      throws('dropModel')
      throws('createSigmoidModel')
      for (const value of [
        ...nothing.filter((value) => typeof value !== 'string'),
        'x',
        '',
        '{',
        'null',
        '[]'
      ]) {
        assert.throws(() => native.createSigmoidModel(value), /^\w*Error: Expected /)
      }
      console.log('survived')
    })
  })

  test('reads NaN and infinities in a buffer without passing them on', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const model = JSON.parse(native.createSigmoidModel(Float64Array.of(2, 2, 1)))
      const fill = (place, value) => {
        const values = new Float64Array(model.length).fill(0.5)
        new Uint32Array(values.buffer)[0] = model.number
        values[place] = value
        return values
      }
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        for (const place of [model.inputs, model.inputs + 1]) {
          assert.throws(() => native.predict(fill(place, value).buffer), { code: 'ERR_MIKIR_OUT_OF_RANGE' })
        }
        // The learning rate, inputs and targets.
        for (const place of [1, model.inputs, model.inputs + 1, model.targets]) {
          const values = fill(place, value)
          const before = values.slice(model.values)
          assert.throws(() => native.train(values.buffer), { code: 'ERR_MIKIR_OUT_OF_RANGE' })
          assert.deepStrictEqual(values.slice(model.values), before)
        }
      }
      console.log('survived')
    })
  })
})

describe('createSigmoidModel', () => {
  test('throws for shapes that cannot be', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const cases = [
        [[], 'ERR_MIKIR_INTERNAL'],
        [[2], 'ERR_MIKIR_INVALID_LENGTH'],
        [[0, 1], 'ERR_MIKIR_OUT_OF_RANGE'],
        [[2, 0, 1], 'ERR_MIKIR_OUT_OF_RANGE'],
        [[2, Number.NaN, 1], 'ERR_MIKIR_OUT_OF_RANGE'],
        [[2, -1, 1], 'ERR_MIKIR_OUT_OF_RANGE'],
        [[2 ** 31, 2 ** 31, 2 ** 31], 'ERR_MIKIR_TOO_LARGE'],
        [new Array(50).fill(2 ** 32 - 1), 'ERR_MIKIR_TOO_LARGE']
      ]
      for (const [counts, code] of cases) {
        assert.throws(() => native.createSigmoidModel(Float64Array.from(counts)), { code })
      }
      console.log('survived')
    })
  })

  test('gives dropped numbers to new models, whose buffers are not confused', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const first = JSON.parse(native.createSigmoidModel(Float64Array.of(2, 2, 1)))
      const buffer = new ArrayBuffer(first.length * 8)
      new Uint32Array(buffer)[0] = first.number
      native.initialize(buffer, 1)
      native.dropModel(first.number)
      assert.throws(() => native.predict(buffer), { code: 'ERR_MIKIR_INTERNAL' })
      native.dropModel(first.number)
      const second = JSON.parse(native.createSigmoidModel(Float64Array.of(3, 3, 1)))
      const third = JSON.parse(native.createSigmoidModel(Float64Array.of(4, 3, 1)))
      assert.equal(second.number, first.number)
      assert.notEqual(third.number, second.number)
      assert.throws(() => native.predict(buffer), { code: 'ERR_MIKIR_INTERNAL' })
      for (const number of [2 ** 31, 1e300]) native.dropModel(number)
      for (const number of [-1, Number.NaN, 0.5]) {
        assert.throws(() => native.dropModel(number), { code: 'ERR_MIKIR_INTERNAL' })
      }
      console.log('survived')
    })
  })
})

describe('the functions of a fit', () => {
  test('throw in a wrong order, and go on', () => {
    survives(async () => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const create = (counts) => {
        const model = JSON.parse(native.createSigmoidModel(Float64Array.from(counts)))
        const { buffer } = new Float64Array(model.length)
        new Uint32Array(buffer)[0] = model.number
        native.initialize(buffer, 1)
        return buffer
      }
      const [buffer, other] = [create([2, 3, 1]), create([4, 3, 1])]
      const data = (of = buffer, rows = 4) => {
        const number = native.createData(of, false)
        const width = of === buffer ? 2 : 4
        native.appendData(number, 0, new Float64Array(rows * width), rows * width)
        native.appendData(number, 1, new Float32Array(rows), rows)
        return number
      }
      const fit = (options = { epochs: 3 }) => native.createFit(buffer, JSON.stringify(options), 1)
      const ready = (options) => {
        const number = fit(options)
        native.prepareFit(number, buffer, data(), -1, -1)
        return number
      }
      const ended = (number) =>
        new Promise((resolve) => {
          native.startFit(number, true, () => native.fitIsDone(number) && resolve())
        })
      const throws = (call) => assert.throws(call, { code: 'ERR_MIKIR_INTERNAL' }, String(call))
      const out = () => new Float64Array(15)

      // Before it has its data.
      const bare = fit()
      throws(() => native.advanceFit(bare, 1, true))
      throws(() => native.startFit(bare, true, () => {}))
      throws(() => native.stopFit(bare, 'abort'))
      throws(() => native.fitReports(bare, 0, out()))
      throws(() => native.refreshFit(bare, buffer))
      throws(() => native.finishFit(bare, buffer, out(), out(), -1))

      // Data of another network, unfinished or gone; the fit can still be prepared.
      const bad = native.createData(buffer, false)
      native.appendData(bad, 0, new Float64Array(4), 8)
      const again = fit()
      for (const set of [data(other), bad, native.createData(buffer, false), 4e9, -1]) {
        throws(() => native.prepareFit(again, buffer, set, -1, -1))
        throws(() => native.prepareFit(again, buffer, data(), set < 0 ? 4e9 : set, -1))
      }
      native.prepareFit(again, buffer, data(), data(), -1)
      assert.equal(native.advanceFit(again, 2 ** 31, false), true)
      assert.equal(JSON.parse(native.finishFit(again, buffer, out(), out(), -1)).epochs, 3)

      // More numbers than were announced, and none of the parts there are.
      const full = data()
      throws(() => native.appendData(full, 0, new Float64Array(1), 8))
      throws(() => native.appendData(full, 3, new Float64Array(1), 8))
      throws(() => native.appendData(full, 0, new Uint8Array(1), 8))
      assert.throws(() => native.appendData(native.createData(buffer, false), 0, new Float64Array(1), 1e15), {
        code: 'ERR_MIKIR_OUT_OF_MEMORY'
      })
      native.dropData(full)
      throws(() => native.checkData(full, false))
      throws(() => native.dropData(full))

      // Here first, then on a thread; twice; buffers and arrays that are not its own.
      const here = ready()
      assert.equal(native.advanceFit(here, 1, true), false)
      throws(() => native.refreshFit(here, new ArrayBuffer(16)))
      throws(() => native.stopFit(here, 'nothing'))
      throws(() => native.fitReports(here, 0, new Float32Array(15)))
      assert.equal(native.fitReports(here, 0, new Float64Array(4)), 0)
      assert.equal(native.fitReports(here, 1e9, out()), 0)
      assert.equal(native.fitReports(here, 0, out()), 1)
      await ended(here)
      throws(() => native.advanceFit(here, 1, true))
      native.stopFit(here, 'abort')
      assert.equal(JSON.parse(native.finishFit(here, buffer, out(), out(), -1)).stoppedBy, 'epochs')
      for (const call of [
        () => native.finishFit(here, buffer, out(), out(), -1),
        () => native.advanceFit(here, 1, true),
        () => native.stopFit(here, 'abort'),
        () => native.fitReports(here, 0, out()),
        () => native.fitIsDone(here),
        () => native.fitFirstEpoch(here),
        () => native.refreshFit(here, buffer)
      ]) {
        throws(call)
      }

      const twice = ready()
      await ended(twice)
      throws(() => native.startFit(twice, true, () => {}))

      // Dropped while it runs, ended before it began, and left alone.
      const dropped = ready({ epochs: 1e9 })
      native.startFit(dropped, true, () => {})
      native.dropFit(dropped)
      const stopped = ready({ epochs: 1e9 })
      native.stopFit(stopped, 'abort')
      assert.equal(native.advanceFit(stopped, 1, true), true)
      assert.equal(JSON.parse(native.finishFit(stopped, buffer, out(), out(), -1)).epochs, 0)
      native.startFit(ready({ epochs: 1e9 }), true, () => {})
      ready()
      console.log('survived')
      process.exit(0)
    })
  })
})

describe('the functions of a trainer', () => {
  test('throw where they are misused, and go on', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const native = require('./lib/hosts/addon.js')
      const model = JSON.parse(native.createSigmoidModel(Float64Array.of(2, 3, 1)))
      const { buffer } = new Float64Array(model.length)
      new Uint32Array(buffer)[0] = model.number
      native.initialize(buffer, 1)
      const throws = (call) => assert.throws(call, { code: 'ERR_MIKIR_INTERNAL' }, String(call))
      const trainer = native.createTrainer(buffer, '{}', 1)
      const rows = (numbers, words) => {
        const step = new ArrayBuffer(64 + numbers * 8)
        new Uint32Array(step).set(words)
        return step
      }
      // Fewer rows than announced, none, and the number of no trainer.
      const good = rows(6, [trainer, 2, 0])
      native.step(good)
      assert.equal(new Uint32Array(good)[3], 0)
      for (const words of [
        [trainer, 3, 0],
        [trainer, 2, 1],
        [trainer, 2 ** 32 - 1, 3],
        [trainer + 1, 2, 0]
      ]) {
        throws(() => native.step(rows(6, words)))
      }
      const none = rows(6, [trainer, 0, 0])
      native.step(none)
      assert.equal(new Uint32Array(none)[3], 1)
      for (const bytes of [0, 8, 63, 65]) throws(() => native.step(new ArrayBuffer(bytes)))
      throws(() => native.stepBy(trainer, native.createData(buffer, false)))
      throws(() => native.publishTrainer(trainer, new ArrayBuffer(16)))
      throws(() => native.loadTrainer(trainer + 1, buffer))

      // While a fit has its session.
      const data = native.createData(buffer, false)
      native.appendData(data, 0, new Float64Array(4), 4)
      native.appendData(data, 1, new Float64Array(2), 2)
      const fit = native.createFit(buffer, '{}', 1)
      native.prepareFit(fit, buffer, data, -1, trainer)
      throws(() => native.step(rows(6, [trainer, 2, 0])))
      throws(() => native.trainerSteps(trainer))
      throws(() => native.saveTrainer(trainer, '/tmp/x', () => {}))
      native.advanceFit(fit, 2 ** 31, false)
      native.finishFit(fit, buffer, new Float64Array(100), new Float64Array(0), trainer)
      assert.equal(native.trainerSteps(trainer), 101)
      native.dropTrainer(trainer)
      throws(() => native.trainerSteps(trainer))
      throws(() => native.endTask(7))
      console.log('survived')
    })
  })
})

test('all paths that lib/ loads from are literal: bundlers follow no others', () => {
  const { readFileSync, readdirSync } = require('node:fs')
  const folder = require('node:path').join(__dirname, '../lib')
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))
  const paths = files.flatMap((file) => {
    const source = readFileSync(`${folder}/${file}`, 'utf8').replace(/^ *(\/\/|\*|\/\*\*).*$/gm, '')
    return [...source.matchAll(/\brequire\(([^)]*)\)/g)].map((found) => found[1])
  })
  assert.deepEqual(
    paths.filter(
      (path) =>
        !/^'(node:[\w/]+|(\.\.?\/)+([\w-]+\/)*[\w-]+\.(js|json)|(\.\.\/)+mikir\.\w+-\w+\.node|@mikir\/[\w-]+)'$/.test(
          path
        )
    ),
    []
  )
  assert.ok(paths.includes("'../../mikir.linux-x64.node'"), String(paths))
})

describe('connect', () => {
  test('gives independent environments', () => {
    survives(() => {
      const assert = require('node:assert/strict')
      const { createError } = require('./lib/errors.js')
      const { connect } = require(`./mikir.${process.platform}-${process.arch}.node`)
      const connections = Array.from({ length: 100 }, () => connect(createError, () => {}))
      const [a, b] = connections
      const model = JSON.parse(a.createSigmoidModel(Float64Array.of(2, 2, 1)))
      const buffer = new ArrayBuffer(model.length * 8)
      new Uint32Array(buffer)[0] = model.number
      a.predict(buffer)
      assert.throws(() => b.predict(buffer), { code: 'ERR_MIKIR_INTERNAL' })
      console.log('survived')
    })
  })
})

test('thousands of calls with values of every kind', () => {
  for (const seed of [1, 2]) {
    survives((seed) => {
      const { randomOf, strange } = require('./__test__/helpers.js')
      const native = require('./lib/hosts/addon.js')
      const random = randomOf(seed)
      const names = Object.keys(native).filter((name) => typeof native[name] === 'function')
      const number = () => Math.floor(random() * 20)
      let [fine, refused] = [0, 0]
      for (let i = 0; i < 30_000; i++) {
        const makers = [
          () => strange(random),
          () => strange(random),
          () => new ArrayBuffer(Math.floor(random() * 200)),
          () => Uint32Array.from({ length: 2 * number() + 2 }, number).buffer,
          () => Float64Array.from({ length: number() }, random),
          () => Array.from({ length: number() / 4 }, number),
          () => [strange(random), number(), number()],
          number
        ]
        const any = () => makers[Math.floor(random() * makers.length)]()
        const args = Array.from({ length: Math.floor(random() * 4) }, any)
        const name = names[Math.floor(random() * names.length)]
        try {
          native[name](...args)
          fine++
        } catch (error) {
          if (!(error instanceof Error) || error.message.includes('panic')) throw error
          refused++
        }
      }
      if (names.length < 9 || fine < 1000 || refused < 1000)
        throw new Error(`${names}: ${fine} fine, ${refused} refused`)
      console.log('survived')
    }, seed)
  }
})
