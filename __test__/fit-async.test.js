'use strict'

// `fit` beside the event loop: reports, aborts, what a network does and refuses meanwhile, many at once, and processes
// that end in the middle.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { getEventListeners } = require('node:events')
const { describe, test } = require('node:test')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { NeuralNetwork } = require('../index.js')
const { BUSY, refuses, rejects, rowsOf, runsAlone } = require('./helpers.js')

/** Epochs of a few milliseconds. */
const [inputs, targets] = [rowsOf(2000, 20), rowsOf(2000, 2, 2)]
const OPTIONS = { batchSize: 16, epochs: 40 }
const LONG = { ...OPTIONS, epochs: 1e9 }
const fresh = (seed = 1) => new NeuralNetwork({ layers: [20, { units: 60, dropout: 0.1 }, 2], seed })

/** Epochs that take no time. */
const small = (seed = 1) => new NeuralNetwork({ layers: [1, 1], seed })
const ROW = [[[1]], [[0]]]

/** Keeps the thread busy for so many milliseconds. */
function block(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** Copies of the network before training and after each epoch. */
function published({ epochs }) {
  const network = fresh()
  const copies = [network.clone()]
  network.fitSync(inputs, targets, { ...OPTIONS, epochs, onEpoch: () => void copies.push(network.clone()) })
  return copies
}

/** What `call` returns rejects with exactly this. */
async function failsBy(call, expected) {
  const failure = await call().then(
    () => assert.fail('resolved'),
    (error) => ({ error })
  )
  assert.equal(failure.error, expected)
}

/** Which of the copies a network equals, to the bit. */
function epochOf(network, copies) {
  const weights = JSON.stringify(network.getWeights())
  return copies.findIndex((copy) => JSON.stringify(copy.getWeights()) === weights)
}

/** The network of a fit that was stopped is that of an epoch, of `least` or a later one. */
function isWhole(network, copies, least, start) {
  const epoch = epochOf(network, copies)
  // On a machine that is busy elsewhere it may be later than all that are known.
  if (epoch === -1 && performance.now() - start > 100) return
  assert.ok(epoch >= least, `epoch ${epoch}`)
}

describe('reports', () => {
  test('tell what the history tells, in order and all of it', async () => {
    for (const fit of ['fit', 'fitSync']) {
      const reports = []
      const options = {
        ...OPTIONS,
        validation: 0.2,
        schedule: { type: 'exponential', factor: 0.5 },
        learningRate: 0.01,
        onEpoch(...args) {
          assert.equal(this, undefined)
          assert.equal(args.length, 1)
          reports.push(args[0])
        }
      }
      const history = await fresh()[fit](inputs, targets, options)
      assert.deepEqual(
        reports.map(({ elapsedMs, ...rest }) => rest),
        Array.from(history.loss, (loss, e) => ({
          epoch: e + 1,
          epochs: 40,
          loss,
          validationLoss: history.validationLoss[e],
          learningRate: 0.01 * 0.5 ** e
        }))
      )
      const times = reports.map(({ elapsedMs }) => elapsedMs)
      assert.ok(times[0] > 0 && times.at(-1) <= history.durationMs)
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b)
      )
    }
  })

  test('have no validation loss where there is none', async () => {
    const keys = ['epoch', 'epochs', 'loss', 'learningRate', 'elapsedMs']
    const onEpoch = (report) => assert.deepEqual(Object.keys(report), keys)
    await small().fit(...ROW, { epochs: 3, onEpoch })
    small().fitSync(...ROW, { epochs: 3, onEpoch })
  })

  test('all come before the promise settles, however slow the callback', async () => {
    const reports = []
    const epochs = 300
    const onEpoch = (report) => {
      block(1)
      reports.push(report)
    }
    const history = await small().fit(...ROW, { epochs, onEpoch })
    assert.deepEqual(
      reports.map(({ epoch }) => epoch),
      Array.from({ length: epochs }, (_, e) => e + 1)
    )
    assert.deepEqual(
      reports.map(({ loss }) => loss),
      [...history.loss]
    )
    // Training did not wait for them.
    const { elapsedMs } = reports.at(-1)
    assert.ok(elapsedMs < 250, `${elapsedMs} ms`)
  })

  test('leave the event loop its turns', async () => {
    let [turns, reports, longest] = [0, 0, 0]
    let last = performance.now()
    const timer = setInterval(() => {
      turns++
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    const onEpoch = () => {
      reports++
      block(1)
    }
    await small().fit(...ROW, { epochs: 200, onEpoch })
    clearInterval(timer)
    assert.equal(reports, 200)
    assert.ok(turns > 40, `${turns} turns`)
    assert.ok(longest < 250, `${longest} ms`)
  })

  test('by the hundred thousand', async () => {
    let [expected, turns] = [1, 0]
    const timer = setInterval(() => turns++, 1)
    const onEpoch = ({ epoch }) => assert.equal(epoch, expected++)
    const { epochs } = await small().fit(...ROW, { epochs: 100_000, onEpoch })
    clearInterval(timer)
    assert.deepEqual([epochs, expected], [100_000, 100_001])
    assert.ok(turns > 3, `${turns} turns`)
  })

  test('find the AsyncLocalStorage of the call', async () => {
    const storage = new AsyncLocalStorage()
    const seen = new Set()
    const onEpoch = () => {
      seen.add(storage.getStore())
      block(0.5)
    }
    const fit = (store) => storage.run(store, () => small().fit(...ROW, { epochs: 20, onEpoch }))
    await Promise.all([fit('one'), fit('two')])
    assert.deepEqual([...seen].sort(), ['one', 'two'])
  })

  test('may end the run by returning false, but nothing else', async () => {
    for (const value of [undefined, null, 0, '', true, Number.NaN, Promise.resolve(false)]) {
      const { stoppedBy } = await small().fit(...ROW, { epochs: 3, onEpoch: () => value })
      assert.equal(stoppedBy, 'epochs')
    }
  })
})

describe('onEpoch that returns false', () => {
  test('stops training at once, and hears no more of it', async () => {
    for (const fit of ['fit', 'fitSync']) {
      const network = fresh()
      const reports = []
      const onEpoch = ({ epoch }) => {
        reports.push(epoch)
        return epoch < 3
      }
      const { stoppedBy, epochs, loss } = await network[fit](inputs, targets, { ...LONG, onEpoch })
      assert.equal(stoppedBy, 'callback')
      assert.deepEqual(reports, [1, 2, 3])
      // What was finished meanwhile counts; fitSync goes from epoch to epoch.
      assert.ok(fit === 'fit' ? epochs >= 3 : epochs === 3, `${epochs} epochs`)
      const same = fresh()
      assert.deepEqual(same.fitSync(inputs, targets, { ...OPTIONS, epochs }).loss, loss)
      assert.deepEqual(network.getWeights(), same.getWeights())
    }
  })

  test('changes nothing after the last epoch', async () => {
    for (const fit of ['fit', 'fitSync']) {
      const history = await small()[fit](...ROW, { epochs: 3, onEpoch: ({ epoch }) => epoch < 3 })
      assert.deepEqual([history.stoppedBy, history.epochs], ['epochs', 3])
    }
  })
})

describe('onEpoch that throws', () => {
  test('stops training and fails the call by that very error', async () => {
    const copies = published({ epochs: 60 })
    for (const mine of [new Error('mine'), 'a string', undefined, null]) {
      for (const fit of ['fit', 'fitSync']) {
        const network = fresh()
        let calls = 0
        const onEpoch = ({ epoch }) => {
          calls++
          if (epoch === 2) throw mine
        }
        const start = performance.now()
        const call = async () => network[fit](inputs, targets, { ...LONG, onEpoch })
        await failsBy(call, mine)
        assert.equal(calls, 2)
        isWhole(network, copies, 2, start)
        if (fit === 'fitSync') assert.equal(epochOf(network, copies), 2)
        network.train(inputs[0], targets[0])
      }
    }
  })

  test('where the run has long ended, too', async () => {
    const mine = new Error('mine')
    const onEpoch = ({ epoch }) => {
      block(2)
      if (epoch === 10) throw mine
    }
    await assert.rejects(small().fit(...ROW, { epochs: 10, onEpoch }), (error) => error === mine)
  })
})

describe('signal', () => {
  test('that is aborted already: the data are not touched', async () => {
    const reason = new Error('mine')
    const untouched = new Proxy([1], { get: (_, key) => assert.fail(`${String(key)} is read`) })
    for (const [signal, expected] of [
      [AbortSignal.abort(reason), reason],
      [AbortSignal.abort('a string'), 'a string'],
      [AbortSignal.abort(null), null]
    ]) {
      for (const fit of ['fit', 'fitSync']) {
        const network = small()
        const before = network.getWeights()
        await failsBy(async () => network[fit]([untouched], [untouched], { signal }), expected)
        assert.deepEqual(network.getWeights(), before)
      }
    }
    const aborted = { signal: AbortSignal.abort() }
    await assert.rejects(small().fit(...ROW, aborted), { name: 'AbortError', code: 20 })
  })

  test('that is aborted, but the options are wrong: that is said first', async () => {
    const options = { signal: AbortSignal.abort(), epochs: 0 }
    await assert.rejects(small().fit(...ROW, options), { code: 'ERR_MIKIR_OUT_OF_RANGE' })
  })

  test('that aborts in the middle, with the weights of a whole epoch', async () => {
    const copies = published({ epochs: 60 })
    for (const delay of [0, 1, 2, 3, 5, 10, 20]) {
      const network = fresh()
      const controller = new AbortController()
      const start = performance.now()
      const promise = network.fit(inputs, targets, { ...LONG, signal: controller.signal })
      await sleep(delay)
      const abort = performance.now()
      controller.abort()
      await failsBy(() => promise, controller.signal.reason)
      assert.ok(performance.now() - abort < 1000, `${performance.now() - abort} ms`)
      isWhole(network, copies, 0, start)
      assert.deepEqual(getEventListeners(controller.signal, 'abort'), [])
      network.train(inputs[0], targets[0])
      network.fitSync(inputs, targets, { epochs: 1 })
    }
  })

  test('that aborts in the middle of a long epoch', async () => {
    const network = new NeuralNetwork({ layers: [100, 300, 1], seed: 1 })
    const before = network.getWeights()
    // More than a second of single steps.
    const data = [new Float64Array(100 * 100_000), new Float64Array(100_000)]
    const start = performance.now()
    const promise = network.fit(...data, { batchSize: 1, signal: AbortSignal.timeout(150) })
    await assert.rejects(promise, { name: 'TimeoutError' })
    const waited = performance.now() - start
    assert.ok(waited < 1200, `${waited} ms`)
    assert.deepEqual(network.getWeights(), before)
  })

  test('that aborts in a callback', async () => {
    const copies = published({ epochs: 60 })
    const reason = new Error('mine')
    for (const fit of ['fit', 'fitSync']) {
      const network = fresh()
      const controller = new AbortController()
      const reports = []
      const onEpoch = ({ epoch }) => {
        reports.push(epoch)
        if (epoch === 3) controller.abort(reason)
      }
      const start = performance.now()
      const options = { ...LONG, onEpoch, signal: controller.signal }
      await failsBy(async () => network[fit](inputs, targets, options), reason)
      assert.deepEqual(reports, [1, 2, 3])
      isWhole(network, copies, 3, start)
      if (fit === 'fitSync') assert.equal(epochOf(network, copies), 3)
      assert.deepEqual(getEventListeners(controller.signal, 'abort'), [])
    }
  })

  test('that aborts while slow callbacks are behind does not wait for them', async () => {
    const controller = new AbortController()
    let calls = 0
    const onEpoch = () => {
      calls++
      block(5)
    }
    const promise = small().fit(...ROW, { epochs: 1000, onEpoch, signal: controller.signal })
    await sleep(60)
    const start = performance.now()
    controller.abort()
    await assert.rejects(promise, { name: 'AbortError' })
    // The run is long over: all that takes time are the callbacks.
    assert.ok(calls > 1 && calls < 500, `${calls} calls`)
    assert.ok(performance.now() - start < 1000)
  })

  test('that aborts after the last epoch, before the promise settles', async () => {
    const controller = new AbortController()
    const network = small()
    const onEpoch = ({ epoch }) => {
      block(2)
      if (epoch === 10) controller.abort('late')
    }
    await failsBy(() => network.fit(...ROW, { epochs: 10, onEpoch, signal: controller.signal }), 'late')
  })

  test('that aborts when all is done changes nothing', async () => {
    const controller = new AbortController()
    const { stoppedBy } = await small().fit(...ROW, { epochs: 2, signal: controller.signal })
    assert.equal(stoppedBy, 'epochs')
    assert.deepEqual(getEventListeners(controller.signal, 'abort'), [])
    controller.abort()
    await turn()
  })

  test('of many fits', async () => {
    const controller = new AbortController()
    const fits = Array.from({ length: 10 }, (_, i) =>
      fresh(i).fit(inputs, targets, { epochs: 1e9, signal: controller.signal })
    )
    await sleep(30)
    controller.abort()
    for (const { status, reason } of await Promise.allSettled(fits)) {
      assert.deepEqual([status, reason], ['rejected', controller.signal.reason])
    }
    assert.deepEqual(getEventListeners(controller.signal, 'abort'), [])
  })

  test('of another library', async () => {
    const listeners = new Set()
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener)
    }
    const promise = small().fit(...ROW, { epochs: 1e9, signal })
    await sleep(5)
    signal.aborted = true
    for (const listener of listeners) listener()
    await assert.rejects(promise, { name: 'AbortError' })
    assert.equal(listeners.size, 0)
    // Between the epochs of fitSync it is asked.
    let asked = 0
    const asking = {
      ...signal,
      get aborted() {
        return asked++ > 5
      }
    }
    assert.throws(() => small().fitSync(...ROW, { epochs: 1e9, signal: asking }), { name: 'AbortError' })
  })
})

