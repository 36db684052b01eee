'use strict'

// What docs/scale.md says, done here: a network goes to PyTorch, is trained there by two processes, and comes back; and it
// scores a table on two workers of Ray.
//
//   node scripts/scale-check.js
//
// PyTorch and Ray come with pip into .peers/ (see benchmark/peers/install.py).

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { NeuralNetwork, load } = require('..')
const { root } = require('./run.js')

const ROWS = 600
const scale = path.join(root, 'examples/scale')

/** A spiral of three arms: a class each. */
function spirals() {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const [arm, t] = [i % 3, i / ROWS]
    const angle = 4 * t + (2 * Math.PI * arm) / 3
    return { inputs: [3 * t * Math.cos(angle), 3 * t * Math.sin(angle)], arm }
  })
  return { inputs: rows.map((row) => row.inputs), arms: rows.map((row) => row.arm) }
}

/** Named matrices as a safetensors file. */
function tensors(matrices) {
  const header = {}
  const parts = []
  let end = 0
  for (const [name, rows] of Object.entries(matrices)) {
    const numbers = Buffer.from(Float32Array.from(rows.flat()).buffer)
    const shape = [rows.length, rows[0].length]
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + numbers.length] }
    end += numbers.length
    parts.push(numbers)
  }
  const text = JSON.stringify(header)
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([size, Buffer.from(padded), ...parts])
}

function run(program, args, options) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options })
  assert.equal(status, 0, stderr)
  return stdout
}

/** The interpreter that has a peer. */
function pythonOf(peer) {
  return run('python3', [path.join(root, 'benchmark/peers/install.py'), peer]).trim()
}

async function score(folder) {
  const network = new NeuralNetwork({ layers: [4, 16, 3], loss: 'crossEntropy', precision: 'f32', seed: 3 })
  const rows = Array.from({ length: 5000 }, (_, i) => [Math.sin(i), Math.cos(i), Math.sin(2 * i), i / 5000])
  const [model, table, scores] = ['network.onnx', 'rows.csv', 'scores.csv'].map((name) =>
    path.join(folder, name)
  )
  await network.save(model)
  writeFileSync(table, `a,b,c,d\n${rows.map((row) => row.join()).join('\n')}\n`)
  run(pythonOf('ray'), [path.join(scale, 'score_ray.py'), model, table, scores])
  const lines = readFileSync(scores, 'utf8').trim().split('\n').slice(1)
  const exact = network.predictBatch(rows)
  assert.equal(lines.length, rows.length)
  for (const [i, line] of lines.entries()) {
    for (const [k, x] of line.split(',').entries()) assert.ok(Math.abs(x - exact[i][k]) < 1e-6, `row ${i}`)
  }
  console.log(`Ray scored ${lines.length} rows as predictBatch does`)
}

async function main() {
  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-scale-'))
  try {
    const file = (name) => path.join(folder, name)
    const python = pythonOf('pytorch')
    const { inputs, arms } = spirals()
    const network = new NeuralNetwork({
      layers: [2, 32, 32, 3],
      loss: 'crossEntropy',
      precision: 'f32',
      seed: 1
    })
    network.fitSync(inputs, arms, { epochs: 3 })
    const before = network.evaluate(inputs, arms)
    await network.save(file('network.safetensors'))
    const targets = arms.map((arm) => [0, 1, 2].map((k) => Number(k === arm)))
    writeFileSync(file('rows.safetensors'), tensors({ inputs, targets }))
    const files = ['network', 'rows', 'trained'].map((name) => file(`${name}.safetensors`))
    const launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
    const env = { ...process.env, OMP_NUM_THREADS: '1' }
    console.log(run(python, [...launcher, path.join(scale, 'train_ddp.py'), ...files], { env }))
    const trained = await load(file('trained.safetensors'))
    const after = trained.evaluate(inputs, arms)
    console.log(`accuracy ${before.accuracy.toFixed(3)} before, ${after.accuracy.toFixed(3)} after`)
    assert.deepEqual(trained.options, network.options)
    assert.ok(after.loss < 0.7 * before.loss, `${after.loss} after ${before.loss}`)
    const { loss } = trained.fitSync(inputs, arms, { epochs: 5 })
    assert.ok(loss.at(-1) < before.loss)
    await score(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
