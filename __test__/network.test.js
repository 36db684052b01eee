'use strict'

// The class itself: what it refuses, its properties, the arrays it takes. The arithmetic is in online.test.js,
// getWeights and setWeights in weights.test.js.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')
const vm = require('node:vm')
const { NeuralNetwork } = require('../index.js')
const {
  ARGUMENTS,
  LENGTH,
  OPTION,
  OVERFLOW,
  RANGE,
  TOO_LARGE,
  TYPE,
  detached,
  layersOf,
  noNumbers,
  noVectors,
  notFinite,
  refuses,
  refusesUntouched,
  revoked,
  runsAlone,
  elementSaid
} = require('./helpers.js')

const VECTOR = 'an array or a typed array of numbers'

describe('new NeuralNetwork refuses', () => {
  const COUNT = 'an integer from 1 to 268435456'
  const places = ['inputCount', 'hiddenCount', 'outputCount']
  const withCount = (place, value) => () => {
    const counts = [2, 2, 1]
    counts[place] = value
    return new NeuralNetwork(...counts)
  }

  test('to be called without new', () => {
    assert.throws(() => NeuralNetwork(2, 2, 1), {
      name: 'TypeError',
      message: "Class constructor NeuralNetwork cannot be invoked without 'new'"
    })
  })

  test('too few and too many arguments', () => {
    const said = (count) => `Expected 3 to 4 arguments for new NeuralNetwork but received ${count}`
    refuses(() => new NeuralNetwork(), ARGUMENTS, said(0))
    refuses(() => new NeuralNetwork(2), ARGUMENTS, said(1))
    refuses(() => new NeuralNetwork(2, 2), ARGUMENTS, said(2))
    refuses(() => new NeuralNetwork(2, 2, 1, {}, undefined), ARGUMENTS, said(5))
  })

  for (const [place, name] of places.entries()) {
    test(`a wrong kind of ${name}`, () => {
      for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
        refuses(withCount(place, value), TYPE, `Expected ${COUNT} for ${name} but received ${received}`)
      }
    })

    test(`a wrong number for ${name}`, () => {
      const wrong = [
        0,
        -0,
        -1,
        -2147483648,
        0.5,
        2.7,
        1e-320,
        2 ** 28 + 1,
        2 ** 31,
        2 ** 32,
        2 ** 32 + 5,
        2 ** 53,
        1e308
      ]
      for (const value of [...wrong, Number.NaN, Infinity, -Infinity]) {
        const received = Object.is(value, -0) ? '-0' : String(value)
        refuses(withCount(place, value), RANGE, `Expected ${COUNT} for ${name} but received ${received}`)
      }
    })
  }

  test('more than 2^28 parameters, before any memory is taken', () => {
    const said = (count) =>
      `Expected at most 268435456 parameters for the network but received ${count} or more`
    const { arrayBuffers, rss } = process.memoryUsage()
    for (let i = 0; i < 100; i++) {
      refuses(() => new NeuralNetwork(2 ** 28, 1, 1), TOO_LARGE, said(2 ** 28 + 1))
      refuses(() => new NeuralNetwork(1, 2 ** 28, 1), TOO_LARGE, said(2 ** 29))
      refuses(() => new NeuralNetwork(1, 1, 2 ** 28), TOO_LARGE, said(2 + 2 ** 29))
      refuses(() => new NeuralNetwork(1, 2 ** 24, 17), TOO_LARGE, said(2 ** 25 + (2 ** 24 + 1) * 17))
      refuses(() => new NeuralNetwork(2 ** 14, 2 ** 14, 1), TOO_LARGE, said(2 ** 28 + 2 ** 14))
      refuses(() => new NeuralNetwork(2 ** 28, 2 ** 28, 2 ** 28), TOO_LARGE, said(2n ** 56n + 2n ** 28n))
    }
    const now = process.memoryUsage()
    assert.ok(
      now.arrayBuffers - arrayBuffers < 2 ** 20,
      `${now.arrayBuffers - arrayBuffers} bytes of buffers`
    )
    assert.ok(now.rss - rss < 2 ** 26, `${now.rss - rss} bytes`)
  })

  test('layers so wide that no array of JavaScript would hold their outputs', () => {
    const said = (count) =>
      `Expected at most 16777216 inputs and neurons in a layer for the network but received ${count}`
    refuses(() => new NeuralNetwork(1, 1, 120e6), TOO_LARGE, said(120e6))
    refuses(() => new NeuralNetwork(1, 2 ** 24 + 1, 1), TOO_LARGE, said(2 ** 24 + 1))
    refuses(() => new NeuralNetwork({ layers: [2 ** 24 + 1, 1] }), TOO_LARGE, said(2 ** 24 + 1))
  })

  test('what the system has no memory for', () => {
    const host = require('../lib/host.js')
    const { allocate } = host
    host.allocate = () => {
      throw new RangeError('Array buffer allocation failed')
    }
    try {
      assert.throws(
        () => new NeuralNetwork(2, 2, 1),
        (error) => {
          assert.match(
            error.message,
            /^Expected enough free memory for a network of 9 parameters but received a need of \d+ bytes$/
          )
          assert.equal(error.code, 'ERR_MIKIR_OUT_OF_MEMORY')
          assert.equal(error.cause.message, 'Array buffer allocation failed')
          return error instanceof RangeError
        }
      )
    } finally {
      host.allocate = allocate
    }
  })

  test('options that are no object', () => {
    const wrong = noNumbers().filter(
      ([value]) => typeof value !== 'object' || value === null || Array.isArray(value)
    )
    for (const [value, received] of [...wrong, [2, '2'], [Number.NaN, 'NaN']]) {
      refuses(
        () => new NeuralNetwork(2, 2, 1, value),
        TYPE,
        `Expected an object for options but received ${received}`
      )
    }
  })

  test('unknown options', () => {
    for (const key of ['sede', 'Seed', 'layers', 'inputCount', '0', '']) {
      refuses(
        () => new NeuralNetwork(2, 2, 1, { seed: 1, [key]: 1 }),
        OPTION,
        `Expected only 'seed' for options but received '${key}'`
      )
    }
  })

  test('a wrong seed', () => {
    const said = (received) =>
      `Expected an integer from 0 to 9007199254740991 for options.seed but received ${received}`
    for (const [seed, received] of noNumbers()) {
      refuses(() => new NeuralNetwork(2, 2, 1, { seed }), TYPE, said(received))
    }
    for (const seed of [-1, 0.5, 2 ** 53, 1e300, Number.NaN, Infinity, -Infinity]) {
      refuses(() => new NeuralNetwork(2, 2, 1, { seed }), RANGE, said(seed))
    }
  })
})

