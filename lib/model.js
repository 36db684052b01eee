'use strict'

// What networks of the same architecture share: a model in the addon, found again by its key for as long as
// one of them lives. A network's own memory is one ArrayBuffer, which the engine counts and frees.

const { outOfMemory } = require('./errors.js')
const native = require('./native.js')

/** @type {Map<string, WeakRef<object>>} */
const models = new Map()

const dropped = new FinalizationRegistry(({ key, number }) => {
  native.dropModel(number)
  // A successor may have taken the key since.
  if (models.get(key)?.deref() === undefined) models.delete(key)
})

/**
 * The model of a network with sigmoid neurons throughout.
 * @param {number[]} counts - the inputs, then the neurons of each layer
 */
function sigmoidModel(counts) {
  return shared(counts.join('-'), () => native.createSigmoidModel(counts))
}

/**
 * The model of the networks of `options`.
 * @param {object} options - NetworkOptions as plain JSON
 */
function modelOf(options) {
  const json = JSON.stringify(options)
  return shared(json, () => native.createModel(json))
}

function shared(key, create) {
  let model = models.get(key)?.deref()
  if (model === undefined) {
    model = Object.freeze(create())
    models.set(key, new WeakRef(model))
    dropped.register(model, { key, number: model.number })
  }
  return model
}

/**
 * The memory of a network: the model's number, room for what goes in and out, the values. The numbers
 * before the inputs and the offsets in `model` are those of src/engine/layout.rs.
 */
function createMemory(model) {
  const Numbers = model.precision === 'f64' ? Float64Array : Float32Array
  let memory
  try {
    memory = new Numbers(model.length)
  } catch (cause) {
    const bytes = model.length * Numbers.BYTES_PER_ELEMENT
    throw outOfMemory(`a network of ${model.parameterCount} parameters`, bytes, cause)
  }
  new Uint32Array(memory.buffer, 0, 1)[0] = model.number
  return memory
}

module.exports = { createMemory, modelOf, sigmoidModel }
