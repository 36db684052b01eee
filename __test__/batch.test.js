'use strict'

// predictBatch: what it takes and gives, its agreement with predict, and what it refuses.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const vm = require('node:vm')
const { NeuralNetwork } = require('../index.js')
const { ACTIVATIONS } = require('./deep-oracle.js')
const {
  ARGUMENTS,
  LENGTH,
  RANGE,
  TYPE,
  agrees,
  detached,
  notFinite,
  randomOf,
  refusesUntouched,
  rowsOf,
  noVectors
} = require('./helpers.js')

const VECTOR = 'an array or a typed array of numbers'
const MATRIX = 'an array of rows or a typed array of numbers'
const PRECISIONS = [
  ['f64', 1e-12],
  ['f32', 1e-5]
]

/** A network with biases that are not 0; of smooth layers, so that rounding is not magnified. */
function networkOf(counts, { activation = 'tanh', precision = 'f64', seed = 1, ...extras } = {}) {
  const layers = counts
    .slice(1)
    .map((units) => ({ units, activation, initializer: 'glorotUniform', ...extras }))
  const network = new NeuralNetwork({ layers: [counts[0], ...layers], precision, seed })
  const random = randomOf(seed)
  const weights = network.getWeights()
  for (const layer of weights) layer.biases = layer.biases.map(() => random() - 0.3)
  network.setWeights(weights)
  return network
}

/** Numbers that differ by no more than `tolerance` of the larger one, or of 1 where both are smaller. */
function near(actual, expected, tolerance, what) {
  assert.equal(actual.length, expected.length)
  actual.forEach((x, i) => {
    const size = Math.max(1, Math.abs(x), Math.abs(expected[i]))
    const difference = Math.abs(x - expected[i]) / size
    assert.ok(difference <= tolerance, `${what}: ${x} and ${expected[i]} at ${i}`)
  })
}

