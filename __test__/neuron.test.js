'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')
const vm = require('node:vm')
const { Neuron } = require('../index.js')
const oracle = require('./oracle.js')
const {
  ARGUMENTS,
  LENGTH,
  RANGE,
  TOO_LARGE,
  TYPE,
  agrees,
  detached,
  noNumbers,
  noVectors,
  notFinite,
  randomOf,
  refuses,
  elementSaid
} = require('./helpers.js')

const VECTOR = 'an array or a typed array of numbers'

/** A neuron with these parameters. */
function neuronOf(weights, bias) {
  return Object.assign(new Neuron(weights.length), { weights, bias })
}

describe('new Neuron refuses', () => {
  const COUNT = 'an integer from 1 to 268435456'

  test('to be called without new', () => {
    assert.throws(() => Neuron(2), {
      name: 'TypeError',
      message: "Class constructor Neuron cannot be invoked without 'new'"
    })
  })

  test('missing and extra arguments', () => {
    refuses(() => new Neuron(), ARGUMENTS, 'Expected 1 argument for new Neuron but received 0')
    refuses(() => new Neuron(2, undefined), ARGUMENTS, 'Expected 1 argument for new Neuron but received 2')
  })

  test('a wrong kind of inputCount', () => {
    for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
      refuses(() => new Neuron(value), TYPE, `Expected ${COUNT} for inputCount but received ${received}`)
    }
  })

  test('a wrong number for inputCount', () => {
    for (const value of [0, -1, 0.5, 2.7, 2 ** 28 + 1, 2 ** 32 + 5, 1e308, Number.NaN, Infinity, -Infinity]) {
      refuses(() => new Neuron(value), RANGE, `Expected ${COUNT} for inputCount but received ${value}`)
    }
    refuses(() => new Neuron(-0), RANGE, `Expected ${COUNT} for inputCount but received -0`)
  })

  test('more than 2^28 parameters', () => {
    refuses(
      () => new Neuron(2 ** 28),
      TOO_LARGE,
      'Expected at most 268435456 parameters for the network but received 268435457 or more'
    )
  })
})

