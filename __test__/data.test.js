'use strict'

// The data of `fit`, `fitSync` and `evaluate`: every mistake with its place, every way to write the same rows.

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
  detached,
  noVectors,
  notFinite,
  refuses,
  refusesUntouched,
  rejects,
  rowsOf
} = require('./helpers.js')

const VECTOR = 'an array or a typed array of numbers'
const MATRIX = 'an array of rows or a typed array of numbers'
const MISSING = 'remove the row, or fill in a number'
const STRING = 'convert it with Number()'

const fresh = (options) => new NeuralNetwork({ layers: [2, 3, 2], seed: 1, ...options })
const said = (rule, name, received, cure) =>
  `Expected ${rule} for ${name} but received ${received}${cure === undefined ? '' : `: ${cure}`}`

/** Each method that takes data refuses them in the same words and leaves the network as it is. */
async function refusesData(args, code, message, network = fresh()) {
  const before = network.getWeights()
  await rejects(() => network.fit(...args), code, message)
  refuses(() => network.fitSync(...args), code, message)
  refuses(() => network.evaluate(...args), code, message)
  assert.deepStrictEqual(network.getWeights(), before)
}

/** The same for what only training takes. */
async function refusesOption(options, code, message, network = fresh()) {
  const before = network.getWeights()
  const args = [rows(), rows(), options]
  await rejects(() => network.fit(...args), code, message)
  refuses(() => network.fitSync(...args), code, message)
  assert.deepStrictEqual(network.getWeights(), before)
}

/** Four rows of two numbers, with `value` in the last row but one. */
function rows(value) {
  const good = rowsOf(4, 2)
  if (value !== undefined) good[2] = value
  return good
}

/** The same with `cell` in its second column. */
const cells = (cell) => rows([0.5, cell])

/** Examples of inputs and targets. */
const examplesOf = (inputs, targets) => inputs.map((input, i) => ({ input, output: targets[i] }))

describe('missing and extra arguments', () => {
  const count = (rule, name, received) => `Expected ${rule} for ${name} but received ${received}`
  const examples = examplesOf(rows(), rows())

  test('are refused by fit and fitSync', async () => {
    const network = fresh()
    for (const [args, rule] of [
      [[], '1 to 3 arguments'],
      [[rows()], '2 to 3 arguments'],
      [[new Float64Array(4)], '2 to 3 arguments'],
      [[undefined], '2 to 3 arguments'],
      [[rows(), rows(), {}, {}], '1 to 3 arguments'],
      [[examples, {}, {}], '1 to 2 arguments']
    ]) {
      await rejects(() => network.fit(...args), ARGUMENTS, count(rule, 'fit', args.length))
      refusesUntouched(
        network,
        () => network.fitSync(...args),
        ARGUMENTS,
        count(rule, 'fitSync', args.length)
      )
    }
  })

  test('are refused by evaluate', () => {
    const network = fresh()
    for (const [args, rule] of [
      [[], '1 to 2 arguments'],
      [[rows()], '2 arguments'],
      [[rows(), rows(), {}], '1 to 2 arguments'],
      [[examples, {}], '1 argument']
    ]) {
      refusesUntouched(
        network,
        () => network.evaluate(...args),
        ARGUMENTS,
        count(rule, 'evaluate', args.length)
      )
    }
  })
})

