'use strict'

// Checkpoints: a run that is resumed gives the very bits of one without a break, also after a kill at any moment; files
// that do not fit or are damaged are refused by name. MIKIR_KILLS=100 kills more often.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, describe, test } = require('node:test')
const { NeuralNetwork } = require('../index.js')
const { COMBINATION, CORRUPT_FILE, FILE, needs, randomOf, refuses, rowsOf } = require('./helpers.js')

const folder = mkdtempSync(path.join(tmpdir(), 'mikir-checkpoint-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
/** The path of a file that is not there yet. */
const newFile = () => path.join(folder, `${files++}.mikir`)

const [inputs, targets] = [rowsOf(60, 3), rowsOf(60, 2, 2)]
const classes = targets.map(([a, b]) => (a > b ? [1, 0] : [0, 1]))
const SHAPE = { layers: [3, { units: 8, dropout: 0.2 }, 2], seed: 1 }
const EPOCHS = 9

/** All that two runs could differ in. */
const outcome = (network, { durationMs, ...history }) => ({ ...history, weights: network.getWeights() })

/** What a run without a break comes to. */
function unbroken(shape, data, options) {
  const network = new NeuralNetwork(shape)
  return outcome(network, network.fitSync(...data, options))
}

/** The same with a break after `first` epochs: of the file goes on a network of other weights and another seed. */
async function broken(shape, data, options, first, fit = 'fit') {
  const file = newFile()
  const onEpoch = ({ epoch }) => epoch < first
  const start = new NeuralNetwork(shape)
  assert.equal(
    start.fitSync(...data, { ...options, checkpoint: { path: file }, onEpoch }).stoppedBy,
    'callback'
  )
  const network = new NeuralNetwork({ ...shape, seed: 99 })
  return outcome(network, await network[fit](...data, { resume: file, ...heldOut(options), threads: 2 }))
}

/** The data among the options, which the file does not hold. */
function heldOut({ sampleWeights, validation }) {
  return { sampleWeights, validation: typeof validation === 'object' ? validation : undefined }
}

describe('resuming gives the very bits of a run without a break', () => {
  const optimizers = [
    ...['sgd', 'momentum', 'nesterov', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamw', 'nadam', 'radam'],
    ...['lion', 'rprop', 'lbfgs'],
    { type: 'rmsprop', centered: true, momentum: 0.9 },
    { type: 'adam', amsgrad: true }
  ]
  for (const optimizer of optimizers) {
    const name = typeof optimizer === 'string' ? optimizer : JSON.stringify(optimizer)
    test(`with ${name}`, async () => {
      const shape = optimizer === 'lbfgs' ? { layers: [3, 8, 2], seed: 1 } : SHAPE
      const batchSize = ['rprop', 'lbfgs'].includes(optimizer) ? 'full' : 7
      const maxIterations = optimizer === 'lbfgs' ? { optimizer: { type: 'lbfgs', maxIterations: 3 } } : {}
      const options = { optimizer, batchSize, epochs: EPOCHS, ...maxIterations }
      for (const precision of ['f64', 'f32']) {
        const whole = unbroken({ ...shape, precision }, [inputs, targets], options)
        assert.equal(whole.epochs, EPOCHS)
        for (const [first, fit] of [
          [1, 'fit'],
          [4, 'fitSync'],
          [8, 'fit']
        ]) {
          assert.deepEqual(
            await broken({ ...shape, precision }, [inputs, targets], options, first, fit),
            whole
          )
        }
      }
    })
  }

  const schedules = [
    { type: 'step', every: 2, factor: 0.5 },
    { type: 'exponential', factor: 0.8 },
    { type: 'cosine', warmup: 3 },
    { type: 'oneCycle', maximum: 0.05 },
    { type: 'plateau', factor: 0.5, patience: 0 }
  ]
  const cases = {
    ...Object.fromEntries(schedules.map((schedule) => [schedule.type, [SHAPE, targets, { schedule }]])),
    'a drawn validation and early stopping': [
      SHAPE,
      targets,
      { validation: 0.3, learningRate: 0.3, earlyStopping: { patience: 5 }, epochs: 60 }
    ],
    'held-out rows, a plateau of theirs and weights of rows': [
      SHAPE,
      targets,
      {
        validation: { inputs: rowsOf(20, 3, 5), targets: rowsOf(20, 2, 6) },
        schedule: { type: 'plateau', factor: 0.5, patience: 1 },
        learningRate: 0.1,
        sampleWeights: inputs.map(([x]) => x + 2)
      }
    ],
    'classes and their weights, clipped': [
      { ...SHAPE, loss: { type: 'crossEntropy', labelSmoothing: 0.1 } },
      classes,
      { classWeights: [1, 3], clipNorm: 0.5, targetLoss: 0 }
    ],
    "the original's network, a row at a time": [
      {
        layers: [3, ...[4, 1].map((units) => ({ units, activation: 'sigmoid' }))],
        loss: 'squaredError',
        seed: 4
      },
      targets.map(([x]) => [x]),
      { optimizer: 'sgd', learningRate: 0.5, batchSize: 1, shuffle: false, epochs: 300 }
    ],
    'normalizations and penalties': [
      {
        layers: [3, { units: 8, normalization: 'batch', l2: 0.1 }, { units: 6, normalization: 'layer' }, 2],
        seed: 4
      },
      targets,
      { shuffle: false }
    ],
    'the best weights of long ago': [
      SHAPE,
      targets,
      { learningRate: 2, earlyStopping: { patience: 1000 }, epochs: 40 }
    ]
  }
  for (const [name, [shape, goals, options]] of Object.entries(cases)) {
    test(`with ${name}`, async () => {
      const all = { epochs: EPOCHS, batchSize: 8, ...options }
      const whole = unbroken(shape, [inputs, goals], all)
      for (const first of [1, 3, 5]) {
        if (first >= whole.epochs) continue
        assert.deepEqual(await broken(shape, [inputs, goals], all, first), whole)
      }
    })
  }

  test('over many breaks', async () => {
    const options = { batchSize: 8, epochs: 20, learningRate: 0.01 }
    const whole = unbroken(SHAPE, [inputs, targets], options)
    const file = newFile()
    for (let last = 0; ; last++) {
      const network = new NeuralNetwork({ ...SHAPE, seed: last === 0 ? 1 : last })
      const given = last === 0 ? options : { resume: file }
      const onEpoch = ({ epoch }) => epoch % 3 !== 0
      const history = network.fitSync(inputs, targets, { ...given, checkpoint: { path: file }, onEpoch })
      if (history.stoppedBy === 'callback') continue
      assert.deepEqual(outcome(network, history), whole)
      assert.equal(last, 6)
      break
    }
  })

  test('with more epochs than there were to be, a target, and reports from where it was', async () => {
    const file = newFile()
    const start = new NeuralNetwork(SHAPE)
    start.fitSync(inputs, targets, { epochs: 4, checkpoint: { path: file } })
    const whole = unbroken(SHAPE, [inputs, targets], { epochs: 7 })
    for (const fit of ['fit', 'fitSync']) {
      const network = new NeuralNetwork({ ...SHAPE, seed: 2 })
      const reports = []
      const onEpoch = (report) => void reports.push(report)
      const history = await network[fit](inputs, targets, { resume: file, epochs: 7, onEpoch })
      assert.deepEqual(outcome(network, history), whole)
      assert.deepEqual(
        reports.map(({ epoch, epochs, loss }) => [epoch, epochs, loss]),
        [5, 6, 7].map((epoch) => [epoch, 7, whole.loss[epoch - 1]])
      )
    }
    const last = []
    const onEpoch = ({ epoch, epochs }) => void last.push([epoch, epochs])
    const interrupted = newFile()
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, {
      epochs: 3,
      checkpoint: { path: interrupted },
      onEpoch: ({ epoch }) => epoch < 2
    })
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, { resume: interrupted, onEpoch })
    assert.deepEqual(last, [[3, 3]])
    const again = new NeuralNetwork(SHAPE)
    const { stoppedBy } = again.fitSync(inputs, targets, { resume: file, epochs: 100, targetLoss: 1e9 })
    assert.equal(stoppedBy, 'targetLoss')
  })

  test('of a run that is over: that is all', async () => {
    const file = newFile()
    const options = { epochs: 5, validation: 0.2 }
    const whole = unbroken(SHAPE, [inputs, targets], options)
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, { ...options, checkpoint: { path: file } })
    for (const fit of ['fit', 'fitSync']) {
      const network = new NeuralNetwork({ ...SHAPE, seed: 2 })
      const onEpoch = () => assert.fail('an epoch')
      assert.deepEqual(
        outcome(network, await network[fit](inputs, targets, { resume: file, onEpoch })),
        whole
      )
    }
  })
})

