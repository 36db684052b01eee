'use strict'

// The programs of the README and of docs/ run as they stand there, and those in TypeScript compile.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, test } = require('node:test')
const { complaints, ways } = require('../scripts/typecheck.js')

const root = path.join(__dirname, '..')
const pages = [
  'README.md',
  ...['getting-started', 'guide', 'migrating', 'tables'].map((name) => `docs/${name}.md`)
].map((page) => ({
  page,
  text: readFileSync(path.join(root, page), 'utf8')
}))
const folder = mkdtempSync(path.join(tmpdir(), 'mikir-readme-'))
mkdirSync(path.join(folder, 'node_modules'))
symlinkSync(root, path.join(folder, 'node_modules/mikir'), 'junction')
for (const table of ['iris.csv', 'wine.csv'])
  copyFileSync(path.join(root, 'examples/data', table), path.join(folder, table))
after(() => rmSync(folder, { recursive: true }))

/** The code blocks in a language, with the line that each begins on. */
function blocks(language) {
  return pages.flatMap(({ page, text }) =>
    [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
      .filter((found) => found[1] === language)
      .map((found) => ({ code: found[2], page, line: text.slice(0, found.index).split('\n').length + 1 }))
  )
}

test('there are programs', () => {
  assert.ok(blocks('js').length > 0)
  assert.ok(blocks('ts').length > 0)
})

for (const { code, line, page } of blocks('js')) {
  test(`the program on line ${line} of ${page} runs`, () => {
    const file = path.join(
      folder,
      /^import /m.test(code) ? `${path.basename(page)}-${line}.mjs` : `${path.basename(page)}-${line}.cjs`
    )
    writeFileSync(file, code)
    const { status, stderr } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000
    })
    assert.equal(status, 0, stderr)
  })
}

for (const { code, line, page } of blocks('ts')) {
  for (const way of ways) {
    test(`the program on line ${line} of ${page} compiles under ${way}`, () => {
      const file = path.join(folder, `line-${line}.mts`)
      writeFileSync(file, code)
      assert.equal(complaints(way, [file], folder), '')
    })
  }
}
