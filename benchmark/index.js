'use strict'

// npm run bench -- <name>...

/** Each measures when it is loaded, prints Markdown tables, and says in its first lines what it compares. */
const benchmarks = {
  calls: './calls.js',
  memory: './memory.js',
  responsiveness: './responsiveness.js'
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name))
if (names.length === 0 || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark '${name}'.`)
  console.error(`Usage: npm run bench -- <name>...   with the names: ${Object.keys(benchmarks).join(', ')}`)
  process.exit(1)
}
for (const name of names) require(benchmarks[name])
