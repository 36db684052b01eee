'use strict'

// Coverage-guided fuzzing of the readers of files, with libFuzzer, on stable Rust; it needs a C++ compiler.
//
//   node scripts/fuzz.js safetensors            a minute
//   node scripts/fuzz.js onnx --seconds=600     longer
//
// It starts from small files of mikir's own and the golden ones. What it finds is kept in .peers/fuzz/, which git ignores.

const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { parseArgs } = require('node:util')
const { NeuralNetwork } = require('..')
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

const WRITERS = { safetensors: 'toSafetensors', onnx: 'toONNX' }
const GOLDENS = { safetensors: 'torch_files', onnx: 'onnx_files' }

function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' } }
  })
  const [format] = positionals
  if (!Object.hasOwn(WRITERS, format))
    throw new Error(`Expected one of ${Object.keys(WRITERS)} but received ${format}`)
  const corpus = path.join(root, '.peers/fuzz', format)
  mkdirSync(corpus, { recursive: true })
  for (const normalization of [undefined, 'batch', 'layer']) {
    const network = new NeuralNetwork({ layers: [2, { units: 2, normalization }, 1], seed: 1 })
    writeFileSync(path.join(corpus, `own-${normalization}`), network[WRITERS[format]]())
  }
  const { cases } = require(`../__test__/goldens/${GOLDENS[format]}.json`)
  for (const [i, { file }] of cases.entries()) {
    writeFileSync(path.join(corpus, `golden-${i}`), Buffer.from(file, 'base64'))
  }
  const target = path.join(root, 'target/fuzz')
  const env = { ...process.env, RUSTFLAGS: FLAGS, CARGO_TARGET_DIR: target }
  const folder = path.join(root, 'fuzz')
  // With a target named, build scripts are compiled without the counters.
  const [, host] = /host: (\S+)/.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout)
  const build = ['run', '--release', '--target', host, '--bin', format, '--']
  const args = [...build, corpus, `-max_total_time=${values.seconds}`]
  // Ten times what the largest of its files takes; a hang is a slow file.
  const limits = ['-rss_limit_mb=1024', '-timeout=5', '-max_len=65536', `-artifact_prefix=${corpus}-`]
  const { status } = spawnSync('cargo', [...args, ...limits], { cwd: folder, env, stdio: 'inherit' })
  process.exitCode = status
}

main()
