'use strict'

// Tests the core, brings the addon up to date and tests the library through it. Arguments go to `node --test`. With
// files among them only those are run, on the addon as it is:
// npm test -- --test-name-pattern=xor __test__/network.test.js

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { root, run, runScript } = require('./run.js')

async function main(args) {
  // Node 20 does not expand patterns itself.
  const files = readdirSync(path.join(root, '__test__'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => path.join('__test__', file))
    .sort()
  if (args.some((argument) => argument.endsWith('.test.js'))) return report(await testLibrary(args))

  // Those of the library alone, on the host that MIKIR_HOST names.
  if (args.includes('--library')) {
    const rest = args.filter((argument) => argument !== '--library')
    return report(await testLibrary([...rest, ...files.filter(isForHost)]))
  }

  const core = await run('cargo', ['test', '--no-default-features', '--locked'])
  // Cargo knows whether anything has changed since the last build.
  const built = core.ok && (await runScript('scripts/build.js')).ok
  const library = built ? await testLibrary([...args, ...files]) : { ok: false, passed: 0, failed: 0 }
  report(core, library)
}

/** The addon has tests of its own functions. */
function isForHost(file) {
  return process.env.MIKIR_HOST !== 'wasm' || path.basename(file) !== 'native.test.js'
}

function testLibrary(args) {
  return run(process.execPath, ['--test', '--test-reporter=spec', ...args])
}

function report(...runs) {
  const sum = (key) => runs.reduce((total, counts) => total + counts[key], 0)
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
  // A runner that found no test has proved nothing.
  if (runs.some(({ ok, passed }) => !ok || passed === 0)) process.exitCode = 1
}

main(process.argv.slice(2))