/** Everything a method refuses in a vector, whatever the vector is called. */
function refusesVectors(network, name, count, call) {
  const refusesOne = (value, code, rule, received, place = name) =>
    refusesUntouched(
      network,
      () => call(value),
      code,
      `Expected ${rule} for ${place} but received ${received}`
    )

  test('a wrong kind', () => {
    for (const [value, received] of noVectors()) refusesOne(value, TYPE, VECTOR, received)
  })

  test('a wrong length', () => {
    const right = Array.from({ length: count }, (_, i) => i / count)
    const rule = `${count} number${count === 1 ? '' : 's'}`
    for (const wrong of [[], right.slice(1), [...right, 1], [...right, ...right], new Array(2 ** 32 - 1)]) {
      refusesOne(wrong, LENGTH, rule, wrong.length)
      if (wrong.length > 100) continue
      refusesOne(Float64Array.from(wrong), LENGTH, rule, wrong.length)
      refusesOne(Float32Array.from(wrong), LENGTH, rule, wrong.length)
    }
    refusesOne(detached(new Float64Array(count)), LENGTH, rule, 0)
    refusesOne(detached(new Float32Array(count)), LENGTH, rule, 0)
    if (count > 1) refusesOne([right], LENGTH, rule, 1)
  })

  test('an element that is no number', () => {
    for (let i = 0; i < count; i++) {
      for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
        const vector = new Array(count).fill(0.5)
        vector[i] = value
        refusesOne(vector, TYPE, 'a finite number', elementSaid(value, received), `${name}[${i}]`)
      }
    }
  })

  test('a hole', () => {
    for (let i = 0; i < count; i++) {
      const vector = new Array(count).fill(0.5)
      delete vector[i]
      refusesOne(vector, TYPE, 'a finite number', 'undefined: fill in a number', `${name}[${i}]`)
    }
  })

  test('an element that is not finite', () => {
    for (let i = 0; i < count; i++) {
      for (const [value, received] of notFinite) {
        const vector = new Array(count).fill(0.5)
        vector[i] = value
        for (const wrong of [vector, Float64Array.from(vector), Float32Array.from(vector)]) {
          refusesOne(wrong, RANGE, 'a finite number', received, `${name}[${i}]`)
        }
      }
    }
    // The largest double is infinite as a float.
    refusesOne(
      new Float32Array(count).fill(Number.MAX_VALUE),
      RANGE,
      'a finite number',
      'Infinity',
      `${name}[0]`
    )
  })

  test('typed arrays that lie about their length', () => {
    const before = network.getWeights()
    for (const Vector of [Float64Array, Float32Array]) {
      for (const length of [count + 1, count + 40, 10_000]) {
        const long = Object.defineProperty(new Vector(length).fill(7), 'length', { value: count })
        refusesUntouched(
          network,
          () => call(long),
          LENGTH,
          `Expected ${count} number${count === 1 ? '' : 's'} for ${name} but received ${length}`
        )
      }
    }
    assert.deepStrictEqual(network.getWeights(), before)
  })

  test('a revoked proxy', () => {
    // The engine's own error: it lets nobody see what kind of object that was.
    const before = network.getWeights()
    assert.throws(() => call(revoked([])), TypeError)
    assert.deepStrictEqual(network.getWeights(), before)
  })
}

