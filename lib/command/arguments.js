'use strict'

// What stands after the name of a command.

const { parseArgs } = require('node:util')

/** A call that cannot be meant: `cure` says what to do. */
class UsageError extends Error {}

/**
 * Arguments of a command. What is no option of the command's own is collected, where it takes options of the library.
 * @returns {{ values: object, positionals: string[], others: Record<string, unknown> }}
 */
function read(name, { options = {}, usage, arguments: [least, most], takesOthers = false }, args) {
  const own = { help: { type: 'boolean' }, json: { type: 'boolean' }, quiet: { type: 'boolean' }, ...options }
  const { values, positionals, tokens } = parseArgs({
    args,
    options: own,
    allowPositionals: true,
    strict: false,
    tokens: true
  })
  const others = {}
  const free = [...positionals]
  for (const { kind, name: key, value, inlineValue, index } of tokens) {
    if (kind !== 'option') continue
    if (Object.hasOwn(own, key)) {
      if (own[key].type === 'string' && value === undefined) throw new UsageError(`--${key} needs a value`)
      if (own[key].type === 'boolean' && value !== undefined) throw new UsageError(`--${key} takes no value`)
      continue
    }
    if (!takesOthers) throw new UsageError(`mikir ${name} has no option --${key}`)
    // A value that follows was taken for an argument.
    const given = inlineValue ? value : args[index + 1]
    if (given === undefined) throw new UsageError(`--${key} needs a value`)
    if (!inlineValue) free.splice(free.indexOf(given), 1)
    delete values[key]
    others[key.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())] = parsed(given)
  }
  if (values.help !== true && (free.length < least || free.length > most)) {
    throw new UsageError(free.length < least ? `too few arguments: ${usage}` : `too many arguments: ${usage}`)
  }
  return { values, positionals: free, others }
}

/** A value of the library's: a number, a list or an object as JSON, or else a text. */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

module.exports = { UsageError, read }
