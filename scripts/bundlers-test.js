'use strict'

// Every block of docs/bundlers.md, as it stands there, with what npm has now: the files are written, the commands run,
// and the program has to print what it prints without a bundler. The addon must be built. The bundlers are installed into
// .peers/ (a minute the first time); no part of `npm run check`.
//
//   node scripts/bundlers-test.js

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root } = require('./run.js')

const PACKAGES = {
  bundlers: ['esbuild', 'webpack', 'webpack-cli', 'node-loader', 'rollup', 'vite', '@vercel/ncc', 'postject'],
  next: ['next', 'react', 'react-dom']
}

/** The sections whose programs need no package beside them. */
const ALONE = [
  'For browsers: esbuild',
  'For browsers: Vite',
  'For browsers: webpack',
  'esbuild',
  'esbuild, as an ES module',
  'webpack',
  'ncc',
  'Single executables'
]

const use = `
const network = new NeuralNetwork(2, 3, 1, { seed: 1 })
network.fitSync([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]], { epochs: 100 })
`
// WebAssembly has other last bits.
const print = 'console.log(network.predict([0, 1])[0].toFixed(6))\n'
const APP = {
  'app.js': `const { NeuralNetwork } = require('mikir')${use}${print}`,
  'app.mjs': `import { NeuralNetwork } from 'mikir'${use}${print}`,
  'app/layout.js': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>\n',
  'app/page.js': `import { NeuralNetwork } from 'mikir'
    export default function Page() { ${use} return <p>{network.predict([0, 1])[0].toFixed(6)}</p> }\n`
}

const text = readFileSync(path.join(root, 'docs/bundlers.md'), 'utf8')
const sections = text
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    name: section.slice(0, section.indexOf('\n')),
    blocks: [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
      language,
      code
    }))
  }))
  .filter(({ blocks }) => blocks.some(({ language }) => language === 'sh'))

describe('docs/bundlers.md', () => {
  const expected = run(install('bundlers'), 'node app.js').trim()
  for (const { name, blocks } of sections) {
    test(name, () => {
      const folder = install(name === 'Next.js' ? 'next' : 'bundlers')
      rmSync(path.join(folder, 'out'), { recursive: true, force: true })
      const commands = []
      for (const { language, code } of blocks) {
        if (language === 'sh') commands.push(...code.trim().split('\n'))
        else write(folder, code, language)
      }
      const last = name === 'Next.js' ? undefined : commands.pop()
      for (const command of commands) run(folder, command)
      if (last === undefined) {
        const page = readFileSync(path.join(folder, '.next/server/app/index.html'), 'utf8')
        assert.ok(page.includes(expected), page)
        return
      }
      const printed = ALONE.includes(name) ? without(folder, () => run(folder, last)) : run(folder, last)
      assert.equal(printed.trim(), expected)
    })
  }
})

/** A folder with the program, mikir as users install it, and bundlers. */
function install(kind) {
  const folder = path.join(root, '.peers', kind)
  const mikir = path.join(folder, 'node_modules/mikir')
  mkdirSync(folder, { recursive: true })
  if (!PACKAGES[kind].every((name) => existsSync(path.join(folder, 'node_modules', name)))) {
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    run(folder, `npm install --no-audit --no-fund --ignore-scripts ${PACKAGES[kind].join(' ')}`)
  }
  rmSync(mikir, { recursive: true, force: true })
  const { files } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const addon = `mikir.${process.platform}-${process.arch}.node`
  for (const file of ['package.json', addon, ...files.filter((file) => existsSync(path.join(root, file)))]) {
    cpSync(path.join(root, file), path.join(mikir, file), { recursive: true })
  }
  for (const [file, code] of Object.entries(APP)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), code)
  }
  return folder
}

/** Writes a block into the file that its first line names. */
function write(folder, code, language) {
  const [, name, rest] = code.match(/^\/\/ (\S+)\n(.*)$/s)
  writeFileSync(path.join(folder, name), language === 'json' ? rest : code)
}

/** What `call` gives where the package cannot be found. */
function without(folder, call) {
  const [here, away] = ['node_modules/mikir', 'node_modules/.away'].map((name) => path.join(folder, name))
  renameSync(here, away)
  try {
    return call()
  } finally {
    renameSync(away, here)
  }
}

/** Runs a line of a shell: what it prints. */
function run(folder, command) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  const { status, stdout, stderr } = spawnSync(command, { cwd: folder, env, shell: true, encoding: 'utf8' })
  assert.equal(status, 0, `${command}\n${stdout}\n${stderr}`)
  return stdout
}