describe('a checkpoint', () => {
  test('is there at the end, whatever ends it, and after every so many epochs', () => {
    const epochsIn = (file) => {
      const network = new NeuralNetwork(SHAPE)
      return network.fitSync(inputs, targets, { resume: file, epochs: 1 }).epochs
    }
    for (const [everyEpochs, last] of [
      [1, 5],
      [2, 5],
      [100, 5]
    ]) {
      const file = newFile()
      const seen = []
      const onEpoch = () => void seen.push(readdirSync(folder).includes(path.basename(file)))
      const checkpoint = { path: file, everyEpochs }
      new NeuralNetwork(SHAPE).fitSync(inputs, targets, { epochs: 5, checkpoint, onEpoch })
      assert.deepEqual(
        seen,
        seen.map((_, e) => e + 1 >= everyEpochs || e === 4)
      )
      assert.equal(epochsIn(file), last)
    }
    const file = newFile()
    const options = { epochs: 50, checkpoint: { path: file, everyEpochs: 3 } }
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, { ...options, targetLoss: 1e9 })
    assert.equal(epochsIn(file), 1)
  })

  test('leaves no other file behind', () => {
    const own = mkdtempSync(path.join(folder, 'own-'))
    const file = path.join(own, 'run.mikir')
    for (let i = 0; i < 3; i++) {
      new NeuralNetwork(SHAPE).fitSync(inputs, targets, { epochs: 5, checkpoint: { path: file } })
      assert.deepEqual(readdirSync(own), ['run.mikir'])
    }
    // A link stays one.
    const link = path.join(own, 'link.mikir')
    symlinkSync(file, link)
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, { epochs: 2, checkpoint: { path: link } })
    assert.deepEqual(readFileSync(file), readFileSync(link))
    assert.deepEqual(readdirSync(own).sort(), ['link.mikir', 'run.mikir'])
  })

  test('that cannot be written fails the fit', async () => {
    const own = mkdtempSync(path.join(folder, 'own-'))
    for (const [file, reason] of [
      [own, 'a folder'],
      [path.join(own, 'no/such/folder'), 'No such file or directory (os error 2)']
    ]) {
      const message = `Expected a file that can be written for '${file}' but received ${reason}`
      for (const fit of ['fit', 'fitSync']) {
        const network = new NeuralNetwork(SHAPE)
        const call = async () => network[fit](inputs, targets, { checkpoint: { path: file } })
        await assert.rejects(call(), { name: 'Error', code: FILE, message })
        network.train(inputs[0], targets[0])
      }
    }
    assert.deepEqual(readdirSync(own), [])
  })
})

