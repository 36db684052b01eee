'use strict'

// The tests under tools that watch memory, which Rust cannot check in `unsafe` blocks and across the border:
//
//   node scripts/sanitize.js address     the core's tests with AddressSanitizer and LeakSanitizer
//   node scripts/sanitize.js thread      the core's tests with ThreadSanitizer
//   node scripts/sanitize.js valgrind    the addon in Node.js, under valgrind's memcheck
//
// The first two need `rustup toolchain install nightly -c rust-src`, the last one valgrind; all of them Linux.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { root, run } = require('./run.js')

const target = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`

/** Some tests ask for more memory than there is, on purpose: they want an error. */
const ALLOCATOR = 'allocator_may_return_null=1'
const SANITIZERS = {
  address: { cargo: [], env: { ASAN_OPTIONS: ALLOCATOR } },
  // The standard library has to be watched too, or its locks are not known as such.
  thread: { cargo: ['-Zbuild-std'], env: { TSAN_OPTIONS: `halt_on_error=1 ${ALLOCATOR}` } }
}

/** What runs under valgrind, which takes thirty times as long: programs that touch every part of the addon. */
const PROGRAMS = [
  'examples/01-xor.js',
  'examples/04-iris.js',
  'examples/08-stop-and-resume.js',
  'examples/12-brain.js'
]

function sanitize(kind) {
  const { cargo, env } = SANITIZERS[kind]
  const args = [
    '+nightly',
    'test',
    '--no-default-features',
    '--locked',
    '--release',
    '--lib',
    '--target',
    target,
    ...cargo
  ]
  return run('cargo', args, {
    ...env,
    RUSTFLAGS: `-Zsanitizer=${kind}`,
    CARGO_TARGET_DIR: path.join(root, 'target', kind),
    // With names in the reports, and no hour of linking.
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_STRIP: 'none',
    CARGO_PROFILE_RELEASE_DEBUG: 'line-tables-only'
  })
}

/** V8 itself gives reports: those count that have a frame of the addon. */
function valgrind() {
  const options = ['--tool=memcheck', '--num-callers=40', '--error-limit=no', '--leak-check=no']
  let failed = 0
  for (const program of PROGRAMS) {
    const { status, stderr } = spawnSync(
      'valgrind',
      [...options, process.execPath, '--single-threaded', program],
      {
        cwd: root,
        encoding: 'utf8',
        maxBuffer: 2 ** 30
      }
    )
    assert.match(stderr, /ERROR SUMMARY/, 'valgrind did not run')
    const reports = stderr.split(/==\d+== \n/).filter((part) => / at 0x/.test(part))
    const ours = reports.filter((report) => / 0x.*(mikir::|mikir[^/ ]*\.node)/.test(report))
    console.log(`${program}: ended with ${status}, ${reports.length} reports, ${ours.length} of the addon`)
    for (const report of ours.slice(0, 5)) console.log(report)
    if (status !== 0 || ours.length > 0) failed += 1
  }
  return { ok: failed === 0 }
}

async function main() {
  const [kind] = process.argv.slice(2)
  assert.ok(kind === 'valgrind' || Object.hasOwn(SANITIZERS, kind), 'which: address, thread or valgrind?')
  const { ok } = await (kind === 'valgrind' ? valgrind() : sanitize(kind))
  if (!ok) process.exitCode = 1
}

main()
