'use strict'

// The platforms that have a package of their own with the addon in it: npm installs the one that fits.

const { version, license, engines } = require('../package.json')

/** By their names: what npm looks at, Rust's name of the target, and the oldest glibc that will do. */
const PLATFORMS = {
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', target: 'aarch64-apple-darwin' },
  'darwin-x64': { os: 'darwin', cpu: 'x64', target: 'x86_64-apple-darwin' },
  'linux-arm64-gnu': {
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    target: 'aarch64-unknown-linux-gnu',
    glibc: '2.17'
  },
  'linux-arm64-musl': { os: 'linux', cpu: 'arm64', libc: 'musl', target: 'aarch64-unknown-linux-musl' },
  'linux-x64-gnu': {
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    target: 'x86_64-unknown-linux-gnu',
    glibc: '2.17'
  },
  'linux-x64-musl': { os: 'linux', cpu: 'x64', libc: 'musl', target: 'x86_64-unknown-linux-musl' },
  'win32-arm64-msvc': { os: 'win32', cpu: 'arm64', target: 'aarch64-pc-windows-msvc' },
  'win32-x64-msvc': { os: 'win32', cpu: 'x64', target: 'x86_64-pc-windows-msvc' }
}

const addonOf = (name) => `mikir.${PLATFORMS[name].os}-${PLATFORMS[name].cpu}.node`

/** The package.json of a platform. */
function packageOf(name) {
  const { os, cpu, libc } = PLATFORMS[name]
  return {
    name: `@mikir/${name}`,
    version,
    description: `The native addon of mikir for ${name}`,
    license,
    engines,
    main: addonOf(name),
    files: [addonOf(name)],
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] })
  }
}

/** What the published package asks for, of exactly its own version. */
const optionalDependencies = Object.fromEntries(
  Object.keys(PLATFORMS).map((name) => [`@mikir/${name}`, version])
)

module.exports = { PLATFORMS, addonOf, optionalDependencies, packageOf }
