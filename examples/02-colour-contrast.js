'use strict'

// Learns from a few colours whether white or black text reads better on them, and then answers for others.

const { NeuralNetwork } = require('..')

const lessons = [
  { colour: [0, 0, 0], text: 'white' },
  { colour: [255, 255, 255], text: 'black' },
  { colour: [180, 20, 30], text: 'white' },
  { colour: [20, 110, 40], text: 'white' },
  { colour: [30, 40, 200], text: 'white' },
  { colour: [90, 40, 120], text: 'white' },
  { colour: [90, 90, 90], text: 'white' },
  { colour: [250, 230, 60], text: 'black' },
  { colour: [120, 230, 110], text: 'black' },
  { colour: [110, 220, 240], text: 'black' },
  { colour: [250, 180, 190], text: 'black' },
  { colour: [180, 180, 180], text: 'black' }
]

/** A colour as the network sees it: each channel from 0 to 1. */
const scaled = (colour) => colour.map((channel) => channel / 255)

// Three channels in; out comes 1 where black text reads better, 0 where white does.
const network = new NeuralNetwork(3, 3, 1, { seed: 1 })
for (let pass = 0; pass < 5000; pass++) {
  for (const { colour, text } of lessons) network.train(scaled(colour), [text === 'black' ? 1 : 0], 0.5)
}

const textFor = (colour) => (network.predict(scaled(colour))[0] > 0.5 ? 'black' : 'white')

console.log('Colours nobody chose:')
for (let i = 0; i < 8; i++) {
  const colour = Array.from({ length: 3 }, () => Math.floor(256 * Math.random()))
  console.log(`  ${swatch(colour, textFor(colour))}`)
}

// These have one right answer, and none of them was a lesson but black and white themselves.
const clear = [
  { colour: [0, 0, 0], text: 'white' },
  { colour: [255, 255, 255], text: 'black' },
  { colour: [25, 25, 60], text: 'white' },
  { colour: [100, 0, 0], text: 'white' },
  { colour: [235, 235, 220], text: 'black' },
  { colour: [255, 255, 150], text: 'black' }
]
console.log('Colours that leave no doubt:')
for (const { colour, text } of clear) {
  const answer = textFor(colour)
  console.log(`  ${swatch(colour, answer)}${answer === text ? '' : `, which is wrong: ${text} reads better`}`)
  if (answer !== text) process.exitCode = 1
}

/** A line about `colour`; on a terminal, in that colour. */
function swatch(colour, text) {
  const line = ` ${text} text on rgb(${colour.join(', ')}) `
  if (!process.stdout.isTTY) return line.trim()
  const foreground = text === 'black' ? '0;0;0' : '255;255;255'
  return `\x1b[38;2;${foreground};48;2;${colour.join(';')}m${line}\x1b[0m`
}
