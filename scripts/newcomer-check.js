'use strict'

// What someone does who has just found mikir: in an empty folder, with the packed package, the README to the letter, on every
// runtime and in the usual test runners. It also takes the time from a clone, and from an install, to the first prediction.
//
//   node scripts/newcomer-check.js            runtimes and test runners come from the npm registry, into .peers/
//   node scripts/newcomer-check.js --clone    the clone too: a fresh one is built and tested, some minutes

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { installed, nodeOf, root } = require('./run.js')

const isWindows = process.platform === 'win32'

/** The file that a runtime runs, and the arguments before a program. */
const RUNTIMES = {
  ...Object.fromEntries(
    ['20', '22', '24', '26'].map((version) => [`Node.js ${version}`, () => [nodeOf(version)]])
  ),
  Bun: () => [path.join(withScripts('bun', 'bun'), '../.bin/bun')],
  Deno: () => [path.join(withScripts('deno', 'deno'), '../.bin/deno'), 'run', '--allow-all', '--quiet']
}

/** A package whose own script fetches its program. */
function withScripts(name, main) {
  const folder = installed(name, [name], main)
  const prefix = path.join(folder, '../..')
  must('npm', ['rebuild', '--foreground-scripts', '--prefix', prefix], prefix)
  return folder
}

function must(command, args, cwd, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    shell: isWindows,
    timeout: 1_200_000
  })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}\n${stdout}\n${stderr}`)
  return stdout
}

/** The blocks of code of the README, by their languages. */
function blocksOf(language) {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8')
  return Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')),
    ([, code]) => code
  )
}

const seconds = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`

function told(what, detail = '') {
  console.log(`ok  ${what}${detail === '' ? '' : `: ${detail}`}`)
}

/** An empty folder with the package and the table that the README speaks of. */
function newFolder(parent, tarball, name, type) {
  const folder = path.join(parent, name)
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'new', private: true, type }))
  const start = performance.now()
  must('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, tarball], folder)
  cpSync(path.join(root, 'examples/data/iris.csv'), path.join(folder, 'iris.csv'))
  return { folder, start }
}

