'use strict'

// The modules that networks and models are exported as run in a page, and in a worker of it, of headless Chromium, where
// neither eval nor anything from elsewhere is allowed, and answer what mikir answers.
//
//   node scripts/browser-check.js              CHROMIUM=/path/to/chromium where it is not found; no part of `npm run check`

const assert = require('node:assert/strict')
const { Classifier, NeuralNetwork } = require('..')
const { inBrowser } = require('./browser.js')

const PAGE = `<!doctype html><title>modules</title><pre id="found"></pre><script type="module" src="/page.js"></script>`
/** Answers in the page, and in a worker that it begins. */
const SCRIPT = `
import { answers } from '/answers.js'
const worker = new Worker('/worker.js', { type: 'module' })
worker.onmessage = ({ data }) => fetch('/found', { method: 'POST', body: JSON.stringify({ page: answers(), worker: data }) })
worker.onerror = ({ message }) => fetch('/found', { method: 'POST', body: JSON.stringify({ message }) })
`
const WORKER = `import { answers } from '/answers.js'\npostMessage(answers())\n`

async function main() {
  const networks = ['relu', 'tanh', 'gelu', 'mish', 'softplus'].map(
    (activation, seed) =>
      new NeuralNetwork({ layers: [3, { units: 40, activation }, 4], loss: 'crossEntropy', seed })
  )
  const inputs = [
    [0.1, -2, 3],
    [0, 0, 0],
    [-1, 5, 0.25]
  ]
  const rows = Array.from({ length: 60 }, (_, i) => ({
    size: i % 7,
    colour: i % 2 ? 'red' : 'blue',
    kind: i % 7 > 3 ? 'big' : 'small'
  }))
  const classifier = new Classifier({ seed: 1, ensemble: 2, hidden: [8] })
  await classifier.fit(rows, { target: 'kind', epochs: 5 })
  const expected = {
    networks: networks.map((network) => inputs.map((row) => network.predict(row))),
    kinds: classifier.predict(rows)
  }
  const imports = networks.map((_, k) => `import { predict as p${k} } from '/network-${k}.js'`)
  const files = {
    '/': PAGE,
    '/page.js': SCRIPT,
    '/worker.js': WORKER,
    '/model.js': classifier.toModule(),
    ...Object.fromEntries(networks.map((network, k) => [`/network-${k}.js`, network.toModule()])),
    '/answers.js': `${imports.join('\n')}
import { predict } from '/model.js'
export const answers = () => ({
  networks: [${networks.map((_, k) => `p${k}`)}].map((predict) => ${JSON.stringify(inputs)}.map((row) => predict(row))),
  kinds: ${JSON.stringify(rows)}.map((row) => predict(row))
})\n`
  }
  const found = await inBrowser(files)
  for (const place of ['page', 'worker']) {
    assert.deepEqual(found[place]?.kinds, expected.kinds, JSON.stringify(found.message))
    for (const [i, x] of expected.networks.flat(2).entries()) {
      assert.ok(Math.abs(found[place].networks.flat(2)[i] - x) < 1e-12)
    }
    console.log(`${place}: ${networks.length} networks within 1e-12, a classifier of ${rows.length} rows`)
  }
}

main()