describe('resume refuses', () => {
  const file = newFile()
  const options = { epochs: 4, batchSize: 8, checkpoint: { path: file } }
  new NeuralNetwork(SHAPE).fitSync(inputs, targets, options)
  const network = () => new NeuralNetwork({ ...SHAPE, seed: 2 })
  const resume = (from, shape, data = [inputs, targets], given = {}) => {
    const one = new NeuralNetwork(shape)
    const before = one.getWeights()
    try {
      one.fitSync(...data, { resume: from, ...given })
    } finally {
      assert.deepEqual(one.getWeights(), before)
    }
  }

  test('another network', () => {
    const name = `the network that resumes '${file}'`
    for (const [shape, expected, received] of [
      [{ layers: [3, { units: 9, dropout: 0.2 }, 2] }, 'layers[1].units 8', 'layers[1].units 9'],
      [{ layers: [3, { units: 8, dropout: 0.3 }, 2] }, 'layers[1].dropout 0.2', 'layers[1].dropout 0.3'],
      [{ layers: [3, { units: 8, dropout: 0.2 }, 2, 2] }, '2 layers', '3 layers']
    ]) {
      const message = `Expected ${expected} for ${name} but received ${received}`
      refuses(() => resume(file, shape), COMBINATION, message)
    }
    for (const shape of [
      { ...SHAPE, loss: 'mse' },
      { ...SHAPE, precision: 'f32' }
    ]) {
      assert.throws(
        () => resume(file, shape),
        (error) => {
          assert.equal(error.code, COMBINATION)
          assert.ok(error.message.includes(` for ${name} but received `), error.message)
          return true
        }
      )
    }
  })

  test('other data', () => {
    const name = `the data that resume '${file}'`
    for (const [data, given, received] of [
      [[inputs.slice(1), targets.slice(1)], {}, '59 rows'],
      [[inputs, targets], { sampleWeights: new Float64Array(60).fill(1) }, '60 rows, sampleWeights'],
      [
        [inputs, targets],
        { validation: { inputs: inputs.slice(5), targets: targets.slice(5) } },
        '60 rows, 55 rows of validation'
      ]
    ]) {
      const message = `Expected 60 rows for ${name} but received ${received}`
      refuses(() => resume(file, SHAPE, data, given), COMBINATION, message)
    }
  })

  test('another course, but not the same one again', () => {
    for (const [given, place, expected, received] of [
      [{ batchSize: 9 }, 'batchSize', 8, 9],
      [{ optimizer: 'sgd' }, 'optimizer.type', "'adam'", "'sgd'"],
      [{ optimizer: { type: 'adam', beta1: 0.8 } }, 'optimizer.beta1', 0.9, 0.8],
      [{ learningRate: 0.1 }, 'learningRate', 0.001, 0.1],
      [{ schedule: { type: 'exponential', factor: 0.5 } }, 'schedule.type', "'constant'", "'exponential'"],
      [{ shuffle: false }, 'shuffle', 'true', 'false'],
      [{ validation: 0.5 }, 'validation', 'none', 0.5],
      [{ earlyStopping: {} }, 'earlyStopping', 'none', 'an object'],
      [{ clipNorm: 1 }, 'clipNorm', 'none', 1]
    ]) {
      const rule = `Expected ${expected}, as in the checkpoint, for options.${place} but received ${received}`
      const call = () => resume(file, SHAPE, undefined, given)
      refuses(call, COMBINATION, `${rule}: leave it out, or start without resume`)
    }
    const same = { batchSize: 8, optimizer: { type: 'adam', beta1: 0.9 }, learningRate: 0.001, shuffle: true }
    assert.equal(network().fitSync(inputs, targets, { resume: file, ...same }).epochs, 4)
  })

  test('what is no file', () => {
    const message = (reason) =>
      `Expected a file that can be read for '${reason[0]}' but received ${reason[1]}`
    for (const reason of [
      [path.join(folder, 'none'), 'No such file or directory (os error 2)'],
      [folder, 'a folder']
    ]) {
      refuses(() => resume(reason[0], SHAPE), FILE, message(reason))
    }
  })

  test('a file that is cut short, damaged or of something else', () => {
    const bytes = readFileSync(file)
    const damaged = newFile()
    const random = randomOf(1)
    const place = () => Math.floor(random() * bytes.length)
    const flipped = () => {
      const copy = Buffer.from(bytes)
      copy[place()] ^= 1 << Math.floor(random() * 8)
      return copy
    }
    const noise = () => Buffer.from(Array.from({ length: place() }, () => Math.floor(random() * 256)))
    const contents = [
      ...[0, 1, 7, 8, 9, bytes.length - 1].map((length) => bytes.subarray(0, length)),
      ...Array.from({ length: 100 }, () => bytes.subarray(0, place())),
      ...Array.from({ length: 300 }, flipped),
      ...Array.from({ length: 50 }, noise),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.concat([bytes, bytes]),
      Buffer.from('{"not":"a checkpoint"}'),
      Buffer.alloc(1000),
      Buffer.alloc(1000, 255)
    ]
    for (const content of contents) {
      writeFileSync(damaged, content)
      assert.throws(
        () => resume(damaged, SHAPE),
        (error) => {
          assert.equal(error.code, CORRUPT_FILE, error.message)
          assert.equal(Object.getPrototypeOf(error), Error.prototype)
          assert.ok(error.message.includes(` for '${damaged}' but received `), error.message)
          return true
        }
      )
    }
    assert.deepEqual(readFileSync(file), bytes)
  })
})

