'use strict'

// getWeights and setWeights.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const vm = require('node:vm')
const { NeuralNetwork } = require('../index.js')
const {
  ARGUMENTS,
  LENGTH,
  OPTION,
  RANGE,
  TYPE,
  agrees,
  detached,
  layersOf,
  noNumbers,
  noVectors,
  notFinite,
  randomOf,
  refusesUntouched,
  elementSaid,
  noArrays
} = require('./helpers.js')

const VECTOR = 'an array or a typed array of numbers'
const counts = [3, 4, 2]
const fresh = () => new NeuralNetwork(...counts, { seed: 5 })
const someLayers = (seed = 1) => {
  const random = randomOf(seed)
  return layersOf(counts, () => random() * 2 - 1)
}

describe('setWeights refuses', () => {
  const network = fresh()
  const refuses = (layers, code, message) =>
    refusesUntouched(network, () => network.setWeights(layers), code, message)

  /** Layers that are right but for what `change` does to them. */
  const changed = (change) => {
    const layers = someLayers()
    change(layers)
    return layers
  }

  test('missing and extra arguments', () => {
    const said = (count) => `Expected 1 argument for setWeights but received ${count}`
    refusesUntouched(network, () => network.setWeights(), ARGUMENTS, said(0))
    refusesUntouched(network, () => network.setWeights(someLayers(), undefined), ARGUMENTS, said(2))
    refusesUntouched(network, () => network.setWeights(...someLayers()), ARGUMENTS, said(2))
  })

  test('layers that are no array', () => {
    for (const [value, received] of [...noArrays(), [new Float64Array(2), 'a typed array']]) {
      refuses(value, TYPE, `Expected an array of 2 elements for layers but received ${received}`)
    }
  })

  test('a wrong number of layers', () => {
    const said = (received) => `Expected 2 elements for layers but received ${received}`
    refuses([], LENGTH, said(0))
    refuses(someLayers().slice(1), LENGTH, said(1))
    refuses([...someLayers(), {}], LENGTH, said(3))
    refuses(new Array(2 ** 32 - 1), LENGTH, said(2 ** 32 - 1))
  })

  test('a layer that is no object', () => {
    for (const l of [0, 1]) {
      const wrong = noNumbers().filter(
        ([value]) => typeof value !== 'object' || value === null || Array.isArray(value)
      )
      for (const [value, received] of [[undefined, 'undefined'], [7, '7'], ...wrong]) {
        refuses(
          changed((layers) => {
            layers[l] = value
          }),
          TYPE,
          `Expected an object for layers[${l}] but received ${received}`
        )
      }
      refuses(
        changed((layers) => delete layers[l]),
        TYPE,
        `Expected an object for layers[${l}] but received undefined`
      )
    }
  })

  test('unknown keys in a layer', () => {
    for (const key of ['bias', 'weight', 'Biases', 'activation']) {
      refuses(
        changed((layers) => {
          layers[1][key] = layers[1].biases
        }),
        OPTION,
        `Expected only 'weights', 'biases' for layers[1] but received '${key}'`
      )
    }
  })

  test('weights that are no array of arrays', () => {
    for (const [l, units] of [
      [0, 4],
      [1, 2]
    ]) {
      for (const [value, received] of [...noArrays(), [new Float64Array(units), 'a typed array']]) {
        refuses(
          changed((layers) => {
            layers[l].weights = value
          }),
          TYPE,
          `Expected an array of ${units} elements for layers[${l}].weights but received ${received}`
        )
      }
      refuses(
        changed((layers) => delete layers[l].weights),
        TYPE,
        `Expected an array of ${units} elements for layers[${l}].weights but received undefined`
      )
    }
  })

  test('weights of a wrong number of neurons', () => {
    const said = (received) => `Expected 4 elements for layers[0].weights but received ${received}`
    refuses(
      changed((layers) => layers[0].weights.pop()),
      LENGTH,
      said(3)
    )
    refuses(
      changed((layers) => layers[0].weights.push([1, 2, 3])),
      LENGTH,
      said(5)
    )
    // Input by input instead of neuron by neuron.
    const transposed = (rows) => rows[0].map((_, i) => rows.map((row) => row[i]))
    refuses(
      changed((layers) => {
        layers[0].weights = transposed(layers[0].weights)
      }),
      LENGTH,
      said(3)
    )
  })

  // Every vector of the layers, with its length and how it is replaced.
  const vectors = [0, 1].flatMap((l) => {
    const [inputs, units] = [counts[l], counts[l + 1]]
    const rows = Array.from({ length: units }, (_, j) => ({
      name: `layers[${l}].weights[${j}]`,
      count: inputs,
      put: (layers, value) => {
        layers[l].weights[j] = value
      }
    }))
    const biases = {
      name: `layers[${l}].biases`,
      count: units,
      put: (layers, value) => {
        layers[l].biases = value
      }
    }
    return [...rows, biases]
  })

  for (const { name, count, put } of vectors) {
    const refusesOne = (value, code, rule, received, place = name) =>
      refuses(
        changed((layers) => put(layers, value)),
        code,
        `Expected ${rule} for ${place} but received ${received}`
      )

    test(`${name} of a wrong kind`, () => {
      for (const [value, received] of noVectors()) {
        refusesOne(value, TYPE, VECTOR, received)
      }
    })

    test(`${name} of a wrong length`, () => {
      for (const length of [0, count - 1, count + 1, count * 40]) {
        const rule = `${count} numbers`
        refusesOne(new Array(length).fill(1), LENGTH, rule, length)
        refusesOne(new Float64Array(length), LENGTH, rule, length)
        refusesOne(new Float32Array(length), LENGTH, rule, length)
        if (length <= count) continue
        const lying = Object.defineProperty(new Float64Array(length), 'length', { value: count })
        refusesOne(lying, LENGTH, rule, length)
      }
      refusesOne(detached(new Float64Array(count)), LENGTH, `${count} numbers`, 0)
    })

    test(`${name} with an element that is no finite number`, () => {
      for (let i = 0; i < count; i++) {
        const place = `${name}[${i}]`
        const vector = (value) => Object.assign(new Array(count).fill(0.5), { [i]: value })
        for (const [value, received] of [[undefined, 'undefined'], ...noNumbers()]) {
          refusesOne(vector(value), TYPE, 'a finite number', elementSaid(value, received), place)
        }
        const hole = vector(0)
        delete hole[i]
        refusesOne(hole, TYPE, 'a finite number', 'undefined: fill in a number', place)
        for (const [value, received] of notFinite) {
          refusesOne(vector(value), RANGE, 'a finite number', received, place)
          refusesOne(Float64Array.from(vector(value)), RANGE, 'a finite number', received, place)
          refusesOne(Float32Array.from(vector(value)), RANGE, 'a finite number', received, place)
        }
      }
    })
  }

  test('what throws while it is read, and passes the error on', () => {
    const mine = new Error('mine')
    const before = network.getWeights()
    const layers = someLayers()
    Object.defineProperty(layers[1].biases, 1, {
      get() {
        throw mine
      }
    })
    assert.throws(() => network.setWeights(layers), mine)
    assert.deepStrictEqual(network.getWeights(), before)
  })
})