describe('predictBatch refuses', () => {
  const network = networkOf([2, 3, 1])
  const refuses = (inputs, code, message) =>
    refusesUntouched(network, () => network.predictBatch(inputs), code, message)

  test('missing and extra arguments', () => {
    const said = (count) => `Expected 1 argument for predictBatch but received ${count}`
    refusesUntouched(network, () => network.predictBatch(), ARGUMENTS, said(0))
    refusesUntouched(network, () => network.predictBatch([[0, 1]], undefined), ARGUMENTS, said(2))
    refusesUntouched(network, () => network.predictBatch([0, 1], [1, 0]), ARGUMENTS, said(2))
  })

  test('what holds no rows', () => {
    for (const [value, received] of noVectors()) {
      refuses(value, TYPE, `Expected ${MATRIX} for inputs but received ${received}`)
    }
  })

  test('rows that are none, with their place', () => {
    for (const [row, received] of [
      [1, '1: write each row as an array of 2 numbers, a single one as [row]'],
      [undefined, 'undefined'],
      [null, 'null: fill in a row of numbers'],
      ['0,1', "'0,1': split it, and convert the parts with Number()"],
      [{ 0: 0, 1: 1 }, 'an object: put its numbers into an array'],
      [new Map(), 'a Map: put its numbers into an array']
    ]) {
      refuses([[0, 1], row], TYPE, `Expected ${VECTOR} for inputs[1] but received ${received}`)
    }
    const holed = [
      [0, 1],
      [0, 1],
      [0, 1]
    ]
    delete holed[1]
    refuses(holed, TYPE, `Expected ${VECTOR} for inputs[1] but received undefined`)
    refuses(
      [0, 1],
      TYPE,
      `Expected ${VECTOR} for inputs[0] but received 0: write each row as an array of 2 numbers, a single one as [row]`
    )
  })

  test('ragged and wrong widths, with their place', () => {
    refuses([[0, 1], [0]], LENGTH, 'Expected 2 numbers for inputs[1] but received 1')
    refuses(
      [
        [0, 1],
        [0, 1],
        [0, 1, 2]
      ],
      LENGTH,
      'Expected 2 numbers for inputs[2] but received 3'
    )
    refuses([[]], LENGTH, 'Expected 2 numbers for inputs[0] but received 0')
    refuses([new Float64Array(3)], LENGTH, 'Expected 2 numbers for inputs[0] but received 3')
    refuses([[0, 1], new Float32Array(1)], LENGTH, 'Expected 2 numbers for inputs[1] but received 1')
    refuses(
      [[0, 1], detached(new Float64Array(2))],
      LENGTH,
      'Expected 2 numbers for inputs[1] but received 0'
    )
  })

  test('flat arrays that are no whole rows', () => {
    for (const Numbers of [Float64Array, Float32Array]) {
      for (const length of [1, 3, 257]) {
        const message = `Expected a multiple of 2 numbers for inputs but received ${length}`
        refuses(new Numbers(length), LENGTH, message)
      }
    }
  })

  test('what is no number, with its place', () => {
    for (const [value, received] of [
      [undefined, 'undefined: remove the row, or fill in a number'],
      [null, 'null: remove the row, or fill in a number'],
      [true, 'true: write 1 for true and 0 for false'],
      ['1', "'1': convert it with Number()"],
      [1n, '1n: convert it with Number()'],
      [Symbol('x'), 'a symbol'],
      [{ valueOf: () => 1 }, 'an object'],
      [() => 1, 'a function']
    ]) {
      const message = `Expected a finite number for inputs[3][1] but received ${received}`
      refuses(
        [
          [0, 1],
          [1, 0],
          [1, 1],
          [0, value]
        ],
        TYPE,
        message
      )
    }
    const hole = [0, 1]
    delete hole[0]
    refuses(
      [hole],
      TYPE,
      'Expected a finite number for inputs[0][0] but received undefined: remove the row, or fill in a number'
    )
  })

  test('NaN and the infinities, with their place, in whatever block of rows they are', () => {
    for (const [value, received] of notFinite) {
      for (const row of [0, 3, 254, 255, 256, 257, 511, 512, 999]) {
        const rows = rowsOf(1000, 2)
        rows[row][1] = value
        const said = (place) => `Expected a finite number for inputs${place} but received ${received}`
        refuses(rows, RANGE, said(`[${row}][1]`))
        refuses(
          rows.map((numbers) => Float64Array.from(numbers)),
          RANGE,
          said(`[${row}][1]`)
        )
        const flat = rows.flat()
        refuses(Float64Array.from(flat), RANGE, said(`[${2 * row + 1}]`))
        refuses(Float32Array.from(flat), RANGE, said(`[${2 * row + 1}]`))
      }
    }
    refuses(
      Float64Array.of(0, 1, 2, 3, 4, 5, 6, Number.NaN),
      RANGE,
      'Expected a finite number for inputs[7] but received NaN'
    )
  })

  test('more rows than there is memory for', () => {
    for (const counts of [
      [1, 1],
      [3, 1]
    ]) {
      assert.throws(
        () => networkOf(counts).predictBatch(new Array(2 ** 32 - 1)),
        (error) => /^ERR_MIKIR_/.test(error.code)
      )
    }
  })
})