describe('activate refuses', () => {
  const neuron = neuronOf([0.5, -0.25], 0.125)
  /** It throws, says so, and the neuron is what it was. */
  const refusesUntouched = (call, code, message) => {
    const { weights, bias } = neuron
    const plain = Array.isArray(weights)
    const copy = plain && [...weights]
    refuses(call, code, message)
    assert.equal(neuron.weights, weights)
    assert.equal(neuron.bias, bias)
    if (plain) assert.deepStrictEqual([...weights], copy)
  }
  const right = () => {
    neuron.weights = [0.5, -0.25]
    neuron.bias = 0.125
    assert.equal(neuron.activate([1, 2]), 1 / (1 + Math.exp(-0.125)))
  }

  test('missing and extra arguments', () => {
    const said = (count) => `Expected 1 argument for activate but received ${count}`
    refusesUntouched(() => neuron.activate(), ARGUMENTS, said(0))
    refusesUntouched(() => neuron.activate([1, 2], 3), ARGUMENTS, said(2))
  })

  /** What is refused in inputs and in weights alike. */
  const wrongVectors = [
    ...noVectors().map(([value, received]) => [value, TYPE, VECTOR, '', received]),
    ...[[], [1], [1, 2, 3], new Float64Array(3), new Float32Array(1), [[1, 2]], new Array(2 ** 32 - 1)].map(
      (value) => [value, LENGTH, '2 numbers', '', value.length]
    ),
    [detached(new Float64Array(2)), LENGTH, '2 numbers', '', 0],
    [Object.defineProperty(new Float64Array(5), 'length', { value: 2 }), LENGTH, '2 numbers', '', 5],
    ...[0, 1].flatMap((i) => {
      const vector = (value) => Object.assign([1, 2], { [i]: value })
      return [
        ...[[undefined, 'undefined'], ...noNumbers()].map(([value, received]) => [
          vector(value),
          TYPE,
          'a finite number',
          `[${i}]`,
          elementSaid(value, received)
        ]),
        ...notFinite.flatMap(([value, received]) =>
          [vector(value), Float64Array.from(vector(value)), Float32Array.from(vector(value))].map((wrong) => [
            wrong,
            RANGE,
            'a finite number',
            `[${i}]`,
            received
          ])
        )
      ]
    }),
    [new Array(2), TYPE, 'a finite number', '[0]', 'undefined: fill in a number']
  ]

  test('wrong inputs', () => {
    for (const [value, code, rule, place, received] of wrongVectors) {
      refusesUntouched(
        () => neuron.activate(value),
        code,
        `Expected ${rule} for inputs${place} but received ${received}`
      )
    }
    right()
  })

  test('wrong weights', () => {
    for (const [value, code, rule, place, received] of wrongVectors) {
      neuron.weights = value
      const call = () => neuron.activate([1, 2])
      // Too long to be copied and compared.
      const check = received > 100 ? refuses : refusesUntouched
      check(call, code, `Expected ${rule} for weights${place} but received ${received}`)
    }
    right()
  })

  test('weights that lost or gained an element', () => {
    neuron.weights.push(1)
    refusesUntouched(() => neuron.activate([1, 2]), LENGTH, 'Expected 2 numbers for weights but received 3')
    refusesUntouched(
      () => neuron.activate([1, 2, 3]),
      LENGTH,
      'Expected 2 numbers for weights but received 3'
    )
    neuron.weights.length = 1
    refusesUntouched(() => neuron.activate([1, 2]), LENGTH, 'Expected 2 numbers for weights but received 1')
    right()
    delete neuron.weights
    refuses(() => neuron.activate([1, 2]), TYPE, `Expected ${VECTOR} for weights but received undefined`)
    right()
  })

  test('a wrong bias', () => {
    const said = (received) => `Expected a finite number for bias but received ${received}`
    for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
      neuron.bias = value
      refusesUntouched(() => neuron.activate([1, 2]), TYPE, said(received))
    }
    for (const [value, received] of notFinite) {
      neuron.bias = value
      refusesUntouched(() => neuron.activate([1, 2]), RANGE, said(received))
    }
    right()
  })
})

describe('sigmoid', () => {
  const neuron = new Neuron(1)

  test('refuses what is no number', () => {
    refuses(() => neuron.sigmoid(), ARGUMENTS, 'Expected 1 argument for sigmoid but received 0')
    refuses(() => neuron.sigmoid(1, 2), ARGUMENTS, 'Expected 1 argument for sigmoid but received 2')
    for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
      refuses(() => neuron.sigmoid(value), TYPE, `Expected a number for x but received ${received}`)
    }
  })

  test('refuses NaN: no answer is ever NaN', () => {
    refuses(() => neuron.sigmoid(Number.NaN), RANGE, 'Expected a number for x but received NaN')
  })

  test('is 1 / (1 + e^-x)', () => {
    for (let x = -700; x <= 700; x += 0.37)
      agrees([neuron.sigmoid(x)], [1 / (1 + Math.exp(-x))], 1e-14, `at ${x}`)
    for (let x = -1; x <= 1; x += 0.001)
      agrees([neuron.sigmoid(x)], [1 / (1 + Math.exp(-x))], 1e-15, `at ${x}`)
  })

  test('is exact where there is one answer', () => {
    for (const x of [0, -0, Number.MIN_VALUE, -Number.MIN_VALUE, 1e-300]) assert.equal(neuron.sigmoid(x), 0.5)
    for (const x of [40, 710, 1e3, 1e300, Number.MAX_VALUE, Infinity]) assert.equal(neuron.sigmoid(x), 1)
    for (const x of [-746, -1e3, -1e300, -Number.MAX_VALUE, -Infinity]) assert.equal(neuron.sigmoid(x), 0)
  })

  test('never leaves [0, 1] and never falls', () => {
    let last = 0
    for (let x = -760; x <= 760; x += 0.01) {
      const y = neuron.sigmoid(x)
      assert.ok(y >= 0 && y <= 1, `${y} at ${x}`)
      assert.ok(y >= last * (1 - 1e-15), `${y} after ${last} at ${x}`)
      last = y
    }
  })

  test('leaves weights and bias alone', () => {
    const before = JSON.stringify(neuron)
    neuron.sigmoid(3)
    assert.equal(JSON.stringify(neuron), before)
  })
})

