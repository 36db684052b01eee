'use strict'

// Packs the package, installs it in an empty folder and uses it there the ways that users do. The addon must
// be built.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, test } = require('node:test')
const { root } = require('./run.js')
const { complaints, ways } = require('./typecheck.js')

const addon = `mikir.${process.platform}-${process.arch}.node`
const folder = mkdtempSync(path.join(tmpdir(), 'mikir-package-'))
after(() => rmSync(folder, { recursive: true }))
const installed = path.join(folder, 'node_modules/mikir')
/** What needs WebAssembly, which is not built where Rust has no standard library for it. */
const hasWeb = { skip: !existsSync(path.join(root, 'web/node/wasm.cjs')) && 'npm run build:web' }

// A list of packages in one npm, an object of them in another.
const packed = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
const [tarball] = Object.values(packed)

test('the tarball carries the addon, what builds it, and nothing else', () => {
  const files = tarball.files.map((file) => file.path)
  const promised = [
    ...[
      'README.md',
      'LICENSE',
      'package.json',
      'index.js',
      'index.d.ts',
      'lib/host.js',
      'lib/hosts/addon.js',
      addon
    ],
    ...[
      'Cargo.toml',
      'Cargo.lock',
      'build.rs',
      'scripts/build.js',
      'src/lib.rs',
      'src/nn/mod.rs',
      'src/node/mod.rs'
    ]
  ]
  for (const file of promised) assert.ok(files.includes(file), `${file} is missing`)
  const known =
    /^(README\.md|LICENSE|package\.json|(index|brain|wasm)\.(js|d\.ts)|bin\/mikir\.js|lib\/[\w/-]+\.m?js|web\/(mikir\.(mjs|wasm)|playground\.html|node\/wasm\.cjs)|mikir\.[\w-]+\.node|Cargo\.(toml|lock)|build\.rs|scripts\/build\.js|src\/[\w/]+\.rs)$/
  assert.deepEqual(
    files.filter((file) => !known.test(file)),
    []
  )
})

test('it installs in an empty folder, offline and without scripts, and brings nothing along', () => {
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
  npm(
    folder,
    'install',
    '--offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    path.join(folder, tarball.filename)
  )
  const { packages } = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8'))
  assert.deepEqual(Object.keys(packages), ['', 'node_modules/mikir'])
})

const names = '{ Classifier, NeuralNetwork, Neuron, Table }'
const use = `
  const neuron = new Neuron(2)
  neuron.weights = [0.7, 0.3]
  neuron.bias = -15
  const network = new NeuralNetwork(2, 2, 1, { seed: 1 })
  network.train([0, 1], [1])
  if (!(neuron.activate([30, 8]) > 0.5 && network.predict([0, 1])[0] > 0.5)) throw new Error('wrong')
  const table = Table.fromCSV('a,b\\n1,x\\n2,y')
  new Classifier({ ensemble: 1 }).fit(table, { target: 'b', epochs: 1 }).then(({ epochs }) => {
    if (epochs !== 1) throw new Error('wrong')
  })
`

test('require finds it', () => ends(node('use.cjs', `const ${names} = require('mikir')${use}`)))

test('import finds it', () => {
  ends(node('use.mjs', `import ${names} from 'mikir'${use}`))
  ends(node('default.mjs', `import mikir from 'mikir'\nconst ${names} = mikir${use}`))
})

for (const way of ways) {
  test(`TypeScript finds it under ${way}`, () => {
    writeFileSync(path.join(folder, 'use.mts'), `import ${names} from 'mikir'${use}`)
    writeFileSync(
      path.join(folder, 'use.cts'),
      `import mikir = require('mikir')\nconst ${names} = mikir${use}`
    )
    assert.equal(complaints(way, ['use.mts', 'use.cts'], folder), '')
    writeFileSync(
      path.join(folder, 'misuse.mts'),
      `import { NeuralNetwork } from 'mikir'\nnew NeuralNetwork('2', 2, 1)`
    )
    assert.match(complaints(way, ['misuse.mts'], folder), /not assignable to parameter of type 'number'/)
  })
}

test('mikir/wasm is WebAssembly, beside the addon', hasWeb, () => {
  const both = `if (wasm.host !== 'wasm' || mikir.host !== 'addon') throw new Error(wasm.host)`
  ends(
    node(
      'wasm.cjs',
      `const wasm = require('mikir/wasm'), mikir = require('mikir')\n${both}\nconst ${names} = wasm${use}`
    )
  )
  ends(
    node(
      'wasm.mjs',
      `import * as wasm from 'mikir/wasm'\nimport * as mikir from 'mikir'\n${both}\nconst ${names} = wasm${use}`
    )
  )
})