describe('predictBatch gives', () => {
  const network = networkOf([3, 4, 2])
  const rows = rowsOf(5, 3)
  const expected = rows.map((row) => network.predict(row))

  test('an array of arrays for rows of any kind', () => {
    for (const given of [
      rows,
      rows.map((row) => Float64Array.from(row)),
      rows.map((row) => Float32Array.from(row)),
      rows.map((row, i) => [row, Float64Array.from(row), Float32Array.from(row)][i % 3])
    ]) {
      const outputs = network.predictBatch(given)
      assert.ok(Array.isArray(outputs) && outputs.every((row) => Array.isArray(row) && row.length === 2))
      near(outputs.flat(), expected.flat(), 1e-12, 'rows')
    }
  })

  test('a Float64Array for a flat Float64Array', () => {
    const outputs = network.predictBatch(Float64Array.from(rows.flat()))
    assert.equal(Object.getPrototypeOf(outputs), Float64Array.prototype)
    near([...outputs], expected.flat(), 1e-12, 'flat')
  })

  test('a Float32Array for a flat Float32Array', () => {
    const outputs = network.predictBatch(Float32Array.from(rows.flat()))
    assert.equal(Object.getPrototypeOf(outputs), Float32Array.prototype)
    near([...outputs], expected.flat(), 1e-6, 'flat')
    // Computed in the network's own precision, rounded once.
    assert.deepEqual(outputs, Float32Array.from(network.predictBatch(rows).flat()))
  })

  test('memory of its own each time', () => {
    const flat = Float64Array.from(rows.flat())
    const first = network.predictBatch(flat)
    const copy = first.slice()
    network.predictBatch(new Float64Array(15))
    assert.deepEqual(first, copy)
    assert.notEqual(first.buffer, network.predictBatch(flat).buffer)
  })

  test('nothing for no rows', () => {
    assert.deepEqual(network.predictBatch([]), [])
    assert.deepEqual(network.predictBatch(new Float64Array(0)), new Float64Array(0))
    assert.deepEqual(network.predictBatch(new Float32Array(0)), new Float32Array(0))
    assert.deepEqual(network.predictBatch(detached(new Float64Array(3))), new Float64Array(0))
  })

  test('the same for parts of buffers, shared memory, subclasses and other realms', () => {
    const wanted = network.predictBatch(Float64Array.from(rows.flat()))
    const part = new Float64Array([9, ...rows.flat(), 9]).subarray(1, 16)
    assert.deepEqual(network.predictBatch(part), wanted)
    const shared = new Float64Array(new SharedArrayBuffer(15 * 8))
    shared.set(rows.flat())
    assert.deepEqual(network.predictBatch(shared), wanted)
    near(network.predictBatch([shared.subarray(0, 3)])[0], [...wanted.slice(0, 2)], 1e-12, 'a shared row')
    class Numbers extends Float64Array {}
    assert.deepEqual(network.predictBatch(Numbers.from(rows.flat())), wanted)
    const foreign = vm.runInNewContext(`Float64Array.from(${JSON.stringify(rows.flat())})`)
    assert.deepEqual(network.predictBatch(foreign), wanted)
    const foreignRows = vm.runInNewContext(JSON.stringify(rows))
    assert.deepEqual(network.predictBatch(foreignRows).flat(), [...wanted])
    const resizable = new Float64Array(new ArrayBuffer(15 * 8, { maxByteLength: 30 * 8 }))
    resizable.set(rows.flat())
    assert.deepEqual(network.predictBatch(resizable), wanted)
  })

  test('what is there when it is called, whatever reading it does', () => {
    const sly = rows.map((row) => [...row])
    Object.defineProperty(sly[4], 2, {
      get() {
        network.predictBatch(rowsOf(7, 3, 9))
        network.predict([9, 9, 9])
        return rows[4][2]
      }
    })
    near(network.predictBatch(sly).flat(), expected.flat(), 1e-12, 'a getter that predicts')
    const shrinking = rows.map((row) => [...row])
    Object.defineProperty(shrinking[0], 0, {
      get() {
        shrinking.length = 2
        return 0
      }
    })
    const message = `Expected ${VECTOR} for inputs[2] but received undefined`
    assert.throws(() => network.predictBatch(shrinking), { code: TYPE, message })
  })
})

