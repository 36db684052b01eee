'use strict'

// Learning without gradients: networks that steer a cart to the middle of a track, of which the best have children with other
// weights.

const { NeuralNetwork } = require('..')

const [POPULATION, PARENTS, GENERATIONS, STEPS] = [40, 8, 25, 120]

/** Repeatable numbers from a normal distribution. */
let state = 1
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return (state + 1) / (2 ** 32 + 1)
}
const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())

/** How far from the middle the cart is on average: it starts at the left and at the right. */
function distanceOf(network) {
  let sum = 0
  for (const start of [-1, 0.7]) {
    let [place, speed] = [start, 0]
    for (let step = 0; step < STEPS; step++) {
      const [force] = network.predict([place, speed])
      speed = 0.98 * speed + 0.02 * Math.max(-1, Math.min(1, force))
      place += speed
      sum += Math.abs(place) / (2 * STEPS)
    }
  }
  return sum
}

function childOf(parent) {
  const child = parent.clone()
  const changed = (x) => x + 0.2 * normal()
  child.setWeights(
    child.getWeights().map(({ weights, biases }) => ({
      weights: weights.map((row) => row.map(changed)),
      biases: biases.map(changed)
    }))
  )
  return child
}

let population = Array.from(
  { length: POPULATION },
  (_, seed) => new NeuralNetwork({ layers: [2, { units: 6, activation: 'tanh' }, 1], loss: 'mse', seed })
)
let first
for (let generation = 1; generation <= GENERATIONS; generation++) {
  const ranked = population.map((network) => ({ network, distance: distanceOf(network) }))
  ranked.sort((a, b) => a.distance - b.distance)
  first ??= ranked[0].distance
  if (generation % 5 === 0)
    console.log(`generation ${generation}: ${ranked[0].distance.toFixed(4)} from the middle`)
  const parents = ranked.slice(0, PARENTS).map(({ network }) => network)
  population = Array.from({ length: POPULATION }, (_, k) =>
    k < PARENTS ? parents[k] : childOf(parents[k % PARENTS])
  )
}
if (!(distanceOf(population[0]) < Math.min(first, 0.15))) process.exitCode = 1
