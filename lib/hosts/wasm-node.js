'use strict'

// WebAssembly in Node.js and its like, from the file beside the package.

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { performance } = require('node:perf_hooks')
const { TextDecoder, TextEncoder, getSystemErrorMap } = require('node:util')
const { connect } = require('./wasm.js')

let writes = 0

/** The system's reason, as the addon has it. */
function inWords(error) {
  const [, reason] = getSystemErrorMap().get(error.errno) ?? []
  if (reason === undefined) return error
  return new Error(`${reason[0].toUpperCase()}${reason.slice(1)} (os error ${-error.errno})`)
}

function checkIsFile(found) {
  if (found.isDirectory()) throw new Error('a folder')
  if (!found.isFile()) throw new Error('a pipe, socket or device')
}

function readFile(name) {
  try {
    checkIsFile(fs.statSync(name))
    return fs.readFileSync(name)
  } catch (error) {
    throw inWords(error)
  }
}

/** Makes a file or replaces it, all at once; without bytes it only finds out whether that can be expected to succeed. */
function writeFile(name, bytes) {
  try {
    const old = fs.statSync(name, { throwIfNoEntry: false })
    if (old !== undefined) checkIsFile(old)
    // A link stays one: what it names is replaced.
    const file = old === undefined ? name : fs.realpathSync(name)
    const temporary = `${file}.${process.pid}-${writes++}.tmp`
    const descriptor = fs.openSync(temporary, 'wx', old?.mode)
    try {
      if (bytes !== undefined) {
        fs.writeFileSync(descriptor, bytes)
        fs.fsyncSync(descriptor)
        fs.renameSync(temporary, file)
      }
    } finally {
      fs.closeSync(descriptor)
      fs.rmSync(temporary, { force: true })
    }
  } catch (error) {
    throw inWords(error)
  }
}

const file = path.join(__dirname, '../../web/mikir.wasm')

module.exports = connect(new WebAssembly.Module(fs.readFileSync(file)), {
  // What a context of node:vm has not, and a test runner may replace.
  decoder: new TextDecoder('utf-8', { ignoreBOM: true }),
  encoder: new TextEncoder(),
  now: () => performance.now(),
  random: () => crypto.randomInt(2 ** 48 - 1),
  readFile,
  writeFile
})
