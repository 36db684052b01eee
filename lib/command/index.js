'use strict'

// The command `mikir`: which of its commands is meant, its options, and how it ends.
//
// Results go to stdout, all else to stderr. It ends with 0, with 1 where something failed, with 2 where it was called in a
// wrong way.

const { parseArgs } = require('node:util')

/** Each gives its help and runs: `{ usage, help, options, run }`. Loaded when they are asked for. */
const COMMANDS = {
  train: () => require('./train.js'),
  predict: () => require('./predict.js'),
  evaluate: () => require('./evaluate.js'),
  inspect: () => require('./inspect.js'),
  convert: () => require('./convert.js'),
  serve: () => require('./serve.js'),
  playground: () => require('./playground.js')
}

const HELP = `Usage: mikir COMMAND [ARGUMENTS]

  train DATA.csv --target COLUMN      learn to predict a column, and write the model
  predict MODEL [DATA.csv|-]          answers for rows of CSV or of JSON, one a line
  evaluate MODEL DATA.csv             how good a model is on these rows
  inspect MODEL|DATA.csv              what is in a file
  convert IN OUT                      the same model in another format
  serve MODEL                         answers over HTTP
  playground [DATA.csv]               a page to try networks in

Options of every command: --help, --json (results as JSON), --quiet (nothing but results and errors).

Examples:
  mikir train iris.csv --target species --out iris.json
  mikir predict iris.json new.csv > answers.csv
  mikir COMMAND --help
`

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

async function main(args) {
  // A reader that wants no more, such as `head`, is no failure.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const [name, ...rest] = args
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      process.stdout.write(HELP)
      if (name === undefined) process.exitCode = 2
      return
    }
    if (name === '--version' || name === '-v') {
      process.stdout.write(`${require('../../package.json').version}\n`)
      return
    }
    if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command '${name.slice(0, 40)}'`)
    const command = COMMANDS[name]()
    const { values, positionals, others } = read(name, command, rest)
    if (values.help) process.stdout.write(`Usage: ${command.usage}\n\n${command.help}`)
    else await command.run(positionals, values, others)
  } catch (error) {
    fail(name, error)
  }
}

function fail(name, error) {
  const isUsage = error instanceof UsageError
  const cure = isUsage ? `; see mikir ${Object.hasOwn(COMMANDS, name ?? '') ? `${name} ` : ''}--help` : ''
  // What nobody has foreseen shows where it came from.
  const isKnown = isUsage || String(error.code).startsWith('ERR_MIKIR')
  process.stderr.write(`mikir: ${isKnown ? error.message + cure : error.stack}\n`)
  process.exitCode = isUsage ? 2 : 1
}

module.exports = { UsageError, main }
