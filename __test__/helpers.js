'use strict'

// What several tests share.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { join } = require('node:path')
const oracle = require('./oracle.js')

const TYPE = 'ERR_MIKIR_INVALID_TYPE'
const RANGE = 'ERR_MIKIR_OUT_OF_RANGE'
const LENGTH = 'ERR_MIKIR_INVALID_LENGTH'
const ARGUMENTS = 'ERR_MIKIR_ARGUMENT_COUNT'
const OPTION = 'ERR_MIKIR_UNKNOWN_OPTION'
const TOO_LARGE = 'ERR_MIKIR_TOO_LARGE'
const OVERFLOW = 'ERR_MIKIR_OVERFLOW'
const COMBINATION = 'ERR_MIKIR_INVALID_COMBINATION'
const BUSY = 'ERR_MIKIR_BUSY'
const DIVERGED = 'ERR_MIKIR_DIVERGED'
const FILE = 'ERR_MIKIR_FILE'
const CORRUPT_FILE = 'ERR_MIKIR_CORRUPT_FILE'

/** What WebAssembly cannot do, all of it. */
const BEYOND_WASM = {
  threads: 'there are none',
  cuts: 'the time of a vm that is up in the middle of a call leaves the module of no use',
  turns: 'what nobody holds is freed when the event loop turns',
  pieces: 'files are read as a whole'
}

/** For a test of what not every host can do: why it is skipped, if it is. */
const needs = (what) => ({ skip: require('../lib/host.js').name === 'wasm' && BEYOND_WASM[what] })

/** The class that goes with each code. */
const CLASSES = {
  [TYPE]: TypeError,
  [RANGE]: RangeError,
  [LENGTH]: RangeError,
  [ARGUMENTS]: TypeError,
  [OPTION]: TypeError,
  [TOO_LARGE]: RangeError,
  [OVERFLOW]: RangeError,
  [COMBINATION]: TypeError,
  [BUSY]: Error,
  [DIVERGED]: Error,
  [FILE]: Error,
  [CORRUPT_FILE]: Error,
  ERR_MIKIR_OUT_OF_MEMORY: RangeError
}

/** An error of exactly this code, of the code's class, that says exactly this. */
const isError = (code, message) => (error) => {
  assert.equal(error.message, message)
  assert.equal(error.code, code)
  assert.equal(Object.getPrototypeOf(error), CLASSES[code].prototype)
  assert.equal(error.name, CLASSES[code].name)
  return true
}

/** `call` throws this error. */
function refuses(call, code, message) {
  assert.throws(call, isError(code, message))
}

/** `call` returns a promise, which rejects with this error. */
async function rejects(call, code, message) {
  const promise = call()
  assert.ok(promise instanceof Promise)
  await assert.rejects(promise, isError(code, message))
}

/** The same, and the network is to the bit what it was. */
function refusesUntouched(network, call, code, message) {
  const before = network.getWeights()
  refuses(call, code, message)
  assert.deepStrictEqual(network.getWeights(), before)
}

/** Values that are no vector, each with how an error calls it. */
function noVectors() {
  return [
    [undefined, 'undefined'],
    [null, 'null: fill in a row of numbers'],
    [true, 'true: write one row as an array of numbers too'],
    [7, '7: write one row as an array of numbers too'],
    [Number.NaN, 'NaN: write one row as an array of numbers too'],
    [12n, '12n: write one row as an array of numbers too'],
    ['0,1', "'0,1': split it, and convert the parts with Number()"],
    [Symbol('x'), 'a symbol'],
    [() => [0, 1], 'a function'],
    [{}, 'an object: put its numbers into an array'],
    [{ length: 2, 0: 0, 1: 1 }, 'an object: put its numbers into an array'],
    [argumentsOf(0, 1), 'an object: put its numbers into an array'],
    [new Date(0), 'a Date: write one row as an array of numbers too'],
    [new Map([[0, 1]]), 'a Map: put its numbers into an array'],
    [new Set([0, 1]), 'a Set: convert it with Array.from()'],
    [[0, 1].values(), 'an object: put its numbers into an array'],
    [
      new Proxy(new Float64Array(2), {}),
      'a proxy: pass what is behind the proxy (in Vue toRaw()), or a copy'
    ],
    [new BigInt64Array(2), 'a BigInt64Array: convert it with Float64Array.from(array, Number)'],
    [new BigUint64Array(2), 'a BigUint64Array: convert it with Float64Array.from(array, Number)'],
    [new ArrayBuffer(16), 'an ArrayBuffer: make a typed array of it, such as new Float64Array(buffer)'],
    [new DataView(new ArrayBuffer(16)), 'a DataView: make a typed array of its buffer'],
    [Promise.resolve([0, 1]), 'a promise: await it first']
  ]
}

