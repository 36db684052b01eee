'use strict'

// The pages of the API, docs/api/, made from the declarations by TypeDoc:
//
//   node scripts/api.js            makes them anew
//   node scripts/api.js --check    fails where they are not those of the declarations
//
// It fails where a member of the API has no documentation, and where a link leads nowhere. TypeDoc comes from the npm registry
// and stays in .peers/typedoc: it needs a compiler in JavaScript.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync
} = require('node:fs')
const path = require('node:path')
const { installed, root } = require('./run.js')

const PACKAGES = ['typedoc@0.28.20', 'typedoc-plugin-markdown@4.14.1', 'typescript@5.9.3']
const pages = path.join(root, 'docs/api')

const OPTIONS = {
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: ['index.d.ts', 'brain.d.ts'],
  outputFileStrategy: 'modules',
  entryFileName: 'README.md',
  readme: 'none',
  name: 'API',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  sort: ['source-order'],
  sortEntryPoints: false,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  validation: { notDocumented: true, notExported: true, invalidLink: true },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true
}
const COMPILER = {
  compilerOptions: { target: 'es2022', lib: ['es2023', 'dom'], module: 'nodenext', types: [] },
  files: OPTIONS.entryPoints
}

/** The pages as they are made of the declarations, by their paths. */
function made() {
  const typedoc = installed('typedoc', PACKAGES, 'typedoc')
  // Beside the plugin, or it is not found.
  const folder = mkdtempSync(path.join(typedoc, '../../run-'))
  try {
    for (const file of OPTIONS.entryPoints) cpSync(path.join(root, file), path.join(folder, file))
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(COMPILER))
    writeFileSync(path.join(folder, 'typedoc.json'), JSON.stringify({ ...OPTIONS, out: 'out' }))
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(typedoc, 'bin/typedoc')], {
      cwd: folder,
      encoding: 'utf8'
    })
    assert.equal(status, 0, stdout + stderr)
    return contentsOf(path.join(folder, 'out'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function contentsOf(folder) {
  const files = (existsSync(folder) ? readdirSync(folder, { recursive: true }) : [])
    .filter((file) => statSync(path.join(folder, file)).isFile())
    .sort()
  return Object.fromEntries(
    files.map((file) => [file.split(path.sep).join('/'), readFileSync(path.join(folder, file), 'utf8')])
  )
}

const contents = made()
if (process.argv.includes('--check')) {
  const isSame = JSON.stringify(contents) === JSON.stringify(contentsOf(pages))
  assert.ok(isSame, 'docs/api/ is not what the declarations say: node scripts/api.js')
} else {
  rmSync(pages, { recursive: true, force: true })
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(path.dirname(path.join(pages, name)), { recursive: true })
    writeFileSync(path.join(pages, name), text)
  }
}
console.log(`${Object.keys(contents).length} pages`)
