'use strict'

// The progress bar of a fit.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { describe, test } = require('node:test')
const { ProgressBar } = require('../lib/progress.js')

/** What clears the rest of a line. */
const REST = '\x1b[K'

/** What a bar writes to a terminal of so many columns. */
function drawn(columns, draw, first = 0) {
  const written = []
  draw(new ProgressBar(first, { columns, write: (text) => written.push(text) }))
  return written
}

const report = { epoch: 25, epochs: 100, loss: 0.12345, learningRate: 0.001, elapsedMs: 10 }

describe('a progress bar', () => {
  test('is as wide as the terminal, and shows how far the fit is', () => {
    for (const columns of [80, 100, 250]) {
      const [line] = drawn(columns, (bar) => bar.draw(report))
      assert.ok(line.startsWith('\r') && line.endsWith(REST))
      const [, bar, text] = /^([█░]+) (.*)$/.exec(line.slice(1, -REST.length))
      assert.equal(bar.length + 1 + text.length, columns - 1)
      assert.equal(bar.indexOf('░'), Math.round(bar.length / 4))
      assert.match(text, /^25\/100 epochs, loss 0\.1235, rate 1\.00e-3, 0s left$/)
    }
  })

  test('is text alone in a narrow terminal, of no more than a line', () => {
    const [line] = drawn(30, (bar) => bar.draw({ ...report, validationLoss: 2 }))
    assert.equal(line, `\r25/100 epochs, loss 0.1235, v${REST}`)
  })

  test('leaves a line, and the warnings below it', () => {
    const warnings = [
      { code: 'deadUnits', message: 'Some are dead: a cure' },
      { code: 'noProgress', message: 'Nothing: another' }
    ]
    assert.deepEqual(
      drawn(80, (bar) => bar.end(warnings)),
      ['\nWarning (deadUnits): Some are dead: a cure\nWarning (noProgress): Nothing: another\n']
    )
    assert.deepEqual(
      drawn(80, (bar) => bar.end([])),
      ['\n']
    )
  })

  test('does not guess how long it takes before an epoch is done', () => {
    const [line] = drawn(100, (bar) => bar.draw(report), 25)
    assert.match(line, /, \? left/)
  })
})

/** What a program writes to stderr, which it takes for a terminal or not. */
function stderrOf(body, isTerminal) {
  const program = `
    Object.defineProperty(process.stderr, 'isTTY', { value: ${isTerminal} })
    process.stderr.columns = 100
    const { NeuralNetwork } = require('.')
    const network = new NeuralNetwork({ layers: [1, 4, 1], seed: 1 })
    const rows = Array.from({ length: 40 }, (_, i) => [1000 * i])
    const options = { epochs: 30, progress: true }
    ${body}`
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stderr
}

describe('the option progress', () => {
  const calls = {
    fit: 'network.fit(rows, rows, options)',
    fitSync: 'network.fitSync(rows, rows, options)',
    'fit of a trainer': 'network.trainer(options).fit(rows, rows)',
    'fitSync of a trainer': 'network.trainer(options).fitSync(rows, rows)'
  }
  for (const [name, call] of Object.entries(calls)) {
    test(`draws a bar in ${name}, and the warnings at its end`, () => {
      const lines = stderrOf(call, true).split('\n')
      assert.match(lines[0].split('\r').at(-1), /^█+ 30\/30 epochs, loss \d+\.\d{4}, rate 1\.00e-3, 0s left/)
      assert.match(lines[1], /^Warning \(inputScale\): The inputs have a scale far from 1: /)
      assert.equal(lines.at(-1), '')
    })

    test(`draws nothing in ${name} where stderr is no terminal`, () => {
      assert.equal(stderrOf(call, false), '')
    })
  }

  test('leaves the line of a fit that fails', () => {
    const body = `
      const onEpoch = ({ epoch }) => { if (epoch === 3) throw new Error('enough') }
      network.fit(rows, rows, { ...options, onEpoch }).catch(() => console.error('caught'))`
    assert.match(stderrOf(body, true), /epochs, loss .*\ncaught\n$/s)
  })
})