describe('rows', () => {
  test('that are no rows', async () => {
    for (const [value, received] of noVectors()) {
      await refusesData([value, rows()], TYPE, said(MATRIX, 'inputs', received))
      await refusesData([rows(), value], TYPE, said(MATRIX, 'targets', received))
    }
  })

  test('of which one is none', async () => {
    for (const [value, received] of noVectors()) {
      if (value === undefined) continue
      const isNumber = typeof value === 'number'
      const words = isNumber
        ? `${value}: write each row as an array of 2 numbers, a single one as [row]`
        : received
      await refusesData([rows(value), rows()], TYPE, said(VECTOR, 'inputs[2]', words))
      const row = typeof value === 'string' ? "'0,1': write each row as an array of 2 numbers" : words
      await refusesData([rows(), rows(value)], TYPE, said(VECTOR, 'targets[2]', row))
    }
    const holed = rows()
    delete holed[2]
    await refusesData([holed, rows()], TYPE, said(VECTOR, 'inputs[2]', 'undefined'))
    const cure = 'write each row as an array of 2 numbers, a single one as [row]'
    await refusesData([[0, 1], rows()], TYPE, said(VECTOR, 'inputs[0]', 0, cure))
    await refusesData([[0, 1], [1]], TYPE, said(VECTOR, 'inputs[0]', 0, cure))
    await refusesData([[0, 1, 1, 0], rows()], TYPE, said(VECTOR, 'inputs[0]', 0, cure))
    const single = new NeuralNetwork({ layers: [2, 1], seed: 1 })
    await refusesData(
      [rows(), [0, 1, 1, 0]],
      TYPE,
      said(VECTOR, 'targets[0]', 0, 'write each row as an array of 1 number, a single one as [row]'),
      single
    )
  })

  test('that are ragged or of another width', async () => {
    for (const [row, length] of [
      [[], 0],
      [[1], 1],
      [[1, 2, 3], 3],
      [new Float64Array(3), 3],
      [new Float32Array(1), 1],
      [detached(new Float64Array(2)), 0],
      [new Array(2 ** 32 - 1), 2 ** 32 - 1]
    ]) {
      await refusesData([rows(row), rows()], LENGTH, said('2 numbers', 'inputs[2]', length))
      await refusesData([rows(), rows(row)], LENGTH, said('2 numbers', 'targets[2]', length))
    }
    const five = new NeuralNetwork({ layers: [5, 1], seed: 1 })
    const ragged = rowsOf(6, 5)
    ragged[3].pop()
    await refusesData([ragged, rowsOf(6, 1)], LENGTH, said('5 numbers', 'inputs[3]', 4), five)
  })

  test('with cells that are no numbers', async () => {
    for (const [cell, received, cure] of [
      ['5.1', "'5.1'", STRING],
      ['', "''", STRING],
      [null, 'null', MISSING],
      [undefined, 'undefined', MISSING],
      [true, 'true', 'write 1 for true and 0 for false'],
      [1n, '1n', STRING],
      [new Date(0), 'a Date', 'convert it to a number, such as its getTime() / 86400000 for days'],
      [[1], 'an array of 1 element', undefined],
      [{ valueOf: () => 1 }, 'an object', undefined],
      [Object(1), 'an object', undefined],
      [Symbol('x'), 'a symbol', undefined],
      [() => 1, 'a function', undefined]
    ]) {
      const rule = 'a finite number'
      await refusesData([cells(cell), rows()], TYPE, said(rule, 'inputs[2][1]', received, cure))
      await refusesData([rows(), cells(cell)], TYPE, said(rule, 'targets[2][1]', received, cure))
    }
    const holed = rows([1, 2])
    delete holed[2][0]
    await refusesData([holed, rows()], TYPE, said('a finite number', 'inputs[2][0]', 'undefined', MISSING))
  })

  test('with NaN and infinities, in every kind of array', async () => {
    for (const [value, received] of notFinite) {
      for (const Numbers of [Array, Float64Array, Float32Array]) {
        for (const precision of ['f64', 'f32']) {
          const spoilt = cells(value).map((row) => Numbers.from(row))
          const network = fresh({ precision })
          const message = (name) => said('a finite number', name, received, MISSING)
          await refusesData([spoilt, rows()], RANGE, message('inputs[2][1]'), network)
          await refusesData([rows(), spoilt], RANGE, message('targets[2][1]'), network)
        }
      }
    }
  })

  test('with numbers beyond single precision', async () => {
    const rule = 'a number that single precision can hold'
    for (const value of [1e39, -1e39, Number.MAX_VALUE]) {
      const [network, message] = [fresh({ precision: 'f32' }), said(rule, 'inputs[2][1]', value)]
      await refusesData([cells(value), rows()], RANGE, message, network)
      const flat = Float64Array.from(cells(value).flat())
      const place = said(rule, 'inputs[5] (row 2, column 1)', value)
      await refusesData([flat, rows()], RANGE, place, network)
      assert.ok(fresh().evaluate(rows(), cells(1e100)).loss > 1e100)
    }
  })

  test('in any chunk, however far the place', async () => {
    const many = rowsOf(100_000, 2)
    const network = fresh()
    for (const row of [0, 32_767, 32_768, 65_536, 99_999]) {
      const spoilt = [...many]
      spoilt[row] = [0, Number.NaN]
      const message = said('a finite number', `inputs[${row}][1]`, 'NaN', MISSING)
      await refusesData([spoilt, many], RANGE, message, network)
      spoilt[row] = [0, '1']
      await refusesData(
        [many, spoilt],
        TYPE,
        said('a finite number', `targets[${row}][1]`, "'1'", STRING),
        network
      )
    }
  })

  test('that are wider than a chunk', async () => {
    const width = 150_000
    const network = new NeuralNetwork({ layers: [width, 1], seed: 1 })
    const row = (place, value) => Object.assign(new Array(width).fill(0.001), { [place]: value })
    for (const place of [0, 65_535, 65_536, 131_072, width - 1]) {
      const message = said('a finite number', `inputs[1][${place}]`, 'NaN', MISSING)
      await refusesData(
        [
          [row(0, 1), row(place, Number.NaN)],
          [[0], [0]]
        ],
        RANGE,
        message,
        network
      )
    }
    const inputs = [row(5, 1), row(65_536, 2), row(width - 1, 3)]
    const { loss } = network.evaluate(inputs, [[0], [0], [0]])
    for (const Numbers of [Float64Array, Float32Array]) {
      const same = network.evaluate(
        inputs.map((numbers) => Numbers.from(numbers)),
        [[0], [0], [0]]
      )
      assert.ok(Math.abs(same.loss - loss) <= 1e-6 * loss)
    }
  })

  test('that are none, or not as many', async () => {
    for (const nothing of [[], new Float64Array(0), new Float32Array(0), detached(new Float64Array(4))]) {
      await refusesData([nothing, nothing], LENGTH, said('at least 1 row', 'inputs', 0))
      await refusesData([nothing, rows()], LENGTH, said('at least 1 row', 'inputs', 0))
      await refusesData([rows(), nothing], LENGTH, said('4 rows, as many as inputs,', 'targets', 0))
    }
    const message = said('4 rows, as many as inputs,', 'targets', 3)
    await refusesData([rows(), rows().slice(1)], LENGTH, message)
    await refusesData([new Float64Array(8), new Float64Array(6)], LENGTH, message)
    const one = said('1 row, as many as inputs,', 'targets', 2)
    await refusesData([new Float32Array(2), new Float64Array(4)], LENGTH, one)
  })
})

