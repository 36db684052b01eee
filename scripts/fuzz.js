'use strict'

// Fuzzing of the readers of files. Those of the core with libFuzzer, guided by coverage, on stable Rust; it needs a C++
// compiler. Those of JavaScript by changed copies of good files.
//
//   node scripts/fuzz.js safetensors            a minute
//   node scripts/fuzz.js onnx --seconds=600     longer
//   node scripts/fuzz.js checkpoint | csv | options | json | net
//
// It starts from small files of mikir's own and the golden ones. What it finds is kept in .peers/fuzz/, which git ignores.

const assert = require('node:assert/strict')
const { mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { parseArgs } = require('node:util')
const { NeuralNetwork } = require('..')
const { fann } = require('../lib/imports.js')
const { root } = require('./run.js')

/** What `cargo fuzz` passes, as far as stable Rust takes it: counters and comparisons for libFuzzer. */
const FLAGS = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
  '-Ccodegen-units=1',
  '--cfg=fuzzing'
].join(' ')

const small = (normalization) =>
  new NeuralNetwork({ layers: [2, { units: 2, normalization }, 1], seed: 1, precision: 'f32' })
const networks = () => [undefined, 'batch', 'layer'].map(small)
const goldens = (name) => require(`../__test__/goldens/${name}.json`).cases

/** What each target starts from. */
const CORPUS = {
  safetensors: () => [...networks().map((network) => network.toSafetensors()), ...files('torch_files')],
  onnx: () => [...networks().map((network) => network.toONNX()), ...files('onnx_files')],
  checkpoint: checkpoints,
  // The first byte chooses the separator.
  csv: () => [
    '\x00a,b,c\n1,x,2026-01-01\n-2.5e3,"y ""z""",\nNA,,\n',
    '\x01a;b\r\n1,5;"x\n;"\r\n',
    '\x02\ufeffa\tb\n007\t1\nx\t2\n'
  ],
  options: () => [
    ...networks().map((network) => JSON.stringify(network.options)),
    '{"epochs":3,"optimizer":{"type":"adam","beta1":0.5},"schedule":{"type":"step","every":1,"factor":0.5},"validation":0.2}',
    '{"layers":[3,{"units":2,"activation":{"type":"elu","alpha":2},"initializer":{"type":"normal","mean":1}},2],"loss":"huber"}'
  ],
  json: () => [
    ...networks().map((network) => JSON.stringify(network)),
    ...goldens('imports').flatMap(({ json }) => (json === undefined ? [] : [JSON.stringify(json)]))
  ],
  net: () => goldens('imports').flatMap(({ text }) => text ?? [])
}

/** The readers of JavaScript. */
const READERS = {
  json: (bytes) => NeuralNetwork.fromJSON(bytes.toString('utf8')),
  net: (bytes) => fann(bytes.toString('latin1'), 'bytes')
}

function files(name) {
  return goldens(name).map(({ file }) => Buffer.from(file, 'base64'))
}

function checkpoints() {
  const file = path.join(root, '.peers/fuzz/checkpoint.mikir')
  return ['sgd', 'adam', 'nadam', 'lbfgs'].map((optimizer) => {
    const options = { epochs: 2, optimizer, checkpoint: { path: file }, validation: 0.5 }
    const rows = Array.from({ length: 4 }, (_, i) => [i, 1 - i])
    small('layer').fitSync(rows, new Float32Array(4), options)
    return readFileSync(file)
  })
}

function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' } }
  })
  const [target] = positionals
  const targets = Object.keys(CORPUS)
  if (!targets.includes(target)) throw new Error(`Expected one of ${targets} but received ${target}`)
  const corpus = path.join(root, '.peers/fuzz', target)
  mkdirSync(corpus, { recursive: true })
  for (const [i, file] of CORPUS[target]().entries()) writeFileSync(path.join(corpus, `seed-${i}`), file)
  if (target in READERS) change(READERS[target], corpus, Number(values.seconds))
  else guide(target, corpus, values.seconds)
}

/** Runs a target of fuzz/. */
function guide(name, corpus, seconds) {
  const env = { ...process.env, RUSTFLAGS: FLAGS, CARGO_TARGET_DIR: path.join(root, 'target/fuzz') }
  // With a target named, build scripts are compiled without the counters.
  const [, host] = /host: (\S+)/.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout)
  const build = ['run', '--release', '--target', host, '--bin', name, '--']
  const args = [...build, corpus, `-max_total_time=${seconds}`]
  // Ten times what the largest of its files takes; a hang is a slow file.
  const limits = ['-rss_limit_mb=1024', '-timeout=5', '-max_len=65536', `-artifact_prefix=${corpus}-`]
  const { status } = spawnSync('cargo', [...args, ...limits], {
    cwd: path.join(root, 'fuzz'),
    env,
    stdio: 'inherit'
  })
  process.exitCode = status
}

/** Reads changed copies of good files: each gives a network or an error of ours, soon. */
function change(read, corpus, seconds) {
  const seeds = readdirSync(corpus).map((name) => readFileSync(path.join(corpus, name)))
  const end = Date.now() + 1000 * seconds
  const codes = {}
  let count = 0
  for (; Date.now() < end; count++) {
    const bytes = changed(seeds)
    const start = Date.now()
    let code = 'none'
    try {
      read(bytes)
    } catch (error) {
      code = error.code
      if (!/^ERR_MIKIR_/.test(code)) fail(corpus, bytes, error)
    }
    if (Date.now() - start > 2000) fail(corpus, bytes, new Error('a file that takes seconds'))
    codes[code] = (codes[code] ?? 0) + 1
  }
  assert.ok(codes.ERR_MIKIR_CORRUPT_FILE > 0 && Object.keys(codes).length > 1, JSON.stringify(codes))
  console.log(`${count} files, no finding:`, codes)
}

function fail(corpus, bytes, cause) {
  writeFileSync(`${corpus}-finding`, bytes)
  throw new Error(`see ${corpus}-finding`, { cause })
}

const WORDS = [
  '0',
  '-1',
  '1e999',
  '4294967296',
  '1e15',
  '""',
  '[]',
  '{}',
  'null',
  'NaN',
  '[[[[',
  '\n',
  ' ',
  '=',
  '(0, 1) '
]

const below = (n) => Math.floor(Math.random() * n)
const some = (list) => list[below(list.length)]

/** A seed with up to four changes: a byte, a cut, a repetition, another number, a part of another seed. */
function changed(seeds) {
  let text = some(seeds).toString('latin1')
  for (let left = 1 + below(4); left > 0; left--) {
    const [from, to] = [below(text.length + 1), below(text.length + 1)].sort((a, b) => a - b)
    const put = (middle) => text.slice(0, from) + middle + text.slice(to)
    text = some([
      () => text.slice(0, from) + String.fromCharCode(below(256)) + text.slice(from + 1),
      () => text.slice(0, from),
      () => put(''),
      () => put(text.slice(from, Math.min(to, from + 4096)).repeat(2)),
      () => text.slice(0, from) + some(WORDS) + text.slice(from),
      () => {
        const numbers = Array.from(text.matchAll(/-?\d[\d.e+-]*/g))
        if (numbers.length === 0) return text
        const number = some(numbers)
        return text.slice(0, number.index) + some(WORDS) + text.slice(number.index + number[0].length)
      },
      () => {
        const other = some(seeds).toString('latin1')
        return text.slice(0, from) + other.slice(below(other.length + 1))
      }
    ])()
    if (text.length > 1 << 16) text = text.slice(0, 1 << 16)
  }
  return Buffer.from(text, 'latin1')
}

main()
