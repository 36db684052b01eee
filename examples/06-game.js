'use strict'

// A game that learns: a pole on a cart is to be kept upright by pushes to the left and to the right (Barto, Sutton and
// Anderson, 1983; the numbers are those of Gym's CartPole-v0, where a game ends after 200 steps). Deep Q-learning
// (Mnih et al., 2015; with two networks, as van Hasselt et al., 2016): the network says what each push is worth, a trainer
// learns from random moments of the past.

const { NeuralNetwork } = require('..')

const SEED = 1
const GAMES = 400
/** A game that lasts so long is won; the last games must last so long in the mean. */
const [LONGEST, GOOD] = [200, 150]
/** What the future is worth, how many moments a step learns from, and how many are remembered. */
const [DISCOUNT, BATCH, MEMORY] = [0.97, 64, 20_000]

const network = new NeuralNetwork({ layers: [4, 64, 64, 2], loss: 'huber', seed: SEED })
const trainer = network.trainer({ optimizer: 'adam', learningRate: 1e-3 })
const random = randomOf(SEED)
const memory = []
/** A network that stands still for a while, so that what is learnt does not run after itself. */
let judge = network.clone()

const lengths = []
for (let game = 0; game < GAMES && mean(lengths.slice(-20)) < GOOD + 30; game++) lengths.push(play(game))
console.log(`${lengths.length} games; the first 20 lasted ${mean(lengths.slice(0, 20)).toFixed(0)} steps`)

const tries = Array.from({ length: 20 }, () => play(undefined))
console.log(`without a thought of learning it now lasts ${mean(tries).toFixed(0)} steps of ${LONGEST}`)
if (mean(tries) < GOOD) throw new Error(`the pole falls after ${mean(tries)} steps`)

/** Plays a game and learns from it, unless it has no number; how many steps it lasted. */
function play(game) {
  let state = Array.from({ length: 4 }, () => random() * 0.1 - 0.05)
  const curiosity = game === undefined ? 0 : Math.max(0.02, 1 - game / 60)
  for (let step = 1; ; step++) {
    const push = random() < curiosity ? Number(random() < 0.5) : best(network.predict(seen(state)))
    const next = move(state, push)
    const isLost = Math.abs(next[0]) > 2.4 || Math.abs(next[2]) > 0.2095
    if (game !== undefined) {
      memory[trainer.steps % MEMORY] = { state: seen(state), push, next: seen(next), isLost }
      learn()
      if (trainer.steps % 250 === 0) judge = network.clone()
    }
    if (isLost || step === LONGEST) return step
    state = next
  }
}

/** One step by random moments: a push is worth its reward, and what the judge thinks of the best push after it. */
function learn() {
  const moments = Array.from({ length: BATCH }, () => memory[Math.floor(random() * memory.length)])
  const states = moments.map(({ state }) => state)
  const targets = network.predictBatch(states)
  const nexts = moments.map(({ next }) => next)
  const [worth, chosen] = [judge.predictBatch(nexts), network.predictBatch(nexts)]
  moments.forEach(({ push, isLost }, i) => {
    targets[i][push] = 1 + (isLost ? 0 : DISCOUNT * worth[i][best(chosen[i])])
  })
  trainer.step(states, targets)
}

/** A state as the network sees it: each number about as large as the others. */
function seen([x, v, angle, turn]) {
  return [x / 2.4, v / 3, angle / 0.2, turn / 3]
}

/** Where the cart is after a push: its place and speed, the pole's angle and speed. */
function move([x, v, angle, turn], push) {
  const [gravity, cart, pole, half, force, time] = [9.8, 1, 0.1, 0.5, push === 1 ? 10 : -10, 0.02]
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const pressed = (force + pole * half * turn ** 2 * sin) / (cart + pole)
  const turning = (gravity * sin - cos * pressed) / (half * (4 / 3 - (pole * cos ** 2) / (cart + pole)))
  const moving = pressed - (pole * half * turning * cos) / (cart + pole)
  return [x + time * v, v + time * moving, angle + time * turn, turn + time * turning]
}

function best(values) {
  return values.indexOf(Math.max(...values))
}

function mean(numbers) {
  return numbers.length === 0 ? 0 : numbers.reduce((a, b) => a + b) / numbers.length
}

/** Numbers from U[0, 1) that follow from a seed (the generator mulberry32). */
function randomOf(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
