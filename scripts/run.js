'use strict'

// Runs commands as one types them, shows what they print, and counts the tests that they report.

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { existsSync, mkdirSync } = require('node:fs')
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

/**
 * The folder of an npm package that a script needs and nobody else, installed if need be: .peers/`name`, which git ignores.
 * @param {string[]} packages - with versions
 * @param {string} main - the first of them, without its version
 */
function installed(name, packages, main) {
  const folder = path.join(root, '.peers', name)
  const found = path.join(folder, 'node_modules', main)
  if (existsSync(found)) return found
  mkdirSync(folder, { recursive: true })
  // `--prefix`, because an npm that runs this script tells its children to work in its own folder.
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', ['install', ...options, ...packages], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32'
  })
  assert.equal(status, 0, `npm could not install ${packages.join(' ')}: ${stderr}`)
  return found
}

/** The executable of a version of Node.js, such as '22', installed if need be. */
function nodeOf(version) {
  const isWindows = process.platform === 'win32'
  // What the package `node` would install by a script; these need none.
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`
  const folder = installed(`runtimes/v${version}`, [`${name}@${version}`], name)
  return path.join(folder, isWindows ? 'bin/node.exe' : 'bin/node')
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

module.exports = { installed, nodeOf, root, run, runScript }
