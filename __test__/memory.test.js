'use strict'

// Networks and neurons that nobody holds give their memory back. Each test is a process of its own.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { needs, runsAlone } = require('./helpers.js')

const MB = 2 ** 20

// The engine's own nursery grows with what is thrown away, on Node.js 24 to 200 MB: it is kept small here.
process.env.NODE_OPTIONS = '--max-semi-space-size=2'

/**
 * Runs `step` `count` times, in one go or with turns of the event loop between, and returns by how many bytes
 * the process grew at most after its first tenth.
 */
function growth({ step, count, turns, limit }) {
  const body = async (stepSource, count, turns, limit) => {
    // biome-ignore lint/security/noGlobalEval: the step comes as text into this process
    const step = eval(stepSource)({ ...require('./index.js') })
    let [start, most] = [Infinity, 0]
    for (let i = 0; i < count; i++) {
      const done = step(i)
      if (done instanceof Promise) await done
      if (i === Math.floor(count / 10)) start = process.memoryUsage.rss()
      if (i % 50 !== 0) continue
      if (i > count / 10) most = Math.max(most, process.memoryUsage.rss() - start)
      // Enough is known, and the machine has other things to do.
      if (most > 2 * limit) break
      if (turns) await new Promise(setImmediate)
    }
    console.log(most)
  }
  return Number(runsAlone(body, `(${step})`, count, turns, limit))
}

/** `leak` is what would stay if nothing were given back; it must be far over the limit for the test to mean anything. */
function staysFlat(name, { step, count, limit, leak, turns = [false, true] }) {
  assert.ok(leak * 0.9 > 2 * limit)
  for (const withTurns of turns) {
    test(
      `${name}, ${withTurns ? 'with turns of the event loop' : 'in one synchronous loop'}`,
      withTurns ? {} : needs('turns'),
      () => {
        const bytes = growth({ step, count, turns: withTurns, limit })
        assert.ok(bytes < limit, `grew by ${Math.round(bytes / MB)} MB`)
      }
    )
  }
}

describe('memory stays flat', () => {
  staysFlat('100,000 networks of 50 kB', {
    step:
      ({ NeuralNetwork }) =>
      () =>
        new NeuralNetwork(784, 8, 10),
    count: 100_000,
    limit: 300 * MB,
    leak: 100_000 * 6378 * 8
  })

  staysFlat('3,000 networks of 1 MB that predicted and trained', {
    step: ({ NeuralNetwork }) => {
      const [inputs, targets] = [new Float64Array(784).fill(0.01), new Float64Array(10)]
      return () => {
        const network = new NeuralNetwork(784, 160, 10)
        network.train(inputs, targets)
        network.predict(inputs)
      }
    },
    count: 3000,
    limit: 400 * MB,
    leak: 3000 * 127_210 * 8
  })

  staysFlat('200,000 neurons of 100 inputs', {
    step: ({ Neuron }) => {
      const inputs = new Array(100).fill(0.01)
      return () => new Neuron(100).activate(inputs)
    },
    count: 200_000,
    limit: 120 * MB,
    leak: 200_000 * 2 * 100 * 8
  })

  staysFlat('10,000 networks of as many shapes', {
    step:
      ({ NeuralNetwork }) =>
      (i) =>
        new NeuralNetwork(1, 3000 + i, 1),
    count: 10_000,
    limit: 300 * MB,
    // The network's own numbers and what its shape keeps for intermediate values.
    leak: 10_000 * 8000 * (3 + 3) * 8,
    // Within one turn, the engine keeps what a WeakRef was asked for.
    turns: [true]
  })

  staysFlat('2,000,000 calls of one network', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork(2, 2, 1)
      return () => {
        for (let i = 0; i < 100; i++) {
          network.train([0, 1], [1])
          network.predict([0, 1])
        }
      }
    },
    count: 10_000,
    limit: 50 * MB,
    leak: 2_000_000 * 2 * 8 * 8
  })

  staysFlat('400,000 calls that are refused', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork(2, 2, 1)
      const attempt = (call) => {
        try {
          call()
        } catch (error) {
          return error
        }
        throw new Error('not refused')
      }
      return () => {
        attempt(() => network.predict([0, Number.NaN]))
        attempt(() => network.train([0, 1], [1e308], 1e308))
        attempt(() => new NeuralNetwork(2 ** 28, 1, 1))
        attempt(() => new NeuralNetwork(0, 1, 1))
      }
    },
    count: 100_000,
    limit: 150 * MB,
    leak: 400_000 * 1000,
    turns: [false]
  })

  staysFlat('12,000 copies of the weights', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork(100, 20, 10)
      return () => network.setWeights(network.getWeights())
    },
    count: 12_000,
    limit: 90 * MB,
    leak: 12_000 * 2230 * 8
  })
})

