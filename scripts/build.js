'use strict'

// Builds the addon and puts it where lib/hosts/addon.js looks for it. With --dev quickly: for the inner loop of work on
// the Rust side, several times slower to run.

const { spawnSync } = require('node:child_process')
const { copyFileSync, renameSync } = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const profile = process.argv.includes('--dev') ? [] : ['--release']
// The library for Node.js alone: built along with the one for Rust, some loops take half as long again.
const cargo = spawnSync(
  'cargo',
  [
    'rustc',
    ...profile,
    '--locked',
    '--lib',
    '--crate-type=cdylib',
    '--message-format=json-render-diagnostics'
  ],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 }
)
if (cargo.error?.code === 'ENOENT') {
  fail('Building mikir needs Rust 1.89 or newer, and there is no `cargo` here: see https://rustup.rs')
}
if (cargo.error) fail(`cargo did not run: ${cargo.error.message}`)
if (cargo.status !== 0) fail(`cargo build failed with exit code ${cargo.status}.`)

const library = cargo.stdout
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .filter((message) => message.reason === 'compiler-artifact' && message.target.name === 'mikir')
  .flatMap((message) => message.filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file))
if (library === undefined) fail('cargo built no dynamic library.')

// A process may have the old addon mapped: a new file takes its name, its bytes are never overwritten.
const addon = path.join(root, `mikir.${process.platform}-${process.arch}.node`)
copyFileSync(library, `${addon}.new`)
renameSync(`${addon}.new`, addon)
console.log(`built ${path.basename(addon)}`)

function fail(message) {
  console.error(message)
  process.exit(1)
}
