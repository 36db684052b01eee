'use strict'

module.exports = require('./host.js').host
