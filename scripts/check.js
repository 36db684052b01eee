'use strict'

// All that continuous integration does, in the order that finds mistakes soonest, up to the first failure.

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { toolchain } = require('./build-web.js')
const { root, run, runScript } = require('./run.js')

const biome = path.join(path.dirname(require.resolve('@biomejs/biome/package.json')), 'bin/biome')
const types = readdirSync(path.join(root, '__test__/types')).map((file) => path.join('__test__/types', file))
const runTests = (file) => run(process.execPath, ['--test-reporter=spec', file])
const strict = ['--locked', '--', '-D', 'warnings']

const steps = {
  'Rust is formatted': () => run('cargo', ['fmt', '--check']),
  'Rust has no lint, with the crossing': () => run('cargo', ['clippy', '--lib', ...strict]),
  'Rust has no lint, the core alone and its tests': () =>
    run('cargo', ['clippy', '--no-default-features', '--all-targets', ...strict]),
  'Rust is documented': () =>
    run('cargo', ['doc', '--no-default-features', '--no-deps', '--locked'], { RUSTDOCFLAGS: '-D warnings' }),
  'JavaScript is formatted and has no lint': () => run(process.execPath, [biome, 'ci', '.']),
  'The pages of the API are those of the declarations': () => runScript('scripts/api.js', ['--check']),
  'The types say what they should': () => runScript('scripts/typecheck.js', types),
  'Older versions of TypeScript understand them too': () => runTests('scripts/typescript-test.js'),
  'The tests pass, the README and the examples among them': () => runScript('scripts/test.js'),
  'They pass with every other instruction set that this processor has': testOtherLevels,
  'They pass on WebAssembly': testOnWasm,
  'Rows come out of databases': () => runTests('scripts/databases-check.js'),
  'The package installs, loads and explains itself': () => runTests('scripts/package-test.js'),
  'Every supported Node.js gives the same answers': () => runTests('scripts/runtimes-test.js')
}

/** The tests with the instruction sets below the one that the tests above had. */
async function testOtherLevels() {
  // Loaded only now: the tests have brought it up to date.
  const { simdLevel, simdLevels } = require('../lib/host.js')
  const total = { ok: true, passed: 0, failed: 0 }
  for (const level of simdLevels.filter((level) => level !== simdLevel)) {
    console.log(`\n--- ${level}`)
    const { ok, passed, failed } = await runScript('scripts/test.js', [], { MIKIR_SIMD: level })
    total.ok &&= ok
    total.passed += passed
    total.failed += failed
  }
  return total
}

/** The tests on WebAssembly, where Rust can build for it. */
async function testOnWasm() {
  if (toolchain() === undefined) {
    console.log('Not tested: rustup target add wasm32-unknown-unknown')
    return { ok: true, passed: 0, failed: 0 }
  }
  const built = await runScript('scripts/build-web.js')
  return built.ok ? runScript('scripts/test.js', ['--library'], { MIKIR_HOST: 'wasm' }) : built
}

async function main() {
  const total = { passed: 0, failed: 0 }
  const summary = []
  for (const [name, step] of Object.entries(steps)) {
    console.log(`\n=== ${name}`)
    const start = performance.now()
    const { ok, passed, failed } = await step()
    total.passed += passed
    // A step that stops before its tests are counted has failed once.
    total.failed += ok ? failed : Math.max(failed, 1)
    const tests = passed + failed > 0 ? `, ${passed} of ${passed + failed} tests` : ''
    summary.push(
      `${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s${tests})`
    )
    if (!ok) {
      process.exitCode = 1
      break
    }
  }
  console.log(`\n=== ${process.exitCode === 1 ? 'npm run check FAILED' : 'npm run check passed'}`)
  console.log(summary.join('\n'))
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
}

main()
