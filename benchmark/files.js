'use strict'

// Saving and loading networks of 100,000 and 10 million parameters, in each format, against torch.save and safetensors in
// Python, and against the bare reading and writing of as many bytes. Single precision, files in the system's cache.
//
//   npm run bench -- files                       two minutes, once PyTorch is there
//   npm run bench -- files --rivals=mikir        mikir alone
//
// Times are medians of several turns in one process each. PyTorch is installed into .peers/ by the first run, with pip.

const { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { digits, machine, milliseconds, printTable, readFlags, runProgram } = require('./common.js')

const SIZES = [
  [300, 300, 33],
  [3000, 3000, 300]
]
const TURNS = 7
/** A text of ten million numbers takes long. */
const FEW_TURNS = 3

/** Saves and loads the tensors of an nn.Sequential: prints a format, how long each took, and the size of the file. */
const PROGRAM = `
import os, sys, time
import torch
from safetensors.torch import load_file, save_file
folder, *layers = sys.argv[1:]
layers = [int(n) for n in layers]
state = torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in zip(layers, layers[1:]))).state_dict()

def seconds(body):
    times = []
    for _ in range(${TURNS}):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]

for name, save, load in [
    ("torch.save", torch.save, torch.load),
    ("safetensors", lambda state, path: save_file(state, path), load_file),
]:
    path = os.path.join(folder, name)
    saved = seconds(lambda: save(state, path))
    # What is mapped is read by summing it.
    loaded = seconds(lambda: [tensor.sum() for tensor in load(path).values()])
    print(name, 1000 * saved, 1000 * loaded, os.path.getsize(path))
`

async function main() {
  const { rivals } = readFlags({ rivals: { type: 'string', default: 'mikir,pytorch' } })
  const python = rivals.includes('pytorch') ? pythonOf() : undefined
  console.log(`Milliseconds. ${machine()}\n`)
  for (const layers of SIZES) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-bench-'))
    try {
      await compare(layers, folder, python)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}

async function compare(layers, folder, python) {
  const { NeuralNetwork, load } = require('..')
  const network = new NeuralNetwork({ layers, precision: 'f32', seed: 1 })
  const rows = []
  for (const ending of ['.safetensors', '.json', '.mjs']) {
    const file = path.join(folder, `network${ending}`)
    const turns = ending === '.safetensors' ? TURNS : FEW_TURNS
    const saved = await milliseconds(() => network.save(file), turns)
    const loaded = ending === '.mjs' ? '' : digits(await milliseconds(() => load(file), turns))
    rows.push([`mikir, ${ending}`, digits(saved), loaded, megabytes(statSync(file).size)])
  }
  const file = path.join(folder, 'bare')
  const bytes = network.toSafetensors()
  const written = await milliseconds(() => writeFileSync(file, bytes), TURNS)
  const read = await milliseconds(() => readFileSync(file), TURNS)
  rows.push(['the bytes alone, unchecked', digits(written), digits(read), megabytes(bytes.length)])
  if (python !== undefined) {
    const lines = runProgram(python, ['-c', PROGRAM, folder, ...layers.map(String)]).trim()
    for (const line of lines.split('\n')) {
      const [name, saved, loaded, size] = line.split(' ')
      rows.push([`Python, ${name}`, digits(Number(saved)), digits(Number(loaded)), megabytes(Number(size))])
    }
  }
  console.log(`${layers.join('-')}, ${network.parameterCount.toLocaleString('en')} parameters\n`)
  printTable(['format', 'save', 'load', 'MB'], rows, 1)
  console.log()
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1)
}

function pythonOf() {
  try {
    return runProgram('python3', [path.join(__dirname, 'peers/install.py'), 'pytorch']).trim()
  } catch (error) {
    console.log(`Without Python, as PyTorch cannot be installed: ${error.message}\n`)
  }
}

main()
