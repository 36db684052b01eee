// The page of the original: whoever looks at it teaches a network which text reads better on a colour.

import { NeuralNetwork } from 'mikir'

const network = new NeuralNetwork(3, 3, 1)
/** What was chosen: a colour, and 1 for black text, 0 for white. */
const lessons = [
  { colour: [0, 0, 0], isBlack: 0 },
  { colour: [255, 255, 255], isBlack: 1 }
]
const element = (id) => document.getElementById(id)
const any = () => Array.from({ length: 3 }, () => Math.floor(256 * Math.random()))
const scaled = (colour) => colour.map((channel) => channel / 255)
const css = (colour) => `rgb(${colour.join(' ')})`

let asked = any()
let shown = Array.from({ length: 12 }, any)

function ask() {
  asked = any()
  for (const id of ['white', 'black']) element(id).style.background = css(asked)
}

function learn(isBlack) {
  lessons.push({ colour: asked, isBlack })
  for (let pass = 0; pass < 1000; pass++) {
    for (const lesson of lessons) network.train(scaled(lesson.colour), [lesson.isBlack], 0.5)
  }
  ask()
  draw()
}

function draw() {
  element('state').textContent = `${lessons.length} lessons`
  element('answers').replaceChildren(
    ...shown.map((colour) => {
      const item = document.createElement('li')
      const isBlack = network.predict(scaled(colour))[0] > 0.5
      item.style.background = css(colour)
      item.style.color = isBlack ? '#000' : '#fff'
      item.textContent = isBlack ? 'black' : 'white'
      return item
    })
  )
}

element('white').addEventListener('click', () => learn(0))
element('black').addEventListener('click', () => learn(1))
element('more').addEventListener('click', () => {
  shown = Array.from({ length: 12 }, any)
  draw()
})
ask()
draw()