describe('predict refuses', () => {
  const network = new NeuralNetwork(3, 4, 2, { seed: 1 })

  test('missing and extra arguments', () => {
    const said = (count) => `Expected 1 argument for predict but received ${count}`
    refusesUntouched(network, () => network.predict(), ARGUMENTS, said(0))
    refusesUntouched(network, () => network.predict([0, 1, 2], undefined), ARGUMENTS, said(2))
    refusesUntouched(network, () => network.predict(0, 1, 2), ARGUMENTS, said(3))
  })

  refusesVectors(network, 'inputs', 3, (inputs) => network.predict(inputs))
})

describe('train refuses', () => {
  const network = new NeuralNetwork(3, 4, 2, { seed: 1 })

  test('missing and extra arguments', () => {
    const said = (count) => `Expected 2 to 3 arguments for train but received ${count}`
    refusesUntouched(network, () => network.train(), ARGUMENTS, said(0))
    refusesUntouched(network, () => network.train([0, 1, 2]), ARGUMENTS, said(1))
    refusesUntouched(network, () => network.train([0, 1, 2], [0, 1], 0.1, undefined), ARGUMENTS, said(4))
  })

  describe('in inputs', () => {
    refusesVectors(network, 'inputs', 3, (inputs) => network.train(inputs, [0, 1], 0.5))
  })

  describe('in targets', () => {
    refusesVectors(network, 'targets', 2, (targets) => network.train([0, 1, 2], targets, 0.5))
  })

  describe('in the only target of a network with one output', () => {
    const single = new NeuralNetwork(2, 2, 1, { seed: 1 })
    refusesVectors(single, 'targets', 1, (targets) => single.train([0, 1], targets, 0.5))
  })

  test('a wrong learning rate', () => {
    const said = (received) => `Expected a finite number for learningRate but received ${received}`
    for (const [rate, received] of noNumbers()) {
      refusesUntouched(network, () => network.train([0, 1, 2], [0, 1], rate), TYPE, said(received))
    }
    for (const [rate, received] of notFinite) {
      refusesUntouched(network, () => network.train([0, 1, 2], [0, 1], rate), RANGE, said(received))
    }
  })

  test('a step that would make a weight infinite', () => {
    const said =
      'Expected a learning rate, inputs and targets small enough to keep every weight finite for train but received a step that overflows'
    for (const [hidden, outputs] of [
      [1, 1],
      [4, 2],
      [9, 12]
    ]) {
      const victim = new NeuralNetwork(2, hidden, outputs, { seed: 1 })
      victim.setWeights(layersOf([2, hidden, outputs], () => 0.1))
      const targets = (value) => new Array(outputs).fill(value)
      const trials = [
        [[0.5, 0.5], targets(0), 1e308],
        [[0.5, 0.5], targets(0), -1e308],
        [[0.5, 0.5], targets(1e308), 0.1],
        [[0.5, 0.5], targets(-1e308), 1e10],
        [[0.5, 0.5], targets(Number.MAX_VALUE), Number.MAX_VALUE],
        [[1e-300, -1e-300], targets(1e300), 1e20],
        [[3, -1e-10], [...targets(0).slice(1), 1e305], 1]
      ]
      for (const [inputs, wanted, rate] of trials) {
        refusesUntouched(victim, () => victim.train(inputs, wanted, rate), OVERFLOW, said)
      }
      // A large step that fits is taken.
      victim.train([0.5, 0.5], targets(1e100), 1)
      assert.ok(victim.getWeights()[1].biases.every((bias) => bias > 1e90 && Number.isFinite(bias)))
      assert.ok(victim.predict([0.5, 0.5]).every((output) => output >= 0 && output <= 1))
    }
  })
})