describe('flat arrays', () => {
  const flat = (Numbers, place, value) => Object.assign(Numbers.from(rows().flat()), { [place]: value })

  test('that are no whole rows', async () => {
    for (const Numbers of [Float64Array, Float32Array]) {
      for (const length of [1, 3, 257]) {
        const message = (name) => said('a multiple of 2 numbers', name, length)
        await refusesData([new Numbers(length), rows()], LENGTH, message('inputs'))
        await refusesData([rows(), new Numbers(length)], LENGTH, message('targets'))
      }
    }
  })

  test('with NaN and infinities', async () => {
    for (const [value, received] of notFinite) {
      for (const Numbers of [Float64Array, Float32Array]) {
        for (const precision of ['f64', 'f32']) {
          const network = fresh({ precision })
          const message = (name) => said('a finite number', `${name}[5] (row 2, column 1)`, received, MISSING)
          await refusesData([flat(Numbers, 5, value), rows()], RANGE, message('inputs'), network)
          await refusesData([rows(), flat(Numbers, 5, value)], RANGE, message('targets'), network)
        }
      }
    }
  })

  test('of shared memory, in any chunk', async () => {
    const shared = new Float64Array(new SharedArrayBuffer(200_000 * 8))
    for (const place of [0, 65_535, 65_536, 131_073, 199_999]) {
      shared.fill(0)
      shared[place] = Number.NaN
      const [row, column] = [Math.floor(place / 2), place % 2]
      const name = `inputs[${place}] (row ${row}, column ${column})`
      await refusesData([shared, shared], RANGE, said('a finite number', name, 'NaN', MISSING))
    }
  })
})

describe('examples', () => {
  const examples = (example) => {
    const good = examplesOf(rows(), rows())
    if (example !== undefined) good[2] = example
    return good
  }

  test('that are none', async () => {
    await refusesData([[]], LENGTH, said('at least 1 example', 'examples', 0))
    await rejects(() => fresh().fit([], {}), LENGTH, said('at least 1 example', 'examples', 0))
  })

  test('of which one is none', async () => {
    const rule = 'an object with `input` and `output`'
    for (const [value, received] of [
      [null, 'null'],
      [7, '7'],
      ['x', "'x'"],
      [[0, 1], 'an array of 2 elements'],
      [new Float64Array(2), 'a typed array']
    ]) {
      await refusesData([examples(value)], TYPE, said(rule, 'examples[2]', received))
    }
    const holed = examples()
    delete holed[3]
    await refusesData([holed], TYPE, said(rule, 'examples[3]', 'undefined'))
  })

  test('whose input or output is wrong, with its place', async () => {
    const [good] = examples()
    for (const key of ['input', 'output']) {
      const spoilt = (value) => [examples({ ...good, [key]: value })]
      const name = `examples[2].${key}`
      await refusesData(spoilt(undefined), TYPE, said(VECTOR, name, 'undefined'))
      const words =
        key === 'output'
          ? 'write each row as an array of 2 numbers'
          : 'split it, and convert the parts with Number()'
      await refusesData(spoilt('cat'), TYPE, said(VECTOR, name, "'cat'", words))
      await refusesData(spoilt(7), TYPE, said(VECTOR, name, '7', 'write one row as an array of numbers too'))
      await refusesData(spoilt([1]), LENGTH, said('2 numbers', name, 1))
      await refusesData(spoilt(['1', 2]), TYPE, said('a finite number', `${name}[0]`, "'1'", STRING))
      await refusesData(spoilt([1, null]), TYPE, said('a finite number', `${name}[1]`, 'null', MISSING))
      const message = said('a finite number', `${name}[1]`, 'NaN', MISSING)
      await refusesData(spoilt([1, Number.NaN]), RANGE, message)
      await refusesData(spoilt(Float32Array.of(1, Number.NaN)), RANGE, message)
    }
  })

  test('that are written in other words', async () => {
    const others = rows().map((inputs) => ({ inputs, targets: inputs }))
    await refusesData([others], TYPE, said(VECTOR, 'examples[0].input', 'undefined'))
    // With rows of targets beside them they are meant as rows.
    await refusesData(
      [others, rows()],
      TYPE,
      said(VECTOR, 'inputs[0]', 'an object: put its numbers into an array')
    )
  })
})

