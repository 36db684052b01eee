'use strict'

// A network that answers while it trains: every answer is that of one whole epoch, never of an earlier one than the
// answer before, nor of one before the last that was reported.

const assert = require('node:assert/strict')
const http = require('node:http')
const { test } = require('node:test')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { NeuralNetwork } = require('../index.js')
const { randomOf, rowsOf } = require('./helpers.js')

const INPUTS = 64
const OUTPUTS = 10

const probes = rowsOf(8, INPUTS, 2)
const probeTargets = oneHot(8, 3)

/** All that a network can be asked during a fit, each as a string. */
const questions = {
  predict: (network) => network.predict(probes[0]),
  predictBatch: (network) => network.predictBatch(probes),
  getWeights: (network) => network.getWeights(),
  evaluate: (network) => network.evaluate(probes, probeTargets),
  clone: (network) => network.clone().getWeights()
}
const ask = (network, question) => JSON.stringify(questions[question](network))

function oneHot(count, seed) {
  const random = randomOf(seed)
  return Array.from({ length: count }, () => {
    const row = new Array(OUTPUTS).fill(0)
    row[Math.floor(random() * OUTPUTS)] = 1
    return row
  })
}

for (const precision of ['f64', 'f32']) {
  test(`a server answers with whole epochs in their order while a fit uses every core, ${precision}`, async () => {
    const network = new NeuralNetwork({
      layers: [INPUTS, 64, 32, OUTPUTS],
      loss: 'crossEntropy',
      precision,
      seed: 1
    })
    const twin = network.clone()
    const data = [rowsOf(3000, INPUTS, 4), oneHot(3000, 5)]
    // A momentum, as it makes every epoch depend on all before.
    const options = { batchSize: 32, optimizer: { type: 'momentum' }, learningRate: 0.001 }
    const seen = await answersDuring(network, data, options)

    // Only now is it known how many epochs there were: answers are recognized afterwards.
    const epochOf = Object.fromEntries(Object.keys(questions).map((question) => [question, new Map()]))
    const record = (epoch) => {
      for (const question of Object.keys(questions)) {
        const answer = ask(twin, question)
        assert.ok(!epochOf[question].has(answer), `${question} tells epochs apart`)
        epochOf[question].set(answer, epoch)
      }
    }
    record(0)
    twin.fitSync(...data, { ...options, epochs: seen.epochs, onEpoch: ({ epoch }) => record(epoch) })

    let last = 0
    for (const [i, { question, answer, reported }] of seen.answers.entries()) {
      const least = Math.max(last, reported)
      last = atLeast(least, epochOf[question].get(answer), `answer ${i}, of ${question},`)
    }
    assert.deepStrictEqual(network.getWeights(), twin.getWeights())
  })
}

test('answers are those of whole epochs where an epoch takes no longer than an answer', async () => {
  // One row but many weights, so that they are being published much of the time; the error is so large and its gradient
  // so steady that they never stand still.
  const network = new NeuralNetwork({ layers: [2, 256, 256, 1], loss: 'mae', seed: 6 })
  const twin = network.clone()
  const data = [[[0.3, -0.7]], [[1e9]]]
  const options = { optimizer: 'sgd', learningRate: 1e-6 }
  const ask = (network) => network.predict([1, 1])[0]
  const answers = []
  const distinct = new Set()
  let isDone = false
  let reported = 0
  const onEpoch = ({ epoch }) => {
    reported = epoch
    return answers.length < 10_000 || distinct.size < 50
  }
  const fit = network.fit(...data, { ...options, epochs: 100_000, onEpoch }).finally(() => {
    isDone = true
  })
  while (!isDone) {
    for (let i = 0; i < 50; i++) {
      const answer = ask(network)
      answers.push({ answer, reported })
      distinct.add(answer)
    }
    await turn()
  }
  const { epochs, stoppedBy } = await fit
  assert.equal(stoppedBy, 'callback')

  const epochOf = new Map([[ask(twin), 0]])
  const record = ({ epoch }) => {
    epochOf.set(ask(twin), epoch)
  }
  twin.fitSync(...data, { ...options, epochs, onEpoch: record })
  assert.equal(epochOf.size, epochs + 1)
  let last = 0
  for (const [i, { answer, reported }] of answers.entries()) {
    last = atLeast(Math.max(last, reported), epochOf.get(answer), `answer ${i}`)
  }
})

/** The epoch of what `what` names, if there is one and it is not too old. */
function atLeast(least, epoch, what) {
  assert.notEqual(epoch, undefined, `${what} is of no epoch`)
  assert.ok(epoch >= least, `${what} is of epoch ${epoch} when there is ${least}`)
  return epoch
}

/**
 * What is heard of a network during a fit, in order, predictions from a server and the rest at first hand, each with
 * the epoch reported last; the fit ends once that is enough, after `epochs`.
 */
async function answersDuring(network, data, options) {
  const server = http.createServer((request, response) => response.end(ask(network, request.url.slice(1))))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new http.Agent({ keepAlive: true })
  const request = async (question) => {
    const path = `http://127.0.0.1:${server.address().port}/${question}`
    const response = await new Promise((resolve, reject) => {
      http.get(path, { agent }, resolve).once('error', reject)
    })
    return (await response.toArray()).join('')
  }

  try {
    const answers = []
    const distinct = new Set()
    let isDone = false
    let isEnough = false
    let reported = 0
    const onEpoch = ({ epoch }) => {
      reported = epoch
      return !isEnough
    }
    const fit = network.fit(...data, { ...options, epochs: 1000, onEpoch }).finally(() => {
      isDone = true
    })
    const order = Object.keys(questions)
    while (!isDone) {
      for (const question of order) {
        const heard = { question, reported }
        const isServed = question.startsWith('predict')
        heard.answer = isServed ? await request(question) : ask(network, question)
        answers.push(heard)
        distinct.add(heard.answer)
      }
      // Each is the first in turn, so that it cannot live on what the one before has brought up to date.
      order.push(order.shift())
      isEnough = answers.length >= 150 && distinct.size >= 60
      await sleep(5)
    }
    const { epochs, stoppedBy } = await fit
    assert.equal(stoppedBy, 'callback')
    return { answers, epochs }
  } finally {
    agent.destroy()
    server.close()
  }
}