describe('what is taken', () => {
  const inputs = [0.25, -1.5, 3]
  const targets = [1, 0.5]
  const foreign = (source) => vm.runInNewContext(source)
  const same = [
    ['an array', inputs, targets],
    ['a frozen array', Object.freeze([...inputs]), Object.freeze([...targets])],
    [
      'an array with further properties',
      Object.assign([...inputs], { x: 1 }),
      Object.assign([...targets], { 5.5: 1 })
    ],
    ['a subclass of Array', class extends Array {}.from(inputs), class extends Array {}.from(targets)],
    ['a Float64Array', Float64Array.from(inputs), Float64Array.from(targets)],
    ['a Float32Array', Float32Array.from(inputs), Float32Array.from(targets)],
    [
      'a part of a Float64Array',
      Float64Array.of(9, ...inputs, 9).subarray(1, 4),
      Float64Array.of(9, ...targets).subarray(1)
    ],
    [
      'a part of a Float32Array',
      Float32Array.of(9, ...inputs, 9).subarray(1, 4),
      Float32Array.of(9, ...targets).subarray(1)
    ],
    ['shared memory', shared(inputs), shared(targets)],
    [
      'a subclass of Float64Array',
      class extends Float64Array {}.from(inputs),
      class extends Float64Array {}.from(targets)
    ],
    ["another realm's array", foreign('[0.25, -1.5, 3]'), foreign('[1, 0.5]')],
    [
      "another realm's Float64Array",
      foreign('Float64Array.of(0.25, -1.5, 3)'),
      foreign('Float64Array.of(1, 0.5)')
    ],
    [
      "another realm's Float32Array",
      foreign('Float32Array.of(0.25, -1.5, 3)'),
      foreign('Float32Array.of(1, 0.5)')
    ],
    ['a proxy', new Proxy([...inputs], {}), new Proxy([...targets], {})]
  ]

  function shared(values) {
    const array = new Float64Array(new SharedArrayBuffer(8 * values.length))
    array.set(values)
    return array
  }

  for (const [name, someInputs, someTargets] of same) {
    test(name, () => {
      const [network, expected] = [1, 2].map(() => new NeuralNetwork(3, 4, 2, { seed: 5 }))
      assert.deepStrictEqual(network.predict(someInputs), expected.predict(inputs))
      network.train(someInputs, someTargets, 0.5)
      expected.train(inputs, targets, 0.5)
      assert.deepStrictEqual(network.getWeights(), expected.getWeights())
      assert.deepStrictEqual([...someInputs, ...someTargets], [...inputs, ...targets])
    })
  }

  test('single precision is taken as it is', () => {
    const network = new NeuralNetwork(1, 1, 1, { seed: 5 })
    const rounded = Math.fround(0.1)
    assert.deepStrictEqual(network.predict(Float32Array.of(0.1)), network.predict([rounded]))
    assert.notDeepStrictEqual(network.predict(Float32Array.of(0.1)), network.predict([0.1]))
  })

  test('a learning rate of 0.1 where there is none', () => {
    const networks = [1, 2, 3, 4].map(() => new NeuralNetwork(3, 4, 2, { seed: 5 }))
    networks[0].train(inputs, targets)
    networks[1].train(inputs, targets, undefined)
    networks[2].train(inputs, targets, 0.1)
    networks[3].train(inputs, targets, 0.2)
    const [missing, undefinedRate, given, other] = networks.map((network) => network.getWeights())
    assert.deepStrictEqual(missing, given)
    assert.deepStrictEqual(undefinedRate, given)
    assert.notDeepStrictEqual(other, given)
  })

  test('zero and negative learning rates', () => {
    const network = new NeuralNetwork(3, 4, 2, { seed: 5 })
    const before = network.getWeights()
    network.train(inputs, targets, 0)
    assert.deepStrictEqual(network.getWeights(), before)
    network.train(inputs, targets, 0.5)
    const up = network.getWeights()
    network.setWeights(before)
    network.train(inputs, targets, -0.5)
    const down = network.getWeights()
    const signs = (after) => after[1].biases.map((bias, k) => Math.sign(bias - before[1].biases[k]))
    assert.deepStrictEqual(
      signs(down),
      signs(up).map((sign) => -sign)
    )
  })

  test('options and a seed that are undefined, as if absent', () => {
    const [a, b] = [new NeuralNetwork(2, 2, 1, undefined), new NeuralNetwork(2, 2, 1, { seed: undefined })]
    for (const network of [a, b]) assert.ok(Number.isSafeInteger(network.seed) && network.seed >= 0)
    assert.notEqual(a.seed, b.seed)
  })
})