describe("targets outside the loss's range", () => {
  const CLASSES = 'write a class as a row of zeros with a 1 in its place'
  const BINARY = 'write no as 0 and yes as 1'
  const SIGNS = 'write no as -1 and yes as 1'
  const cases = [
    ['crossEntropy', [0.5, 2], 1, 'a probability from 0 to 1', '2', CLASSES],
    ['crossEntropy', [-1, 1], 0, 'a probability from 0 to 1', '-1', CLASSES],
    ['binaryCrossEntropy', [0, 1.5], 1, 'a number from 0 to 1', '1.5', BINARY],
    ['binaryCrossEntropy', [-1, 1], 0, 'a number from 0 to 1', '-1', BINARY],
    ['hinge', [1, 0], 1, '-1 or 1', '0', SIGNS],
    ['poisson', [3, -0.5], 1, 'a number of at least 0', '-0.5', undefined]
  ]
  const good = (loss) => Array.from({ length: 4 }, () => (loss === 'hinge' ? [-1, 1] : [0, 1]))

  for (const [loss, row, column, rule, received, cure] of cases) {
    test(`of ${loss}: ${row}`, async () => {
      const network = fresh({ loss })
      const targets = good(loss)
      targets[2] = row
      const message = (place) => said(rule, place, received, cure)
      await refusesData([rows(), targets], RANGE, message(`targets[2][${column}]`), network)
      const flat = Float64Array.from(targets.flat())
      const place = `targets[${4 + column}] (row 2, column ${column})`
      await refusesData([rows(), flat], RANGE, message(place), network)
      const examples = examplesOf(rows(), targets)
      await refusesData([examples], RANGE, message(`examples[2].output[${column}]`), network)
      const options = { validation: { inputs: rows(), targets } }
      const call = () => network.fitSync(rows(), good(loss), options)
      refusesUntouched(network, call, RANGE, message(`options.validation.targets[2][${column}]`))
    })
  }

  test('of crossEntropy: probabilities that do not sum to 1', async () => {
    const network = fresh({ loss: 'crossEntropy' })
    const rule = 'probabilities that sum to 1 (one-hot: 1 for the class, else 0)'
    const targets = good('crossEntropy')
    targets[1] = [0.5, 0.25]
    await refusesData([rows(), targets], RANGE, said(rule, 'targets[1]', 0.75, CLASSES), network)
    const flat = Float64Array.from(targets.flat())
    await refusesData([rows(), flat], RANGE, said(rule, 'targets (row 1)', 0.75, CLASSES), network)
    await refusesData(
      [examplesOf(rows(), targets)],
      RANGE,
      said(rule, 'examples[1].output', 0.75, CLASSES),
      network
    )
    // Written with few digits.
    targets[1] = [0.333, 0.6666]
    assert.ok(network.evaluate(rows(), targets).loss > 0)
  })
})

describe('sample weights', () => {
  const NAME = 'options.sampleWeights'
  const weigh = (sampleWeights, code, message) => refusesOption({ sampleWeights }, code, message)

  test('that are none', async () => {
    for (const [value, received] of noVectors()) {
      if (value !== undefined) await weigh(value, TYPE, said(VECTOR, NAME, received))
    }
  })

  test('that are not one for each row', async () => {
    await weigh([], LENGTH, said('4 numbers', NAME, 0))
    await weigh([1, 1, 1], LENGTH, said('4 numbers', NAME, 3))
    await weigh(new Float32Array(5), LENGTH, said('4 numbers', NAME, 5))
  })

  test('that are no finite numbers', async () => {
    await weigh([1, 1, '1', 1], TYPE, said('a finite number', `${NAME}[2]`, "'1'", STRING))
    await weigh([1, 1, null, 1], TYPE, said('a finite number', `${NAME}[2]`, 'null', MISSING))
    await weigh([1, 1, Number.NaN, 1], RANGE, said('a finite number', `${NAME}[2]`, 'NaN', MISSING))
    await weigh(
      Float64Array.of(1, Infinity, 1, 1),
      RANGE,
      said('a finite number', `${NAME}[1]`, 'Infinity', MISSING)
    )
  })

  test('below 0, or all 0', async () => {
    await weigh([1, 1, -0.5, 1], RANGE, said('a number of at least 0', `${NAME}[2]`, '-0.5'))
    await weigh(new Float64Array(4), RANGE, said('at least one weight above 0', NAME, '0'))
  })
})

