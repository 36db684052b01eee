'use strict'

const { createServer } = require('node:http')
const { Classifier, Model, NeuralNetwork, load } = require('../../index.js')
const { UsageError } = require('./arguments.js')
const { tell } = require('./output.js')

/** The most bytes of a request, and rows in it. */
const MOST_BYTES = 8 * 2 ** 20
const MOST_ROWS = 100_000
/** How long a request may take to arrive, in milliseconds. */
const PATIENCE = 10_000
const MOST_CONNECTIONS = 10_000

module.exports = {
  usage: 'mikir serve MODEL [--port 8080] [--host 127.0.0.1]',
  arguments: [1, 1],
  options: { port: { type: 'string' }, host: { type: 'string' } },
  help: `Answers over HTTP until it is stopped:

  POST /predict     a row, or an array of rows, as JSON: {"answers": [...]}; with ?probabilities of each label (Classifier)
  GET /health       {"status": "ok"}
  GET /             what the model is

Requests that arrive together are answered together. A request has at most 8 MB and 100,000 rows, and 10 seconds to arrive.
SIGTERM or Ctrl-C ends it after the requests that are on. It listens to this machine alone, unless --host says otherwise.

Examples:
  mikir serve iris.json --port 8080
  curl localhost:8080/predict --data '{"petal length": 4.7, "petal width": 1.4}'
`,
  async run([file], values) {
    const { port = '8080', host = '127.0.0.1' } = values
    if (!/^\d+$/.test(port) || Number(port) > 65_535) {
      throw new UsageError(`--port is a number from 0 to 65535, not '${port}'`)
    }
    const server = serverOf(servedOf(await load(file)))
    await listen(server, Number(port), host)
    const address = server.address()
    tell(`serves ${file} on http://${host}:${address.port}`, values)
    const stop = () => {
      server.close()
      server.closeIdleConnections()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  },
  servedOf,
  serverOf
}

function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UsageError(`${host}:${port} is not to be had: ${error.message}`))
    )
    server.listen(port, host, resolve)
  })
}

/** An answer that says why there is none. */
class Refusal extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** What a server says of a model, and how it answers rows. */
function servedOf(model) {
  const isNetwork = model instanceof NeuralNetwork
  return {
    about: aboutOf(model),
    answers: isNetwork ? (rows) => model.predictBatch(rows) : (rows) => model.predict(rows),
    isRow: isNetwork ? isListOfNumbers : isObject,
    probabilities: model instanceof Classifier ? (rows) => model.probabilities(rows) : undefined
  }
}

/** A server of answers. */
function serverOf(served) {
  const { isRow } = served
  const about = JSON.stringify(served.about)
  const plain = batched(served.answers)
  const probabilities = served.probabilities && batched(served.probabilities)

  const answer = async (request) => {
    const { pathname, searchParams } = new URL(request.url, 'http://server')
    if (pathname === '/health') return only(request, 'GET', '{"status":"ok"}')
    if (pathname === '/') return only(request, 'GET', about)
    if (pathname !== '/predict') throw new Refusal(404, 'there is /predict, /health and /')
    only(request, 'POST')
    const given = rowsOf(await bodyOf(request))
    const kind = searchParams.has('probabilities') ? probabilities : plain
    if (kind === undefined) throw new Refusal(400, 'this model has no probabilities')
    const rows = isRow(given) ? [given] : given
    if (!Array.isArray(rows) || rows.length > MOST_ROWS) {
      throw new Refusal(400, `expected a row, or an array of at most ${MOST_ROWS} rows`)
    }
    return JSON.stringify({ answers: await kind(rows) })
  }

  const server = createServer((request, response) => {
    const end = (status, text) => {
      if (response.destroyed) return
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        // What is left of a request that was refused is not read.
        ...(status >= 400 && { connection: 'close' })
      })
      response.end(text)
    }
    answer(request).then(
      (text) => end(200, text),
      (error) => {
        const isTheirs = error instanceof Refusal || String(error.code).startsWith('ERR_MIKIR')
        end(
          error.status ?? (isTheirs ? 400 : 500),
          JSON.stringify({ error: isTheirs ? error.message : 'internal' })
        )
        if (!isTheirs) process.stderr.write(`mikir: ${error.stack}\n`)
      }
    )
  })
  server.requestTimeout = PATIENCE
  server.headersTimeout = PATIENCE
  server.maxConnections = MOST_CONNECTIONS
  server.on('clientError', (_, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  return server
}

function only({ method }, wanted, text) {
  if (method !== wanted) throw new Refusal(405, `expected ${wanted}, not ${method}`)
  return text
}

function aboutOf(model) {
  if (!(model instanceof Model))
    return { kind: 'NeuralNetwork', inputs: model.inputCount, outputs: model.outputCount }
  const { features, target } = model.toJSON()
  return {
    kind: model instanceof Classifier ? 'Classifier' : 'Regressor',
    target: target.columns,
    features: [...new Set(features.map(({ column }) => column))]
  }
}

const isListOfNumbers = (value) => Array.isArray(value) && typeof value[0] === 'number'
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Joins the rows of calls that come in one turn of the event loop; where one is wrong, each is answered for itself. */
function batched(answer) {
  let waiting = []
  const work = async () => {
    const calls = waiting
    waiting = []
    try {
      const answers = await answer(calls.flatMap(({ rows }) => rows))
      let at = 0
      for (const { rows, resolve } of calls) {
        resolve(answers.slice(at, at + rows.length))
        at += rows.length
      }
    } catch {
      for (const { rows, resolve, reject } of calls) {
        await Promise.resolve(rows).then(answer).then(resolve, reject)
      }
    }
  }
  return (rows) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(work)
      waiting.push({ rows, resolve, reject })
    })
}

async function bodyOf(request) {
  if (Number(request.headers['content-length']) > MOST_BYTES) throw tooLarge()
  const parts = []
  let length = 0
  try {
    for await (const part of request) {
      length += part.length
      if (length > MOST_BYTES) throw tooLarge()
      parts.push(part)
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, 'the request was cut off')
  }
  return Buffer.concat(parts).toString('utf8')
}

const tooLarge = () => new Refusal(413, `expected at most ${MOST_BYTES} bytes`)

function rowsOf(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, `expected JSON: ${error.message}`)
  }
}
