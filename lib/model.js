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
function modelOf(counts) {
  const key = counts.join('-')
  let model = models.get(key)?.deref()
  if (model === undefined) {
    const [inputCount, outputCount] = [counts[0], counts[counts.length - 1]]
    model = Object.freeze({ counts, inputCount, outputCount, ...native.createModel(counts) })
    models.set(key, new WeakRef(model))
    dropped.register(model, { key, number: model.number })
  }
  return model
}

/**
 * The memory of a network: the model's number, room for what goes in and out, the parameters. The numbers
 * before the inputs and the offsets in `model` are those of src/binding/model.rs.
 */
function createValues(model) {
  let values
  try {
    values = new Float64Array(model.length)
  } catch (cause) {
    const bytes = model.length * Float64Array.BYTES_PER_ELEMENT
    throw outOfMemory(`a network of ${model.parameterCount} parameters`, bytes, cause)
  }
  new Uint32Array(values.buffer, 0, 1)[0] = model.number
  return values
}

module.exports = { createValues, modelOf }
