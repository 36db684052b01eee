'use strict'

// Reads handwritten digits of 8 by 8 pixels: with a progress bar where there is a terminal, until it gets no better.
//
//   node examples/13-digits.js
//   node examples/13-digits.js digits.html      a page too, in which you draw; open it with any browser

const { readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { NeuralNetwork } = require('..') // in your own program: 'mikir'

/** A digit is 64 signs, of 17 from white to black. */
const [, ...lines] = readFileSync(path.join(__dirname, 'data/digits.csv'), 'utf8').trim().split('\n')
const digits = lines.map((line) => {
  const [pixels, digit] = line.split(',')
  return { input: Array.from(pixels, (sign) => Number.parseInt(sign, 17) / 16), output: Number(digit) }
})
const [lessons, tests] = [digits.slice(0, 1400), digits.slice(1400)]

/** A digit as a person sees it. */
function picture(pixels) {
  const rows = Array.from({ length: 8 }, (_, y) => pixels.slice(8 * y, 8 * y + 8))
  return rows.map((row) => row.map((x) => ' .:oO@'[Math.round(x * 5)].repeat(2)).join('')).join('\n')
}

async function main() {
  const network = new NeuralNetwork({
    layers: [64, { units: 64, dropout: 0.2 }, 10],
    loss: 'crossEntropy',
    precision: 'f32',
    seed: 1
  })
  const { bestEpoch, durationMs, stoppedBy } = await network.fit(lessons, {
    epochs: 300,
    validation: 0.15,
    earlyStopping: { patience: 25 },
    progress: true
  })
  console.log(`the best epoch was ${bestEpoch}; ended by ${stoppedBy} after ${Math.round(durationMs)} ms`)

  const { accuracy } = network.evaluate(tests)
  console.log(
    `${(100 * accuracy).toFixed(1)} % of ${tests.length} unseen digits are read right. A wrong one:\n`
  )
  const read = ({ input }) => {
    const outputs = network.predict(input)
    return outputs.indexOf(Math.max(...outputs))
  }
  const wrong = tests.find((test) => read(test) !== test.output)
  if (wrong !== undefined) console.log(`${picture(wrong.input)}\n\na ${wrong.output}, read as ${read(wrong)}`)

  const [, , page] = process.argv
  if (page !== undefined) {
    // The module needs nothing: it stands in the page itself.
    const html = readFileSync(path.join(__dirname, 'digits/page.html'), 'utf8')
    writeFileSync(
      page,
      html.replace('/* the network */', () => network.toModule())
    )
    console.log(`\n${page}: draw a digit in it`)
  }
  if (accuracy < 0.9) process.exitCode = 1
}

main()