/** The same where no vector is expected, so that no cure is known. */
function noArrays() {
  return noVectors().map(([value, received]) => [value, received.split(': ')[0]])
}

/** Values that are no number, each with how an error calls it. */
function noNumbers() {
  return [
    [null, 'null'],
    [true, 'true'],
    [false, 'false'],
    [2n, '2n'],
    ['2', "'2'"],
    ['', "''"],
    ['n'.repeat(60), `'${'n'.repeat(40)}…'`],
    [Symbol('x'), 'a symbol'],
    [() => 2, 'a function'],
    [{}, 'an object'],
    [{ valueOf: () => 2 }, 'an object'],
    [Object(2), 'an object'],
    [new Date(0), 'a Date'],
    [[], 'an array of 0 elements'],
    [[2], 'an array of 1 element'],
    [[2, 2], 'an array of 2 elements'],
    [new Float64Array(1), 'a typed array']
  ]
}

/** What an error says of a value where a number of a vector should be: `received`, and a cure. */
function elementSaid(value, received) {
  const cure = {
    string: 'convert it with Number()',
    bigint: 'convert it with Number()',
    boolean: 'write 1 for true and 0 for false',
    undefined: 'fill in a number'
  }[value === null ? 'undefined' : typeof value]
  const date = 'convert it to a number, such as its getTime() / 86400000 for days'
  const said = value instanceof Date ? date : cure
  return said === undefined ? received : `${received}: ${said}`
}

/** Numbers that are not finite, each with how an error calls it. */
const notFinite = [
  [Number.NaN, 'NaN'],
  [Infinity, 'Infinity'],
  [-Infinity, '-Infinity']
]

function argumentsOf() {
  return arguments
}

/** `array` after its memory went elsewhere. */
function detached(array) {
  structuredClone(array.buffer, { transfer: [array.buffer] })
  assert.equal(array.length, 0)
  return array
}

/** A generator of numbers from U[0, 1) that its seed determines (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The layers of a network of these counts, each number drawn by `draw(inputs of the layer)`. */
function layersOf(counts, draw) {
  return counts.slice(1).map((units, l) => ({
    weights: Array.from({ length: units }, () => Array.from({ length: counts[l] }, () => draw(counts[l]))),
    biases: Array.from({ length: units }, () => draw(counts[l]))
  }))
}

/** The oracle's network with the weights of `network`. */
function oracleOf(network) {
  const [hidden, output] = network.getWeights()
  const copy = new oracle.NeuralNetwork(network.inputCount, hidden.biases.length, network.outputCount)
  const fill = (neurons, { weights, biases }) => {
    neurons.forEach((neuron, j) => {
      neuron.weights = weights[j]
      neuron.bias = biases[j]
    })
  }
  fill(copy.hidden, hidden)
  fill(copy.output, output)
  return copy
}

/** `count` rows of `width` numbers from U[-2, 2) that both precisions hold. */
function rowsOf(count, width, seed = 1) {
  const random = randomOf(seed)
  return Array.from({ length: count }, () =>
    Array.from({ length: width }, () => Math.fround(random() * 4 - 2))
  )
}

/** All numbers in nested arrays and objects, in order. */
function flat(value) {
  return typeof value === 'number' ? [value] : Object.values(value).flatMap(flat)
}

/** max |a - b| / max(|a|, |b|) over all numbers in two equal structures; NaN where there is a NaN. */
function relativeDifference(a, b) {
  const [as, bs] = [flat(a), flat(b)]
  assert.equal(as.length, bs.length)
  return as.reduce((worst, x, i) => {
    const y = bs[i]
    return Math.max(worst, x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y)))
  }, 0)
}

/** Equal structures whose numbers differ by no more than `tolerance`, relatively. */
function agrees(actual, expected, tolerance, what = 'the values') {
  const difference = relativeDifference(actual, expected)
  assert.ok(difference <= tolerance, `${what} differ by ${difference}, relatively`)
}

/**
 * Weights that differ by no more than `tolerance`, relatively to the larger of the weight before the step and
 * after it: a weight that a step carries next to 0 keeps the rounding of the two numbers it is the difference of.
 */
