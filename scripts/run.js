'use strict'

// Runs commands as one types them, shows what they print, and counts the tests that they report.

const { spawn } = require('node:child_process')
const path = require('node:path')
const { stripVTControlCharacters } = require('node:util')

const root = path.join(__dirname, '..')

/** The closing lines of cargo test, one for each test program, and of node --test in both its dialects. */
const REPORTS = [
  { line: /^test result: .* (\d+) passed; (\d+) failed/, passed: 1, failed: 2 },
  { line: /^(?:#|ℹ) pass (\d+)/, passed: 1 },
  { line: /^(?:#|ℹ) (?:fail|cancelled) (\d+)/, failed: 1 }
]

/**
 * Runs a command in the root of the checkout.
 * @returns {Promise<{ ok: boolean, passed: number, failed: number }>}
 */
function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const printed = []
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk)
      printed.push(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ ok: code === 0, ...count(Buffer.concat(printed).toString()) }))
  })
}

/** Runs a script of the checkout on this Node.js. */
function runScript(script, args = [], env = {}) {
  return run(process.execPath, [path.join(root, script), ...args], env)
}

function count(text) {
  const total = { passed: 0, failed: 0 }
  for (const line of stripVTControlCharacters(text).split(/\r?\n/)) {
    for (const report of REPORTS) {
      const found = report.line.exec(line)
      if (found === null) continue
      for (const kind of ['passed', 'failed']) {
        if (report[kind] !== undefined) total[kind] += Number(found[report[kind]])
      }
    }
  }
  return total
}

module.exports = { root, run, runScript }