describe('held-out data', () => {
  const hold = (validation, code, message) => refusesOption({ validation }, code, message)

  test('that are not inputs and targets', async () => {
    await hold({}, TYPE, said(MATRIX, 'options.validation.inputs', 'undefined'))
    await hold({ inputs: rows() }, TYPE, said(MATRIX, 'options.validation.targets', 'undefined'))
    await hold(
      { inputs: rows(), target: rows() },
      OPTION,
      said("only 'inputs', 'targets'", 'options.validation', "'target'")
    )
  })

  test('that are wrong, with their place', async () => {
    const name = (part) => `options.validation.${part}`
    await hold({ inputs: [], targets: [] }, LENGTH, said('at least 1 row', name('inputs'), 0))
    await hold(
      { inputs: rows(), targets: rows().slice(1) },
      LENGTH,
      said('4 rows, as many as options.validation.inputs,', name('targets'), 3)
    )
    await hold({ inputs: rows([1]), targets: rows() }, LENGTH, said('2 numbers', name('inputs[2]'), 1))
    await hold(
      { inputs: cells('x'), targets: rows() },
      TYPE,
      said('a finite number', name('inputs[2][1]'), "'x'", STRING)
    )
    await hold(
      { inputs: rows(), targets: Float64Array.from(cells(Number.NaN).flat()) },
      RANGE,
      said('a finite number', name('targets[5] (row 2, column 1)'), 'NaN', MISSING)
    )
  })
})

