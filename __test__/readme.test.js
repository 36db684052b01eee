'use strict'

// The README's programs run as they stand there, and those in TypeScript compile.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, test } = require('node:test')
const { complaints, ways } = require('../scripts/typecheck.js')

const root = path.join(__dirname, '..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(path.join(tmpdir(), 'mikir-readme-'))
mkdirSync(path.join(folder, 'node_modules'))
symlinkSync(root, path.join(folder, 'node_modules/mikir'), 'junction')
after(() => rmSync(folder, { recursive: true }))

/** The code blocks in a language, with the line that each begins on. */
function blocks(language) {
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((found) => found[1] === language)
    .map((found) => ({ code: found[2], line: readme.slice(0, found.index).split('\n').length + 1 }))
}

test('there are programs in the README', () => {
  assert.ok(blocks('js').length > 0)
  assert.ok(blocks('ts').length > 0)
})

for (const { code, line } of blocks('js')) {
  test(`the program on line ${line} runs`, () => {
    const file = path.join(folder, /^import /m.test(code) ? `line-${line}.mjs` : `line-${line}.cjs`)
    writeFileSync(file, code)
    const { status, stderr } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000
    })
    assert.equal(status, 0, stderr)
  })
}

for (const { code, line } of blocks('ts')) {
  for (const way of ways) {
    test(`the program on line ${line} compiles under ${way}`, () => {
      const file = path.join(folder, `line-${line}.mts`)
      writeFileSync(file, code)
      assert.equal(complaints(way, [file], folder), '')
    })
  }
}
