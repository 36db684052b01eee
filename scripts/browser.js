'use strict'

// A headless browser that opens a page of ours, for checks.

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, rmSync } = require('node:fs')
const { createServer } = require('node:http')
const os = require('node:os')
const path = require('node:path')

/** What the browsers are called, and how they are begun: with nothing that looks for the world outside. */
const BROWSERS = {
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome', 'chrome'],
    flags: (profile) => [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${profile}`
    ]
  },
  firefox: {
    names: ['firefox', 'firefox-esr'],
    flags: (profile) => ['--headless', '--no-remote', '--profile', profile]
  }
}

/** The command that begins a browser, or nothing where there is none; the environment can name it: CHROMIUM, FIREFOX. */
function commandOf(name) {
  const { names } = BROWSERS[name]
  return (
    process.env[name.toUpperCase()] ?? names.find((known) => spawnSync(known, ['--version']).status === 0)
  )
}

/**
 * What a page posts to /found.
 * @param {Record<string, string>} files - by their paths; the page is `/`
 * @param {{ browser?: string, policy?: string }} options - the content security policy
 */
async function inBrowser(files, { browser = 'chromium', policy = "default-src 'self'" } = {}) {
  const command = commandOf(browser)
  assert.ok(command, `${browser} is needed: set ${browser.toUpperCase()} to its path`)
  let post
  const posted = new Promise((resolve) => {
    post = resolve
  })
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = ''
      for await (const part of request) body += part
      post(JSON.parse(body))
      response.end()
      return
    }
    const file = files[request.url]
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': request.url === '/' ? 'text/html' : 'text/javascript',
      'content-security-policy': policy
    })
    response.end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const profile = mkdtempSync(path.join(os.tmpdir(), 'mikir-browser-'))
  const page = `http://127.0.0.1:${server.address().port}/`
  const running = spawn(command, [...BROWSERS[browser].flags(profile), page], {
    detached: true,
    stdio: 'ignore'
  })
  const late = setTimeout(() => post({ message: 'nothing came within two minutes' }), 120_000)
  try {
    return await posted
  } finally {
    clearTimeout(late)
    const exited = once(running, 'exit')
    // With its own processes, which write on.
    process.kill(-running.pid, 'SIGKILL')
    await exited
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

module.exports = { commandOf, inBrowser }