describe('activate', () => {
  test('decides about ice cream', () => {
    // Temperature and hunger.
    const neuron = new Neuron(2)
    neuron.weights = [0.7, 0.3]
    neuron.bias = -15
    agrees([neuron.activate([30, 8])], [1 / (1 + Math.exp(-8.4))], 1e-12)
    agrees([neuron.activate([15, 3])], [1 / (1 + Math.exp(3.6))], 1e-12)
    assert.ok(neuron.activate([30, 8]) > 0.999)
    assert.ok(neuron.activate([15, 3]) < 0.03)
  })

  test('is the sigmoid of the weighted sum and the bias, at every width', () => {
    const random = randomOf(1)
    for (let count = 1; count <= 40; count++) {
      const neuron = new Neuron(count)
      const twin = Object.assign(new oracle.Neuron(count), {
        weights: [...neuron.weights],
        bias: neuron.bias
      })
      const inputs = Array.from({ length: count }, () => random() * 2 - 1)
      agrees([neuron.activate(inputs)], [twin.activate(inputs)], 1e-12)
      agrees([neuron.activate(Float64Array.from(inputs))], [twin.activate(inputs)], 1e-12)
      agrees([neuron.activate(Float32Array.from(inputs))], [twin.activate(inputs.map(Math.fround))], 1e-12)
    }
  })

  test('sees weights and a bias that were replaced or changed', () => {
    const neuron = new Neuron(2)
    neuron.weights = [1, 2]
    neuron.bias = 0.5
    const at = (z) => 1 / (1 + Math.exp(-z))
    agrees([neuron.activate([0.25, 0.5])], [at(1.75)], 1e-14)
    neuron.weights[1] = -2
    agrees([neuron.activate([0.25, 0.5])], [at(-0.25)], 1e-14)
    neuron.bias += 1
    agrees([neuron.activate([0.25, 0.5])], [at(0.75)], 1e-14)
    neuron.weights.reverse()
    agrees([neuron.activate([0.25, 0.5])], [at(1.5)], 1e-14)
    neuron.weights = Float64Array.of(4, 0)
    agrees([neuron.activate([0.25, 0.5])], [at(2.5)], 1e-14)
    neuron.weights = Float32Array.of(0, 4)
    agrees([neuron.activate([0.25, 0.5])], [at(3.5)], 1e-14)
    neuron.weights = vm.runInNewContext('[1, 1]')
    agrees([neuron.activate([0.25, 0.5])], [at(2.25)], 1e-14)
  })

  test('changes neither weights nor bias nor inputs', () => {
    const neuron = new Neuron(3)
    const { weights } = neuron
    const before = JSON.stringify(neuron)
    const inputs = Object.freeze([1, -2, 3])
    assert.equal(neuron.activate(inputs), neuron.activate(inputs))
    assert.equal(neuron.weights, weights)
    assert.equal(JSON.stringify(neuron), before)
  })

  test('survives terms that overflow', () => {
    const cases = [
      [[10, 10], [1e308, -1e308], 0.5, 0.5],
      [[10, -10], [1e308, -1e308], 0, Infinity],
      [[-10, 10], [1e308, -1e308], 0, -Infinity],
      [[1, 1], [1e300, 1e300], 0, Infinity],
      [[1, 1], [-1e3, -1e3], 0, -Infinity],
      [[1, 1, 1], [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE], -1, Infinity],
      [[2, 1, 2], [Number.MAX_VALUE, 1, -Number.MAX_VALUE], -3, -2]
    ]
    for (const [weights, inputs, bias, z] of cases) {
      agrees([neuronOf(weights, bias).activate(inputs)], [1 / (1 + Math.exp(-z))], 1e-12, `${inputs}`)
    }
  })

  test('is right where reading the inputs or the weights uses neurons', () => {
    const code = {
      same: (neuron) => neuron.activate([5, 6, 7]),
      other: () => neuronOf([3, 2, 1], 4).activate([5, 6, 7]),
      refused: (neuron) => assert.throws(() => neuron.activate([5, 6, Number.NaN])),
      sigmoid: (neuron) => neuron.sigmoid(3)
    }
    for (const run of Object.values(code)) {
      for (const where of ['inputs', 'weights']) {
        for (let at = 0; at < 3; at++) {
          const neuron = neuronOf([0.3, -0.2, 0.1], 0.25)
          const expected = neuron.activate([1, 2, 3])
          const inputs = [1, 2, 3]
          const vector = where === 'inputs' ? inputs : neuron.weights
          const value = vector[at]
          let running = false
          Object.defineProperty(vector, at, {
            get() {
              if (!running) {
                running = true
                run(neuron)
                running = false
              }
              return value
            }
          })
          assert.equal(neuron.activate(inputs), expected)
        }
      }
    }
  })
})

