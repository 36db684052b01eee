// The tables to choose from, as CSV.

import iris from '../examples/data/iris.csv'

/** Repeatable numbers in [0, 1). */
function randomOf(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const csv = (names, rows) => [names, ...rows].map((row) => row.join(',')).join('\n')
const short = (x) => x.toFixed(3)

function xor() {
  const random = randomOf(1)
  return csv(
    ['x', 'y', 'colour'],
    Array.from({ length: 300 }, () => {
      const [x, y] = [2 * random() - 1, 2 * random() - 1]
      return [short(x), short(y), x * y > 0 ? 'blue' : 'orange']
    })
  )
}

function circles() {
  const random = randomOf(2)
  return csv(
    ['x', 'y', 'colour'],
    Array.from({ length: 300 }, (_, i) => {
      const [radius, angle] = [i % 2 ? 0.5 * random() : 0.7 + 0.3 * random(), 2 * Math.PI * random()]
      return [short(radius * Math.cos(angle)), short(radius * Math.sin(angle)), i % 2 ? 'blue' : 'orange']
    })
  )
}

function spirals() {
  const random = randomOf(3)
  return csv(
    ['x', 'y', 'colour'],
    Array.from({ length: 400 }, (_, i) => {
      const along = Math.floor(i / 2) / 200
      const angle = 1.75 * along * 2 * Math.PI + (i % 2 ? Math.PI : 0)
      const noise = () => 0.04 * (random() - 0.5)
      return [
        short(along * Math.sin(angle) + noise()),
        short(along * Math.cos(angle) + noise()),
        i % 2 ? 'blue' : 'orange'
      ]
    })
  )
}

/** Whether black or white text reads better on a colour: the relative luminance of WCAG. */
function colours() {
  const random = randomOf(4)
  const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
  return csv(
    ['red', 'green', 'blue', 'text'],
    Array.from({ length: 400 }, () => {
      const [r, g, b] = [random(), random(), random()]
      const luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
      return [short(r), short(g), short(b), luminance > 0.179 ? 'black' : 'white']
    })
  )
}

export const tables = { xor, circles, spirals, iris: () => iris, colours }
