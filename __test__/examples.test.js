'use strict'

// Every example ends well; each of them checks its own answers.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, readFileSync, readdirSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')

const folder = path.join(__dirname, '../examples')
const run = (file) =>
  spawnSync(process.execPath, [path.join(folder, file)], { encoding: 'utf8', timeout: 60_000 })

for (const file of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
  test(`${file} ends well`, () => {
    const { status, stdout, stderr } = run(file)
    assert.equal(status, 0, stdout + stderr)
  })
}

test('01-xor.js shows its progress and four predictions', () => {
  const { stdout } = run('01-xor.js')
  assert.equal(stdout.match(/^pass +\d+ +mean squared error 0\.\d{4}$/gm).length, 10)
  const predictions = [...stdout.matchAll(/^([01]) xor ([01]) = ([01]) +predicted (\d\.\d{4})$/gm)]
  assert.equal(predictions.length, 4)
  for (const [, a, b, answer, predicted] of predictions) {
    assert.equal(Number(answer), a ^ b)
    assert.ok(Math.abs(predicted - answer) < 0.1, `${a} xor ${b} predicted as ${predicted}`)
  }
})

test('04-iris.js learns, and tells how good it is', () => {
  const { stdout } = run('04-iris.js')
  assert.match(stdout, /^epoch +10 +loss 0\.\d{4} +validation 0\.\d{4}$/m)
  assert.match(stdout, /^\d+ epochs, stopped by \w+; the best was \d+$/m)
  assert.match(stdout, /^(9\d|100)\.\d % of 50 unseen flowers are told right:$/m)
})

test('13-digits.js writes a page with the network inside', () => {
  const made = mkdtempSync(path.join(tmpdir(), 'mikir-digits-'))
  try {
    const page = path.join(made, 'digits.html')
    const { status, stderr } = spawnSync(process.execPath, [path.join(folder, '13-digits.js'), page])
    assert.equal(status, 0, String(stderr))
    const [, script] = readFileSync(page, 'utf8').match(/<script type="module">([\s\S]*)<\/script>/)
    assert.match(script, /^export function predict\(inputs\) \{$/m)
    assert.ok(!script.includes('/* the network */'))
  } finally {
    rmSync(made, { recursive: true })
  }
})

test('05-one-neuron.js says yes on the hot day and no on the cool one', () => {
  const { stdout } = run('05-one-neuron.js')
  assert.match(stdout, /^30 degrees, hunger 8: yes/m)
  assert.match(stdout, /^15 degrees, hunger 3: no/m)
})

test('02-colour-contrast.js prints plain text where there is no terminal', () => {
  const { stdout } = run('02-colour-contrast.js')
  assert.ok(!stdout.includes('\x1b'))
  assert.match(stdout, /^ {2}white text on rgb\(0, 0, 0\)$/m)
  assert.match(stdout, /^ {2}black text on rgb\(255, 255, 255\)$/m)
})