function agreesAfterStep(actual, expected, before, tolerance) {
  const [as, bs, starts] = [flat(actual), flat(expected), flat(before)]
  assert.ok(as.length === bs.length && as.length === starts.length)
  as.forEach((a, i) => {
    const size = Math.max(Math.abs(a), Math.abs(bs[i]), Math.abs(starts[i]))
    assert.ok(Math.abs(a - bs[i]) <= tolerance * size, `weight ${i} is ${a}, not ${bs[i]}`)
  })
}

/** Runs a function in a process of its own, from the package's root: its status, signal and output. */
function runAlone(body, ...args) {
  const root = join(__dirname, '..')
  const source = `(${body})(...${JSON.stringify(args)})`
  const options = { cwd: root, encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', source], options)
  return { status, signal, stdout, stderr }
}

/** The same for a function that must end well: what it printed. */
function runsAlone(body, ...args) {
  const { status, signal, stdout, stderr } = runAlone(body, ...args)
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr.slice(0, 4000))
  return stdout
}

/** A value of any kind: what a user might pass by mistake, and worse. */
function strange(random, depth = 0) {
  const pick = (values) => values[Math.floor(random() * values.length)]
  const vector = () => Array.from({ length: Math.floor(random() * 5) }, () => random() * 4 - 2)
  const makers = [
    // No count here is both legal and large: a network of it would take gigabytes.
    () => pick([0, -0, 1, 2, 3, 7, 8, 9, 20, -1, 0.5, 2.7, 1e-320, 1e3, -1e3, 1e300, -1e300]),
    () => pick([Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 28, 2 ** 28 + 1]),
    () => pick([2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 53, 2 ** 53 - 1, -(2 ** 31)]),
    () => pick(['', '2', 'x'.repeat(100), 'NaN', '__proto__', '\ud800']),
    () => pick([null, undefined, true, false, 0n, -5n, 2n ** 70n, Symbol('s'), Symbol.iterator]),
    () => pick([() => 1, class {}, Math, globalThis, new Date(Number.NaN), /x/, new Error('mine')]),
    () =>
      pick([{}, Object.create(null), new Map([[0, 1]]), new Set([1]), new WeakMap(), Object(2), Object('2')]),
    () => ({ [pick(['seed', 'sede', 'weights', 'biases', 'length', 'toString'])]: below() }),
    () => ({
      toString: () => assert.fail('called'),
      valueOf: () => assert.fail('called'),
      toJSON: () => assert.fail('called')
    }),
    () => vector(),
    () => vector(),
    () => Float64Array.from(vector()),
    () => Float32Array.from(vector()),
    () => [random(), below()],
    () => [below(), below()],
    () => Array.from({ length: Math.floor(random() * 4) }, below),
    () =>
      pick([
        Object.assign([], { 1: 1 }),
        Object.assign(new Array(2), [1]),
        new Array(2),
        new Array(2 ** 32 - 1)
      ]),
    () => pick([Object.freeze([1, 2]), Object.assign([1, 2], { x: 1 })]),
    () => new (pick([Int8Array, Uint8Array, Uint8ClampedArray, Int32Array, Uint32Array, BigInt64Array]))(2),
    () =>
      pick([
        Buffer.from([1, 2]),
        new ArrayBuffer(16),
        new SharedArrayBuffer(16),
        new DataView(new ArrayBuffer(8))
      ]),
    () => new Float64Array(new SharedArrayBuffer(16)),
    () => new (pick([Float32Array, Float64Array]))([Number.NaN, Infinity]),
    () => detached(new Float64Array(2)),
    () => new Proxy(vector(), {}),
    () => revoked(pick([[], {}])),
    () => Object.defineProperty(Float64Array.of(1, 2, 3), 'length', { value: 2 }),
    () => new (class extends Array {})(1, 2),
    () => new (class extends Float64Array {})(2),
    () => layersOf([2, 2, 1], () => below()),
    () => layersOf([2, 2, 1], () => random())
  ]
  const below = () => (depth > 2 ? random() : strange(random, depth + 1))
  return pick(makers)()
}

function revoked(target) {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

module.exports = {
  needs,
  ARGUMENTS,
  BUSY,
  CLASSES,
  COMBINATION,
  CORRUPT_FILE,
  DIVERGED,
  FILE,
  LENGTH,
  OPTION,
  OVERFLOW,
  RANGE,
  TOO_LARGE,
  TYPE,
  agrees,
  agreesAfterStep,
  detached,
  elementSaid,
  flat,
  layersOf,
  noArrays,
  noNumbers,
  noVectors,
  notFinite,
  oracleOf,
  randomOf,
  refuses,
  refusesUntouched,
  rejects,
  relativeDifference,
  revoked,
  rowsOf,
  runAlone,
  runsAlone,
  strange
}
