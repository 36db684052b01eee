'use strict'

// The command, each call a process of its own, as people use it: files, pipes, signals, terminals, mistakes.

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { NeuralNetwork } = require('..')

const bin = path.join(__dirname, '../bin/mikir.js')
const data = (name) => path.join(__dirname, `../examples/data/${name}.csv`)
const folder = mkdtempSync(path.join(tmpdir(), 'mikir-command-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name) => path.join(folder, name)

function mikir(args, { input, ...options } = {}) {
  const done = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input: input ?? '',
    maxBuffer: 1 << 28,
    ...options
  })
  return { status: done.status, stdout: done.stdout, stderr: done.stderr }
}

/** A call that ends well; what it wrote to stdout. */
function prints(args, options) {
  const { status, stdout, stderr } = mikir(args, options)
  assert.equal(status, 0, stderr)
  return stdout
}

/** A call that fails with one sentence on stderr, and nothing on stdout. */
function fails(args, status, sentence, options) {
  assert.deepEqual(mikir(args, options), { status, stdout: '', stderr: `mikir: ${sentence}\n` })
}

before(() => {
  prints(['train', data('iris'), '--target', 'species', '--out', 'iris.json', '--seed', '1', '--quiet'])
  new NeuralNetwork({ layers: [2, 3, 1], seed: 1 }).save(at('network.json'))
})

describe('mikir', () => {
  test('says how it is used', () => {
    const help = prints(['--help'])
    assert.match(help, /^Usage: mikir COMMAND/)
    const names = [...help.matchAll(/^ {2}(\w+) .*$/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'mikir')
    assert.deepEqual(names, ['train', 'predict', 'evaluate', 'inspect', 'convert', 'serve', 'playground'])
    for (const name of names) {
      assert.match(
        prints([name, '--help']),
        new RegExp(`^Usage: mikir ${name} [\\s\\S]*\\nExamples:\\n {2}(\\w+ .*\\| )?\\w+`)
      )
    }
    assert.equal(prints(['--version']), `${require('../package.json').version}\n`)
    const { status, stdout } = mikir([])
    assert.deepEqual([status, stdout], [2, help])
  })

  test('refuses what cannot be meant', () => {
    fails(['learn'], 2, "there is no command 'learn'; see mikir --help")
    fails(['inspect'], 2, 'too few arguments: mikir inspect MODEL|DATA.csv; see mikir inspect --help')
    fails(['convert', 'a', 'b', 'c'], 2, 'too many arguments: mikir convert IN OUT; see mikir convert --help')
    fails(['inspect', 'a', '--deep'], 2, 'mikir inspect has no option --deep; see mikir inspect --help')
    fails(['train', data('iris')], 2, '--target is missing; see mikir train --help')
    fails(['train', data('iris'), '--target'], 2, '--target needs a value; see mikir train --help')
    fails(
      ['serve', 'iris.json', '--port', 'x'],
      2,
      "--port is a number from 0 to 65535, not 'x'; see mikir serve --help"
    )
    fails(
      ['predict', 'iris.json', '--format', 'xml'],
      2,
      "--format is csv or ndjson, not 'xml'; see mikir predict --help"
    )
    const columns = 'sepal length (cm), sepal width (cm), petal length (cm), petal width (cm), species'
    const { stderr, status } = mikir(['train', data('iris'), '--target', 'kind', '--quiet'])
    assert.deepEqual(
      [status, stderr],
      [2, `mikir: '${data('iris')}' has no column 'kind'; it has ${columns}; see mikir train --help\n`]
    )
  })

  test('fails with the library’s own sentence', () => {
    const missing = at('none.json')
    fails(
      ['inspect', missing],
      1,
      `Expected a file that can be read for '${missing}' but received ENOENT: no such file or directory, open '${missing}'`
    )
    writeFileSync(at('empty.csv'), '')
    const { status, stderr, stdout } = mikir(['train', 'empty.csv', '--target', 'a'])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^mikir: Expected .* for '.*empty\.csv' but received .*\n$/)
    const misspelled = mikir(['train', data('iris'), '--target', 'species', '--quiet', '--epoch', '3'])
    assert.deepEqual([misspelled.status, misspelled.stdout], [1, ''])
    assert.match(
      misspelled.stderr,
      /^mikir: Expected only '.*' for options but received 'epoch': did you mean 'epochs'\?\n$/
    )
  })
})

