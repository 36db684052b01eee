'use strict'

// Drives the playground in headless Chromium through its controls: it learns XOR, circles and spirals, and iris from a file
// of one's own; it stays smooth; links, downloads, edits and mistakes work. Writes the pictures of docs/pictures/. The driver
// is installed into .peers/; no part of `npm run check`.
//
//   node scripts/playground-check.js

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { NeuralNetwork } = require('..')
const { commandOf } = require('./browser.js')
const { installed, root } = require('./run.js')

const pictures = path.join(root, 'docs/pictures')

async function main() {
  const puppeteer = require(installed('playground', ['puppeteer-core'], 'puppeteer-core'))
  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-playground-'))
  const server = spawn(
    process.execPath,
    ['bin/mikir.js', 'playground', 'examples/data/wine.csv', '--no-open'],
    { cwd: root }
  )
  const [said] = await once(server.stderr.setEncoding('utf8'), 'data')
  const address = said.trim()
  const browser = await puppeteer.launch({
    executablePath: spawnSync('which', [commandOf('chromium')], { encoding: 'utf8' }).stdout.trim(),
    args: ['--no-sandbox']
  })
  try {
    const page = await browser.newPage()
    const mistakes = []
    page.on('pageerror', (error) => mistakes.push(error.message))
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()))
    await page.setViewport({ width: 1280, height: 900 })

    // With a table, from the command to the first loss that is drawn.
    const start = performance.now()
    await page.goto(address)
    await page.waitForFunction(() => document.querySelector('#losses').textContent !== '', {
      timeout: 20_000
    })
    console.log(`first loss of wine.csv after ${((performance.now() - start) / 1000).toFixed(2)} s`)

    const plain = address.split('?')[0]
    await page.goto(plain)
    await ready(page)
    for (const [name, hidden, seconds, least] of [
      ['xor', '8, 8', 15, 0.95],
      ['circles', '8, 8', 15, 0.95],
      ['spirals', '32, 32', 40, 0.95]
    ]) {
      await pause(page)
      await page.select('#data', name)
      await fill(page, '#hidden', hidden)
      // Nothing that is seen is of the table before.
      await page.waitForFunction(() => document.querySelector('#state').textContent === 'epoch 0')
      await new Promise((resolve) => setTimeout(resolve, 300))
      const took = await until(page, seconds, least)
      console.log(`${name}: ${least * 100} % of held-out rows right after ${took.toFixed(1)} s`)
      if (name === 'spirals') await shoot(page, 'playground.png')
    }
    const rate = await page.evaluate(frames)
    console.log(`${rate.toFixed(0)} pictures a second while it trains`)
    await page.click('#run')

    // A file of one's own.
    const input = await page.$('#file')
    await page.select('#data', 'csv')
    await input.uploadFile(path.join(root, 'examples/data/iris.csv'))
    await page.waitForFunction(() => document.querySelector('#about').textContent.startsWith('150 rows'))
    await fill(page, '#hidden', '16')
    const took = await until(page, 20, 0.93)
    console.log(`iris from a file: 93 % of held-out rows right after ${took.toFixed(1)} s`)
    await page.click('#run')

    // A weight by hand.
    await page.select('#from', 'bias')
    await fill(page, '#weight', '1.5')
    await page.waitForFunction(() => document.querySelector('#weight').value === '1.5')

    // Downloads.
    const session = await page.createCDPSession()
    await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder })
    for (const format of ['json', 'onnx', 'mjs']) {
      await page.click(`[data-format="${format}"]`)
      await waitFor(() => readdirSync(folder).includes(`model.${format}`))
    }
    const saved = NeuralNetwork.fromJSON(readFileSync(path.join(folder, 'model.json'), 'utf8'))
    assert.equal(saved.inputCount, 4)
    const again = NeuralNetwork.fromONNX(readFileSync(path.join(folder, 'model.onnx')))
    assert.ok(Math.abs(again.predict([1, 0, 0, 1])[0] - saved.predict([1, 0, 0, 1])[0]) < 1e-6)

    // A link that restores everything, also the table.
    await page.click('#link')
    const link = await page.evaluate(() => location.href)
    const second = await browser.newPage()
    await second.goto(link)
    await second.waitForFunction(() => document.querySelector('#about').textContent.startsWith('150 rows'))
    assert.equal(await second.$eval('#hidden', ({ value }) => value), '16')

    // Mistakes get a sentence, and the page goes on.
    await fill(second, '#text', 'a,b\n"x')
    await second.waitForFunction(() => !document.querySelector('#error').hidden)
    const sentence = await second.$eval('#error', ({ textContent }) => textContent)
    assert.match(sentence, /^Expected /)
    console.log(`a bad table: ${sentence}`)
    await second.select('#data', 'xor')
    await second.waitForFunction(() => document.querySelector('#about').textContent.startsWith('300 rows'))
    await fill(second, '#hidden', '9999')
    await second.waitForFunction(() => document.querySelector('#error').textContent.includes('1 to 64'))
    await second.close()

    await page.click('#reset')
    await page.waitForFunction(() => document.querySelector('#state').textContent === 'epoch 0')

    // A phone, and numbers to predict.
    await page.setViewport({ width: 390, height: 844, isMobile: true })
    await page.goto(plain)
    await ready(page)
    await page.click('#run')
    await page.waitForFunction(() => Number(/\d+/.exec(document.querySelector('#state').textContent)) > 100)
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390)
    await shoot(page, 'playground-phone.png', true)
    assert.deepEqual(mistakes, [])
  } finally {
    await browser.close()
    server.kill()
    rmSync(folder, { recursive: true })
  }
}

const ready = (page) => page.waitForFunction(() => document.querySelector('#losses').textContent !== '')

async function fill(page, selector, text) {
  await page.$eval(
    selector,
    (input, value) => {
      input.value = value
      input.dispatchEvent(new Event('change', { bubbles: true }))
    },
    text
  )
}

async function pause(page) {
  if ((await page.$eval('#run', ({ textContent }) => textContent)) === 'Pause') await page.click('#run')
}

/** Trains until so many of the held-out rows are right; the seconds that it took. */
async function until(page, seconds, least) {
  const start = performance.now()
  if ((await page.$eval('#run', ({ textContent }) => textContent)) === 'Start') await page.click('#run')
  await page.waitForFunction(
    (wanted) => Number(/[\d.]+/.exec(document.querySelector('#score').textContent)) >= wanted,
    { timeout: seconds * 1000 },
    least * 100
  )
  return (performance.now() - start) / 1000
}

/** Runs in the page: pictures a second, for two seconds. */
function frames() {
  return new Promise((resolve) => {
    let count = 0
    const start = performance.now()
    const look = (now) => {
      count++
      if (now - start < 2000) requestAnimationFrame(look)
      else resolve((count / (now - start)) * 1000)
    }
    requestAnimationFrame(look)
  })
}

async function waitFor(isTrue) {
  for (let i = 0; i < 100 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(isTrue())
}

async function shoot(page, name, isWhole = false) {
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: path.join(pictures, name), fullPage: isWhole })
}

main()