describe('predictBatch agrees with predict', () => {
  const SHAPES = [
    [1, 1],
    [1, 5, 1],
    [2, 2, 1],
    [3, 7, 2],
    [4, 16, 3],
    [9, 8, 8, 8, 1],
    [17, 33, 5],
    [64, 32, 10],
    [130, 70, 129]
  ]

  for (const [precision, tolerance] of PRECISIONS) {
    test(`in ${precision} for many shapes and counts of rows`, () => {
      for (const [s, counts] of SHAPES.entries()) {
        const network = networkOf(counts, { precision, seed: s })
        const rows = rowsOf(1000, counts[0], s)
        const expected = rows.map((row) => network.predict(row))
        for (const count of [1, 2, 3, 7, 31, 255, 256, 257, 258, 512, 513, 1000]) {
          const some = rows.slice(0, count)
          const what = `${counts.join('-')} and ${count} rows`
          near(network.predictBatch(some).flat(), expected.slice(0, count).flat(), tolerance, what)
        }
      }
    })

    test(`in ${precision} for every activation`, () => {
      for (const activation of Object.keys(ACTIVATIONS)) {
        const network = networkOf([5, 9, 6, 3], { activation, precision })
        const rows = rowsOf(300, 5)
        const expected = rows.map((row) => network.predict(row))
        near(network.predictBatch(rows).flat(), expected.flat(), tolerance, activation)
      }
      const classes = new NeuralNetwork({ layers: [5, 9, 4], loss: 'crossEntropy', precision, seed: 1 })
      const rows = rowsOf(300, 5)
      near(
        classes.predictBatch(rows).flat(),
        rows.flatMap((row) => classes.predict(row)),
        tolerance,
        'softmax'
      )
      for (const row of classes.predictBatch(rows))
        near([row.reduce((sum, p) => sum + p)], [1], tolerance, 'sum')
    })

    for (const normalization of ['batch', 'layer']) {
      test(`in ${precision} with ${normalization} normalization and dropout, by running statistics`, () => {
        const network = networkOf([4, 6, 1], { precision, normalization })
        const random = randomOf(2)
        const weights = network.getWeights()
        for (const key of ['gamma', 'beta', 'mean', 'variance']) {
          if (weights[0][key] !== undefined) weights[0][key] = weights[0][key].map(() => random() + 0.5)
        }
        network.setWeights(weights)
        const rows = rowsOf(300, 4)
        near(
          network.predictBatch(rows).flat(),
          rows.flatMap((row) => network.predict(row)),
          tolerance,
          normalization
        )
      })
    }
  }

  test('and with its parts to the bit where there are so many rows that threads share them', () => {
    const [width, rows] = [300, 1003]
    const network = networkOf([width, 200, 30], { precision: 'f32' })
    const random = randomOf(3)
    const inputs = Float32Array.from({ length: rows * width }, random)
    const outputs = network.predictBatch(inputs)
    for (const [from, to] of [
      [0, 1],
      [1, 301],
      [480, 520],
      [900, rows]
    ]) {
      const part = network.predictBatch(inputs.subarray(from * width, to * width))
      assert.deepEqual(part, outputs.subarray(from * 30, to * 30))
    }
    // Of numbers that are none, the first is named, whichever thread comes upon its own first.
    for (const places of [
      [rows * width - 1, 700 * width + 3],
      [rows * width - 1, 700 * width, 17]
    ]) {
      const wrong = inputs.slice()
      for (const place of places) wrong[place] = Number.NaN
      assert.throws(() => network.predictBatch(wrong), {
        message: new RegExp(`inputs\\[${places.at(-1)}\\]`)
      })
    }
  })

  test('whatever other rows are in the batch, and to the bit when asked again', () => {
    const network = networkOf([6, 20, 3])
    const rows = rowsOf(600, 6)
    const outputs = network.predictBatch(rows)
    const backwards = network.predictBatch([...rows].reverse()).reverse()
    agrees(backwards, outputs, 1e-13)
    assert.deepEqual(network.predictBatch(rows), outputs)
  })
})

