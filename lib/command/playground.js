'use strict'

const { spawn } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { readFile } = require('node:fs/promises')
const { createServer } = require('node:http')
const path = require('node:path')
const { UsageError } = require('./arguments.js')
const { tell } = require('./output.js')

const PAGE = path.join(__dirname, '../../web/playground.html')

/** The command that opens a page, by the platform. */
const OPENERS = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''], linux: ['xdg-open'] }

module.exports = {
  usage: 'mikir playground [DATA.csv] [--port 0] [--no-open]',
  arguments: [0, 1],
  options: { port: { type: 'string' }, 'no-open': { type: 'boolean' } },
  help: `Opens a page to try networks in, with the table or without. Nothing leaves this machine. Ctrl-C ends it.

Examples:
  mikir playground iris.csv
`,
  async run([file], values) {
    if (!existsSync(PAGE)) throw new UsageError('this package was built without its page: npm run build:web')
    const page = readFileSync(PAGE)
    let data
    try {
      data = file === undefined ? undefined : await readFile(file)
    } catch (error) {
      throw new UsageError(`'${file}' cannot be read: ${error.message}`)
    }
    const server = createServer((request, response) => {
      const found =
        request.url === '/data.csv' ? data : request.url.split(/[?#]/)[0] === '/' ? page : undefined
      const type = request.url === '/data.csv' ? 'text/csv' : 'text/html'
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` })
      response.end(found)
    })
    await new Promise((resolve, reject) => {
      server.once('error', (error) => reject(new UsageError(error.message)))
      server.listen(Number(values.port ?? 0), '127.0.0.1', resolve)
    })
    const name = file === undefined ? '' : `?data=${encodeURIComponent(path.basename(file))}`
    const address = `http://127.0.0.1:${server.address().port}/${name}`
    tell(address, values)
    const [command, ...args] = OPENERS[process.platform] ?? OPENERS.linux
    if (!values['no-open'])
      spawn(command, [...args, address], { stdio: 'ignore', detached: true }).on('error', () => {})
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => {
        server.close()
        server.closeAllConnections()
      })
    }
  }
}