describe('while a network trains', () => {
  const message = (name, running) =>
    `Expected a network that is not training for ${name}() but received one in ${running}(): wait until it has ended, or work on a clone()`

  test('what would change it is refused', async () => {
    const network = fresh()
    const promise = network.fit(inputs, targets, OPTIONS)
    for (let i = 0; i < 3; i++) {
      refuses(() => network.train(inputs[0], targets[0]), BUSY, message('train', 'fit'))
      refuses(() => network.setWeights(network.getWeights()), BUSY, message('setWeights', 'fit'))
      refuses(() => network.fitSync(inputs, targets), BUSY, message('fitSync', 'fit'))
      await rejects(() => network.fit(inputs, targets), BUSY, message('fit', 'fit'))
      await turn()
    }
    await promise
    const same = fresh()
    same.fitSync(inputs, targets, OPTIONS)
    assert.deepEqual(network.getWeights(), same.getWeights())
    network.train(inputs[0], targets[0])
  })

  test('in a callback of fitSync, too', () => {
    const network = small()
    let calls = 0
    const onEpoch = () => {
      calls++
      refuses(() => network.train([1], [0]), BUSY, message('train', 'fitSync'))
      refuses(() => network.fitSync(...ROW), BUSY, message('fitSync', 'fitSync'))
      network.clone().train([1], [0])
    }
    network.fitSync(...ROW, { epochs: 3, onEpoch })
    assert.equal(calls, 3)
    network.train([1], [0])
  })

  test('wrong arguments and options are said first', async () => {
    const network = fresh()
    const promise = network.fit(inputs, targets, OPTIONS)
    assert.throws(() => network.fitSync(inputs), { code: 'ERR_MIKIR_ARGUMENT_COUNT' })
    assert.throws(() => network.train([1], targets[0]), { code: 'ERR_MIKIR_INVALID_LENGTH' })
    await promise
  })

  const answers = {
    predict: (network) => network.predict(inputs[0]),
    predictBatch: (network) => network.predictBatch(inputs.slice(0, 5)),
    getWeights: (network) => network.getWeights(),
    clone: (network) => network.clone().getWeights(),
    evaluate: (network) => network.evaluate(inputs.slice(0, 5), targets.slice(0, 5))
  }
  for (const [name, answer] of Object.entries(answers)) {
    test(`${name} answers from exactly one finished epoch, and goes along`, async () => {
      const copies = published(OPTIONS)
      const epochs = new Map(copies.map((copy, epoch) => [JSON.stringify(answer(copy)), epoch]))
      for (const threads of [1, 2]) {
        const network = fresh()
        let isDone = false
        const promise = network.fit(inputs, targets, { ...OPTIONS, threads }).finally(() => {
          isDone = true
        })
        const seen = new Set()
        for (let last = 0; !isDone; await turn()) {
          const epoch = epochs.get(JSON.stringify(answer(network)))
          assert.ok(epoch !== undefined, 'of no epoch')
          assert.ok(epoch >= last, `of epoch ${epoch} after ${last}`)
          last = epoch
          seen.add(epoch)
        }
        await promise
        assert.equal(epochOf(network, copies), 40)
        assert.ok(seen.size > 3, `${seen.size} epochs seen`)
      }
    })
  }

  test('callbacks of fitSync see the epoch that they are told of', () => {
    const copies = published(OPTIONS)
    const network = fresh()
    const onEpoch = ({ epoch }) => {
      assert.deepEqual(network.predict(inputs[1]), copies[epoch].predict(inputs[1]))
      assert.deepEqual(network.getWeights(), copies[epoch].getWeights())
    }
    network.fitSync(inputs, targets, { ...OPTIONS, onEpoch })
  })

  test('the caller may change the arrays as soon as the call returns', async () => {
    const same = fresh()
    const weights = inputs.map(([x]) => x + 2)
    const all = { ...OPTIONS, sampleWeights: weights, validation: { inputs, targets } }
    same.fitSync(inputs, targets, all)
    const copies = structuredClone({ inputs, targets, weights })
    const flat = [Float64Array.from(inputs.flat()), Float64Array.from(targets.flat())]
    const given = {
      ...all,
      sampleWeights: copies.weights,
      validation: { inputs: copies.inputs, targets: copies.targets }
    }
    const networks = [fresh(), fresh()]
    const fits = [
      networks[0].fit(copies.inputs, copies.targets, given),
      networks[1].fit(...flat, structuredClone(given))
    ]
    for (const row of [...copies.inputs, ...copies.targets]) row.fill(Number.NaN)
    copies.weights.fill(-1)
    for (const array of flat) structuredClone(array.buffer, { transfer: [array.buffer] })
    await Promise.all(fits)
    for (const network of networks) assert.deepEqual(network.getWeights(), same.getWeights())
  })

  test('others train as well, each by itself', async () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i)
    const options = { ...OPTIONS, epochs: 6, threads: 2 }
    const networks = seeds.map(fresh)
    const histories = await Promise.all(networks.map((network) => network.fit(inputs, targets, options)))
    for (const seed of seeds) {
      const same = fresh(seed)
      const { loss } = same.fitSync(inputs, targets, options)
      assert.deepEqual(histories[seed].loss, loss)
      assert.deepEqual(networks[seed].getWeights(), same.getWeights())
    }
  })

  test('the event loop turns', async () => {
    const network = new NeuralNetwork({ layers: [20, 200, 200, 2], seed: 1 })
    let isDone = false
    const promise = network.fit(inputs, targets, { epochs: 20, batchSize: 100 }).finally(() => {
      isDone = true
    })
    let [turns, longest] = [0, 0]
    for (let last = performance.now(); !isDone; turns++) {
      await turn()
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
    const { durationMs } = await promise
    assert.ok(turns > 100, `${turns} turns in ${durationMs} ms`)
    assert.ok(longest < 250, `${longest} ms`)
  })
})

