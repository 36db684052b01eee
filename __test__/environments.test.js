'use strict'

// The library under what test runners and sandboxes do: replaced timers, other realms, calls that are cut off.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const vm = require('node:vm')
const { NeuralNetwork } = require('../index.js')
const { needs, runsAlone } = require('./helpers.js')

const ROWS = [
  [
    [0, 0],
    [0, 1]
  ],
  [[0], [1]]
]

describe('replaced timers', () => {
  /** How a fit goes on under timers that stand still, replaced before the library is loaded or after. */
  const fits = async (before, replace) => {
    const { NeuralNetwork } = before ? { NeuralNetwork: undefined } : require('./index.js')
    new Function('require', replace)(require)
    const Network = NeuralNetwork ?? require('./index.js').NeuralNetwork
    const keepsAlive = new MessageChannel().port1
    keepsAlive.ref?.()
    keepsAlive.onmessage = () => {}
    const network = new Network(2, 2, 1, { seed: 1 })
    let epochs = 0
    // More than one turn of reports.
    const spin = () => {
      epochs++
      const end = process.cpuUsage().user + 300
      while (process.cpuUsage().user < end);
    }
    await network.fit([[0, 1]], [[1]], { epochs: 50, onEpoch: spin })
    await network.fit([[0, 1]], [[1]], { epochs: 5 })
    process.stdout.write(`${epochs} epochs`)
    keepsAlive.close()
  }
  const ways = {
    'mock.timers of node:test': 'require("node:test").mock.timers.enable()',
    'functions that never call, everywhere': `
      const never = () => ({})
      for (const place of [globalThis, require('node:timers')]) {
        for (const name of ['setTimeout', 'setInterval', 'setImmediate']) place[name] = never
      }
      const promises = require('node:timers/promises')
      for (const name of ['setTimeout', 'setImmediate']) promises[name] = () => new Promise(never)
      performance.now = () => 0
      process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n })
      process.nextTick = never
      globalThis.queueMicrotask = never
      Date.now = () => 0`
  }
  for (const [name, replace] of Object.entries(ways)) {
    for (const before of [false, true]) {
      test(`fit settles with ${name}, ${before ? 'before' : 'after'} the library is loaded`, () => {
        assert.match(runsAlone(fits, before, replace), /50 epochs/)
      })
    }
  }
})

describe('calls that are cut off', needs('cuts'), () => {
  /** Runs code in a context whose time is up after so many milliseconds. */
  const cut = (code, names, timeout = 100) => {
    const start = performance.now()
    assert.throws(() => vm.runInNewContext(code, names, { timeout }), {
      code: 'ERR_SCRIPT_EXECUTION_TIMEOUT'
    })
    const took = performance.now() - start
    assert.ok(took < 5000, `${took} ms`)
  }
  const stuck = {
    fitSync: 'network.fitSync(inputs, targets, { epochs: 1e9 })',
    'fitSync with a callback': 'network.fitSync(inputs, targets, { epochs: 1e9, onEpoch() {} })',
    'a callback of fitSync': 'network.fitSync(inputs, targets, { onEpoch() { for (;;); } })',
    'the data of fitSync':
      'network.fitSync(Object.defineProperty(inputs, 0, { get() { for (;;); } }), targets)',
    'the data of fit': 'network.fit([{ get input() { for (;;); } }])',
    'the options of fit': 'network.fit(inputs, targets, { get epochs() { for (;;); } })',
    'the data of evaluate': 'network.evaluate([{ get input() { for (;;); } }])'
  }
  for (const [name, code] of Object.entries(stuck)) {
    test(`${name}: the network is free, and has its weights`, async () => {
      const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
      const before = network.getWeights()
      const [inputs, targets] = structuredClone(ROWS)
      cut(code, { network, inputs, targets })
      assert.deepStrictEqual(network.getWeights(), before)
      network.train([0, 1], [1])
      network.setWeights(before)
      const mine = network.fitSync(...ROWS, { epochs: 3 })
      const other = new NeuralNetwork(2, 2, 1, { seed: 1 })
      assert.deepStrictEqual(mine.loss, (await other.fit(...ROWS, { epochs: 3 })).loss)
      await network.fit(...ROWS, { epochs: 3 })
      assert.notDeepStrictEqual(network.getWeights(), before)
    })
  }

  test('a fit of a trainer: its optimizer begins anew', () => {
    const [network, other] = [1, 1].map((seed) => new NeuralNetwork(2, 2, 1, { seed }))
    const trainer = network.trainer()
    trainer.step(...ROWS)
    const weights = network.getWeights()
    cut('trainer.fitSync(inputs, targets, { epochs: 1e9 })', { trainer, inputs: ROWS[0], targets: ROWS[1] })
    assert.deepStrictEqual(network.getWeights(), weights)
    other.setWeights(weights)
    assert.equal(trainer.step(...ROWS), other.trainer().step(...ROWS))
    assert.deepStrictEqual(network.getWeights(), other.getWeights())
  })

  test('a call cut inside a callback leaves the fit that called it alone', async () => {
    const [outer, inner] = [1, 2].map((seed) => new NeuralNetwork(2, 2, 1, { seed }))
    const names = { inner, inputs: ROWS[0], targets: ROWS[1] }
    const onEpoch = ({ epoch }) => {
      if (epoch === 2) cut('inner.fitSync(inputs, targets, { epochs: 1e9 })', names, 30)
      assert.throws(() => outer.train([0, 1], [1]), { code: 'ERR_MIKIR_BUSY' })
      inner.train([0, 1], [1])
    }
    assert.equal(outer.fitSync(...ROWS, { epochs: 4, onEpoch }).epochs, 4)
    assert.equal((await outer.fit(...ROWS, { epochs: 4, onEpoch })).epochs, 4)
  })

  test('long predictBatch and evaluate, and a long epoch', () => {
    const network = new NeuralNetwork({ layers: [8, 4096, 4096, 8] })
    const rows = new Float64Array(8e5)
    cut('network.predictBatch(rows)', { network, rows })
    cut('network.evaluate(rows, rows)', { network, rows })
    cut('network.fitSync(rows, rows)', { network, rows })
    const [row] = network.predictBatch([rows.subarray(0, 8)])
    assert.deepStrictEqual(network.predict(rows.subarray(0, 8)).length, row.length)
  })

  test('what they had in the addon is given back', () => {
    runsAlone(() => {
      const vm = require('node:vm')
      const { NeuralNetwork } = require('./index.js')
      const network = new NeuralNetwork(1000, 2, 1)
      const [inputs, targets] = [new Float64Array(5e6), new Float64Array(5e3)]
      const names = { network, inputs, targets }
      for (let i = 0; i < 30; i++) {
        try {
          vm.runInNewContext('network.fitSync(inputs, targets, { epochs: 1e9 })', names, { timeout: 40 })
        } catch {}
      }
      const { rss } = process.memoryUsage()
      // One data set takes 40 MB.
      if (rss > 6e8) throw new Error(`${rss} bytes`)
    })
  })
})