describe('a process that is killed', () => {
  const KILLS = Math.ceil(Number(process.env.MIKIR_KILLS ?? 6) / 3)
  const root = path.join(__dirname, '..')
  const program = async (file, threads) => {
    const { existsSync } = require('node:fs')
    const { NeuralNetwork } = require('./index.js')
    const { rowsOf } = require('./__test__/helpers.js')
    const isResumed = existsSync(file)
    // Wide enough for the threads to share the work.
    const network = new NeuralNetwork({
      layers: [50, { units: 100, dropout: 0.1 }, 10],
      seed: isResumed ? 2 : 1
    })
    const options = isResumed ? { resume: file } : { epochs: 40, batchSize: 200, validation: 0.1 }
    const checkpoint = file === '' ? undefined : { path: file }
    const data = [rowsOf(1500, 50), rowsOf(1500, 10, 2)]
    console.log('begins')
    const { loss, validationLoss } = await network.fit(...data, { ...options, checkpoint, threads })
    console.log(JSON.stringify([loss, validationLoss, network.getWeights()]))
  }

  /** Runs the program, and kills it so many milliseconds after it has begun: what it printed, where it was not. */
  const run = (file, threads, kill) =>
    new Promise((resolve, reject) => {
      const source = `(${program})(${JSON.stringify(file)}, ${threads})`
      const child = spawn(process.execPath, ['-e', source], { cwd: root })
      let [printed, errors] = ['', '']
      child.stdout.on('data', (text) => {
        if (printed === '' && kill !== undefined) setTimeout(() => child.kill('SIGKILL'), kill)
        printed += text
      })
      child.stderr.on('data', (text) => {
        errors += text
      })
      child.on('error', reject)
      child.on('close', (status, signal) => {
        if (signal === 'SIGKILL') resolve(undefined)
        else if (status === 0) resolve(printed)
        else reject(new Error(`${status} ${signal} ${errors}`))
      })
    })

  const whole = run('', 1)

  for (const threads of [1, 2, 4]) {
    test(`at ${KILLS} random moments goes on from its checkpoint, with ${threads} threads`, async (t) => {
      const random = randomOf(threads)
      const expected = await whole
      let [kills, ends] = [0, 0]
      while (kills < KILLS || ends === 0) {
        const file = newFile()
        for (let printed; printed === undefined; ) {
          printed = await run(file, threads, kills < KILLS ? random() * 150 : undefined)
          if (printed === undefined) kills++
          else assert.equal(printed, expected)
        }
        ends++
      }
      t.diagnostic(`${kills} kills, ${ends} runs to the end`)
    })
  }
})