describe('arrays whose elements run code', () => {
  const numbers = [0.25, -1.5, 0.75]
  const targets = [1, 0.5]
  const fresh = (seed = 5) => new NeuralNetwork(3, 4, 2, { seed })

  /** `values` as an array that runs `code` when element `at` is read, as a getter and as a proxy. */
  function* running(values, at, code) {
    yield Object.defineProperty([...values], at, {
      get() {
        code()
        return values[at]
      }
    })
    yield new Proxy([...values], {
      get(target, key) {
        if (key === String(at)) code()
        return target[key]
      }
    })
  }

  const intruders = {
    'predicts with the same network': (network) => network.predict([9, 9, 9]),
    'predicts with a network of the same shape': (_, other) => other.predict([9, 9, 9]),
    'trains a network of the same shape': (_, other) => other.train([9, 9, 9], [9, 9], 3),
    'uses a network of another shape': () => {
      const another = new NeuralNetwork(5, 9, 11)
      another.train([1, 2, 3, 4, 5], new Array(11).fill(1))
      another.predict([1, 2, 3, 4, 5])
    },
    'is refused': (network) => assert.throws(() => network.predict([9, 9, Number.NaN])),
    'is refused while training': (network) => assert.throws(() => network.train([9, 9, 9], [9, Number.NaN])),
    'reads and writes the weights': (network) => network.setWeights(network.getWeights())
  }

  for (const [what, code] of Object.entries(intruders)) {
    test(`an element that ${what}`, () => {
      const expected = fresh()
      const prediction = expected.predict(numbers)
      expected.train(numbers, targets, 0.5)
      for (let at = 0; at < 3; at++) {
        const [network, other] = [fresh(), fresh(6)]
        for (const inputs of running(numbers, at, () => code(network, other))) {
          assert.deepStrictEqual(network.predict(inputs), prediction)
        }
      }
      for (let at = 0; at < 5; at++) {
        const [network, other] = [fresh(), fresh(6)]
        const before = network.getWeights()
        const run = () => code(network, other)
        const [values, place] = at < 3 ? [numbers, at] : [targets, at - 3]
        for (const vector of running(values, place, run)) {
          network.setWeights(before)
          if (at < 3) network.train(vector, targets, 0.5)
          else network.train(numbers, vector, 0.5)
          assert.deepStrictEqual(network.getWeights(), expected.getWeights())
        }
      }
    })
  }

  test('an element that trains the same network, once', () => {
    for (const call of [
      (network, inputs) => network.predict(inputs),
      (network, inputs) => network.train(inputs, targets)
    ]) {
      const expected = fresh()
      expected.train([9, 9, 9], [0, 0], 1)
      const answer = call(expected, numbers)
      const network = fresh()
      let reads = 0
      const [inputs] = running(numbers, 1, () => reads++ || network.train([9, 9, 9], [0, 0], 1))
      assert.deepStrictEqual(call(network, inputs), answer)
      assert.deepStrictEqual(network.getWeights(), expected.getWeights())
    }
  })

  test('an element that throws', () => {
    const network = fresh()
    const before = network.getWeights()
    const mine = new Error('mine')
    for (const inputs of running(numbers, 1, () => assert.fail(mine))) {
      assert.throws(() => network.predict(inputs), mine)
      assert.throws(() => network.train(inputs, targets), mine)
      assert.deepStrictEqual(network.getWeights(), before)
    }
  })

  test('in a class that overrides predict and train', () => {
    class Halved extends NeuralNetwork {
      predict(inputs) {
        return super.predict(halved(inputs))
      }
      train(inputs, ...rest) {
        super.train(halved(inputs), ...rest)
      }
    }
    const other = fresh(6)
    let reads = 0
    const halved = (inputs) => {
      const half = inputs.map((x) => x / 2)
      // At most once a call: no endless regress if the method is entered again.
      const [array] = running(half, 1, () => reads++ < 50 && other.predict(numbers))
      return array
    }
    const network = new Halved(3, 4, 2, { seed: 5 })
    const expected = fresh()
    const half = numbers.map((x) => x / 2)
    assert.deepStrictEqual(network.predict(numbers), expected.predict(half))
    network.train(numbers, targets, 0.5)
    expected.train(half, targets, 0.5)
    assert.deepStrictEqual(network.getWeights(), expected.getWeights())
  })
})

