'use strict'

// npm run bench -- <name>... [flags]

/**
 * Each measures when it is loaded, prints Markdown tables, and says in its first lines what it compares and what flags
 * it has.
 */
const benchmarks = {
  busy: './busy.js',
  calls: './calls.js',
  cost: './cost.js',
  csv: './csv.js',
  files: './files.js',
  hosts: './hosts.js',
  inference: './inference.js',
  ladder: './ladder.js',
  memory: './memory.js',
  passes: './passes.js',
  responsiveness: './responsiveness.js',
  serve: './serve.js',
  start: './start.js',
  starts: './starts.js',
  tfjs: './tfjs.js',
  trainer: './trainer.js',
  xor: './xor.js'
}

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name))
if (names.length === 0 || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark '${name}'.`)
  console.error(
    `Usage: npm run bench -- <name>... [flags]   with the names: ${Object.keys(benchmarks).join(', ')}`
  )
  process.exit(1)
}
for (const name of names) require(benchmarks[name])
