'use strict'

// The declarations under the versions of TypeScript that people have. They come from the npm registry and stay in
// .peers/typescript.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { installed, root } = require('./run.js')
const { complaints } = require('./typecheck.js')

/** The oldest, the one before typed arrays were generic, the first where they are, and a later one. */
for (const version of ['5.4', '5.6', '5.7', '5.9']) {
  test(`TypeScript ${version} understands the declarations`, () => {
    const files = ['__test__/types/api.ts', '__test__/types/require.cts']
    if (Number(version) >= 5.7) files.push('__test__/types/generic-arrays.ts')
    assert.equal(complaints('nodenext', files, root, compiler(version)), '')
  })
}

/** The path of a version's compiler. */
function compiler(version) {
  const folder = installed(`typescript/${version}`, [`typescript@${version}`], 'typescript')
  return path.join(folder, 'bin/tsc')
}
