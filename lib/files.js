'use strict'

// Networks in files: which format a path asks for, bytes that users pass, and what is wrong with a file.

const { readFile } = require('node:fs/promises')
const path = require('node:path')
const { fileURLToPath } = require('node:url')
const { isAnyArrayBuffer, isSharedArrayBuffer, isUint8Array } = require('node:util').types
const { bufferOf, lengthOf, offsetOf } = require('./check.js')
const { corruptFile, describe, invalidType, outOfRange, unreadable } = require('./errors.js')
const host = require('./host.js')

/** The formats of JSON that mikir writes itself: see docs/file-format.md. */
const FORMAT = 'mikir-network'
const VERSION = 1

/** How every model is written as a text, by what the path ends in. */
const TEXTS = {
  '.json': (model) => `${JSON.stringify(model)}\n`,
  '.mjs': (model) => model.toModule({ format: 'esm' }),
  '.cjs': (model) => model.toModule({ format: 'cjs' })
}
/** The formats in which the addon writes networks. */
const FORMATS = { '.safetensors': 'safetensors', '.onnx': 'onnx' }

/** The absolute path of a file: where the process works may change before it is written. */
function pathOf(file) {
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file)
  if (typeof file === 'string' && file.length > 0 && !file.includes('\0')) return path.resolve(file)
  throw invalidType('a path or a file: URL', 'path', file)
}

function byExtension(table, file) {
  const found = table[path.extname(file).toLowerCase()]
  if (found !== undefined) return found
  const endings = Object.keys(table)
  throw outOfRange(
    `a path that ends in ${endings.slice(0, -1).join(', ')} or ${endings.at(-1)}`,
    'path',
    file
  )
}

/**
 * Writes a model as it is now; the file takes the place of an old one in one step.
 * @param {object} model
 * @param {string | URL} file
 * @param {(name: string, format: string, wake: () => void) => number} begin - begins a task of the addon that writes it
 *   in one of its formats
 * @param {Record<string, string>} formats - those, by what a path ends in
 */
async function save(model, file, begin, formats = FORMATS) {
  const name = pathOf(file)
  const writer = byExtension({ ...TEXTS, ...formats }, name)
  if (typeof writer === 'string') return task((wake) => begin(name, writer, wake), host.endTask)
  const bytes = Buffer.from(writer(model))
  return task((wake) => host.saveFile(name, bytes, wake), host.endTask)
}

/** What a reader, by what the path ends in, makes of the bytes of a file and its name in errors. */
async function load(file, readers) {
  const name = pathOf(file)
  const read = byExtension(readers, name)
  let bytes
  try {
    bytes = await readFile(name)
  } catch (error) {
    throw unreadable(name, error)
  }
  return read(bytes, `'${name}'`)
}

/** Work on a thread of the addon that `begin` begins, and what `end` makes of it. */
function task(begin, end) {
  return new Promise((resolve, reject) => {
    const number = begin(() => {
      try {
        resolve(end(number))
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** Bytes that a user passes, as a plain Uint8Array of memory that no other thread changes. */
function bytesOf(bytes) {
  if (isAnyArrayBuffer(bytes))
    return isSharedArrayBuffer(bytes) ? new Uint8Array(bytes).slice() : new Uint8Array(bytes)
  if (!isUint8Array(bytes)) throw invalidType('a Uint8Array or an ArrayBuffer', 'bytes', bytes)
  const buffer = bufferOf(bytes)
  const length = lengthOf(bytes)
  const view = length === 0 ? new Uint8Array(0) : new Uint8Array(buffer, offsetOf(bytes), length)
  return isSharedArrayBuffer(buffer) ? view.slice() : view
}

/** A network as JSON. Numbers of single precision are written as short as they can be read back. */
function toJSON(options, layers) {
  const short = (values) => values.map((x) => (Array.isArray(x) ? short(x) : shortest(x)))
  const written =
    options.precision === 'f64'
      ? layers
      : layers.map((layer) =>
          Object.fromEntries(Object.entries(layer).map(([key, values]) => [key, short(values)]))
        )
  return { format: FORMAT, version: VERSION, options, layers: written }
}

/** The number with the fewest digits that is `value` in single precision. */
function shortest(value) {
  const single = Math.fround(value)
  for (let digits = 6; digits < 9; digits++) {
    const number = Number(value.toPrecision(digits))
    if (Math.fround(number) === single) return number
  }
  return Number(value.toPrecision(9))
}

/**
 * Options and layers of a network that is JSON.
 * @param {unknown} json - an object or a text
 * @param {string} name - what it is called in errors
 */
function readJSON(json, name) {
  const value = objectOf(json, name)
  const { format, version, options, layers } = value
  if (format === undefined) {
    const read = require('./imports.js').readerOf(value)
    if (read !== undefined) return read(value, name)
  }
  if (format !== FORMAT) {
    throw corruptFile(`the format '${FORMAT}', or a network of brain.js or synaptic,`, name, describe(format))
  }
  if (version !== VERSION) throw corruptFile(`version ${VERSION} of the format`, name, describe(version))
  return { options, layers }
}

/** An object that is JSON, or a text of one. */
function objectOf(json, name) {
  const value = typeof json === 'string' ? parse(json, name) : json
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType('an object or a text of JSON', name, value)
  }
  return value
}

function parse(text, name) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw corruptFile('JSON', name, `another text: ${cause.message}`, cause)
  }
}

module.exports = { bytesOf, load, objectOf, pathOf, readJSON, save, shortest, task, toJSON }
