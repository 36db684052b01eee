'use strict'

// Builds the addon for other platforms, packs their packages into npm/, and tests those that an emulator runs. On Linux on
// x64, with what Debian and PyPI have: zig as linker and C library, a compiler with the source of its standard library,
// qemu. It installs nothing; all goes into .toolchain/ and .peers/.
//
//   npm run cross [-- NAME...]                 names of scripts/platforms.js; without any, all for Linux
//   npm run cross -- --old                     only the tests, as on a processor without AVX2
//   npm run cross -- --built|--untested NAME   without building, without testing

const { spawnSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { PLATFORMS, addonOf, packageOf } = require('./platforms.js')
const { root } = require('./run.js')

const peers = path.join(root, '.peers/cross')
const output = path.join(root, 'npm')
/** A Node.js for each processor, as a package of npm. */
const NODE = '22.23.5'

function run(command, args, { env = {}, cwd = root, shell = false, stdio = 'inherit' } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    shell,
    stdio,
    encoding: 'utf8',
    env: { ...process.env, ...env }
  })
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${done.error?.message ?? done.stderr ?? ''}`)
  return done.stdout
}

/** Unpacks packages of Debian, with nothing installed. */
function unpack(names) {
  const folder = path.join(peers, 'debian')
  mkdirSync(folder, { recursive: true })
  run('apt-get', ['download', ...names], { cwd: folder })
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', file, '.'], { cwd: folder })
  }
  return folder
}

/** zig, and what makes a linker for cargo of it. */
function zigbuild() {
  const bin = path.join(peers, 'python/bin')
  if (!existsSync(path.join(bin, 'cargo-zigbuild'))) {
    run('python3', ['-m', 'venv', path.join(peers, 'python')])
    run(path.join(bin, 'pip'), ['install', '--quiet', 'ziglang', 'cargo-zigbuild'])
  }
  return bin
}

/** How cargo builds for a target: as it is here where rustup has the target, else with a compiler of Debian's. */
function cargo(target) {
  const folder = run('rustc', ['--print', 'target-libdir', '--target', target], { stdio: 'pipe' }).trim()
  if (existsSync(folder)) return { command: 'cargo', args: [], env: {} }
  if (spawnSync('rustup', ['target', 'add', target]).status === 0)
    return { command: 'cargo', args: [], env: {} }
  run(process.execPath, ['scripts/toolchain.js'])
  const { command, env } = JSON.parse(readFileSync(path.join(root, '.toolchain/env.json'), 'utf8'))
  return { command, args: ['-Zbuild-std=std,panic_unwind'], env: { ...env, CARGO: command } }
}

function build(name) {
  const { os, target, glibc, libc } = PLATFORMS[name]
  const { command, args, env } = cargo(target)
  const folder = path.join(root, 'target/cross')
  const isLinux = os === 'linux'
  const bin = isLinux ? zigbuild() : ''
  run(
    isLinux ? path.join(bin, 'cargo-zigbuild') : command,
    [
      ...['rustc', '--release', '--locked', '--lib', '--crate-type=cdylib', '--target-dir', folder],
      ...['--target', glibc === undefined ? target : `${target}.${glibc}`, ...args]
    ],
    {
      env: {
        ...env,
        PATH: `${bin}${path.delimiter}${process.env.PATH}`,
        // A library of musl is loaded by one: it must not bring its own.
        ...(libc === 'musl' && { RUSTFLAGS: '-C target-feature=-crt-static' })
      }
    }
  )
  const library = { linux: 'libmikir.so', darwin: 'libmikir.dylib', win32: 'mikir.dll' }[os]
  const own = path.join(output, name)
  mkdirSync(own, { recursive: true })
  copyFileSync(path.join(folder, target, 'release', library), path.join(own, addonOf(name)))
  writeFileSync(path.join(own, 'package.json'), `${JSON.stringify(packageOf(name), null, 2)}\n`)
  run('npm', ['pack', own, '--pack-destination', output, '--silent'], { shell: os === 'win32' })
}

/** A Node.js for a processor, unpacked: npm installs none for another one. */
function nodeFor(cpu) {
  const folder = path.join(peers, `node-${cpu}`)
  const node = path.join(folder, 'package/bin/node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    const file = run('npm', ['pack', '--silent', `node-linux-${cpu}@${NODE}`], {
      cwd: folder,
      stdio: 'pipe'
    }).trim()
    run('tar', ['-xzf', file], { cwd: folder })
  }
  return node
}

function emulator(cpu) {
  const debian = unpack([
    'qemu-user-static',
    ...(cpu === 'arm64'
      ? ['libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross', 'libatomic1-arm64-cross']
      : [])
  ])
  return cpu === 'arm64'
    ? [path.join(debian, 'usr/bin/qemu-aarch64-static'), '-L', path.join(debian, 'usr/aarch64-linux-gnu')]
    : [path.join(debian, 'usr/bin/qemu-x86_64-static'), '-cpu', 'Nehalem']
}

/** What runs without processes of its own: those of a test are not emulated. */
const TESTS = ['bits', 'online', 'train', 'batch', 'evaluate', 'trainer', 'fit-goldens', 'learning']

/** The tests in an emulated processor, on the addon of a package. */
function test(cpu, addon) {
  const [command, ...args] = emulator(cpu)
  // Where lib/hosts/addon.js looks first.
  if (addon !== undefined) copyFileSync(addon, path.join(root, `mikir.linux-${cpu}.node`))
  for (const name of TESTS) {
    run(command, [...args, nodeFor(cpu), '--test-reporter=dot', `__test__/${name}.test.js`], {
      env: { MIKIR_HOST: 'addon' }
    })
  }
}

function main(args) {
  if (args.includes('--old')) return test('x64')
  const isTested = !args.includes('--untested')
  const asked = args.filter((argument) => !argument.startsWith('--'))
  const names = asked.length > 0 ? asked : Object.keys(PLATFORMS).filter((name) => name.startsWith('linux'))
  for (const name of names) {
    console.log(`--- ${name}`)
    if (!args.includes('--built')) build(name)
    if (!isTested) continue
    if (name === 'linux-arm64-gnu') test('arm64', path.join(output, name, addonOf(name)))
    else console.log(`${name} is built, and not run here`)
  }
}

main(process.argv.slice(2))
