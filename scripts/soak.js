'use strict'

// Everything the library does, over and over, while memory, open files and threads are watched:
//
//   node --expose-gc scripts/soak.js                 an hour
//   node --expose-gc scripts/soak.js --minutes=5
//   node --expose-gc scripts/soak.js --only=workers,files
//
// It fails where a job throws, and where the last quarter of the time needs more than the second one.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setImmediate: turn } = require('node:timers/promises')
const { parseArgs } = require('node:util')
const { Worker } = require('node:worker_threads')
const { Classifier, NeuralNetwork, Regressor, Table, load } = require('..')
const { median } = require('../benchmark/common.js')
const brain = require('../brain.js')
const { root } = require('./run.js')

const MB = 2 ** 20
/** How much more the end may need: what the allocator keeps varies by some megabytes. */
const SLACK = 12 * MB

const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-soak-'))
const file = (name) => path.join(folder, name)
const iris = path.join(root, '__test__/data/iris.csv')

const XOR = [
  { input: [0, 0], output: [0] },
  { input: [0, 1], output: [1] },
  { input: [1, 0], output: [1] },
  { input: [1, 1], output: [0] }
]
const rows = (count, size) => Array.from({ length: count }, () => Array.from({ length: size }, Math.random))
const [inputs, targets] = [rows(400, 20), rows(400, 3)]

const jobs = {
  async onlineTraining() {
    const network = new NeuralNetwork(2, 2, 1)
    for (let i = 0; i < 2000; i++) {
      const { input, output } = XOR[i % 4]
      network.train(input, output)
      network.predict(input)
    }
  },

  async manyNetworks() {
    const networks = Array.from({ length: 300 }, (_, i) => new NeuralNetwork(50, 1 + (i % 40), 5))
    for (const network of networks) network.predict(inputs[0].concat(inputs[1], inputs[2]).slice(0, 50))
  },

  async fitBesidePredict() {
    const network = new NeuralNetwork({
      layers: [20, { units: 32, normalization: 'batch', dropout: 0.1 }, 3],
      precision: 'f32'
    })
    let isDone = false
    const training = network.fit(inputs, targets, {
      epochs: 30,
      validation: 0.2,
      earlyStopping: { patience: 5 }
    })
    training.then(() => {
      isDone = true
    })
    while (!isDone) {
      network.predict(inputs[0])
      await turn()
    }
    network.evaluate(inputs, targets)
    network.predictBatch(inputs)
  },

  async aborts() {
    const network = new NeuralNetwork(20, 16, 3)
    const controller = new AbortController()
    const training = network.fit(inputs, targets, {
      epochs: 1e6,
      signal: controller.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 5) controller.abort()
      }
    })
    await assert.rejects(training, { name: 'AbortError' })
  },

  async files() {
    const network = new NeuralNetwork({ layers: [20, { units: 16, activation: 'gelu' }, 3] })
    for (const ending of ['json', 'safetensors', 'onnx', 'mjs']) {
      await network.save(file(`network.${ending}`))
      if (ending === 'mjs') continue
      const again = await load(file(`network.${ending}`))
      assert.equal(again.predict(inputs[0]).length, 3)
    }
  },

  async checkpoints() {
    const checkpoint = file('network.checkpoint')
    const network = new NeuralNetwork(20, 8, 3)
    await network.fit(inputs, targets, { epochs: 4, checkpoint: { path: checkpoint, everyEpochs: 1 } })
    await new NeuralNetwork(20, 8, 3).fit(inputs, targets, { epochs: 6, resume: checkpoint })
  },

  async trainers() {
    const network = new NeuralNetwork({ layers: [20, 16, 3], precision: 'f32' })
    const trainer = network.trainer({ optimizer: 'adamw' })
    for (let i = 0; i < 200; i++) trainer.step([inputs[i]], [targets[i]])
    await trainer.fit(inputs, targets, { epochs: 2 })
  },

  async tables() {
    const [train, test] = (await Table.readCSV(iris)).split({ stratify: 'species' })
    const classifier = new Classifier({ ensemble: 2 })
    await classifier.fit(train, { target: 'species', epochs: 5 })
    await classifier.evaluate(test)
    await classifier.save(file('iris.json'))
    const again = await load(file('iris.json'))
    const [flower] = test.rows()
    again.predict(flower)
    const regressor = new Regressor({ ensemble: 1 })
    await regressor.fit(train, { target: train.columns[0].name, epochs: 5 })
  },

  async mistakes() {
    const network = new NeuralNetwork(2, 2, 1)
    for (const wrong of [null, [1], [1, NaN], ['1', 2], new Proxy([], {}), new Float32Array(9)]) {
      assert.throws(() => network.predict(wrong), { code: /^ERR_MIKIR/ })
    }
    assert.throws(() => network.fitSync([[1, 2]], [[Infinity]], {}), { code: /^ERR_MIKIR/ })
    writeFileSync(file('broken.onnx'), Buffer.alloc(5000, 0x5a))
    await assert.rejects(load(file('broken.onnx')), { code: /^ERR_MIKIR/ })
    await assert.rejects(Table.readCSV(file('none.csv')))
  },

  async workers() {
    const source = `
      const { NeuralNetwork } = require(${JSON.stringify(root)})
      const network = new NeuralNetwork(2, 4, 1)
      network.fitSync(${JSON.stringify(XOR)}, { epochs: 50 })
      network.fit(${JSON.stringify(XOR)}, { epochs: 1e9 })
      require('node:worker_threads').parentPort.postMessage(network.predict([0, 1]))`
    const worker = new Worker(source, { eval: true })
    await once(worker, 'message')
    await worker.terminate()
  },

  async brain() {
    const network = new brain.NeuralNetwork({ hiddenLayers: [3] })
    await network.trainAsync(XOR, { iterations: 200 })
    new brain.NeuralNetwork().fromJSON(network.toJSON()).run([0, 1])
  },

  async webAssembly() {
    if (!existsSync(path.join(root, 'web/mikir.wasm'))) return
    const wasm = require('../wasm.js')
    const network = new wasm.NeuralNetwork({ layers: [20, 16, 3], precision: 'f32' })
    await network.fit(inputs, targets, { epochs: 5 })
    network.predictBatch(inputs)
    await turn()
  }
}