describe('one path', () => {
  test('is written by two runs at a time without a broken file', async () => {
    const file = newFile()
    const options = { epochs: 60, checkpoint: { path: file } }
    const runs = [1, 2].map((seed) => new NeuralNetwork({ ...SHAPE, seed }).fit(inputs, targets, options))
    let isOver = false
    const all = Promise.all(runs).then(() => {
      isOver = true
    })
    let reads = 0
    while (!isOver) {
      await new Promise(setImmediate)
      try {
        new NeuralNetwork(SHAPE).fitSync(inputs, targets, { resume: file, epochs: 1 })
        reads++
      } catch (error) {
        assert.equal(error.code, FILE, error.message)
        assert.equal(reads, 0, 'once there, it is always there')
      }
    }
    await all
    assert.ok(reads > 5, `${reads} reads`)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(`${path.basename(file)}.`)),
      []
    )
  })

  test('is that of the folder where fit was called', async () => {
    const file = newFile()
    const before = process.cwd()
    process.chdir(folder)
    const network = new NeuralNetwork(SHAPE)
    const running = network.fit(inputs, targets, { epochs: 5, checkpoint: { path: path.basename(file) } })
    process.chdir(before)
    await running
    const resumed = new NeuralNetwork(SHAPE)
    process.chdir(folder)
    const going = resumed.fit(inputs, targets, { epochs: 7, resume: path.basename(file) })
    process.chdir(before)
    assert.equal((await going).epochs, 7)
  })
})

describe('hostile files', () => {
  test('that claim gigabytes are refused before anything is read', needs('pieces'), () => {
    const file = newFile()
    new NeuralNetwork(SHAPE).fitSync(inputs, targets, { epochs: 2, checkpoint: { path: file } })
    const bytes = readFileSync(file)
    const length = Number(bytes.readBigUInt64LE())
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
    for (const name of ['values', 'optimizer.1', 'history.loss', 'history.validationLoss', 'unknown']) {
      const { __metadata__, ...tensors } = structuredClone(header)
      if (name === 'unknown') tensors.unknown = { dtype: 'F64', shape: [0], data_offsets: [0, 0] }
      // That tensor has 2 GiB more than it had.
      let end = 0
      const order = Object.keys(tensors).sort(
        (a, b) => tensors[a].data_offsets[1] - tensors[b].data_offsets[1]
      )
      order.sort((a, b) => Number(a === 'crc32') - Number(b === 'crc32'))
      for (const key of order) {
        const tensor = tensors[key]
        const width = tensor.dtype === 'F64' ? 8 : 4
        if (key === name) tensor.shape = [tensor.shape[0] + 2 ** 28]
        const start = end
        end += tensor.shape[0] * width
        tensor.data_offsets = [start, end]
      }
      const json = Buffer.from(JSON.stringify({ __metadata__, ...tensors }))
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(json.length))
      writeFileSync(file, Buffer.concat([size, json]))
      truncateSync(file, 8 + json.length + end)
      const start = performance.now()
      assert.throws(
        () => new NeuralNetwork(SHAPE).fitSync(inputs, targets, { resume: file }),
        {
          code: CORRUPT_FILE,
          message: `Expected a mikir checkpoint for '${file}' but received a ${name === 'unknown' ? "tensor 'unknown'" : `wrong tensor '${name}'`}`
        },
        name
      )
      // Reading 2 GiB takes seconds.
      assert.ok(performance.now() - start < 1000)
    }
    rmSync(file)
  })
})

