'use strict'

// What networks of the same architecture share: a model in the addon, found again by its key for as long as
// one of them lives. All numbers of a network are in one buffer.

const { outOfMemory } = require('./errors.js')
const host = require('./host.js')

/** @type {Map<string, WeakRef<object>>} */
const models = new Map()

const dropped = new FinalizationRegistry(({ key, number }) => {
  host.dropModel(number)
  // A successor may have taken the key since.
  if (models.get(key)?.deref() === undefined) models.delete(key)
})

/**
 * The model of a network with sigmoid neurons throughout.
 * @param {number[]} counts - the inputs, then the neurons of each layer
 */
function sigmoidModel(counts) {
  return shared(counts.join('-'), () => host.createSigmoidModel(Float64Array.from(counts)))
}

/**
 * The model of the networks of `options`.
 * @param {object} options - NetworkOptions as plain JSON
 */
function modelOf(options) {
  const json = JSON.stringify(options)
  return shared(json, () => host.createModel(json))
}

function shared(key, create) {
  let model = models.get(key)?.deref()
  if (model === undefined) {
    model = Object.freeze(JSON.parse(create()))
    models.set(key, new WeakRef(model))
    dropped.register(model, { key, number: model.number })
  }
  return model
}

/**
 * The buffer of a network, which the host gives for as long as its `owner` lives: the model's number, room for what goes
 * in and out, the values. The numbers before the inputs and the offsets in `model` are those of src/engine/layout.rs.
 */
function createBuffer(owner, model) {
  const bytes = model.length * numbersOf(model).BYTES_PER_ELEMENT
  let buffer
  try {
    buffer = host.allocate(owner, bytes)
  } catch (cause) {
    if (cause.code !== undefined) throw cause
    throw outOfMemory(`a network of ${model.parameterCount} parameters`, bytes, cause)
  }
  host.view(buffer, Uint32Array, 0, 1)[0] = model.number
  return buffer
}

/** The numbers of a network's buffer. WebAssembly's memory grows now and then: then they are an array of length 0. */
function viewOf(buffer, model) {
  return host.view(buffer, numbersOf(model), 0, model.length)
}

function numbersOf({ precision }) {
  return precision === 'f64' ? Float64Array : Float32Array
}

module.exports = { createBuffer, modelOf, numbersOf, sigmoidModel, viewOf }