describe('getWeights', () => {
  test('refuses arguments', () => {
    const network = fresh()
    refusesUntouched(
      network,
      () => network.getWeights(0),
      ARGUMENTS,
      'Expected 0 arguments for getWeights but received 1'
    )
  })

  test('gives plain arrays, weights[neuron][input] and a bias for each neuron', () => {
    for (const [inputs, hidden, outputs] of [
      [1, 1, 1],
      [3, 4, 2],
      [20, 9, 17]
    ]) {
      const layers = new NeuralNetwork(inputs, hidden, outputs, { seed: 5 }).getWeights()
      assert.equal(Object.getPrototypeOf(layers), Array.prototype)
      assert.equal(layers.length, 2)
      for (const [l, [width, units]] of [
        [inputs, hidden],
        [hidden, outputs]
      ].entries()) {
        const { weights, biases } = layers[l]
        assert.deepStrictEqual(Object.keys(layers[l]), ['weights', 'biases'])
        assert.equal(weights.length, units)
        for (const row of weights) {
          assert.equal(Object.getPrototypeOf(row), Array.prototype)
          assert.equal(row.length, width)
        }
        assert.equal(Object.getPrototypeOf(biases), Array.prototype)
        assert.equal(biases.length, units)
      }
    }
  })

  test('gives copies', () => {
    const network = fresh()
    const before = network.getWeights()
    const copy = network.getWeights()
    copy[0].weights[0][0] = 99
    copy[0].weights[1] = null
    copy[1].biases.length = 0
    assert.deepStrictEqual(network.getWeights(), before)
  })
})