describe('memory of an optimizer that overflows', () => {
  test('ends the fit before a checkpoint has it', async () => {
    const network = new NeuralNetwork({ layers: [1, 1], precision: 'f32', seed: 1 })
    const file = newFile()
    const run = network.fit([[1e20]], [[0]], { epochs: 3, optimizer: 'adam', checkpoint: { path: file } })
    await assert.rejects(run, {
      code: 'ERR_MIKIR_DIVERGED',
      message: /^Expected a finite .* for epoch 1 but received/
    })
    assert.ok(Number.isFinite(network.predict([1])[0]))
    assert.equal(
      readdirSync(folder).some((name) => path.join(folder, name) === file),
      false
    )
  })
})

describe('a checkpoint is read beside other code', () => {
  const rows = Array.from({ length: 40 }, (_, i) => [i / 40, (i % 7) / 7])
  const targets = rows.map(([x, y]) => [x - y])
  const make = () => new NeuralNetwork({ layers: [2, 300, 300, 1], seed: 3 })

  /** A checkpoint after three epochs, and the network of it. */
  async function saved() {
    const [network, file] = [make(), newFile()]
    await network.fit(rows, targets, { epochs: 3, checkpoint: { path: file } })
    return { network, file }
  }

  test('the network answers with its own weights meanwhile, and lets nobody change them', async () => {
    const { network, file } = await saved()
    const other = make()
    const before = other.predict([1, 2])
    const fit = other.fit(rows, targets, { epochs: 3, resume: file })
    assert.deepEqual(other.predict([1, 2]), before)
    assert.throws(() => other.train([1, 2], [3]), { code: 'ERR_MIKIR_BUSY' })
    const { epochs } = await fit
    assert.equal(epochs, 3)
    assert.deepEqual(other.getWeights(), network.getWeights())
    other.train([1, 2], [3])
  })

  test('it can be aborted meanwhile, and nothing has changed', async () => {
    const { file } = await saved()
    const other = make()
    const before = other.getWeights()
    const controller = new AbortController()
    const seen = []
    const options = {
      epochs: 9,
      resume: file,
      signal: controller.signal,
      onEpoch: (report) => seen.push(report)
    }
    const fit = other.fit(rows, targets, options)
    controller.abort()
    await assert.rejects(fit, { name: 'AbortError' })
    assert.deepEqual(other.getWeights(), before)
    assert.deepEqual(seen, [])
    const { epochs } = await other.fit(rows, targets, { epochs: 9, resume: file })
    assert.equal(epochs, 9)
  })

  test('one that cannot be read leaves the network as it was, and free', async () => {
    const other = make()
    const before = other.getWeights()
    const fit = other.fit(rows, targets, { resume: newFile() })
    await assert.rejects(fit, { code: 'ERR_MIKIR_FILE' })
    assert.deepEqual(other.getWeights(), before)
    other.train([1, 2], [3])
    const already = other.fit(rows, targets, { resume: newFile(), signal: AbortSignal.abort() })
    await assert.rejects(already, { name: 'AbortError' })
  })

  test('fit and fitSync come to the same', async () => {
    const { file } = await saved()
    const [one, two] = [make(), make()]
    const reports = []
    const options = { epochs: 6, resume: file, validation: undefined }
    const history = await one.fit(rows, targets, { ...options, onEpoch: ({ epoch }) => reports.push(epoch) })
    const { loss } = two.fitSync(rows, targets, options)
    assert.deepEqual(reports, [4, 5, 6])
    assert.deepEqual(history.loss, loss)
    assert.deepEqual(one.getWeights(), two.getWeights())
  })
})
