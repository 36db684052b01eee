'use strict'

// Answers over HTTP while the network goes on learning in the same process: `fit` has threads of its own, and `predict` takes
// the weights of the last finished epoch.

const { createServer } = require('node:http')
const { once } = require('node:events')
const { NeuralNetwork } = require('..')

// Is a point inside of the circle?
const inputs = Array.from({ length: 2000 }, () => [Math.random() * 3 - 1.5, Math.random() * 3 - 1.5])
const targets = inputs.map(([x, y]) => [x * x + y * y < 1 ? 1 : 0])
const network = new NeuralNetwork({ layers: [2, 32, 32, 1], loss: 'binaryCrossEntropy', seed: 1 })

const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  try {
    response.end(JSON.stringify(network.predict(JSON.parse(body))))
  } catch (error) {
    response.writeHead(400).end(error.message)
  }
})

async function main() {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}`
  const ask = async (point) => {
    const response = await fetch(address, { method: 'POST', body: JSON.stringify(point) })
    return response.ok ? (await response.json())[0] : response.text()
  }
  let isTraining = true
  const training = network.fit(inputs, targets, { epochs: 150, learningRate: 0.01 }).finally(() => {
    isTraining = false
  })
  let answers = 0
  while (isTraining) {
    await ask([0, 0])
    answers++
  }
  const { durationMs } = await training
  console.log(`${answers} answers in the ${Math.round(durationMs)} ms that the training took`)
  const [inside, outside] = [await ask([0.1, 0.2]), await ask([1.4, 1.4])]
  console.log(`inside ${inside.toFixed(3)}, outside ${outside.toFixed(3)}, and for a text: ${await ask('a')}`)
  server.close()
  server.closeAllConnections()
  if (!(answers > 0 && inside > 0.9 && outside < 0.1)) process.exitCode = 1
}

main()