describe('predictBatch changes nothing', () => {
  test('of the network', () => {
    for (const normalization of [undefined, 'batch', 'layer']) {
      const network = new NeuralNetwork({
        layers: [3, { units: 4, normalization, dropout: 0.5 }, 2],
        seed: 3
      })
      const before = [network.getWeights(), network.predict([1, 2, 3])]
      network.predictBatch(rowsOf(300, 3))
      assert.deepEqual([network.getWeights(), network.predict([1, 2, 3])], before)
    }
  })

  test("of the caller's data", () => {
    const network = networkOf([3, 4, 2])
    const rows = rowsOf(9, 3).map(Object.freeze)
    const copy = structuredClone(rows)
    network.predictBatch(Object.freeze(rows))
    assert.deepEqual(rows, copy)
    for (const Numbers of [Float64Array, Float32Array]) {
      const flat = Numbers.from(rows.flat())
      const flatCopy = flat.slice()
      network.predictBatch(flat)
      assert.deepEqual(flat, flatCopy)
    }
  })

  test('between networks that share an architecture', () => {
    const [one, two] = [networkOf([2, 3, 1], { seed: 1 }), networkOf([2, 3, 1], { seed: 2 })]
    const rows = rowsOf(3, 2)
    const first = one.predictBatch(rows)
    assert.notDeepEqual(two.predictBatch(rows), first)
    assert.deepEqual(one.predictBatch(rows), first)
  })
})

describe('huge but finite inputs', () => {
  for (const [precision, largest] of [
    ['f64', Number.MAX_VALUE],
    ['f32', 3.4028234663852886e38]
  ]) {
    test(`never give NaN in ${precision}, and what predict gives`, () => {
      for (const activation of Object.keys(ACTIVATIONS)) {
        const network = networkOf([4, 6, 6, 2], { activation, precision })
        const rows = [1, -1].flatMap((sign) =>
          [
            [largest, largest, largest, largest],
            [largest, -largest, largest, -largest],
            [largest, largest, -largest, -largest],
            [largest / 2, 1, 0, -largest]
          ].map((row) => row.map((x) => sign * x))
        )
        const outputs = network.predictBatch(rows)
        assert.ok(outputs.flat().every(Number.isFinite), `${activation}: ${outputs}`)
        const single = rows.flatMap((row) => network.predict(row))
        near(outputs.flat(), single, precision === 'f64' ? 1e-12 : 1e-5, activation)
      }
    })
  }

  test('whose terms overflow on the way do not come out as 0', () => {
    for (const activation of Object.keys(ACTIVATIONS)) {
      const network = networkOf([2, 1, 1], { activation })
      const [hidden, output] = network.getWeights()
      network.setWeights([
        { ...hidden, weights: [[1e200, -5e199]], biases: [0] },
        { ...output, weights: [[1]], biases: [0] }
      ])
      const row = [1e200, 1e200]
      near(network.predictBatch([row])[0], network.predict(row), 1e-12, activation)
    }
  })

  test('stay finite where single precision is asked of a double network', () => {
    const network = new NeuralNetwork({ layers: [1, 1] })
    network.setWeights([{ weights: [[10]], biases: [0] }])
    const outputs = network.predictBatch(Float32Array.of(3e38, -3e38))
    assert.ok(outputs.every(Number.isFinite), String(outputs))
  })

  test('never give NaN in normalized networks', () => {
    for (const normalization of ['batch', 'layer']) {
      const network = networkOf([2, 3, 1], { normalization, activation: 'linear' })
      const weights = network.getWeights()
      for (const [j] of weights[0].weights.entries()) weights[0].weights[j] = [1, 1]
      network.setWeights(weights)
      const row = [Number.MAX_VALUE, Number.MAX_VALUE]
      const [batch, single] = [network.predictBatch([row])[0], network.predict(row)]
      assert.ok([...batch, ...single].every(Number.isFinite), `${normalization}: ${batch} and ${single}`)
    }
  })
})
