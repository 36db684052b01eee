'use strict'

// Rows out of Postgres, and answers back into it. Here Postgres runs inside the process (PGlite), so that the example needs no
// server; with one, `new Client()` of the package pg in its place has the same `query(text, values)`.
//
//   npm install @electric-sql/pglite

const path = require('node:path')
const { PGlite } = require('@electric-sql/pglite')
const { Regressor, Table } = require('../..') // in your own program: 'mikir'

const PAGE = 100

/** All rows of a query, page by page: `key` is a column that orders them. */
async function* pages(client, table, key) {
  for (let last = 0; ; ) {
    const text = `select * from ${table} where ${key} > $1 order by ${key} limit ${PAGE}`
    const { rows } = await client.query(text, [last])
    yield* rows
    if (rows.length < PAGE) return
    last = rows.at(-1)[key]
  }
}

async function main() {
  const client = new PGlite()
  await client.query(
    'create table patients (id serial primary key, age real, bmi real, pressure real, progression real, predicted real)'
  )
  const known = await Table.readCSV(path.join(__dirname, '../data/diabetes.csv'))
  for (const { age, bmi, bp, progression } of known.rows()) {
    const text = 'insert into patients (age, bmi, pressure, progression) values ($1, $2, $3, $4)'
    await client.query(text, [age, bmi, bp, progression])
  }

  const patients = await Table.from(pages(client, 'patients', 'id'))
  const model = new Regressor({ seed: 1, ensemble: 2 })
  await model.fit(patients, { target: 'progression', features: ['age', 'bmi', 'pressure'] })

  for await (const patient of pages(client, 'patients', 'id')) {
    await client.query('update patients set predicted = $1 where id = $2', [
      model.predict(patient),
      patient.id
    ])
  }
  const { rows } = await client.query('select corr(progression, predicted) as correlation from patients')
  console.log(`correlation of what was and what was predicted: ${rows[0].correlation.toFixed(2)}`)
  if (!(rows[0].correlation > 0.5)) process.exitCode = 1
}

main()