describe('predict', () => {
  test('returns a new plain array each time', () => {
    for (const outputs of [1, 2, 10, 100]) {
      const network = new NeuralNetwork(2, 3, outputs, { seed: 1 })
      const [a, b] = [network.predict([1, 2]), network.predict([1, 2])]
      assert.equal(Object.getPrototypeOf(a), Array.prototype)
      assert.equal(a.length, outputs)
      assert.equal(Object.keys(a).length, outputs)
      assert.ok(a.every((output) => typeof output === 'number' && output >= 0 && output <= 1))
      assert.notEqual(a, b)
      assert.deepStrictEqual(a, b)
      b.fill(7)
      assert.deepStrictEqual(network.predict([1, 2]), a)
    }
  })

  test('changes no weight', () => {
    const network = new NeuralNetwork(2, 9, 3, { seed: 1 })
    const before = network.getWeights()
    for (let i = 0; i < 100; i++) network.predict([i, -i])
    assert.deepStrictEqual(network.getWeights(), before)
  })
})

describe('train', () => {
  test('returns undefined', () => {
    assert.equal(new NeuralNetwork(2, 2, 1).train([0, 1], [1]), undefined)
  })

  test('leaves other networks of the same shape alone', () => {
    const [a, b] = [1, 2].map(() => new NeuralNetwork(2, 2, 1, { seed: 5 }))
    const before = b.getWeights()
    const prediction = b.predict([1, 2])
    for (let i = 0; i < 100; i++) a.train([1, 2], [0])
    assert.deepStrictEqual(b.getWeights(), before)
    assert.deepStrictEqual(b.predict([1, 2]), prediction)
    assert.notDeepStrictEqual(a.getWeights(), before)
  })
})

describe('properties', () => {
  const network = new NeuralNetwork(3, 4, 2, { seed: 7 })

  test('say what the network is', () => {
    assert.equal(network.inputCount, 3)
    assert.equal(network.outputCount, 2)
    assert.equal(network.parameterCount, 26)
    assert.equal(network.seed, 7)
    assert.equal(new NeuralNetwork(1, 1, 1).parameterCount, 4)
    assert.equal(new NeuralNetwork(784, 128, 10).parameterCount, 101_770)
  })

  test('cannot be assigned', () => {
    for (const name of ['inputCount', 'outputCount', 'parameterCount', 'seed']) {
      const value = network[name]
      assert.throws(
        () => {
          network[name] = 9
        },
        {
          name: 'TypeError',
          message: new RegExp(`^Cannot set property ${name} of .* which has only a getter$`)
        }
      )
      assert.equal(network[name], value)
    }
  })

  test('are the only ones: nothing inside can be reached or listed', () => {
    assert.deepStrictEqual(Object.keys(network), [])
    const [contents, ...rest] = Reflect.ownKeys(network)
    assert.deepStrictEqual([contents.toString(), rest], ['Symbol(contents)', []])
    assert.match(network[contents], /^[0-9a-f]{64}$/)
  })
})

