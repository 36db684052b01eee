'use strict'

// The same bits on other machines: what docs/math.md promises. `scripts/bits.js` prints the list behind each hash, a
// line a network, to find out which ones have changed; a change that means to is a new hash here, with its reason.

const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { test } = require('node:test')
const host = require('../lib/host.js')
const expected = require('./goldens/bits.json')
const { lines } = require('../scripts/bits.js')

/** Whose bits these are: those of a fused multiply-add, or of WebAssembly. */
function family() {
  if (host.name === 'wasm') return 'wasm'
  const isKnown = process.platform === 'linux' && host.simdLevel !== 'portable'
  return isKnown ? 'fused' : undefined
}

test('394 seeded networks have the bits that they have everywhere', { skip: family() === undefined }, () => {
  const all = lines()
  assert.equal(all.length, 394)
  assert.equal(createHash('sha256').update(all.join('\n')).digest('hex'), expected[family()])
})