describe('the same data in any form', () => {
  const [inputs, targets] = [rowsOf(50, 2), rowsOf(50, 2, 2)]
  const weights = rowsOf(50, 1, 3).map(([x]) => Math.fround(x + 2))
  const flatOf = (Numbers, data) => Numbers.from(data.flat())
  const rowsAs = (Numbers) => inputs.map((row) => Numbers.from(row))
  const options = { epochs: 3, batchSize: 7, sampleWeights: weights, validation: { inputs, targets } }
  const learn = (network, ...args) => {
    const { loss, validationLoss } = network.fitSync(...args)
    return { weights: network.getWeights(), loss, validationLoss }
  }

  for (const precision of ['f64', 'f32']) {
    /** What is learned and measured from data. */
    const comesTo = (data, given) => [
      learn(fresh({ precision }), ...data, { ...options, ...given }),
      fresh({ precision }).evaluate(...data)
    ]
    const same = (what, data, given) =>
      assert.deepEqual(comesTo(data, given), comesTo([inputs, targets]), what)

    for (const Numbers of [Float64Array, Float32Array]) {
      test(`gives the same bits in ${precision} from a ${Numbers.name}`, () => {
        const flat = flatOf(Numbers, inputs)
        same('flat', [flat, flatOf(Numbers, targets)])
        same('flat and rows', [flat, targets])
        same('rows and flat', [inputs, flatOf(Numbers, targets)])
        same('rows of typed arrays', [rowsAs(Numbers), targets])
        same('a part of a buffer', [new Numbers([9, ...flat, 9]).subarray(1, 101), targets])
        const shared = new Numbers(new SharedArrayBuffer(100 * Numbers.BYTES_PER_ELEMENT))
        shared.set(flat)
        same('shared memory', [shared, targets])
        const sharedRows = inputs.map((_, i) => shared.subarray(2 * i, 2 * i + 2))
        same('rows of shared memory', [sharedRows, targets])
        const resizable = new Numbers(new ArrayBuffer(flat.byteLength, { maxByteLength: 2 ** 16 }))
        resizable.set(flat)
        same('a resizable buffer', [resizable, targets])
        same('another realm', [vm.runInNewContext(`${Numbers.name}.from([${flat}])`), targets])
        same('weights', [inputs, targets], { sampleWeights: Numbers.from(weights) })
        same('validation', [inputs, targets], { validation: { inputs: flat, targets } })
      })

      test(`gives the same bits in ${precision} from a ${Numbers.name} of its own mind`, () => {
        class Mine extends Numbers {
          get length() {
            return assert.fail('asked')
          }
          subarray() {
            return assert.fail('called')
          }
        }
        const lie = (array) =>
          Object.defineProperties(array, {
            length: { value: 1 },
            buffer: { value: new ArrayBuffer(0) },
            byteOffset: { value: 8 },
            constructor: { value: Uint8Array }
          })
        same('a subclass', [Mine.from(inputs.flat()), targets])
        same('rows of a subclass', [rowsAs(Mine), targets])
        same('an array that lies', [lie(flatOf(Numbers, inputs)), targets])
        same('rows that lie', [rowsAs(Numbers).map(lie), targets])
      })
    }

    test(`gives the same bits in ${precision} from examples and arrays of every kind`, () => {
      const examples = examplesOf(inputs, targets)
      same('examples', [examples])
      same('examples of typed arrays', [examplesOf(rowsAs(Float32Array), targets)])
      const frozen = examples.map((example, id) => Object.freeze({ id, ...example }))
      same('frozen examples with more to them', [frozen])
      class Pair {
        #i
        constructor(i) {
          this.#i = i
        }
        get input() {
          return inputs[this.#i]
        }
        get output() {
          return targets[this.#i]
        }
      }
      same('examples of a class', [inputs.map((_, i) => new Pair(i))])
      same('rows of another realm', [vm.runInNewContext(JSON.stringify(inputs)), targets])
      same('proxies', [new Proxy(inputs, {}), targets.map((row) => new Proxy(row, {}))])
    })
  }

  test('in 64-bit rows that single precision rounds', () => {
    const fine = inputs.map((row) => row.map((x) => x + 1e-9))
    const results = [fine, fine.map((row) => Float64Array.from(row)), Float64Array.from(fine.flat())].map(
      (data) => learn(fresh({ precision: 'f32' }), data, targets, { epochs: 2 })
    )
    assert.deepEqual(results[1], results[0])
    assert.deepEqual(results[2], results[0])
  })

  test('of many chunks', () => {
    const many = rowsOf(70_000, 2)
    const network = fresh()
    const expected = network.evaluate(many, many)
    const shared = new Float64Array(new SharedArrayBuffer(140_000 * 8))
    shared.set(many.flat())
    assert.deepEqual(network.evaluate(shared, Float64Array.from(many.flat())), expected)
    assert.deepEqual(network.evaluate(examplesOf(many, many)), expected)
  })

  test('is left as it was', () => {
    const frozen = inputs.map((row) => Object.freeze([...row]))
    const flat = flatOf(Float64Array, targets)
    const copies = structuredClone([frozen, flat, weights])
    fresh().fitSync(Object.freeze(frozen), flat, { ...options, shuffle: true })
    assert.deepEqual([frozen, flat, weights], copies)
  })
})

describe('data that run code of their own', () => {
  /** Rows of which one runs `act` when it is read. */
  const acting = (act) => {
    const sly = rows()
    Object.defineProperty(sly[2], 1, {
      get() {
        act()
        return 0.5
      }
    })
    return sly
  }

  test('may throw, and the network goes on', async () => {
    const mine = new Error('mine')
    const act = () => {
      throw mine
    }
    const isMine = (error) => error === mine
    const throwing = acting(act)
    const sampleWeights = Object.defineProperty([1, 1, 1, 1], 2, { get: act })
    const network = fresh()
    const before = network.getWeights()
    for (const args of [
      [throwing, rows()],
      [rows(), throwing],
      [examplesOf(throwing, rows())],
      [[{ input: [1, 2], output: [1, 2] }, Object.defineProperty({}, 'input', { get: act })]],
      [rows(), rows(), { validation: { inputs: throwing, targets: rows() } }],
      [rows(), rows(), { validation: Object.defineProperty({}, 'inputs', { get: act, enumerable: true }) }],
      [rows(), rows(), Object.defineProperty({}, 'epochs', { get: act, enumerable: true })],
      [rows(), rows(), { sampleWeights }]
    ]) {
      await assert.rejects(network.fit(...args), isMine)
      assert.throws(() => network.fitSync(...args), isMine)
    }
    assert.throws(() => network.evaluate(throwing, rows()), isMine)
    assert.deepStrictEqual(network.getWeights(), before)
    assert.equal(network.fitSync(rows(), rows(), { epochs: 2 }).epochs, 2)
  })

  test('may ask the network and others, and disturb nothing', async () => {
    const plain = rows()
    plain[2][1] = 0.5
    const alone = fresh()
    alone.fitSync(plain, plain, { epochs: 3 })
    const network = fresh()
    const other = fresh({ seed: 2 })
    const expected = network.predict([1, 1])
    const sly = () =>
      acting(() => {
        assert.deepEqual(network.predict([1, 1]), expected)
        network.evaluate(rowsOf(40_000, 2, 7), rowsOf(40_000, 2, 8))
        network.clone().fitSync(rowsOf(40_000, 2, 7), rowsOf(40_000, 2, 8), { epochs: 1 })
        other.fitSync(rowsOf(4, 2, 9), rowsOf(4, 2, 9), { epochs: 1 })
      })
    await network.fit(sly(), sly(), { epochs: 3 })
    assert.deepEqual(network.getWeights(), alone.getWeights())
  })

  test('find a network that is training already', async () => {
    for (const [name, call] of Object.entries({
      train: (network) => network.train([0, 1], [0, 1]),
      setWeights: (network) => network.setWeights(network.getWeights()),
      fitSync: (network) => network.fitSync(rows(), rows())
    })) {
      const network = fresh()
      const before = network.getWeights()
      const message = `Expected a network that is not training for ${name}() but received one in fit(): wait until it has ended, or work on a clone()`
      const busy = acting(() => call(network))
      await rejects(() => network.fit(busy, rows()), 'ERR_MIKIR_BUSY', message)
      assert.deepEqual(network.getWeights(), before)
      network.train([0, 1], [0, 1])
    }
  })

  test('may shrink or grow what is being read', async () => {
    const shrinking = rows()
    Object.defineProperty(shrinking[1], 0, {
      get() {
        shrinking.length = 2
        return 0
      }
    })
    await rejects(() => fresh().fit(shrinking, rows()), TYPE, said(VECTOR, 'inputs[2]', 'undefined'))
    const growing = rows()
    Object.defineProperty(growing[1], 0, {
      get() {
        growing.push([9, 9])
        return 0
      }
    })
    assert.equal(fresh().fitSync(growing, rows(), { epochs: 1 }).epochs, 1)
    const moving = [rows()[0], new Float64Array(2)]
    Object.defineProperty(moving[0], 0, {
      get() {
        if (moving[1].length > 0) detached(moving[1])
        return 0
      }
    })
    refuses(() => fresh().fitSync(moving, moving), LENGTH, said('2 numbers', 'inputs[1]', 0))
  })
})

describe('numbers in other typed arrays', () => {
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]
  if (globalThis.Float16Array !== undefined) kinds.push(globalThis.Float16Array)
  const plainRows = [
    [1, 2],
    [3, 4],
    [5, 6]
  ]
  const outputs = [[1], [0], [1]]
  const create = (precision) => new NeuralNetwork({ layers: [2, 3, 1], seed: 4, precision })

  test('are taken wherever a row or flat rows are', () => {
    for (const precision of ['f64', 'f32']) {
      const network = create(precision)
      const fit = (inputs, targets, sampleWeights) => {
        const other = create(precision)
        const { loss } = other.fitSync(inputs, targets, { epochs: 3, sampleWeights })
        return [...loss, other.getWeights(), other.evaluate(inputs, targets)]
      }
      for (const Numbers of [...kinds, Buffer]) {
        const rows = plainRows.map((row) => Numbers.from(row))
        const flat = Numbers.from(plainRows.flat())
        assert.deepEqual(network.predict(rows[1]), network.predict(plainRows[1]))
        assert.deepEqual(network.predictBatch(rows), network.predictBatch(plainRows))
        const batch = network.predictBatch(flat)
        assert.ok(batch instanceof Float64Array)
        assert.deepEqual([...batch], network.predictBatch(plainRows).flat())
        const expected = fit(plainRows, outputs, [1, 2, 3])
        assert.deepEqual(fit(rows, outputs, Numbers.from([1, 2, 3])), expected)
        assert.deepEqual(fit(flat, Numbers.from([1, 0, 1]), [1, 2, 3]), expected)
        const [one, two] = [create(precision), create(precision)]
        one.train(rows[0], Numbers.from([1]))
        two.train([1, 2], [1])
        assert.deepEqual(one.getWeights(), two.getWeights())
        assert.equal(one.trainer().step(flat, outputs), two.trainer().step(plainRows, outputs))
      }
    }
  })
})

describe('classes by number', () => {
  const rows = rowsOf(12, 2)
  const classes = rows.map((_, i) => i % 3)
  const oneHot = classes.map((c) => [0, 1, 2].map((k) => Number(k === c)))
  const create = () => new NeuralNetwork({ layers: [2, 5, 3], loss: 'crossEntropy', seed: 4 })

  test('are one-hot rows', async () => {
    const expected = create()
    const { loss, validationLoss } = expected.fitSync(rows, oneHot, {
      epochs: 4,
      validation: { inputs: rows, targets: oneHot }
    })
    for (const targets of [classes, Uint8Array.from(classes), Float64Array.from(classes)]) {
      const network = create()
      const history = await network.fit(rows, targets, { epochs: 4, validation: { inputs: rows, targets } })
      assert.deepEqual([history.loss, history.validationLoss], [loss, validationLoss])
      assert.deepEqual(network.getWeights(), expected.getWeights())
      assert.deepEqual(network.evaluate(rows, targets), network.evaluate(rows, oneHot))
      assert.equal(create().trainer().step(rows, targets), create().trainer().step(rows, oneHot))
    }
    const examples = rows.map((input, i) => ({ input, output: classes[i] }))
    assert.deepEqual(create().fitSync(examples, { epochs: 4 }).loss, loss)
  })

  test('that are none', () => {
    const wrong = (value) => Object.assign([...classes], { 4: value })
    for (const [value, code, received] of [
      [3, RANGE, '3'],
      [-1, RANGE, '-1'],
      [0.5, RANGE, '0.5'],
      [Number.NaN, RANGE, 'NaN'],
      ['1', TYPE, "'1': convert it with Number()"],
      [null, TYPE, 'null: fill in a number']
    ]) {
      refuses(
        () => create().fitSync(rows, wrong(value)),
        code,
        `Expected a class from 0 to 2 for targets[4] but received ${received}`
      )
    }
    refuses(
      () => create().fitSync(rows, Array(12).fill('cat')),
      TYPE,
      "Expected an array or a typed array of numbers for targets[0] but received 'cat': number the classes from 0, or " +
        'write a class as a row of zeros with a 1 in its place'
    )
    refuses(
      () => create().fitSync(rows, classes.slice(1)),
      LENGTH,
      'Expected 12 rows, as many as inputs, for targets but received 11'
    )
  })
})

describe('weights of examples', () => {
  const examples = rowsOf(6, 2).map((input, i) => ({ input, output: [i % 2] }))
  const create = () => new NeuralNetwork({ layers: [2, 3, 1], seed: 4 })

  test('are sample weights, 1 where there is none', () => {
    const weighted = examples.map((example, i) => (i % 3 === 0 ? { ...example, weight: i } : example))
    const sampleWeights = [0, 1, 1, 3, 1, 1]
    assert.deepEqual(
      create().fitSync(weighted, { epochs: 3 }).loss,
      create().fitSync(examples, { epochs: 3, sampleWeights }).loss
    )
    refuses(
      () => create().fitSync(weighted, { sampleWeights }),
      'ERR_MIKIR_INVALID_COMBINATION',
      'Expected no sampleWeights for examples that have a weight but received an array of 6 elements: write all weights ' +
        'in one of both'
    )
    refuses(
      () => create().fitSync([{ ...examples[0], weight: '2' }]),
      TYPE,
      "Expected a finite number for examples[0].weight but received '2': convert it with Number()"
    )
    refuses(
      () => create().fitSync([examples[0], { ...examples[0], weight: -2 }]),
      RANGE,
      'Expected a number of at least 0 for examples[1].weight but received -2'
    )
  })

  test('validation takes examples too', () => {
    const [inputs, targets] = [examples.map(({ input }) => input), examples.map(({ output }) => output)]
    assert.deepEqual(
      create().fitSync(inputs, targets, { epochs: 3, validation: examples }).validationLoss,
      create().fitSync(inputs, targets, { epochs: 3, validation: { inputs, targets } }).validationLoss
    )
    refuses(
      () => create().fitSync(inputs, targets, { validation: [{ input: [1, 2] }] }),
      TYPE,
      'Expected an array or a typed array of numbers for options.validation[0].output but received undefined'
    )
  })

  test('a learning rate is no function', () => {
    refuses(
      () => create().fitSync(examples, { learningRate: (epoch) => 1 / epoch }),
      TYPE,
      'Expected a number above 0 for options.learningRate but received a function: to change it from epoch to epoch, ' +
        'use the option schedule'
    )
  })
})

describe('row weights', () => {
  const [inputs, targets] = [rowsOf(8, 2), rowsOf(8, 1)]
  const fit = (sampleWeights, options) => {
    const network = new NeuralNetwork({ layers: [2, 3, 1], seed: 4 })
    return [...network.fitSync(inputs, targets, { epochs: 5, sampleWeights, ...options }).loss]
  }

  test('that are all tiny or huge count as others do', () => {
    const weights = [1, 2, 3, 1, 2, 3, 1, 2]
    const expected = fit(weights)
    for (const power of [-1060, -1000, -300, 300, 1000, 1020]) {
      assert.deepEqual(fit(weights.map((weight) => weight * 2 ** power)), expected, power)
    }
    // One that is lost beside the others.
    assert.ok(fit([1e308, 5e-324, 1, 1, 1, 1, 1, 1], { batchSize: 1 }).every(Number.isFinite))
  })

  test('that leave nothing to train or to validate on are refused', () => {
    const cure = 'give some of them a weight, or hold out other rows'
    const said = (rows) =>
      `Expected a weight above 0 for one for the rows of ${rows} but received only 0: ${cure}`
    const options = { shuffle: false, validation: 0.25 }
    refuses(() => fit([1, 1, 1, 1, 1, 1, 0, 0], options), RANGE, said('validation'))
    refuses(() => fit([0, 0, 0, 0, 0, 0, 1, 1], options), RANGE, said('training'))
  })
})