describe('the seed', () => {
  test('determines the weights to the bit', () => {
    for (const seed of [0, 1, 42, 2 ** 32, 2 ** 53 - 1]) {
      const [a, b] = [1, 2].map(() => new NeuralNetwork(5, 9, 3, { seed }))
      assert.equal(a.seed, seed)
      assert.deepStrictEqual(a.getWeights(), b.getWeights())
    }
  })

  test('gives these weights for ever', () => {
    // xoshiro256++ seeded by SplitMix64 from 42, upper 53 bits times 2^-53: a neuron's weights, then its bias.
    assert.deepStrictEqual(new NeuralNetwork(2, 2, 1, { seed: 42 }).getWeights(), [
      {
        weights: [
          [0.8143051451229099, 0.3188210400616611],
          [0.7011355981347556, 0.793504489691729]
        ],
        biases: [0.9838941681774888, 0.5880984664675596]
      },
      { weights: [[0.1253524420627421, 0.6051224486571726]], biases: [0.2077171716233216] }
    ])
  })

  test('that was drawn gives the same network again', () => {
    const drawn = new NeuralNetwork(2, 2, 1)
    assert.deepStrictEqual(new NeuralNetwork(2, 2, 1, { seed: drawn.seed }).getWeights(), drawn.getWeights())
  })

  test('differs, and with it the weights, from network to network', () => {
    const networks = Array.from({ length: 1000 }, () => new NeuralNetwork(2, 2, 1))
    assert.equal(new Set(networks.map((network) => network.seed)).size, 1000)
    assert.equal(new Set(networks.map((network) => JSON.stringify(network.getWeights()))).size, 1000)
    const near = [0, 1, 2, 3].map(
      (seed) => new NeuralNetwork(2, 2, 1, { seed }).getWeights()[0].weights[0][0]
    )
    assert.equal(new Set(near).size, 4)
  })

  test('differs from process to process', () => {
    const seedOf = () => runsAlone(() => console.log(new (require('./index.js').NeuralNetwork)(2, 2, 1).seed))
    assert.notEqual(seedOf(), seedOf())
  })

  test('of -0 is 0', () => {
    const network = new NeuralNetwork(2, 2, 1, { seed: -0 })
    assert.equal(network.seed, 0)
    assert.deepStrictEqual(network.getWeights(), new NeuralNetwork(2, 2, 1, { seed: 0 }).getWeights())
  })
})