describe('setWeights', () => {
  test('is undone by getWeights, to the bit', () => {
    const extremes = [
      0,
      -0,
      1,
      -1,
      Number.MIN_VALUE,
      -Number.MAX_VALUE,
      Number.MAX_VALUE,
      1 / 3,
      1e-310,
      2 ** 53
    ]
    for (const counts of [
      [1, 1, 1],
      [2, 7, 8],
      [9, 16, 17],
      [40, 31, 1]
    ]) {
      const network = new NeuralNetwork(...counts)
      const random = randomOf(3)
      const layers = layersOf(counts, () => extremes[Math.floor(random() * extremes.length)])
      assert.equal(network.setWeights(layers), undefined)
      assert.deepStrictEqual(network.getWeights(), layers)
    }
  })

  test('puts every weight where the arithmetic of the network says', () => {
    const sigmoid = (x) => 1 / (1 + Math.exp(-x))
    for (const counts of [
      [2, 3, 2],
      [5, 9, 11]
    ]) {
      const random = randomOf(4)
      const layers = layersOf(counts, () => random() * 2 - 1)
      const network = new NeuralNetwork(...counts)
      network.setWeights(layers)
      const inputs = Array.from({ length: counts[0] }, () => random())
      const expected = layers.reduce(
        (x, { weights, biases }) =>
          weights.map((row, j) => sigmoid(row.reduce((sum, w, i) => sum + w * x[i], biases[j]))),
        inputs
      )
      agrees(network.predict(inputs), expected, 1e-14)
    }
  })

  test('makes another network of the shape predict and train the same', () => {
    const [a, b] = [fresh(), new NeuralNetwork(...counts)]
    b.setWeights(a.getWeights())
    for (const network of [a, b]) network.train([1, 2, 3], [0, 1], 0.7)
    assert.deepStrictEqual(a.predict([3, 2, 1]), b.predict([3, 2, 1]))
    assert.deepStrictEqual(a.getWeights(), b.getWeights())
  })

  test('leaves the seed and other networks of the shape alone', () => {
    const [a, b] = [fresh(), fresh()]
    const before = b.getWeights()
    a.setWeights(someLayers())
    assert.equal(a.seed, 5)
    assert.deepStrictEqual(b.getWeights(), before)
  })

  test('takes the weights through JSON', () => {
    const [a, b] = [fresh(), new NeuralNetwork(...counts)]
    b.setWeights(JSON.parse(JSON.stringify(a.getWeights())))
    assert.deepStrictEqual(b.getWeights(), a.getWeights())
  })

  test('takes typed arrays and those of another realm', () => {
    const layers = someLayers().map(({ weights, biases }) => ({
      weights: weights.map((row) => row.map(Math.fround)),
      biases: biases.map(Math.fround)
    }))
    for (const Vector of [Float64Array, Float32Array]) {
      const network = fresh()
      network.setWeights(
        layers.map(({ weights, biases }) => ({
          weights: weights.map((row) => Vector.from(row)),
          biases: Vector.from(biases)
        }))
      )
      assert.deepStrictEqual(network.getWeights(), layers)
    }
    const network = fresh()
    network.setWeights(vm.runInNewContext(JSON.stringify(layers)))
    assert.deepStrictEqual(network.getWeights(), layers)
  })

  test('takes arrays whose elements use the network meanwhile', () => {
    const network = fresh()
    const layers = someLayers()
    const plain = someLayers()
    const value = layers[0].weights[1][2]
    Object.defineProperty(layers[0].weights[1], 2, {
      get() {
        network.setWeights(someLayers(2))
        network.train([1, 2, 3], [0, 1])
        network.predict([1, 2, 3])
        return value
      }
    })
    network.setWeights(layers)
    assert.deepStrictEqual(network.getWeights(), plain)
  })

  test('keeps no hold of what it took', () => {
    const network = fresh()
    const layers = someLayers()
    network.setWeights(layers)
    layers[0].weights[0][0] = 99
    layers[1].biases.fill(99)
    assert.deepStrictEqual(network.getWeights(), someLayers())
  })
})