describe('memory stays flat over', () => {
  staysFlat('1,000 fits on 200 kB of rows', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork({ layers: [25, 10, 1] })
      const inputs = Array.from({ length: 1000 }, (_, i) => new Float64Array(25).fill(i / 1000))
      const targets = new Float64Array(1000)
      return () => {
        network.fitSync(inputs, targets, { epochs: 1, validation: 0.1, earlyStopping: {} })
      }
    },
    count: 1000,
    limit: 60 * MB,
    leak: 1000 * 200_000
  })

  staysFlat('1,000 fits on threads', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork({ layers: [25, 10, 1] })
      const inputs = Array.from({ length: 1000 }, (_, i) => new Float64Array(25).fill(i / 1000))
      const targets = new Float64Array(1000)
      return (i) => network.fit(inputs, targets, { epochs: 2, onEpoch: i % 2 === 0 ? undefined : () => {} })
    },
    count: 1000,
    limit: 60 * MB,
    leak: 1000 * 200_000,
    turns: [true]
  })

  staysFlat('450 fits with a history of 320 kB each', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork({ layers: [1, 1] })
      return () => {
        network.fitSync([[1]], [[0]], { epochs: 20_000, validation: { inputs: [[1]], targets: [[0]] } })
      }
    },
    count: 450,
    limit: 60 * MB,
    leak: 450 * 320_000
  })

  staysFlat('1,000 evaluations of 200 kB of rows', {
    step: ({ NeuralNetwork }) => {
      const network = new NeuralNetwork({ layers: [25, 10, 1] })
      const [inputs, targets] = [new Float64Array(25_000), new Float64Array(1000)]
      return () => {
        network.evaluate(inputs, targets)
      }
    },
    count: 1000,
    limit: 60 * MB,
    leak: 1000 * 200_000
  })

  for (const mistake of Object.keys(mistakesOf(new Array(1000), new Array(1000)))) {
    staysFlat(`500 fits that fail by ${mistake}`, {
      step: `({ NeuralNetwork }) => (${failing})(NeuralNetwork, ${mistakesOf}, '${mistake}')`,
      count: 500,
      limit: 40 * MB,
      leak: 500 * 200_000,
      turns: [false]
    })
  }
})

/** What can be wrong with a fit, each by itself. */
function mistakesOf(inputs, targets) {
  const spoilt = (array, value) => array.toSpliced(999, 1, value)
  const controller = new AbortController()
  const aborting = new Array(25).fill(0)
  Object.defineProperty(aborting, 24, { get: () => controller.abort() ?? 0 })
  return {
    'inputs that are not finite': [spoilt(inputs, new Float64Array(25).fill(Number.NaN)), targets],
    'ragged inputs': [spoilt(inputs, [1]), targets],
    'targets beyond the range': [inputs, spoilt(targets, [2])],
    'wrong validation': [inputs, targets, { validation: { inputs, targets: spoilt(targets, ['1']) } }],
    'wrong weights': [inputs, targets, { sampleWeights: new Float64Array(1000).fill(-1) }],
    'no checkpoint': [inputs, targets, { resume: '/no/such/file' }],
    'an impossible fraction': [inputs, targets, { validation: 1e-9 }],
    'a signal while the data are read': [spoilt(inputs, aborting), targets, { signal: controller.signal }],
    'a callback that throws': [inputs, targets, { onEpoch: () => null.x }]
  }
}

/** A step that makes a mistake on 200 kB of rows. */
function failing(NeuralNetwork, mistakesOf, name) {
  const network = new NeuralNetwork({ layers: [25, 10, 1], loss: 'binaryCrossEntropy' })
  const inputs = Array.from({ length: 1000 }, (_, i) => new Float64Array(25).fill(i / 1000))
  const targets = inputs.map(() => [1])
  return () => {
    try {
      network.fitSync(...mistakesOf(inputs, targets)[name])
    } catch {
      return
    }
    throw new Error('not refused')
  }
}

test('a shape whose networks are all gone leaves nothing behind', () => {
  const printed = runsAlone(async () => {
    require('node:v8').setFlagsFromString('--expose-gc')
    const gc = require('node:vm').runInNewContext('gc')
    const { NeuralNetwork } = require('./index.js')
    const settled = async () => {
      for (let i = 0; i < 5; i++) {
        await new Promise(setImmediate)
        gc()
      }
      return process.memoryUsage().heapUsed
    }
    const shapes = async (hidden) => {
      for (let i = 1; i <= 20_000; i++) {
        new NeuralNetwork(1 + (i % 100), hidden, 1 + Math.floor(i / 100))
        if (i % 100 === 0) await new Promise(setImmediate)
      }
    }
    await shapes(1)
    const before = await settled()
    await shapes(2)
    await shapes(3)
    console.log((await settled()) - before)
  })
  assert.ok(Number(printed) < MB, `${printed} bytes`)
})

test('a shape that comes back after all its networks are gone works again', () => {
  runsAlone(async () => {
    const assert = require('node:assert/strict')
    require('node:v8').setFlagsFromString('--expose-gc')
    const gc = require('node:vm').runInNewContext('gc')
    const { NeuralNetwork } = require('./index.js')
    const kept = new NeuralNetwork(3, 3, 3, { seed: 1 })
    const expected = kept.predict([1, 2, 3])
    let before
    for (let round = 0; round < 50; round++) {
      for (let width = 1; width < 20; width++) {
        const weights = JSON.stringify(new NeuralNetwork(2, width, 1, { seed: 1 }).predict([1, 2]))
        if (width === 5) before ??= weights
        if (width === 5) assert.equal(weights, before)
      }
      if (round % 2) gc()
      await new Promise(setImmediate)
      assert.deepEqual(kept.predict([1, 2, 3]), expected)
    }
  })
})
