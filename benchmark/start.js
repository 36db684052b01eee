'use strict'

// What mikir costs before it computes anything: the time of `require`, against other libraries if they are installed,
// the sizes of addon and tarball, and the time of `npm install` in an empty folder.
//
//   npm run bench -- start                   half a minute
//   npm run bench -- start --rounds=5        fewer processes that require
//
// Every `require` runs in a process of its own, which loads nothing else; the libraries take turns, and times are
// medians. The addon must be built: it is packed as it is. The other libraries are those that other benchmarks have
// installed into .peers/.

const { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const {
  digits,
  machine,
  median,
  printTable,
  ratio,
  readFlags,
  runNpm,
  runProgram,
  takeTurns,
  times
} = require('./common.js')
const { folderOf, isInstalled, versions } = require('./peers/npm.js')

const ROOT = path.join(__dirname, '..')
const ADDON = path.join(ROOT, `mikir.${process.platform}-${process.arch}.node`)
const INSTALLS = 3
const MB = 1e6

/** Prints the milliseconds that the `require` of its argument takes. */
const PROGRAM = `const start = performance.now()
require(process.argv[1])
console.log(performance.now() - start)`

const RIVALS = {
  'brain.js': 'brain.js',
  'onnxruntime-node': 'onnxruntime-node',
  synaptic: 'synaptic',
  'TensorFlow.js': '@tensorflow/tfjs'
}

function main() {
  const rounds = Number(readFlags({ rounds: { type: 'string', default: '21' } }).rounds)
  const peers = Object.keys(RIVALS).filter(isInstalled)
  console.log(`${[machine(), ...versions(peers)].join(', ')}\n`)
  printRequire(rounds, peers)
  printPackage()
}

function printRequire(rounds, peers) {
  const paths = { mikir: ROOT }
  for (const name of peers) paths[name] = path.join(folderOf(name), 'node_modules', RIVALS[name])
  const ms = takeTurns(rounds, Object.keys(paths), (name) =>
    Number(runProgram(process.execPath, ['-e', PROGRAM, paths[name]]))
  )
  const rows = Object.keys(ms).map((name) => [
    name,
    digits(median(ms[name])),
    digits(Math.max(...ms[name])),
    times(ratio(ms[name], ms.mikir))
  ])
  console.log(`Milliseconds of \`require\`, medians of ${rounds} processes. Target: less than 5 ms.\n`)
  printTable(['library', 'median', 'slowest', 'mikir is faster by'], rows, 1)
}

function printPackage() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-start-'))
  try {
    // A list of packages in one npm, an object of them in another.
    const packed = JSON.parse(
      runNpm(ROOT, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder)
    )
    const [{ filename, size }] = Object.values(packed)
    const tarball = path.join(folder, filename)
    const seconds = Array.from({ length: INSTALLS }, (_, i) => install(tarball, path.join(folder, String(i))))
    console.log('\nThe package.\n')
    printTable(
      ['', 'found', 'target'],
      [
        ['addon, MB', digits(statSync(ADDON).size / MB), 'less than 3'],
        ['tarball, MB', digits(size / MB), ''],
        [`\`npm install\` of the tarball, s, median of ${INSTALLS}`, digits(median(seconds)), 'less than 2']
      ],
      1
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The seconds that installing a tarball into a new folder takes. */
function install(tarball, folder) {
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const start = performance.now()
  runNpm(folder, 'install', tarball, '--no-audit', '--no-fund')
  const seconds = (performance.now() - start) / 1000
  // Throws if it is not there.
  statSync(path.join(folder, 'node_modules/mikir', path.basename(ADDON)))
  return seconds
}

main()
