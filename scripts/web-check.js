'use strict'

// The package for pages, web/mikir.mjs, in a page and in a worker of headless browsers: the same bits as in Node.js, tables,
// files in memory, abort, errors, and how a page goes on while a network trains in it. Built by scripts/build-web.js.
//
//   node scripts/web-check.js [chromium] [firefox]        all that there are; no part of `npm run check`

const assert = require('node:assert/strict')
const { readFileSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const esbuild = require('esbuild')
const { commandOf, inBrowser } = require('./browser.js')
const { root } = require('./run.js')

const PAGE = `<!doctype html><title>mikir</title><script type="module" src="/page.mjs"></script>`

const SUITE = `
import { lines } from './scripts/bits.js'
import * as mikir from 'mikir'

export async function answers() {
  const { Classifier, NeuralNetwork, Table, crossValidate, host } = mikir
  const refused = async (body) => {
    try {
      await body()
    } catch (error) {
      return [String(error.code).startsWith('ERR_') ? error.code : error.name, error.message]
    }
  }
  const network = new NeuralNetwork({ layers: [2, 8, 1], seed: 1 })
  const rows = [[0, 0], [0, 1], [1, 0], [1, 1]]
  const reports = []
  const history = await network.fit(rows, [[0], [1], [1], [0]], {
    epochs: 500, learningRate: 0.05, onEpoch: ({ epoch }) => void reports.push(epoch)
  })
  const controller = new AbortController()
  const endless = network.fit(rows, [[0], [1], [1], [0]], { epochs: 1e9, signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  const text = 'size,colour,kind\\n' + Array.from({ length: 200 }, (_, i) =>
    i % 9 + ',' + (i % 2 ? 'red' : 'blue') + ',' + (i % 9 > 4 ? 'big' : 'small')).join('\\n')
  const table = Table.fromCSV(text)
  const classifier = new Classifier({ seed: 1, ensemble: 2, hidden: [8] })
  await classifier.fit(table, { target: 'kind' })
  return {
    host,
    lines: lines(),
    epochs: [history.epochs, reports.length],
    aborted: await refused(() => endless),
    path: await refused(() => network.save('network.json')),
    table: await refused(() => Table.readCSV('table.csv')),
    checkpoint: await refused(() => network.fit(rows, rows.map(() => [0]), { checkpoint: { path: 'x.mikir' } })),
    wrong: await refused(() => network.predict([1])),
    again: NeuralNetwork.fromONNX(network.toONNX()).predict([0, 1])[0] - network.predict([0, 1])[0],
    accuracy: (await classifier.evaluate(table)).accuracy,
    mean: (await crossValidate(new Classifier({ ensemble: 1, seed: 1 }), table, { target: 'kind', folds: 3 })).mean
  }
}
`

/** How the page goes on while a network of 784-128-10 trains in it, in milliseconds between two pictures. */
const SMOOTH = `
import { NeuralNetwork } from 'mikir'
export async function smooth() {
  const count = 20000
  const inputs = Float32Array.from({ length: count * 784 }, (_, i) => Math.sin(i))
  const targets = Array.from({ length: count }, (_, i) => i % 10)
  const network = new NeuralNetwork({ layers: [784, 128, 10], loss: 'crossEntropy', seed: 1 })
  const gaps = []
  let last
  let isDone = false
  const look = (now) => {
    if (last !== undefined) gaps.push(now - last)
    last = now
    if (!isDone) requestAnimationFrame(look)
  }
  const start = performance.now()
  const fit = network.fit(inputs, targets, { epochs: 1000, timeout: 3000, batchSize: 32 })
  requestAnimationFrame(look)
  await fit
  isDone = true
  const took = performance.now() - start
  gaps.sort((a, b) => a - b)
  return { perSecond: gaps.length / took * 1000, median: gaps[gaps.length >> 1], longest: gaps.at(-1) }
}
`

async function build(source) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    plugins: [
      {
        name: 'for pages',
        setup({ onResolve }) {
          onResolve({ filter: /^(mikir|\.\.)$/ }, () => ({ path: '/mikir.mjs', external: true }))
          onResolve({ filter: /^node:crypto$/ }, () => ({ path: path.join(root, 'lib/web/node.js') }))
          onResolve({ filter: /^node:util$/ }, () => ({ path: path.join(root, 'lib/web/util.js') }))
        }
      }
    ],
    stdin: { contents: source, resolveDir: root },
    target: 'es2022',
    write: false
  })
  // A bundle of CommonJS asks for what is beside it with require().
  return `import * as required from '/mikir.mjs'\nconst require = () => required\n${outputFiles[0].text}`
}