describe('another realm', () => {
  test('has every error in its own classes', async () => {
    const { createContext, runInContext } = vm
    const context = createContext({ process, console, performance })
    const load = (file) => {
      const path = require.resolve(file)
      if (path.endsWith('.node')) return require(path)
      const { readFileSync } = require('node:fs')
      const module = { exports: {} }
      load.done.set(path, module)
      const from = require('node:module').createRequire(path)
      const wrapper = runInContext(
        `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'utf8')}\n})`,
        context,
        path
      )
      const take = (name) => {
        if (name.startsWith('node:')) return require(name)
        const found = from.resolve(name)
        return load.done.get(found)?.exports ?? load(found)
      }
      wrapper(module.exports, take, module, path, require('node:path').dirname(path))
      return module.exports
    }
    load.done = new Map()
    context.mikir = load('../index.js')
    const check = runInContext(
      `(async () => {
        const network = new mikir.NeuralNetwork(2, 2, 1, { seed: 1 })
        const linear = new mikir.NeuralNetwork({ layers: [2, 1] })
        const calls = {
          // Errors that are found in the addon.
          predict: [() => network.predict([NaN, 1]), RangeError],
          train: [() => network.train([0, Infinity], [1]), RangeError],
          overflow: [() => network.train([1e300, 1e300], [1], 1e300), RangeError],
          option: [() => new mikir.NeuralNetwork({ layers: [2, 1], los: 1 }), TypeError],
          type: [() => new mikir.NeuralNetwork({ layers: 2 }), TypeError],
          combination: [
            () => network.fitSync([[0, 1]], [[1]], { batchSize: 1, optimizer: 'lbfgs', clipNorm: 1 }),
            TypeError
          ],
          tooLarge: [() => new mikir.NeuralNetwork(2 ** 20, 2 ** 20, 1), RangeError],
          file: [() => network.fitSync([[0, 1]], [[1]], { resume: '/nowhere/at/all' }), Error],
          diverged: [() => linear.fitSync([[1e200, 1e200]], [[1]], { learningRate: 1e300 }), Error],
          later: [() => network.fit([[0, 1]], [[1]], { resume: '/nowhere/at/all' }), Error],
          // And in JavaScript.
          count: [() => network.predict(), TypeError]
        }
        const seen = {}
        for (const [name, [call, Class]] of Object.entries(calls)) {
          try {
            await call()
          } catch (error) {
            const mine = error instanceof Class && Object.getPrototypeOf(error) === Class.prototype
            const top = error.stack.split('\\n').find((line) => line.startsWith('    at '))
            seen[name] = mine && error instanceof Error && error.name === Class.name ? error.code : 'a stranger'
            if (top.includes('createError')) seen[name] = top
          }
        }
        return JSON.stringify(seen)
      })()`,
      context
    )
    assert.deepEqual(JSON.parse(await check), {
      predict: 'ERR_MIKIR_OUT_OF_RANGE',
      train: 'ERR_MIKIR_OUT_OF_RANGE',
      overflow: 'ERR_MIKIR_OVERFLOW',
      option: 'ERR_MIKIR_UNKNOWN_OPTION',
      type: 'ERR_MIKIR_INVALID_TYPE',
      combination: 'ERR_MIKIR_INVALID_COMBINATION',
      tooLarge: 'ERR_MIKIR_TOO_LARGE',
      file: 'ERR_MIKIR_FILE',
      diverged: 'ERR_MIKIR_DIVERGED',
      later: 'ERR_MIKIR_FILE',
      count: 'ERR_MIKIR_ARGUMENT_COUNT'
    })
  })
})
