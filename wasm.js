'use strict'

// What `npm run build:web` builds.
module.exports = require('./web/node/wasm.cjs')
