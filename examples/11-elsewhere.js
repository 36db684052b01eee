'use strict'

// A model goes where mikir is not: as a module without dependencies, for a page or a function in the cloud, and as an ONNX
// file, columns and all, for ONNX Runtime in any language.
//
//   pip install onnxruntime numpy
//   python3 -c "import onnxruntime as o; print(o.InferenceSession('iris.onnx').get_inputs())"

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { Classifier, Table, load } = require('..')

async function main() {
  const table = await Table.readCSV(path.join(__dirname, 'data/iris.csv'))
  const model = new Classifier({ seed: 1, ensemble: 2 })
  await model.fit(table, { target: 'species', epochs: 20 })
  const rows = [...table.rows()].filter((_, i) => i % 25 === 0)
  const answers = model.predict(rows)

  const folder = mkdtempSync(path.join(tmpdir(), 'mikir-example-'))
  try {
    for (const ending of ['json', 'onnx', 'mjs']) {
      const file = path.join(folder, `iris.${ending}`)
      await model.save(file)
      console.log(`iris.${ending}: ${(readFileSync(file).length / 1000).toFixed(0)} kB`)
    }
    const { predict } = await import(pathToFileURL(path.join(folder, 'iris.mjs')))
    assert.deepEqual(
      rows.map((row) => predict(row)),
      answers
    )
    assert.deepEqual((await load(path.join(folder, 'iris.json'))).predict(rows), answers)
    console.log(`the module says the same: ${answers.join(', ')}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
