'use strict'

// A network of ReLU layers with a softmax at its end as an ONNX model. Of protocol buffers, which the format is made
// of, this takes a dozen lines; the numbers of the fields are those of onnx.proto (IR version 8, operators of set 13).

const { inputMajor } = require('../step.js')

const FLOAT = 1

/** A whole number in groups of seven bits, the lowest first, where the top bit says that more follow. */
function varint(n) {
  const bytes = []
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128)
  return Buffer.from([...bytes, n])
}

/** A field of a message: a number, or else a text or bytes, among them another message. */
function field(number, content) {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)])
  const bytes = Buffer.from(content)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

/** A message of fields, each given by its number and content. */
function message(...fields) {
  return Buffer.concat(fields.map(([number, content]) => field(number, content)))
}

function tensor(name, shape, numbers) {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return message(...shape.map((size) => [1, size]), [2, FLOAT], [8, name], [9, bytes])
}

function node(operator, inputs, output) {
  return message(...inputs.map((input) => [1, input]), [2, output], [4, operator])
}

/** A matrix of any number of rows that goes in or comes out. */
function matrix(name, width) {
  const shape = message([1, message([2, 'rows'])], [1, message([1, width])])
  return message([1, name], [2, message([1, message([1, FLOAT], [2, shape])])])
}

/**
 * The model, whose input is `x` and whose output is `y`.
 * @param {{ weights: number[][], biases: number[] }[]} layers - as `getWeights` gives them
 */
function onnxModel(layers) {
  const nodes = []
  const tensors = []
  let x = 'x'
  for (const [i, { weights, biases }] of layers.entries()) {
    const [w, b, sum, y] = [`w${i}`, `b${i}`, `sum${i}`, i < layers.length - 1 ? `y${i}` : 'y']
    tensors.push(tensor(w, [weights[0].length, weights.length], inputMajor(weights)))
    tensors.push(tensor(b, [biases.length], Float32Array.from(biases)))
    nodes.push(node('Gemm', [x, w, b], sum), node(y === 'y' ? 'Softmax' : 'Relu', [sum], y))
    x = y
  }
  const graph = message(
    ...nodes.map((bytes) => [1, bytes]),
    [2, 'network'],
    ...tensors.map((bytes) => [5, bytes]),
    [11, matrix('x', layers[0].weights[0].length)],
    [12, matrix('y', layers.at(-1).biases.length)]
  )
  return message([1, 8], [7, graph], [8, message([2, 13])])
}

module.exports = { onnxModel }
