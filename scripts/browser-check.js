'use strict'

// The modules that networks and models are exported as run in a page, and in a worker of it, of headless Chromium, where
// neither eval nor anything from elsewhere is allowed, and answer what mikir answers.
//
//   node scripts/browser-check.js              CHROMIUM=/path/to/chromium where it is not found; no part of `npm run check`

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, rmSync } = require('node:fs')
const { createServer } = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { Classifier, NeuralNetwork } = require('..')

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']
/** Nothing that looks for the world outside. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

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

/** What the page posts to /found. */
async function inBrowser(files) {
  const chromium = process.env.CHROMIUM ?? NAMES.find((name) => spawnSync(name, ['--version']).status === 0)
  assert.ok(chromium, 'Chromium is needed: set CHROMIUM to its path')
  let post
  const posted = new Promise((resolve) => {
    post = resolve
  })
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = ''
      for await (const part of request) body += part
      post(JSON.parse(body))
      response.end()
      return
    }
    const file = files[request.url]
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': request.url === '/' ? 'text/html' : 'text/javascript',
      // Without unsafe-eval.
      'content-security-policy': "default-src 'self'"
    })
    response.end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const profile = mkdtempSync(path.join(os.tmpdir(), 'mikir-chromium-'))
  const page = `http://127.0.0.1:${server.address().port}/`
  const browser = spawn(chromium, [...FLAGS, `--user-data-dir=${profile}`, page], {
    detached: true,
    stdio: 'ignore'
  })
  const late = setTimeout(() => post({ message: 'nothing came within a minute' }), 60_000)
  try {
    return await posted
  } finally {
    clearTimeout(late)
    const exited = once(browser, 'exit')
    // With its own processes, which write on.
    process.kill(-browser.pid, 'SIGKILL')
    await exited
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

main()
