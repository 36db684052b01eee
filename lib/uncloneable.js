'use strict'

/**
 * A class to derive from, whose objects `structuredClone` and `postMessage` refuse, where they would give `{}` without a
 * word: they copy no generator, whatever its prototype. To others these are ordinary objects.
 *
 * It takes 50 ns where the prototype of `generate` is the class's, a microsecond for others; a `WeakRef` would take 8.
 * @param {GeneratorFunction} generate - does nothing; stack traces say its name
 */
function uncloneable(generate) {
  return function Uncloneable() {
    const object = generate()
    const { prototype } = new.target
    if (prototype !== generate.prototype) Object.setPrototypeOf(object, prototype)
    return object
  }
}

module.exports = { uncloneable }