describe('mikir train', () => {
  test('tells what it reads and how good it is, and writes the model', () => {
    const args = [
      'train',
      data('wine'),
      '--target',
      'cultivar',
      '--out',
      'wine.json',
      '--seed',
      '1',
      '--report',
      'wine.html'
    ]
    const { status, stdout, stderr } = mikir(args)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^178 rows, 14 columns\n/)
    assert.match(stderr, /\nloss \d\.\d{4} [▁-█]+ \d\.\d{4} in \d+ epochs\nwrote wine\.json\n$/)
    assert.match(stdout, /accuracy (1\.0000|0\.9\d{3})/)
    const page = readFileSync(at('wine.html'), 'utf8')
    for (const part of ['<polyline', 'Confusion matrix', 'Importance']) assert.ok(page.includes(part), part)
    assert.ok(!/https?:/.test(page))
  })

  test('passes options of the library on, and gives JSON', () => {
    const args = [
      'train',
      data('diabetes'),
      '--target',
      'progression',
      '--out',
      'd.json',
      '--json',
      '--quiet'
    ]
    const options = [
      '--hidden',
      '[16]',
      '--ensemble=2',
      '--epochs',
      '5',
      '--learning-rate',
      '0.01',
      '--seed',
      '3'
    ]
    const { status, stdout, stderr } = mikir([...args, ...options])
    assert.deepEqual([status, stderr], [0, ''])
    const result = JSON.parse(stdout)
    assert.equal(result.model, 'd.json')
    assert.equal(result.epochs, 5)
    assert.ok(result.r2 > -1 && result.rows > 80)
    const { options: known, networks } = JSON.parse(readFileSync(at('d.json'), 'utf8'))
    assert.deepEqual([known.hidden, known.ensemble, known.seed, networks.length], [[16], 2, 3, 2])
  })

  test('keeps the best so far at Ctrl-C', { skip: process.platform === 'win32' }, async () => {
    const args = [
      'train',
      data('cancer'),
      '--target',
      'diagnosis',
      '--out',
      'c.json',
      '--epochs',
      '1000000',
      '--test',
      '0'
    ]
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text
      if (said.includes('569 rows')) setTimeout(() => child.kill('SIGINT'), 500)
    })
    const [code] = await once(child, 'exit')
    assert.equal(code, 130)
    assert.match(said, /stopped; the best so far is in c\.json\n$/)
    assert.match(prints(['evaluate', 'c.json', data('cancer')]), /accuracy (1\.0000|0\.9)/)
  })

  test('draws a bar on terminals of any width', {
    skip: spawnSync('script', ['--version']).status !== 0
  }, () => {
    for (const columns of [20, 80, 200]) {
      const command = `stty cols ${columns}; ${process.execPath} ${bin} train ${data('iris')} --target species --out t.json --ensemble 1 --epochs 3`
      const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
        cwd: folder,
        encoding: 'utf8'
      })
      assert.match(stdout, /3\/3 epochs/)
      const drawn = stdout.split(/[\r\n]/).filter((line) => line.includes('epochs, '))
      // Without what erases the rest of the line.
      for (const line of drawn)
        assert.ok(line.replaceAll('\u001b[K', '').length <= columns, `${columns}: ${line}`)
    }
  })
})

