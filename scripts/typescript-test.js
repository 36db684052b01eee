'use strict'

// The declarations under the versions of TypeScript that people have. They come from the npm registry and stay in
// .peers/typescript.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { existsSync, mkdirSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { root } = require('./run.js')
const { complaints } = require('./typecheck.js')

/** The oldest, the one before typed arrays were generic, the first where they are, and a later one. */
for (const version of ['5.4', '5.6', '5.7', '5.9']) {
  test(`TypeScript ${version} understands the declarations`, () => {
    const files = ['__test__/types/api.ts', '__test__/types/require.cts']
    if (Number(version) >= 5.7) files.push('__test__/types/generic-arrays.ts')
    assert.equal(complaints('nodenext', files, root, compiler(version)), '')
  })
}

/** The path of a version's compiler, installed if need be. */
function compiler(version) {
  const folder = path.join(root, '.peers/typescript', version)
  const file = path.join(folder, 'node_modules/typescript/bin/tsc')
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true })
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', ['install', ...options, `typescript@${version}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32'
  })
  assert.equal(status, 0, `npm could not install TypeScript ${version}: ${stderr}`)
  return file
}
