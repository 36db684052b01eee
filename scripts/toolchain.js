'use strict'

// Puts a Rust compiler with the source of its standard library into .toolchain/, for targets that rustup has not got here:
// from the packages of Debian, which are unpacked and not installed. For continuous integration and cross builds; whose
// rustup can add targets needs none of it.
//
//   node scripts/toolchain.js

const { spawnSync } = require('node:child_process')
const { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')

const folder = path.join(__dirname, '../.toolchain')
const file = path.join(folder, 'env.json')

function run(command, args, cwd = folder) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

function main() {
  if (existsSync(file)) return
  mkdirSync(folder, { recursive: true })
  run('apt-get', ['update'])
  // What the compiler needs beside itself: its library and that of LLVM.
  const left = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances']
  const depends = ['depends', '--recurse', ...left.map((kind) => `--no-${kind}`), 'rustc-web']
  const needed = run('apt-cache', depends).match(/^(libstd-rust-web|libllvm)\S*$/gm)
  run('apt-get', ['download', 'rustc-web', 'rust-web-src', ...new Set(needed)])
  for (const found of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', found, 'root'])
    rmSync(path.join(folder, found))
  }
  const root = path.join(folder, 'root/usr')
  // Its own linker comes with rustup's toolchain.
  const sysroot = run('rustc', ['--print', 'sysroot'], __dirname).trim()
  const host = /^host: (.*)$/m.exec(run('rustc', ['-vV'], __dirname))[1]
  const settings = {
    // Not rustup's proxy, which would choose the compiler.
    command: path.join(sysroot, 'bin/cargo'),
    args: ['-Zbuild-std=std,panic_abort'],
    env: {
      RUSTC: path.join(root, 'bin/rustc'),
      RUSTC_BOOTSTRAP: '1',
      LD_LIBRARY_PATH: path.join(root, 'lib/x86_64-linux-gnu'),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: path.join(sysroot, 'lib/rustlib', host, 'bin/rust-lld')
    }
  }
  run(settings.env.RUSTC, ['--version'], folder)
  writeFileSync(file, JSON.stringify(settings))
  console.log(`unpacked ${path.relative(process.cwd(), root)}`)
}

try {
  process.env.LD_LIBRARY_PATH = path.join(folder, 'root/usr/lib/x86_64-linux-gnu')
  main()
} catch (error) {
  console.error(`No toolchain for other targets: ${error.message}`)
  process.exit(1)
}