/** What the process holds after what nobody holds is given back. */
async function held() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await turn()
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  const count = (what) => (process.platform === 'linux' ? readdirSync(`/proc/self/${what}`).length : 0)
  return { rss, heapUsed, external, files: count('fd'), threads: count('task') }
}

async function main() {
  const options = { minutes: { type: 'string', default: '60' }, only: { type: 'string' } }
  const { values } = parseArgs({ options })
  const chosen = values.only?.split(',') ?? Object.keys(jobs)
  const end = performance.now() + Number(values.minutes) * 60_000
  /** Forty looks, ten to a quarter. */
  const pause = (Number(values.minutes) * 60_000) / 40
  const looks = []
  let rounds = 0
  let next = performance.now() + pause
  while (performance.now() < end) {
    for (const name of chosen) await jobs[name]()
    rounds += 1
    if (performance.now() < next) continue
    next += pause
    const look = await held()
    looks.push(look)
    const { rss, heapUsed, external, files, threads } = look
    const [total, heap, outside] = [rss, heapUsed, external].map((bytes) => (bytes / MB).toFixed(1))
    console.log(
      `${looks.length}: ${rounds} rounds, ${total} MB, JavaScript ${heap} MB, buffers ${outside} MB, ` +
        `${files} files, ${threads} threads`
    )
  }
  const quarter = Math.floor(looks.length / 4)
  const [early, late] = [looks.slice(quarter, 2 * quarter), looks.slice(-quarter)]
  for (const key of ['rss', 'heapUsed', 'external', 'files', 'threads']) {
    const of = (quarter) => median(quarter.map((look) => look[key]))
    const slack = key === 'files' || key === 'threads' ? 0 : SLACK
    console.log(`${key}: second quarter ${of(early)}, last ${of(late)}`)
    assert.ok(of(late) <= of(early) + slack, `${key} grew from ${of(early)} to ${of(late)}`)
  }
}

main().finally(() => rmSync(folder, { recursive: true, force: true }))