describe('as an object', () => {
  test('prints what it is', () => {
    assert.equal(
      inspect(new NeuralNetwork(2, 3, 1, { seed: 7 })),
      'NeuralNetwork 2-3-1 (13 parameters, f64, seed 7)'
    )
    assert.equal(
      inspect([new NeuralNetwork(784, 128, 10, { seed: 0 })]),
      '[ NeuralNetwork 784-128-10 (101770 parameters, f64, seed 0) ]'
    )
    assert.match(inspect(new NeuralNetwork(1, 1, 1)), /^NeuralNetwork 1-1-1 \(4 parameters, f64, seed \d+\)$/)
  })

  test('is refused by structuredClone and postMessage, which would lose its weights', () => {
    class Mine extends NeuralNetwork {}
    for (const network of [
      new NeuralNetwork(2, 2, 1),
      new Mine({ layers: [2, 1] }),
      new NeuralNetwork(2, 2, 1).clone()
    ]) {
      const refusal = { name: 'DataCloneError', message: /^#<(NeuralNetwork|Mine)> could not be cloned\.$/ }
      assert.throws(() => structuredClone(network), refusal)
      assert.throws(() => structuredClone({ deep: [new Map([[1, network]])] }), refusal)
      const { port1, port2 } = new MessageChannel()
      assert.throws(() => port1.postMessage(network), refusal)
      port2.close()
      assert.throws(() => require('node:v8').serialize(network), /could not be cloned/)
      // The cure.
      const copy = NeuralNetwork.fromJSON(structuredClone(network.toJSON()))
      assert.deepEqual(copy.getWeights(), network.getWeights())
    }
  })

  test('has its class in stack traces', () => {
    const at = /^ {4}at NeuralNetwork\.predict /m
    assert.throws(
      () => new NeuralNetwork(2, 2, 1).predict([1]),
      ({ stack }) => at.test(stack)
    )
  })

  test('equals another exactly where options, seed and weights are equal', () => {
    const make = (change) => new NeuralNetwork({ layers: [2, 3, 1], seed: 1, ...change })
    const isEqual = (a, b) => require('node:util').isDeepStrictEqual(a, b)
    const network = make()
    assert.ok(isEqual(network, make()))
    assert.deepStrictEqual({ network }, { network: network.clone() })
    assert.ok(
      isEqual(
        network,
        make({ layers: [2, { units: 3, activation: 'relu' }, { units: 1 }], precision: 'f64' })
      )
    )
    const others = [
      make({ seed: 2 }),
      make({ precision: 'f32' }),
      make({ layers: [2, 4, 1] }),
      make({ layers: [2, { units: 3, dropout: 0.1 }, 1] }),
      make({ layers: [2, { units: 3, l2: 0.1 }, 1] }),
      make({ loss: 'mae' }),
      new NeuralNetwork(2, 3, 1, { seed: 1 }),
      new (class extends NeuralNetwork {})({ layers: [2, 3, 1], seed: 1 })
    ]
    for (const other of others) assert.ok(!isEqual(network, other))
    const trained = network.clone()
    trained.predict([1, 2])
    assert.ok(isEqual(network, trained))
    trained.train([0, 1], [1])
    assert.throws(() => assert.deepStrictEqual(trained, network), { code: 'ERR_ASSERTION' })
    network.setWeights(trained.getWeights())
    assert.deepStrictEqual(trained, network)
    assert.ok(!isEqual([make()], [make({ seed: 3 })]))
  })

  test('its prototype can be printed too', () => {
    assert.equal(typeof inspect(NeuralNetwork.prototype, { showHidden: true }), 'string')
    assert.equal(typeof inspect(Object.create(new NeuralNetwork(1, 1, 1))), 'string')
  })

  test('can be extended', () => {
    class Xor extends NeuralNetwork {
      steps = 0
      constructor(seed) {
        super(2, 2, 1, { seed })
      }
      train(...args) {
        super.train(...args)
        this.steps++
      }
      get answer() {
        return this.predict([0, 1])[0]
      }
    }
    const [xor, plain] = [new Xor(3), new NeuralNetwork(2, 2, 1, { seed: 3 })]
    assert.ok(xor instanceof NeuralNetwork && xor instanceof Xor)
    xor.train([0, 1], [1], 0.5)
    plain.train([0, 1], [1], 0.5)
    assert.equal(xor.steps, 1)
    assert.deepStrictEqual(xor.getWeights(), plain.getWeights())
    assert.equal(xor.answer, plain.predict([0, 1])[0])
    assert.equal(xor.parameterCount, 9)
  })

  test('has methods that only work on networks', () => {
    const { prototype } = NeuralNetwork
    const calls = {
      predict: [[0, 1]],
      train: [[0, 1], [1]],
      getWeights: [],
      setWeights: [new NeuralNetwork(2, 2, 1).getWeights()]
    }
    for (const receiver of [{}, [], Object.create(prototype), undefined, null, 7, new Float64Array(20)]) {
      for (const [name, args] of Object.entries(calls)) {
        assert.throws(() => prototype[name].apply(receiver, args), TypeError)
      }
      for (const name of ['inputCount', 'outputCount', 'parameterCount', 'seed']) {
        const { get } = Object.getOwnPropertyDescriptor(prototype, name)
        assert.throws(() => get.call(receiver), TypeError)
      }
    }
  })

  test('keeps its weights when its memory could be taken away: no method hands the memory out', () => {
    const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
    const before = network.getWeights()
    const taken = network.getWeights()
    taken[0].weights[0][0] = 99
    taken[1].biases.length = 0
    assert.deepStrictEqual(network.getWeights(), before)
  })
})
