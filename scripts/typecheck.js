'use strict'

// Type-checks files the ways that TypeScript users compile them: node scripts/typecheck.js <file>...

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')

/** How modules are found, and the options that ask for it. */
const WAYS = {
  node16: ['--module', 'node16'],
  nodenext: ['--module', 'nodenext'],
  bundler: ['--module', 'preserve', '--moduleResolution', 'bundler']
}

/** What a compiler has to say about `files` in `folder` under a way: nothing, if all is well. */
function complaints(way, files, folder, tsc = compiler) {
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom', ...WAYS[way]]
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...options, ...files], {
    cwd: folder,
    encoding: 'utf8'
  })
  return status === 0 ? '' : stdout + stderr || `the compiler ended with ${status}`
}

if (require.main === module) {
  for (const way of Object.keys(WAYS)) {
    const said = complaints(way, process.argv.slice(2), process.cwd())
    console.log(`${way}: ${said || 'no complaints'}`)
    if (said) process.exitCode = 1
  }
}

module.exports = { complaints, ways: Object.keys(WAYS) }
