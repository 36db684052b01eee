'use strict'

// docs/math.md, the core and index.d.ts name the same things, with the same parameters.

const assert = require('node:assert/strict')
const { existsSync, readFileSync, readdirSync } = require('node:fs')
const { join, relative } = require('node:path')
const { describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')

const root = join(__dirname, '..')
const math = readFileSync(join(root, 'docs', 'math.md'), 'utf8')
const types = readFileSync(join(root, 'index.d.ts'), 'utf8')

/** The entries of a section of docs/math.md: name to text. */
function documented(section) {
  const [, text] = math.split(`\n## ${section}\n`)
  assert.notEqual(text, undefined, `docs/math.md has a section ${section}`)
  const entries = text.split(/\n## /)[0].matchAll(/^- `(\w+)`(?: \([\d.]+\))?: (.*(?:\n {2}.*)*)/gm)
  return new Map(Array.from(entries, ([, name, entry]) => [name, entry]))
}

/** The parameters of an entry, `name = default` in the text: name to default. */
function parametersOf(entry) {
  const parameters = entry.matchAll(/`(\w+) = ([^`]+)`/g)
  return Object.fromEntries(Array.from(parameters, ([, name, value]) => [name, JSON.parse(value)]))
}

/** The names in single quotes. */
const quotedIn = (text) => Array.from(text.matchAll(/'(\w+)'/g), ([, name]) => name)

/** The text of an exported type of index.d.ts. */
function typeOf(name) {
  const found = types.match(
    new RegExp(`^export type ${name} =([\\s\\S]*?)(?=\\n(?:\\S|\\n)|$(?![\\s\\S]))`, 'm')
  )
  assert.ok(found, `index.d.ts exports the type ${name}`)
  return found[1].replace(/\/\/.*/g, '')
}

/** The message that refuses `options`. */
function refusalOf(options) {
  try {
    new NeuralNetwork(options)
  } catch (error) {
    return error.message
  }
  assert.fail(`takes ${JSON.stringify(options)}`)
}

/** The names that the message for a wrong one lists. */
function namesIn(message) {
  const [, list] = message.match(/^Expected (?:one of|only) (.*) for options/)
  return quotedIn(list)
}

const hidden = (key, value) => ({ layers: [2, { units: 3, [key]: value }, 1] })
const CHOICES = [
  { section: 'Activations', type: 'Activation', options: (value) => hidden('activation', value) },
  { section: 'Losses', type: 'Loss', options: (value) => ({ layers: [2, 2], loss: value }) },
  { section: 'Initializers', type: 'Initializer', options: (value) => hidden('initializer', value) }
]

for (const { section, type, options } of CHOICES) {
  describe(section, () => {
    const entries = documented(section)
    const names = namesIn(refusalOf(options('no such name')))

    test('have the same names in the core, docs/math.md and index.d.ts', () => {
      assert.ok(names.length >= 10)
      assert.deepEqual([...entries.keys()], names)
      assert.deepEqual(quotedIn(typeOf(type)), names)
    })

    test('have the same parameters in the core and docs/math.md', () => {
      for (const name of names) {
        const known = namesIn(refusalOf(options({ type: name, 'no such parameter': 1 })))
        assert.deepEqual(known, ['type', ...Object.keys(parametersOf(entries.get(name)))], name)
      }
    })
  })
}

test('normalizations have the same names in the core, docs/math.md and index.d.ts', () => {
  const names = namesIn(refusalOf(hidden('normalization', 'no such name')))
  assert.deepEqual([...documented('Normalization').keys()], names)
  const [, declared] = types.match(/\bnormalization\?: ([^\n]*)/)
  assert.deepEqual(quotedIn(declared), names)
})

test('optimizers and schedules have the same names in docs/math.md and index.d.ts', () => {
  assert.deepEqual([...documented('Optimizers').keys()], quotedIn(typeOf('Optimizer')))
  const schedules = Array.from(typeOf('Schedule').matchAll(/\w+/g), ([name]) => name)
  const named = schedules.map((name) => types.match(`interface ${name} \\{[^}]*? type: '(\\w+)'`)?.[1])
  assert.deepEqual([...documented('Schedules').keys()], named)
})

const folder = join(root, 'src', 'nn')
const sources = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.rs'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')

test('every list of names in the core has its section', () => {
  const sections = {
    Activation: 'Activations',
    Initializer: 'Initializers',
    Loss: 'Losses',
    Normalization: 'Normalization',
    Precision: undefined,
    StoppedBy: undefined,
    Switch: undefined
  }
  const named = /impl Named for (\w+) \{\s*const ALL: [^=]* =([\s\S]*?\]);/g
  const listed = /const ALL: \[\(&str, (\w+)\); \d+\] =([\s\S]*?\]);/g
  const lists = [...sources.matchAll(named), ...sources.matchAll(listed)]
  assert.deepEqual(lists.map(([, type]) => type).sort(), Object.keys(sections))
  for (const [, type, list] of lists) {
    const names = Array.from(list.matchAll(/\(\s*"(\w+)",/g), ([, name]) => name)
    assert.notEqual(names.length, 0, type)
    if (sections[type] !== undefined) assert.deepEqual([...documented(sections[type]).keys()], names, type)
  }
})

/** The names of the fields of an exported interface of index.d.ts. */
function fieldsOf(name) {
  const found = types.match(new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm'))
  assert.ok(found, `index.d.ts exports the interface ${name}`)
  return Array.from(found[1].matchAll(/^ {2}(\w+)\??: /gm), ([, field]) => field)
}

test('fit has the same options in the core and index.d.ts', () => {
  const network = new NeuralNetwork({ layers: [1, 1] })
  assert.throws(
    () => network.fitSync([[1]], [[1]], { 'no such option': 1 }),
    (error) => {
      assert.deepEqual(namesIn(error.message), fieldsOf('FitOptions'))
      return true
    }
  )
})

test('what ends a fit has the same names in the core and index.d.ts', () => {
  const [, list] = sources.match(/const ALL: \[\(&str, StoppedBy\); \d+\] =([\s\S]*?\]);/)
  const names = Array.from(list.matchAll(/\("(\w+)",/g), ([, name]) => name)
  const [, declared] = types.match(/\bstoppedBy: ([^\n]*)/)
  assert.deepEqual(quotedIn(declared), names)
})

test('the measures of evaluate have the same names in docs/math.md and index.d.ts', () => {
  assert.deepEqual(['loss', ...documented('Evaluation').keys()], fieldsOf('Evaluation'))
})

for (const [type, section] of [
  ['Optimizer', 'Optimizers'],
  ['Schedule', 'Schedules']
]) {
  test(`${section} have the same names, parameters and defaults in the core and docs/math.md`, () => {
    const entries = documented(section)
    const [, list] = sources.match(new RegExp(`pub enum ${type} for "\\w+" \\{([\\s\\S]*?)\\}`))
    const choices = Array.from(list.matchAll(/"(\w+)" => (\w+),/g), ([, name, struct]) => [name, struct])
    assert.deepEqual(
      [...entries.keys()],
      choices.map(([name]) => name)
    )
    for (const [name, struct] of choices) {
      const [, fields] = sources.match(new RegExp(`pub struct ${struct}\\b[^{;]*\\{([\\s\\S]*?)\\}`))
      const settings = Array.from(fields.matchAll(/: (?:f64|usize|bool) = (.*?), "(\w+)"/g))
      const defaults = Object.fromEntries(settings.map(([, value, key]) => [key, JSON.parse(value)]))
      assert.deepEqual(parametersOf(entries.get(name)), defaults, name)
      // Those that have no default are named all the same.
      for (const [, key] of fields.matchAll(/, "(\w+)", [A-Z]/g))
        assert.match(entries.get(name), new RegExp(`\\b${key}\\b`))
    }
  })
}

test("the learning rates in brackets are the optimizers' own", () => {
  const own = /impl (?:Method for )?(\w+) \{[^}]*?const LEARNING_RATE: f64 = ([\d.]+);/g
  const rates = {}
  for (const [, struct, rate] of sources.matchAll(own)) rates[struct.toLowerCase()] = Number(rate)
  const [, text] = math.split('\n## Optimizers\n')
  const told = Array.from(text.matchAll(/^- `(\w+)` \(([\d.]+)\):/gm), ([, name, rate]) => [
    name,
    Number(rate)
  ])
  assert.deepEqual(Object.fromEntries(told), rates)
  assert.equal(told.length, 13)
})

test('docs/math.md tells the defaults of layers', () => {
  const penalties = documented('Penalties')
  assert.deepEqual(parametersOf(penalties.get('l1')), { l1: 0 })
  assert.deepEqual(parametersOf(penalties.get('l2')), { l2: 0 })
  const names = math.match(
    /Default: `(\w+)` for weights and `(\w+)` for biases, `(\w+)` for those of the output/
  )
  const [, initializer, biasInitializer, outputBiases] = names
  for (const activation of documented('Activations').keys()) {
    if (activation === 'softmax') continue
    const weights = (hidden, output) =>
      new NeuralNetwork({
        layers: [4, { units: 3, activation, ...hidden }, { units: 1, ...output }],
        seed: 1
      }).getWeights()
    const told = weights({ initializer, biasInitializer }, { initializer, biasInitializer: outputBiases })
    assert.deepEqual(weights(), told, activation)
  }
})

test('lines of docs/math.md are at most 110 characters long', () => {
  assert.deepEqual(
    math.split('\n').filter((line) => line.length > 110),
    []
  )
})

describe('the map of the code', () => {
  const folders = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((folder) => existsSync(join(folder, 'mod.rs')))

  test('in docs/architecture.md has every folder of modules, and only files and folders that there are', () => {
    const architecture = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')
    const [, map] = architecture.split('```text\n')
    const named = Array.from(map.split('```')[0].matchAll(/^(src\S+)/gm), ([, name]) => name)
    const paths = folders.map((folder) => `${relative(root, folder).replaceAll('\\', '/')}/`)
    const missing = paths.filter((path) => !named.includes(path))
    assert.deepEqual(missing, [])
    const all = [...named, ...Array.from(architecture.matchAll(/(?:src|lib)\/[\w./]+\w/g), ([name]) => name)]
    assert.ok(all.length > 30)
    assert.deepEqual(
      all.filter((name) => !existsSync(join(root, name))),
      []
    )
  })

  test('has no circle: the core knows nobody, files the core, the engine both, a host all', () => {
    const layers = ['nn', 'format', 'engine', 'node']
    for (const [i, layer] of layers.entries()) {
      const folder = join(root, 'src', layer)
      for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs'))) {
        const text = readFileSync(join(folder, name), 'utf8')
        const known = Array.from(text.matchAll(/\bcrate::(\w+)/g), ([, layer]) => layers.indexOf(layer))
        assert.ok(known.length === 0 || Math.max(...known) <= i, `${layer}/${name}`)
      }
    }
  })

  for (const folder of [join(root, 'src'), ...folders]) {
    const name = relative(root, folder)
    test(`${name} has a table of contents that names all of its modules`, () => {
      const file = ['lib.rs', 'mod.rs'].map((file) => join(folder, file)).find((file) => existsSync(file))
      const text = readFileSync(file, 'utf8')
      const modules = Array.from(text.matchAll(/^(?:pub )?mod (\w+);/gm), ([, module]) => module)
      const listed = Array.from(text.matchAll(/^\/\/! \| \[?`(?:mod@)?(\w+)`/gm), ([, module]) => module)
      assert.deepEqual(listed.sort(), modules.filter((module) => module !== 'tests').sort())
    })
  }
})
