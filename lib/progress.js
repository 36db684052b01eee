'use strict'

// The progress bar of a fit, on a terminal.

/** How often it is drawn, in milliseconds. */
const PERIOD = 66

/** The narrowest bar, in columns: with less room there is only text. */
const LEAST = 10

class ProgressBar {
  #stream
  #start = performance.now()
  #drawn = Number.NEGATIVE_INFINITY
  /** The epochs that were done when it began: none of them tells how long one takes. */
  #first

  constructor(first, stream = process.stderr) {
    this.#first = first
    this.#stream = stream
  }

  /** Whether it is time to draw again. */
  get isDue() {
    return performance.now() - this.#drawn >= PERIOD
  }

  /** Draws what the last finished epoch came to. */
  draw({ epoch, epochs, loss, validationLoss, learningRate }) {
    this.#drawn = performance.now()
    const seconds = (((this.#drawn - this.#start) / (epoch - this.#first)) * (epochs - epoch)) / 1000
    const left = epoch > this.#first ? timeOf(seconds) : '?'
    const validation = validationLoss === undefined ? '' : `, validation loss ${validationLoss.toFixed(4)}`
    const losses = `loss ${loss.toFixed(4)}${validation}, rate ${learningRate.toExponential(2)}`
    const text = `${epoch}/${epochs} epochs, ${losses}, ${left} left`
    const width = this.#stream.columns - text.length - 2
    const filled = Math.round((width * epoch) / epochs)
    const bar = width < LEAST ? '' : `${'█'.repeat(filled)}${'░'.repeat(width - filled)} `
    // From the first column, and no rest of a longer line.
    this.#stream.write(`\r${bar}${text.slice(0, this.#stream.columns - 1)}\x1b[K`)
  }

  /** Leaves the last state behind, and below it what a person would notice. */
  end(warnings) {
    const lines = warnings.map(({ code, message }) => `Warning (${code}): ${message}\n`)
    this.#stream.write(`\n${lines.join('')}`)
  }
}

function timeOf(seconds) {
  if (seconds < 60) return `${Math.round(seconds)}s`
  if (seconds < 3600) return `${Math.round(seconds / 60)}m`
  return `${Math.round(seconds / 3600)}h`
}

/** The bar of a fit, where stderr is a terminal. */
function progressBar(first) {
  return globalThis.process?.stderr?.isTTY === true ? new ProgressBar(first) : undefined
}

module.exports = { ProgressBar, progressBar }