describe('weights and bias', () => {
  test('are plain properties', () => {
    const neuron = new Neuron(3)
    assert.deepStrictEqual(Reflect.ownKeys(neuron), ['weights', 'bias'])
    for (const key of ['weights', 'bias']) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(neuron, key)
      assert.deepStrictEqual([writable, enumerable, configurable], [true, true, true])
      assert.equal(value, neuron[key])
    }
    assert.equal(Object.getPrototypeOf(neuron.weights), Array.prototype)
    assert.equal(neuron.weights.length, 3)
    assert.equal(typeof neuron.bias, 'number')
  })

  test('are what JSON and the console show', () => {
    const neuron = neuronOf([0.5, -1, 2], 0.25)
    assert.equal(JSON.stringify(neuron), '{"weights":[0.5,-1,2],"bias":0.25}')
    assert.equal(inspect(neuron), 'Neuron { weights: [ 0.5, -1, 2 ], bias: 0.25 }')
    assert.deepStrictEqual({ ...neuron }, { weights: [0.5, -1, 2], bias: 0.25 })
    const fresh = new Neuron(2)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(fresh)), { weights: fresh.weights, bias: fresh.bias })
  })

  test('belong to one neuron each', () => {
    const [a, b] = [new Neuron(2), new Neuron(2)]
    const before = JSON.stringify(b)
    a.weights[0] = 9
    a.bias = 9
    a.activate([1, 2])
    assert.equal(JSON.stringify(b), before)
    assert.equal(new Set(Array.from({ length: 1000 }, () => JSON.stringify(new Neuron(1)))).size, 1000)
  })

  test('are drawn from U[0, 1)', () => {
    const looksUniform = (values) => {
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
      assert.ok(values.every((x) => x >= 0 && x < 1))
      // Seven standard deviations of each estimate: no seed is fixed here.
      assert.ok(Math.abs(mean - 1 / 2) < 7 * Math.sqrt(1 / 12 / values.length), `mean ${mean}`)
      assert.ok(Math.abs(variance - 1 / 12) < 7 * Math.sqrt(1 / 180 / values.length), `variance ${variance}`)
      assert.equal(new Set(values).size, values.length)
    }
    looksUniform(new Neuron(100_000).weights)
    const neurons = Array.from({ length: 20_000 }, () => new Neuron(5))
    looksUniform(neurons.flatMap((neuron) => neuron.weights))
    looksUniform(neurons.map((neuron) => neuron.bias))
  })
})

test('can be extended', () => {
  class Switch extends Neuron {
    isOn(inputs) {
      return this.activate(inputs) > 0.5
    }
  }
  const light = Object.assign(new Switch(1), { weights: [1], bias: -1 })
  assert.ok(light instanceof Neuron)
  assert.equal(light.isOn([2]), true)
  assert.equal(light.isOn([0.5]), false)
})

test('activate works on neurons only', () => {
  for (const receiver of [
    {},
    { weights: [1], bias: 0 },
    Object.create(Neuron.prototype),
    undefined,
    null,
    7
  ]) {
    assert.throws(() => Neuron.prototype.activate.call(receiver, [1]), TypeError)
  }
})
