'use strict'

// Answers over HTTP: `mikir serve` under load, beside ONNX Runtime behind the same server. A network of 784-128-10, a row a
// request, 64 connections of this machine alone; and a Classifier of iris, whose rows are prepared too.
//
//   npm run bench -- serve                    a minute a rival
//   npm run bench -- serve --seconds=5        sooner
//
// The peers are installed into .peers/ by the first run, with npm.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { digits, machine, printTable, readFlags } = require('./common.js')
const { install, load, namesWith } = require('./peers/npm.js')

const LAYERS = [784, 128, 10]
const PICTURE = JSON.stringify(Array.from({ length: LAYERS[0] }, (_, i) => Math.abs(Math.sin(i))))
const FLOWER =
  '{"sepal length (cm)":5.1,"sepal width (cm)":3.5,"petal length (cm)":1.4,"petal width (cm)":0.2}'
const RIVALS = {
  'mikir, 784-128-10': { body: PICTURE },
  'ONNX Runtime, 784-128-10': { peer: 'onnxruntime-node', body: PICTURE },
  'mikir, Classifier of iris': { body: FLOWER }
}

async function main() {
  const seconds = Number(readFlags({ seconds: { type: 'string', default: '60' } }).seconds)
  const peers = install(['autocannon', 'onnxruntime-node'])
  const autocannon = load('autocannon')
  const rows = []
  for (const name of namesWith(peers, RIVALS)) {
    const server = fork(__filename, ['server', name])
    const [port] = await once(server, 'message')
    const measured = await autocannon({
      url: `http://127.0.0.1:${port}/predict`,
      method: 'POST',
      body: RIVALS[name].body,
      connections: 64,
      duration: seconds
    })
    server.send('memory')
    const [{ first, last }] = await once(server, 'message')
    server.kill()
    const { errors, latency, non2xx, requests } = measured
    const MB = (bytes) => digits(bytes / 2 ** 20)
    rows.push([
      name,
      digits(requests.average),
      latency.p50,
      latency.p99,
      errors + non2xx,
      MB(first),
      MB(last)
    ])
  }
  console.log(`${seconds} seconds each. ${machine()}.\n`)
  printTable(
    ['rival', 'answers a second', 'ms, median', 'ms, 99 %', 'errors', 'MB after 2 s', 'MB at the end'],
    rows,
    1
  )
}

async function serve(name) {
  const { serverOf, servedOf } = require('../lib/command/serve.js')
  const server = serverOf(await (name.startsWith('ONNX') ? servedOfOnnx() : servedOfMikir(name, servedOf)))
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
  let first
  setTimeout(() => {
    first = process.memoryUsage.rss()
  }, 2000)
  process.on('message', () => process.send({ first, last: process.memoryUsage.rss() }))
}

async function servedOfMikir(name, servedOf) {
  const { Classifier, Table } = require('..')
  if (!name.includes('iris')) return servedOf(networkOf())
  const model = new Classifier({ seed: 1 })
  await model.fit(await Table.readCSV(path.join(__dirname, '../examples/data/iris.csv')), {
    target: 'species'
  })
  return servedOf(model)
}

async function servedOfOnnx() {
  const { InferenceSession, Tensor } = load('onnxruntime-node')
  const session = await InferenceSession.create(networkOf().toONNX())
  const [[input], [output], units] = [session.inputNames, session.outputNames, LAYERS.at(-1)]
  return {
    about: {},
    isRow: (value) => typeof value[0] === 'number',
    async answers(rows) {
      const inputs = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, LAYERS[0]])
      const { data } = (await session.run({ [input]: inputs }))[output]
      return rows.map((_, i) => Array.from(data.subarray(i * units, (i + 1) * units)))
    }
  }
}

function networkOf() {
  const { NeuralNetwork } = require('..')
  return new NeuralNetwork({ layers: LAYERS, loss: 'crossEntropy', precision: 'f32', seed: 1 })
}

if (process.argv[2] === 'server') serve(process.argv[3])
else main()
