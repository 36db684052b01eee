'use strict'

// The rivals that npm installs, each into a folder of its own beneath .peers/npm, so that one that fails takes no other
// with it. None needs its install scripts, which build or fetch what runs on graphics cards.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { runNpm } = require('../common.js')

const PEERS = {
  autocannon: { autocannon: '9.0.0' },
  'brain.js': { 'brain.js': '2.0.0-beta.24' },
  'brain.js 1': { 'brain.js': '1.6.1' },
  'onnxruntime-node': { 'onnxruntime-node': '1.30.0' },
  synaptic: { synaptic: '1.1.4' },
  'TensorFlow.js': { '@tensorflow/tfjs': '4.22.0', '@tensorflow/tfjs-backend-wasm': '4.22.0' }
}

/** Installs the peers of these names that are not there yet, and gives the names of those that then are. */
function install(names) {
  return names.filter((name) => {
    try {
      if (!isInstalled(name)) installInto(folderOf(name), PEERS[name])
      return true
    } catch (error) {
      console.log(`Without ${name}, as it cannot be installed: ${error.message}\n`)
      return false
    }
  })
}

/** The names of the rivals that need no peer, or one of these. */
function namesWith(peers, rivals) {
  return Object.keys(rivals).filter((name) => {
    const { peer } = rivals[name]
    return peer === undefined || peers.includes(peer)
  })
}

function installInto(folder, dependencies) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ private: true, dependencies })}\n`)
  runNpm(folder, 'install', '--ignore-scripts', '--no-audit', '--no-fund')
}

/** Whether a peer is there, in the versions that are asked for. */
function isInstalled(name) {
  return Object.entries(PEERS[name]).every(([pkg, version]) => {
    const file = path.join(folderOf(name), 'node_modules', pkg, 'package.json')
    try {
      return JSON.parse(readFileSync(file, 'utf8')).version === version
    } catch {
      return false
    }
  })
}

/** A package of a peer, by default that of its name. */
function load(name, pkg = name) {
  return createRequire(path.join(folderOf(name), 'package.json'))(pkg)
}

function folderOf(name) {
  return path.join(__dirname, '../../.peers/npm', name)
}

/** Names and versions, for the line that says where a benchmark ran. */
function versions(names) {
  return names.map((name) => `${name} ${Object.values(PEERS[name])[0]}`)
}

module.exports = { folderOf, install, isInstalled, load, namesWith, versions }
