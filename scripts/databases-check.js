'use strict'

// The examples with databases, which the package has nothing to do with: they come from the npm registry into .peers/databases.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { installed, root } = require('./run.js')

const PACKAGES = ['@duckdb/node-api@1.5.6-r.1', '@electric-sql/pglite@0.5.17']

for (const example of ['duckdb.js', 'postgres.js']) {
  test(`examples/databases/${example} ends well`, () => {
    const found = installed('databases', PACKAGES, '@duckdb/node-api')
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(root, 'examples/databases', example)],
      {
        encoding: 'utf8',
        env: { ...process.env, NODE_PATH: path.join(found, '../..') },
        timeout: 120_000
      }
    )
    assert.equal(status, 0, stdout + stderr)
  })
}
