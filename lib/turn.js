'use strict'

// The next turn of the event loop, and intervals. Tests replace timers, on `globalThis` and in `node:timers`, and never let time go
// on: this is found when mikir is loaded, and is none of those that they replace.

const { clearInterval, setImmediate, setInterval } = require('node:timers')
const { scheduler } = require('node:timers/promises')

/** Calls `body` in the next turn, in the asynchronous context of this one. */
const nextTurn = scheduler?.yield === undefined ? setImmediate : (body) => void scheduler.yield().then(body)

module.exports = { clearInterval, nextTurn, setInterval }