/** The commands of the README; those that serve are asked once and ended. */
async function commands(folder) {
  const [, lines] = blocksOf('sh')
  writeFileSync(
    path.join(folder, 'new.csv'),
    readFileSync(path.join(folder, 'iris.csv'), 'utf8').split('\n', 4).join('\n')
  )
  for (const line of lines.trim().split('\n')) {
    const [command, ...args] = line.split(' ')
    assert.equal(command, 'npx')
    if (!/serve|playground/.test(line)) {
      told(line, must('npx', args, folder).trim().split('\n').at(-1))
      continue
    }
    const child = spawn('npx', [...args, '--port', '0'], { cwd: folder, detached: true })
    const address = await new Promise((resolve, reject) => {
      let text = ''
      const read = (chunk) => {
        text += chunk
        const found = /http:\/\/[^\s]+/.exec(text)
        if (found) resolve(found[0])
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.on('close', () => reject(new Error(`${line}: ${text}`)))
    })
    const { status } = await fetch(address)
    // npx and what it started, as Ctrl-C does.
    process.kill(-child.pid, 'SIGINT')
    await once(child, 'close')
    told(line, `${address} answers ${status}`)
  }
}

/** The programs of the README on every runtime. */
function programs(folder) {
  const [scripts, types] = [blocksOf('js'), blocksOf('ts')]
  for (const [i, code] of scripts.entries()) writeFileSync(path.join(folder, `readme-${i}.cjs`), code)
  for (const [i, code] of types.entries()) writeFileSync(path.join(folder, `readme-${i}.mts`), code)
  for (const [name, find] of Object.entries(RUNTIMES)) {
    const [runtime, ...args] = find()
    const times = scripts.map((_, i) => {
      const start = performance.now()
      const printed = must(runtime, [...args, `readme-${i}.cjs`], folder)
      assert.notEqual(printed.trim(), '')
      return seconds(start)
    })
    // Node.js 20 does not know types.
    for (let i = 0; i < types.length && name !== 'Node.js 20'; i++) {
      must(runtime, [...args, `readme-${i}.mts`], folder)
    }
    told(`the README on ${name}`, times.join(', '))
  }
}

const TEST = (head) => `${head}
const rows = [[0, 0], [0, 1], [1, 0], [1, 1]]
describe('mikir', () => {
  test('learns beside the event loop', async () => {
    const network = new NeuralNetwork({ layers: [2, 8, 1], seed: 1 })
    const { stoppedBy, loss } = await network.fit(rows, [[0], [1], [1], [0]], { epochs: 2000, batchSize: 4, learningRate: 0.05 })
    expect(stoppedBy).toBe('epochs')
    expect(loss.at(-1)).toBeLessThan(0.01)
    expect(network.predict([0, 1])[0]).toBeCloseTo(1, 0)
    expect(network.predictBatch(rows)).toHaveLength(4)
    expect(Array.isArray(network.predict([0, 1]))).toBe(true)
  })
  test('takes typed arrays, and refuses by classes of this context', () => {
    const network = new NeuralNetwork(2, 2, 1)
    expect(network.predict(Float32Array.of(0, 1))).toHaveLength(1)
    expect(() => network.predict([1])).toThrow(RangeError)
    expect(() => network.predict(['1', 2])).toThrow(TypeError)
    expect(network.toJSON()).toMatchObject({ format: 'mikir-network' })
  })
  test('reads tables', async () => {
    const model = new Classifier({ ensemble: 1, seed: 1 })
    await model.fit(await Table.readCSV('iris.csv'), { target: 'species', epochs: 5 })
    expect(model.labels).toEqual(['setosa', 'versicolor', 'virginica'])
  })
})
`

/** The test runners that people have, in a folder each. */
function runners(parent, tarball) {
  const jest = newFolder(parent, tarball, 'jest').folder
  writeFileSync(
    path.join(jest, 'one.test.js'),
    TEST("const { Classifier, NeuralNetwork, Table } = require('mikir')")
  )
  cpSync(path.join(jest, 'one.test.js'), path.join(jest, 'two.test.js'))
  must('npm', ['install', '--no-audit', '--no-fund', '--prefix', jest, 'jest'], jest)
  must('npx', ['jest', '--detectOpenHandles'], jest)
  must('npx', ['jest', '--workerThreads', '--maxWorkers=2'], jest)
  told('Jest, in processes and in worker threads')

  const vitest = newFolder(parent, tarball, 'vitest', 'module').folder
  const head =
    "import { describe, expect, test } from 'vitest'\nimport { Classifier, NeuralNetwork, Table } from 'mikir'"
  writeFileSync(path.join(vitest, 'one.test.ts'), TEST(head))
  cpSync(path.join(vitest, 'one.test.ts'), path.join(vitest, 'two.test.ts'))
  must('npm', ['install', '--no-audit', '--no-fund', '--prefix', vitest, 'vitest'], vitest)
  for (const pool of ['forks', 'threads', 'vmThreads'])
    must('npx', ['vitest', 'run', `--pool=${pool}`], vitest)
  told('Vitest, in its three pools')
}

/** The README's commands in a fresh clone. */
function clone(parent) {
  const folder = path.join(parent, 'clone')
  must('git', ['clone', '--quiet', root, folder], parent)
  const start = performance.now()
  must('npm', ['install', '--prefix', folder], folder)
  const printed = must('npm', ['start', '--prefix', folder], folder)
  told('clone: npm install && npm start', `${seconds(start)}\n${printed}`)
  must('npm', ['install', '--prefix', folder], folder)
  told(
    'clone: npm install && npm test',
    must('npm', ['test', '--prefix', folder], folder).trim().split('\n').at(-1)
  )
}

async function main() {
  const parent = mkdtempSync(path.join(tmpdir(), 'mikir-new-'))
  try {
    const packed = must('npm', ['pack', '--json', '--pack-destination', parent], root)
    const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[')))
    const tarball = path.join(parent, filename)
    const { folder, start } = newFolder(parent, tarball, 'readme')
    writeFileSync(path.join(folder, 'first.cjs'), blocksOf('js')[0])
    must(process.execPath, ['first.cjs'], folder)
    told('npm install to the first prediction', seconds(start))
    programs(folder)
    await commands(folder)
    runners(parent, tarball)
    if (process.argv.includes('--clone')) clone(parent)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

main()
