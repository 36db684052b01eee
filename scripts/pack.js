'use strict'

// Packs what is published: the package as it is here, and beside it the packages of all platforms by exactly its version,
// of which npm installs the one that fits. The addon of this machine stays out.
//
//   node scripts/pack.js                       into npm/; the package for pages must be built

const { spawnSync } = require('node:child_process')
const { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const description = require('../package.json')
const { optionalDependencies } = require('./platforms.js')
const { root } = require('./run.js')

function main() {
  if (!existsSync(path.join(root, 'web/node/wasm.cjs'))) throw new Error('npm run build:web first')
  const output = path.join(root, 'npm')
  mkdirSync(output, { recursive: true })
  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-pack-'))
  try {
    const files = description.files.filter((file) => file !== '*.node')
    for (const file of [...files, 'README.md', 'LICENSE']) {
      cpSync(path.join(root, file), path.join(folder, file), { recursive: true })
    }
    const { devDependencies, scripts, ...published } = description
    writeFileSync(
      path.join(folder, 'package.json'),
      `${JSON.stringify({ ...published, files, optionalDependencies }, null, 2)}\n`
    )
    const packed = spawnSync('npm', ['pack', folder, '--pack-destination', output], {
      stdio: 'inherit',
      shell: process.platform === 'win32'
    })
    if (packed.status !== 0) throw new Error('npm pack failed')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
