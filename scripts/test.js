'use strict'

// Tests the core, brings the addon up to date and tests the library through it. Arguments go to `node --test`,
// and files among them are run instead of all: npm test -- --test-name-pattern=xor __test__/network.test.js

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { root, run, runScript } = require('./run.js')

async function main(args) {
  // Node 20 does not expand patterns itself.
  const files = readdirSync(path.join(root, '__test__'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => path.join('__test__', file))
    .sort()
  const chosen = args.some((argument) => argument.endsWith('.test.js')) ? [] : files

  const core = await run('cargo', ['test', '--no-default-features', '--locked'])
  // Cargo knows whether anything has changed since the last build.
  const built = core.ok && (await runScript('scripts/build.js')).ok
  const library = built
    ? await run(process.execPath, ['--test', '--test-reporter=spec', ...args, ...chosen])
    : { ok: false, passed: 0, failed: 0 }

  console.log(`\n${core.passed + library.passed} passed, ${core.failed + library.failed} failed`)
  // A runner that found no test has proved nothing.
  if (!library.ok || core.passed === 0 || library.passed === 0) process.exitCode = 1
}

main(process.argv.slice(2))
