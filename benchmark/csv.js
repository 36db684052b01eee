'use strict'

// Reading a table of a million rows and 20 columns from CSV: numbers of four decimals, integers and words. Beside it the bare
// reading of the file, and polars, which uses all cores, by its own word of how long it takes.
//
//   npm run bench -- csv                    half a minute, once polars is there
//   npm run bench -- csv --rivals=mikir     mikir alone
//
// Times are medians of several turns in one process each, the file in the system's cache. Polars is installed into .peers/ by
// the first run, with pip.

const { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } = require('node:fs')
const { once } = require('node:events')
const os = require('node:os')
const path = require('node:path')
const { digits, machine, milliseconds, printTable, readFlags, runProgram } = require('./common.js')

const [ROWS, COLUMNS] = [1_000_000, 20]
const TURNS = 5

const PROGRAM = `
import sys, time
import polars
times = []
for _ in range(${TURNS}):
    start = time.perf_counter()
    polars.read_csv(sys.argv[1])
    times.append(time.perf_counter() - start)
print(1000 * sorted(times)[len(times) // 2], polars.thread_pool_size())
`

async function main() {
  const { rivals } = readFlags({ rivals: { type: 'string', default: 'mikir,polars' } })
  console.log(`${ROWS.toLocaleString('en')} rows, ${COLUMNS} columns. ${machine()}\n`)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-bench-'))
  try {
    const file = path.join(folder, 'table.csv')
    await write(file)
    const bytes = statSync(file).size
    const rows = []
    const add = (name, ms, more = '') => rows.push([name, digits(ms), (bytes / 1000 / ms).toFixed(0), more])
    const { Table } = require('..')
    const own = await milliseconds(() => Table.readCSV(file), TURNS)
    add('mikir', own, `${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB at most`)
    add('the bytes alone', await milliseconds(() => readFileSync(file), TURNS))
    if (rivals.includes('polars')) {
      const python = runProgram('python3', [path.join(__dirname, 'peers/install.py'), 'polars']).trim()
      const [ms, threads] = runProgram(python, ['-c', PROGRAM, file]).trim().split(' ')
      add(`polars, ${threads} threads`, Number(ms))
    }
    printTable(['', 'ms', 'MB/s', ''], rows, 1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function write(file) {
  const out = createWriteStream(file)
  out.write(`${Array.from({ length: COLUMNS }, (_, k) => `c${k}`).join()}\n`)
  for (let i = 0; i < ROWS; i += 1000) {
    let text = ''
    for (let row = i; row < i + 1000; row++) {
      const cell = (_, k) => {
        if (k % 5 === 4) return `word ${(row * 7 + k) % 50}`
        return k % 5 === 3 ? (row * 13 + k) % 10_000 : (100 * Math.sin(row * k + 1)).toFixed(4)
      }
      text += `${Array.from({ length: COLUMNS }, cell).join()}\n`
    }
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}

main()
