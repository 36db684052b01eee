'use strict'

// Builds the core for WebAssembly, and the package for pages: into web/. It needs Rust's standard library for
// wasm32-unknown-unknown.
//
//   node scripts/build-web.js [--bundle]        with --bundle only the JavaScript, around the module that is there

const { spawnSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { gzipSync } = require('node:zlib')

const root = path.join(__dirname, '..')
const web = path.join(root, 'web')
const target = 'wasm32-unknown-unknown'
/** Where scripts/toolchain.sh puts a compiler with the source of its standard library, where rustup has no such target. */
const unpacked = path.join(root, '.toolchain/env.json')

/** What does not say that it is to be inlined mostly is not: three quarters of the size. */
const FLAGS = {
  RUSTFLAGS: '-C target-feature=+simd128 -C llvm-args=-inline-threshold=45'
}

/** How cargo builds for the target here: its command, arguments and environment; nothing where it cannot. */
function toolchain() {
  const plain = { command: 'cargo', args: [], env: {} }
  const { status, stdout } = run('rustc', ['--print', 'target-libdir', '--target', target], { stdio: 'pipe' })
  if (status === 0 && existsSync(stdout.trim())) return plain
  if (existsSync(unpacked)) return JSON.parse(readFileSync(unpacked, 'utf8'))
  const added = run('rustup', ['target', 'add', target], { stdio: 'pipe', timeout: 120_000 })
  return added.status === 0 ? plain : undefined
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: 'inherit', ...options })
}

function buildModule() {
  const found = toolchain()
  if (found === undefined) {
    console.error(`Rust has no standard library for ${target} here: rustup target add ${target}`)
    process.exit(1)
  }
  const { command, args, env } = found
  const folder = path.join(root, 'target/web')
  const built = run(
    command,
    [
      ...['rustc', '--release', '--locked', '--lib', '--crate-type=cdylib', '--no-default-features'],
      ...['--target', target, '--target-dir', folder, ...args]
    ],
    { env: { ...process.env, ...FLAGS, ...env } }
  )
  if (built.status !== 0) process.exit(1)
  mkdirSync(web, { recursive: true })
  copyFileSync(path.join(folder, target, 'release/mikir.wasm'), path.join(web, 'mikir.wasm'))
}

/** The modules of Node.js that pages have not, and what stands for them. */
const STANDINS = {
  'node:async_hooks': 'node.js',
  'node:crypto': 'node.js',
  'node:fs/promises': 'node.js',
  'node:os': 'node.js',
  'node:path': 'node.js',
  'node:timers': 'timers.js',
  'node:timers/promises': 'timers.js',
  'node:url': 'node.js',
  'node:util': 'util.js'
}

async function bundle() {
  const esbuild = require('esbuild')
  const packed = gzipSync(readFileSync(path.join(web, 'mikir.wasm')), { level: 9 }).toString('base64')
  const forPages = {
    name: 'for pages',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path: name }) => {
        if (STANDINS[name] === undefined) throw new Error(`${name} has nothing that stands for it in pages`)
        return { path: path.join(root, 'lib/web', STANDINS[name]) }
      })
      build.onResolve({ filter: /\/host\.js$/ }, ({ importer }) =>
        path.dirname(importer) === path.join(root, 'lib/web')
          ? undefined
          : { path: path.join(root, 'lib/web/loaded.js') }
      )
      build.onResolve({ filter: /^mikir\.wasm\.gz$/ }, ({ path: name }) => ({
        path: name,
        namespace: 'packed'
      }))
      build.onLoad({ filter: /./, namespace: 'packed' }, () => ({ contents: packed, loader: 'text' }))
    }
  }
  const onWasm = {
    name: 'on WebAssembly',
    setup(build) {
      build.onResolve({ filter: /\/host\.js$/ }, () => ({ path: path.join(root, 'lib/hosts/wasm-node.js') }))
    }
  }
  const common = {
    absWorkingDir: root,
    bundle: true,
    legalComments: 'none',
    logLevel: 'warning',
    minify: true,
    keepNames: true
  }
  await esbuild.build({
    ...common,
    entryPoints: ['lib/web/index.mjs'],
    outfile: 'web/mikir.mjs',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    plugins: [forPages]
  })
  await esbuild.build({
    ...common,
    entryPoints: ['index.js'],
    // From here Node.js knows the names for `import`.
    footer: { js: namesOf(readFileSync(path.join(root, 'index.js'), 'utf8')) },
    outfile: 'web/node/wasm.cjs',
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    plugins: [onWasm]
  })
  await page('examples/contrast', 'contrast.html')
  await page('playground', 'playground.html')
  const size = gzipSync(readFileSync(path.join(web, 'mikir.mjs')), { level: 9 }).length
  console.log(`built web/mikir.mjs, ${Math.round(size / 1000)} kB gzipped`)
}

/** The line of the package that never runs and says its names. */
function namesOf(text) {
  const [, names] = /\(module\.exports = \{([^}]*)\}\)/.exec(text)
  return `0 && (module.exports = {${names}})`
}

/**
 * A page as one file, which opens without a server too: its style, its script and that of its worker are in it.
 * @param {string} folder - has index.html and page.mjs, perhaps page.css and worker.mjs
 */
async function page(folder, name) {
  const esbuild = require('esbuild')
  const scriptOf = async (file) => {
    const { outputFiles } = await esbuild.build({
      absWorkingDir: root,
      alias: { mikir: './web/mikir.mjs' },
      bundle: true,
      entryPoints: [path.join(folder, file)],
      format: 'esm',
      legalComments: 'none',
      loader: { '.csv': 'text' },
      logLevel: 'warning',
      minify: true,
      target: 'es2022',
      write: false
    })
    // What would end the script is written in another way.
    return outputFiles[0].text.replaceAll('</script', '<\\/script')
  }
  const has = (file) => existsSync(path.join(root, folder, file))
  const textOf = (file) => readFileSync(path.join(root, folder, file), 'utf8')
  const tag = '<script type="module" src="page.mjs"></script>'
  const style = has('page.css')
    ? `${readFileSync(path.join(root, 'node_modules/uplot/dist/uPlot.min.css'), 'utf8')}${textOf('page.css')}`
    : ''
  const worker = has('worker.mjs')
    ? `<script type="text/plain" id="worker">${await scriptOf('worker.mjs')}</script>`
    : ''
  const script = `${worker}<script type="module">${await scriptOf('page.mjs')}</script>`
  const text = textOf('index.html')
  if (!text.includes(tag)) throw new Error(`${folder}/index.html has no ${tag}`)
  writeFileSync(
    path.join(web, name),
    text.replace('/* page.css */', () => style).replace(tag, () => script)
  )
}

if (require.main === module) {
  if (!process.argv.includes('--bundle')) buildModule()
  bundle()
}

module.exports = { toolchain }