describe('mikir predict', () => {
  const rows = readFileSync(data('iris'), 'utf8')

  test('answers rows of CSV and of JSON, from files and pipes', () => {
    const expected = prints(['predict', 'iris.json', data('iris')])
    assert.equal(expected.split('\n').length, 152)
    assert.match(expected, /^species\nsetosa\n/)
    assert.equal(prints(['predict', 'iris.json'], { input: rows }), expected)
    assert.equal(prints(['predict', 'iris.json', '-'], { input: rows }), expected)
    const [head, ...lines] = rows.trim().split('\n')
    const names = head.split(',')
    const objects = lines.map((line) => {
      const cells = line.split(',')
      return JSON.stringify(Object.fromEntries(names.slice(0, 4).map((name, k) => [name, Number(cells[k])])))
    })
    assert.equal(prints(['predict', 'iris.json'], { input: objects.join('\n') }), expected)
    const json = prints(['predict', 'iris.json', '--json'], { input: rows })
    assert.deepEqual(JSON.parse(json.split('\n')[0]), { species: 'setosa' })
    const sums = prints(['predict', 'iris.json', '--probabilities', '--json'], { input: rows })
      .trim()
      .split('\n')
      .map((line) => Object.values(JSON.parse(line)).reduce((sum, p) => sum + p, 0))
    assert.equal(sums.length, 150)
    for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-6)
  })

  test('answers with a network', async () => {
    const network = await NeuralNetwork.load(at('network.json'))
    const [first, second] = prints(['predict', 'network.json', '--json'], {
      input: '[0.5, 1]\n[1, 0]\n'
    }).split('\n')
    assert.deepEqual(JSON.parse(first), { output1: network.predict([0.5, 1])[0] })
    assert.deepEqual(JSON.parse(second), { output1: network.predict([1, 0])[0] })
    assert.match(prints(['predict', 'network.json'], { input: 'a,b\n0.5,1\n' }), /^output1\n-?\d/)
  })

  test('streams: 200,000 rows with quotes and line ends in them', () => {
    const [head, ...lines] = rows.trim().split('\n')
    const many = Array.from({ length: 200_000 }, (_, i) => `${lines[i % 150]},"a ""note""\nof two lines"`)
    const stdout = prints(['predict', 'iris.json'], { input: `${head},note\n${many.join('\n')}\n` })
    const expected = prints(['predict', 'iris.json', data('iris')])
      .trim()
      .split('\n')
    const answers = stdout.trim().split('\n')
    assert.equal(answers.length, 200_001)
    for (const i of [1, 150, 7_777, 200_000]) assert.equal(answers[i], expected[((i - 1) % 150) + 1])
  })

  test('gives nothing for nothing, and ends where nobody reads on', () => {
    assert.equal(prints(['predict', 'iris.json'], { input: '' }), '')
    assert.equal(prints(['predict', 'iris.json'], { input: `${rows.split('\n')[0]}\n` }), '')
    const many = path.join(folder, 'many.csv')
    const [head, ...lines] = rows.trim().split('\n')
    writeFileSync(many, `${head}\n${Array.from({ length: 100_000 }, (_, i) => lines[i % 150]).join('\n')}\n`)
    if (process.platform === 'win32') return
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', `set -e; "${process.execPath}" "${bin}" predict iris.json many.csv | head -n 2`],
      { cwd: folder, encoding: 'utf8' }
    )
    assert.deepEqual([status, stdout, stderr], [0, 'species\nsetosa\n', ''])
  })

  test('refuses what it cannot read', () => {
    fails(
      ['predict', 'iris.json', 'none.csv'],
      2,
      "'none.csv' cannot be read: ENOENT: no such file or directory, open 'none.csv'; see mikir predict --help"
    )
    const { status, stderr } = mikir(['predict', 'iris.json'], { input: '{"a": 1\n' })
    assert.equal(status, 2)
    assert.match(stderr, /^mikir: a line is no JSON: .*\n$/)
    fails(
      ['predict', 'network.json', '--probabilities'],
      2,
      "--probabilities is for a Classifier, which 'network.json' is not; see mikir predict --help"
    )
    assert.equal(mikir(['predict', 'network.json'], { input: '[1]\n' }).status, 1)
  })
})

describe('mikir evaluate, inspect and convert', () => {
  test('tell how good a model is and what is in files', () => {
    assert.match(prints(['evaluate', 'iris.json', data('iris')]), /accuracy/)
    const { accuracy, rows } = JSON.parse(prints(['evaluate', 'iris.json', data('iris'), '--json']))
    assert.ok(accuracy > 0.93 && rows === 150)
    assert.match(prints(['inspect', data('iris')]), /^150 rows, 5 columns\n/)
    assert.equal(JSON.parse(prints(['inspect', data('iris'), '--json'])).columns.length, 5)
    assert.match(
      prints(['inspect', 'iris.json']),
      /^Classifier of species: setosa, versicolor, virginica\nfrom sepal/
    )
    assert.match(prints(['inspect', 'network.json']), /^NeuralNetwork of 2 inputs/)
    fails(
      ['evaluate', 'network.json', data('iris')],
      2,
      "'network.json' is a network, which reads numbers and no table; see mikir evaluate --help"
    )
  })

  test('write other formats', async () => {
    for (const ending of ['mjs', 'cjs', 'onnx']) {
      const { status, stdout, stderr } = mikir(['convert', 'iris.json', `iris.${ending}`])
      assert.deepEqual([status, stdout, stderr], [0, '', `wrote iris.${ending}\n`])
    }
    const row = {
      'petal length (cm)': 1.4,
      'petal width (cm)': 0.2,
      'sepal length (cm)': 5,
      'sepal width (cm)': 3.5
    }
    assert.equal(require(at('iris.cjs')).predict(row), 'setosa')
    assert.equal(mikir(['convert', 'iris.json', 'iris.txt']).status, 1)
  })
})

