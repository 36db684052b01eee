'use strict'

// The command `mikir`: which of its commands is meant, its options, and how it ends.
//
// Results go to stdout, all else to stderr. It ends with 0, with 1 where something failed, with 2 where it was called in a
// wrong way.

const { UsageError, read } = require('./arguments.js')

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

module.exports = { main }