async function main(asked) {
  const suite = await build(SUITE)
  const mikir = readFileSync(path.join(root, 'web/mikir.mjs'), 'utf8')
  const files = {
    '/': PAGE,
    '/mikir.mjs': mikir,
    '/suite.mjs': suite,
    '/smooth.mjs': await build(SMOOTH),
    '/worker.mjs': `import { answers } from '/suite.mjs'\npostMessage(await answers())\n`,
    '/page.mjs': `
      const found = (value) => fetch('/found', { method: 'POST', body: JSON.stringify(value) })
      try {
        const { answers } = await import('/suite.mjs')
        const { smooth } = await import('/smooth.mjs')
        const page = await answers()
        const worker = await new Promise((resolve, reject) => {
          const begun = new Worker('/worker.mjs', { type: 'module' })
          begun.onmessage = ({ data }) => resolve(data)
          begun.onerror = ({ message }) => reject(new Error(message))
        })
        await found({ page, worker, smooth: await smooth() })
      } catch (error) {
        await found({ message: String(error?.stack ?? error) })
      }`
  }
  const here = await inNode(suite)
  const browsers = asked.length > 0 ? asked : ['chromium', 'firefox'].filter(commandOf)
  assert.ok(browsers.length > 0, 'no browser is here')
  for (const browser of browsers) {
    // Without eval: a module of WebAssembly has a word of its own.
    const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
    const found = await inBrowser(files, { browser, policy })
    assert.equal(found.message, undefined)
    for (const place of ['page', 'worker']) {
      const { lines, aborted, path: refusal, table, checkpoint, ...rest } = found[place]
      assert.deepEqual(lines, here.lines, `${browser}: other bits`)
      assert.equal(aborted[0], 'AbortError')
      for (const [code] of [refusal, table, checkpoint]) assert.equal(code, 'ERR_MIKIR_UNSUPPORTED')
      assert.deepEqual(rest, {
        host: 'wasm',
        epochs: [500, 500],
        wrong: ['ERR_MIKIR_INVALID_LENGTH', 'Expected 2 numbers for inputs but received 1'],
        again: 0,
        accuracy: 1,
        mean: rest.mean
      })
      assert.ok(rest.mean > 0.95, `${rest.mean}`)
      console.log(
        `${browser}, ${place}: ${lines.length} networks of the same bits as in Node.js, and all the rest`
      )
    }
    const { perSecond, median, longest } = found.smooth
    console.log(
      `${browser}: ${perSecond.toFixed(0)} pictures a second while a fit runs in the page, ${median.toFixed(1)} ms between two, at most ${longest.toFixed(0)}`
    )
  }
}

/** The same answers, in this process. */
async function inNode(suite) {
  const file = path.join(root, 'web/check.mjs')
  writeFileSync(
    file,
    suite.replaceAll("'/mikir.mjs'", "'./mikir.mjs'").replaceAll('"/mikir.mjs"', '"./mikir.mjs"')
  )
  try {
    const { answers } = await import(pathToFileURL(file))
    return await answers()
  } finally {
    rmSync(file)
  }
}

main(process.argv.slice(2))
