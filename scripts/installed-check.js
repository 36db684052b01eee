'use strict'

// Installs the packages in npm/ into an empty folder, offline, as npm would from a registry, and uses them there: with the
// package of the platform, and without it.
//
//   node scripts/installed-check.js [--runtime=bun|deno]

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..')
const output = path.join(root, 'npm')
const runtime = process.argv.find((argument) => argument.startsWith('--runtime='))?.slice('--runtime='.length)

const USE = `
  import { NeuralNetwork, Table, Classifier, host } from 'mikir'
  const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
  await network.fit([[0, 1], [1, 0]], [[0], [1]], { epochs: 10 })
  const classifier = new Classifier({ ensemble: 1 })
  await classifier.fit(Table.fromCSV('a,b\\n1,x\\n2,y'), { target: 'b', epochs: 1 })
  console.log(host, Number.isFinite(network.predict([0, 1])[0]))
`

function run(command, args, cwd, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32'
  })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}${error?.message ?? ''}`)
  return { stdout, stderr }
}

/** Puts a package where npm would. */
function unpack(folder, file, name) {
  const to = path.join(folder, 'node_modules', name)
  mkdirSync(to, { recursive: true })
  run('tar', ['-xzf', path.join(output, file), '--strip-components=1', '-C', to])
}

/** Whether npm would install a package here. */
function fits({ os, cpu, libc }) {
  const isMusl =
    process.platform === 'linux' &&
    existsSync(`/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`)
  return (
    os.includes(process.platform) &&
    cpu.includes(process.arch) &&
    (libc === undefined || libc.includes(isMusl ? 'musl' : 'glibc'))
  )
}

function uses(folder, env = {}) {
  const [command, ...args] = { bun: ['bun'], deno: ['deno', 'run', '--allow-all'] }[runtime] ?? [
    process.execPath
  ]
  return run(command, [...args, 'use.mjs'], folder, env)
}

function main() {
  const files = readdirSync(output).filter((file) => file.endsWith('.tgz'))
  const own = files.find((file) => /^mikir-\d/.test(file))
  assert.ok(own, 'npm/ has no package: node scripts/pack.js')
  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-installed-'))
  try {
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
    writeFileSync(path.join(folder, 'use.mjs'), USE)
    unpack(folder, own, 'mikir')
    const { optionalDependencies, version } = JSON.parse(
      readFileSync(path.join(folder, 'node_modules/mikir/package.json'))
    )
    assert.ok(Object.values(optionalDependencies).every((asked) => asked === version))

    const alone = uses(folder)
    assert.equal(alone.stdout, 'wasm true\n')
    // Bun and Deno write warnings in ways of their own.
    if (runtime === undefined) assert.match(alone.stderr, /Warning: mikir could not load its native addon/)
    console.log('without a package of the platform: WebAssembly')

    const installed = []
    for (const name of Object.keys(optionalDependencies)) {
      const file = files.find((known) => known.startsWith(`mikir-${name.slice('@mikir/'.length)}-`))
      if (file === undefined) continue
      unpack(folder, file, name)
      const known = JSON.parse(readFileSync(path.join(folder, 'node_modules', name, 'package.json')))
      if (fits(known)) installed.push(name)
      else rmSync(path.join(folder, 'node_modules', name), { recursive: true })
    }
    if (installed.length === 0) return console.log('no package of this platform is in npm/')
    assert.equal(installed.length, 1, String(installed))
    const { stdout, stderr } = uses(folder, { MIKIR_HOST: 'addon' })
    assert.deepEqual([stdout, runtime === undefined ? stderr : ''], ['addon true\n', ''])
    console.log(`with ${installed[0]}: the addon`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