describe('errors', () => {
  test('reject, and never throw', async () => {
    const network = small()
    for (const args of [
      [],
      [null],
      [ROW[0], ROW[1], null],
      [ROW[0], ROW[1], { epochs: 0 }],
      [[[Number.NaN]], [[0]]]
    ]) {
      const promise = network.fit(...args)
      assert.ok(promise instanceof Promise)
      await assert.rejects(promise, { code: /^ERR_MIKIR_/ })
    }
  })

  test('have the stack of the call, also those from later', async () => {
    async function myFunction() {
      await small().fit(...ROW, { optimizer: 'sgd', learningRate: 10, epochs: 1e6 })
    }
    await assert.rejects(myFunction(), (error) => {
      assert.equal(error.code, 'ERR_MIKIR_DIVERGED')
      assert.match(error.stack, /at async myFunction/)
      return true
    })
  })

  test('leave the network free', async () => {
    const network = small()
    for (let i = 0; i < 3; i++) {
      await assert.rejects(network.fit([[Number.NaN]], [[0]]))
      await assert.rejects(network.fit(...ROW, { optimizer: 'sgd', learningRate: 10, epochs: 1e6 }))
      network.setWeights(small().getWeights())
      network.train([1], [0])
    }
  })
})

describe('a process', () => {
  test('lives until its fits are done', () => {
    const printed = runsAlone(() => {
      const { NeuralNetwork } = require('./index.js')
      const { rowsOf } = require('./__test__/helpers.js')
      const network = new NeuralNetwork({ layers: [10, 50, 1], seed: 1 })
      network.fit(rowsOf(2000, 10), rowsOf(2000, 1), { epochs: 20 }).then(({ epochs }) => console.log(epochs))
    })
    assert.equal(printed, '20\n')
  })

  test('ends when they are', () => {
    const printed = runsAlone(async () => {
      const { NeuralNetwork } = require('./index.js')
      const network = new NeuralNetwork({ layers: [1, 1], seed: 1 })
      await network.fit([[1]], [[0]])
      network.fitSync([[1]], [[0]])
      const start = performance.now()
      process.on('exit', () => console.log(performance.now() - start < 1000))
    })
    assert.equal(printed, 'true\n')
  })

  test('may exit in mid-training', () => {
    for (const where of ['main', 'worker', 'callback', 'exception']) {
      const body = async (where) => {
        const { NeuralNetwork } = require('./index.js')
        const { rowsOf } = require('./__test__/helpers.js')
        const { Worker } = require('node:worker_threads')
        const data = [rowsOf(5000, 50), rowsOf(5000, 10)]
        const fit = (options) =>
          new NeuralNetwork({ layers: [50, 200, 10] }).fit(...data, { epochs: 1e9, ...options })
        for (let i = 0; i < 3; i++) fit({ onEpoch: () => {} })
        await new Promise((resolve) => setTimeout(resolve, 50))
        if (where === 'main') process.exit(0)
        if (where === 'callback') await fit({ onEpoch: () => process.exit(0) })
        if (where === 'exception') {
          process.on('uncaughtException', () => process.exit(0))
          setImmediate(() => {
            throw new Error('mine')
          })
          return
        }
        new Worker(
          `
            const { NeuralNetwork } = require('./index.js')
            const { rowsOf } = require('./__test__/helpers.js')
            const network = new NeuralNetwork({ layers: [50, 200, 10] })
            network.fit(rowsOf(5000, 50), rowsOf(5000, 10), { epochs: 1e9 })
            setTimeout(() => process.exit(0), 50)
          `,
          { eval: true }
        ).once('exit', () => process.exit(0))
      }
      runsAlone(body, where)
    }
  })

  test('may end its workers in mid-training', () => {
    const printed = runsAlone(async () => {
      const { Worker } = require('node:worker_threads')
      const work = `
        const { parentPort } = require('node:worker_threads')
        const { NeuralNetwork } = require('./index.js')
        const { rowsOf } = require('./__test__/helpers.js')
        const data = [rowsOf(2000, 30), rowsOf(2000, 5)]
        const fit = (i, options) =>
          new NeuralNetwork({ layers: [30, 100, 5], seed: i }).fit(...data, { epochs: 1e9, threads: 2, ...options })
        fit(1)
        fit(2, { onEpoch() {} })
        fit(3, { onEpoch() { for (let i = 0; i < 1e6; i++); } })
        parentPort.postMessage('ready')
      `
      let ended = 0
      const live = async (i) => {
        const worker = new Worker(work, { eval: true })
        worker.on('error', (error) => {
          throw error
        })
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        if (i % 3 > 0) await new Promise((resolve) => worker.once('message', resolve))
        await new Promise((resolve) => setTimeout(resolve, (i * 7) % 40))
        await worker.terminate()
        await ended
      }
      for (let i = 0; i < 24; i += 3) {
        await Promise.all([live(i), live(i + 1), live(i + 2)])
        ended += 3
      }
      console.log(ended)
    })
    assert.equal(printed, '24\n')
  })

  test('may train in workers and on the main thread alike', () => {
    const printed = runsAlone(async () => {
      const { Worker } = require('node:worker_threads')
      const { NeuralNetwork } = require('./index.js')
      const { rowsOf } = require('./__test__/helpers.js')
      const work = `
        const { parentPort } = require('node:worker_threads')
        const { NeuralNetwork } = require('./index.js')
        const { rowsOf } = require('./__test__/helpers.js')
        const network = new NeuralNetwork({ layers: [5, 10, 2], seed: 1 })
        let reports = 0
        network
          .fit(rowsOf(200, 5), rowsOf(200, 2), { epochs: 30, onEpoch: () => void reports++ })
          .then(() => parentPort.postMessage([reports, network.getWeights()]))
      `
      const theirs = Array.from(
        { length: 4 },
        () => new Promise((resolve) => new Worker(work, { eval: true }).once('message', resolve))
      )
      const network = new NeuralNetwork({ layers: [5, 10, 2], seed: 1 })
      await network.fit(rowsOf(200, 5), rowsOf(200, 2), { epochs: 30 })
      for (const result of await Promise.all(theirs)) {
        console.log(JSON.stringify(result) === JSON.stringify([30, network.getWeights()]))
      }
    })
    assert.equal(printed, 'true\n'.repeat(4))
  })
})
