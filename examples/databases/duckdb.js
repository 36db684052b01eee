'use strict'

// A table out of DuckDB, which reads Parquet, CSV, and files in the cloud: the database joins and filters, mikir learns.
//
//   npm install @duckdb/node-api

const path = require('node:path')
const { DuckDBInstance } = require('@duckdb/node-api')
const { Classifier, Table } = require('../..') // in your own program: 'mikir'

/** Rows in chunks, as DuckDB streams them, one after the other: they are never all there at once. */
async function* each(chunks) {
  for await (const rows of chunks) yield* rows
}

async function main() {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  const result = await connection.stream(`
    select * exclude (species), species, "petal length (cm)" * "petal width (cm)" as area
    from read_csv('${path.join(__dirname, '../data/iris.csv').replaceAll("'", "''")}')
  `)
  const table = await Table.from(each(result.yieldRowObjectJs()))
  console.log(String(table))

  const [train, test] = table.split({ stratify: 'species', seed: 1 })
  const model = new Classifier({ seed: 1 })
  await model.fit(train, { target: 'species' })
  const report = await model.evaluate(test)
  console.log(String(report))
  if (report.accuracy < 0.85) process.exitCode = 1
  connection.closeSync()
}

main()