describe('mikir serve', () => {
  let child
  let port

  before(async () => {
    child = spawn(process.execPath, [bin, 'serve', 'iris.json', '--port', '0'], { cwd: folder })
    const [text] = await once(child.stderr.setEncoding('utf8'), 'data')
    port = Number(/:(\d+)\n$/.exec(text)[1])
  })
  after(() => child.kill('SIGKILL'))

  const row = {
    'petal length (cm)': 1.4,
    'petal width (cm)': 0.2,
    'sepal length (cm)': 5,
    'sepal width (cm)': 3.5
  }
  const ask = (method, url, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const request = http.request({ port, method, path: url, headers }, async (response) => {
        let text = ''
        for await (const part of response.setEncoding('utf8')) text += part
        resolve({ status: response.statusCode, json: text === '' ? undefined : JSON.parse(text) })
      })
      request.on('error', reject)
      request.end(body)
    })

  test('answers rows, one or many, and many requests at once', async () => {
    assert.deepEqual(await ask('POST', '/predict', JSON.stringify(row)), {
      status: 200,
      json: { answers: ['setosa'] }
    })
    assert.deepEqual(await ask('POST', '/predict', JSON.stringify([row, row])), {
      status: 200,
      json: { answers: ['setosa', 'setosa'] }
    })
    const { json } = await ask('POST', '/predict?probabilities', JSON.stringify(row))
    assert.ok(json.answers[0].setosa > 0.8)
    assert.deepEqual((await ask('GET', '/health')).json, { status: 'ok' })
    assert.equal((await ask('GET', '/')).json.kind, 'Classifier')
    const calls = Array.from({ length: 200 }, (_, i) =>
      ask('POST', '/predict', i % 10 === 0 ? '[3]' : JSON.stringify(row))
    )
    for (const [i, { status }] of (await Promise.all(calls)).entries())
      assert.equal(status, i % 10 === 0 ? 400 : 200)
  })

  test('refuses what is wrong, too much, too deep or too slow, and goes on', async () => {
    for (const [method, url, body, status] of [
      ['GET', '/predict', '', 405],
      ['POST', '/none', '', 404],
      ['POST', '/predict', '', 400],
      ['POST', '/predict', '{', 400],
      ['POST', '/predict', '7', 400],
      ['POST', '/predict', '[null]', 400],
      ['POST', '/predict', '['.repeat(1_000_000), 400],
      ['POST', '/predict', `[${'{},'.repeat(100_001)}{}]`, 400]
    ]) {
      const answer = await ask(method, url, body)
      assert.equal(answer.status, status, url + body.slice(0, 20))
      assert.equal(typeof answer.json.error, 'string')
    }
    const huge = await ask('POST', '/predict', 'x'.repeat(9 * 2 ** 20)).catch((error) => ({
      status: error.code
    }))
    assert.ok([413, 'EPIPE', 'ECONNRESET'].includes(huge.status), String(huge.status))
    const socket = net.connect(port)
    socket.end('NONSENSE\r\n\r\n')
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), /^HTTP\/1\.1 400 /)
    // One that begins and never ends does not keep the others waiting.
    const slow = net.connect(port)
    slow.write('POST /predict HTTP/1.1\r\ncontent-length: 100\r\n\r\n{')
    assert.equal((await ask('GET', '/health')).status, 200)
    slow.destroy()
  })

  test('ends after the requests that are on', { skip: process.platform === 'win32' }, async () => {
    const exited = once(child, 'exit')
    const last = ask('POST', '/predict', JSON.stringify(row), { connection: 'close' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    child.kill('SIGTERM')
    assert.equal((await last).status, 200)
    assert.deepEqual(await exited, [0, null])
  })
})

test('mikir playground serves its page and the table', {
  skip: !existsSync(path.join(__dirname, '../web/playground.html')) && 'npm run build:web'
}, async () => {
  const child = spawn(process.execPath, [bin, 'playground', data('iris'), '--no-open'])
  const [text] = await once(child.stderr.setEncoding('utf8'), 'data')
  assert.match(text, /^http:\/\/127\.0\.0\.1:\d+\/\?data=iris\.csv\n$/)
  const page = await fetch(text.trim())
  assert.match(await page.text(), /^<!doctype html>/i)
  assert.equal(
    await (await fetch(new URL('/data.csv', text.trim()))).text(),
    readFileSync(data('iris'), 'utf8')
  )
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  if (process.platform !== 'win32') assert.deepEqual(await exited, [0, null])
})