test('WebAssembly is ready soon', hasWeb, (t) => {
  const program = `const start = performance.now(); require('mikir/wasm'); console.log(performance.now() - start)`
  const times = Array.from({ length: 5 }, () => Number(ends(node('soon.cjs', program)))).sort((a, b) => a - b)
  t.diagnostic(`require('mikir/wasm') takes ${times[2].toFixed(1)} ms`)
  assert.ok(times[2] < 300, `${times[2]} ms`)
})

test('require is quick', (t) => {
  const program = `const start = performance.now(); require('mikir'); console.log(performance.now() - start)`
  const times = Array.from({ length: 5 }, () => Number(ends(node('time.cjs', program)))).sort((a, b) => a - b)
  t.diagnostic(`require('mikir') takes ${times[2].toFixed(1)} ms`)
  // Ten times what a small machine needs: only a require that does real work is slower.
  assert.ok(times[2] < 100, `${times[2]} ms`)
})

test('an addon that does not load says so', () => {
  writeFileSync(path.join(installed, addon), 'garbage')
  const message = loadError()
  assert.ok(
    message.includes('\nIt is there but does not load: it may be damaged, or built for another'),
    message
  )
})

test('a missing addon says so', () => {
  rmSync(path.join(installed, addon))
  const message = loadError()
  assert.ok(message.includes(`\n  Cannot find module '../../${addon}'\n`), message)
  assert.ok(message.includes(`\nThere is no ${addon} and no package of mikir for this platform: `), message)
})

test('without the addon it runs on WebAssembly, and warns once', hasWeb, () => {
  const { stdout, stderr, status } = node(
    'fallback.cjs',
    `const ${names} = require('mikir')${use}\nconsole.log(require('mikir').host)`
  )
  assert.equal(status, 0, stderr)
  assert.equal(stdout, 'wasm\n')
  assert.match(
    stderr,
    /^\(node:\d+\) \[MIKIR_HOST\] Warning: mikir could not load its native addon for .*: Cannot find module /
  )
  assert.equal(stderr.match(/Warning/g).length, 1)
  const silent = node(
    'silent.cjs',
    `process.env.MIKIR_HOST = 'wasm'\nconst ${names} = require('mikir')${use}`
  )
  assert.deepEqual([silent.status, silent.stderr], [0, ''])
})

test('another name of a host is refused', () => {
  const program = `process.env.MIKIR_HOST = 'gpu'\ntry { require('mikir') } catch (error) { console.log(error.message) }`
  assert.equal(
    ends(node('host.cjs', program)),
    "Expected 'addon' or 'wasm' for MIKIR_HOST but received 'gpu'\n"
  )
})

test('the command that the error gives stands for files that are there', () => {
  for (const file of ['scripts/build.js', 'Cargo.toml', 'src/lib.rs'])
    assert.ok(existsSync(path.join(installed, file)))
})

/** The message of the error that loading the installed package throws. */
function loadError() {
  const program = `process.env.MIKIR_HOST = 'addon'\n    try { require('mikir') } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`
  const { code, message } = JSON.parse(ends(node('load.cjs', program)))
  assert.equal(code, 'ERR_MIKIR_LOAD')
  const lines = message.split('\n')
  const platform = `${process.platform}-${process.arch} on Node.js ${process.version}`
  assert.equal(lines[0], `mikir could not load its native addon for ${platform}:`)
  assert.match(lines.at(-3), /^To build it here, with Rust 1\.\d+ or newer/)
  assert.equal(lines.at(-2), `  cd ${realpathSync(installed)}`)
  assert.equal(lines.at(-1), '  node scripts/build.js')
  return message
}

/** Runs a program in the folder. */
function node(file, program) {
  writeFileSync(path.join(folder, file), program)
  return spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
}

/** What a process printed, if it ended well. */
function ends({ status, stdout, stderr }) {
  assert.equal(status, 0, stderr)
  return stdout
}

function npm(cwd, ...args) {
  // `--prefix`, because an npm that runs this script tells its children to work in its own folder.
  return ends(
    spawnSync('npm', [...args, '--prefix', cwd], {
      cwd,
      encoding: 'utf8',
      shell: process.platform === 'win32'
    })
  )
}
