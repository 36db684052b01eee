'use strict'

// What mikir uses of node:timers and node:timers/promises, where there is no Node.js.

const { port1, port2 } = new MessageChannel()
const waiting = []

port1.onmessage = () => {
  const body = waiting.shift()
  // What is no browser ends where nothing but an idle port is left.
  if (waiting.length === 0) port1.unref?.()
  body()
}
port1.unref?.()

/** A message comes in the next turn of the event loop; a timer is held back for 4 milliseconds. */
function setImmediate(body) {
  port1.ref?.()
  waiting.push(body)
  port2.postMessage(undefined)
}

const { clearInterval, setInterval } = globalThis

module.exports = {
  clearInterval: clearInterval.bind(globalThis),
  setImmediate,
  setInterval: setInterval.bind(globalThis)
}
