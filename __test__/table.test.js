'use strict'

// Tables: CSV and rows as columns, what is known of them, splits.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Readable } = require('node:stream')
const { after, describe, test } = require('node:test')
const { Table } = require('..')

const folder = mkdtempSync(path.join(os.tmpdir(), 'mikir-table-'))
after(() => rmSync(folder, { recursive: true }))

const refuses = (call, code, message) => assert.throws(call, { code, message })

const MIXED = `id,when,price,kind,sold,code,note,fixed,empty
1,2026-01-31,10.5,a,true,007,first,x,
2,2026-02-01T12:00:00Z,,b,FALSE,8,"second, ""quoted""",x,
3,,-3e2,a,True,x9,,x,NA
`

/** A plain reader of what is no trap: cells without quotes. */
function oracle(text) {
  const [head, ...lines] = text.trim().split('\n')
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, k) => [names[k], cell])))
}

describe('a table of CSV', () => {
  test('has columns of the kinds that their cells are of', () => {
    const table = Table.fromCSV(MIXED)
    assert.equal(table.rowCount, 3)
    const kinds = Object.fromEntries(table.columns.map(({ name, kind }) => [name, kind]))
    assert.deepEqual(kinds, {
      id: 'number',
      when: 'date',
      price: 'number',
      kind: 'category',
      sold: 'boolean',
      code: 'category',
      note: 'category',
      fixed: 'constant',
      empty: 'constant'
    })
    assert.deepEqual(Array.from(table.rows()), [
      {
        id: 1,
        when: new Date('2026-01-31'),
        price: 10.5,
        kind: 'a',
        sold: true,
        code: '007',
        note: 'first',
        fixed: 'x',
        empty: null
      },
      {
        id: 2,
        when: new Date('2026-02-01T12:00:00Z'),
        price: null,
        kind: 'b',
        sold: false,
        code: '8',
        note: 'second, "quoted"',
        fixed: 'x',
        empty: null
      },
      {
        id: 3,
        when: null,
        price: -300,
        kind: 'a',
        sold: true,
        code: 'x9',
        note: null,
        fixed: 'x',
        empty: null
      }
    ])
    const price = table.columns.find(({ name }) => name === 'price')
    assert.deepEqual(price, {
      name: 'price',
      kind: 'number',
      missing: 1,
      distinct: 2,
      minimum: -300,
      maximum: 10.5,
      mean: -144.75
    })
    const kind = table.columns.find(({ name }) => name === 'kind')
    assert.deepEqual(kind.commonest, [
      ['a', 2],
      ['b', 1]
    ])
  })

  test('prints what is in each column', () => {
    const table = Table.fromCSV('size,colour\n1,red\n2.5,\n,red\n4,blue\n')
    assert.equal(
      String(table),
      `4 rows, 2 columns
column  kind      missing  distinct  values
size    number          1         3  1 to 4, mean 2.5
colour  category        1         2  red 2, blue 1`
    )
  })

  test('is the same from a file, a text, its bytes and with any line end', async () => {
    const expected = Array.from(Table.fromCSV(MIXED).rows())
    const file = path.join(folder, 'mixed.csv')
    writeFileSync(file, `\ufeff${MIXED.replaceAll('\n', '\r\n')}`)
    const tables = [
      await Table.readCSV(file),
      Table.fromCSV(Buffer.from(MIXED)),
      Table.fromCSV(MIXED.trimEnd()),
      Table.fromCSV(MIXED.replaceAll('NA', '-'), { missing: ['-'] })
    ]
    for (const table of tables) assert.deepEqual(Array.from(table.rows()), expected)
  })

  test('takes the kinds that a user says', () => {
    const text = 'zip,day,flag,n\n01234,x,true,1\n5,y,false,2\n'
    const kinds = { zip: 'category', flag: 'category', n: 'identifier' }
    const table = Table.fromCSV(text, { kinds })
    assert.deepEqual(
      table.columns.map(({ kind }) => kind),
      ['category', 'category', 'category', 'identifier']
    )
    assert.equal(table.rows().next().value.zip, '01234')
    refuses(
      () => Table.fromCSV(text, { kinds: { zap: 'number' } }),
      'ERR_MIKIR_UNKNOWN_OPTION',
      "Expected only 'zip', 'day', 'flag', 'n' for options.kinds but received 'zap'"
    )
    refuses(
      () => Table.fromCSV(text, { kinds: { day: 'number' } }),
      'ERR_MIKIR_CORRUPT_FILE',
      "Expected a number in line 2, column 'day' for the text but received 'x'"
    )
    refuses(
      () => Table.fromCSV(text, { kinds: { day: 'date' } }),
      'ERR_MIKIR_CORRUPT_FILE',
      "Expected dates such as 2026-01-31 in column 'day' for the text but received 'x'"
    )
    refuses(
      () => Table.fromCSV(text, { kinds: { day: 'text' } }),
      'ERR_MIKIR_INVALID_TYPE',
      "Expected one of 'number', 'category', 'boolean', 'date', 'constant', 'identifier' for options.kinds.day but received 'text'"
    )
  })

  test('flags names and numbers of rows', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `${i},name ${i},${i * i},${i % 7}`)
    const table = Table.fromCSV(`id,name,square,rest\n${lines.join('\n')}`)
    assert.deepEqual(
      table.columns.map(({ kind }) => kind),
      ['identifier', 'identifier', 'number', 'number']
    )
  })

  test('of many rows has the numbers that JavaScript reads', () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `${Math.sin(i)},${(i * 1e5) % 77},w${i % 13},${i % 1000 === 999 ? 'late' : i}`
    )
    const text = `a,b,c,d\n${lines.join('\n')}\n`
    const rows = Array.from(Table.fromCSV(text).rows())
    for (const [i, { a, b, c, d }] of oracle(text).entries()) {
      assert.deepEqual(rows[i], { a: Number(a), b: Number(b), c, d })
    }
  })

  test('that is none is refused with the line', async () => {
    for (const [text, message] of [
      ['', 'Expected a header of column names for the text but received an empty text'],
      ['a,b\n1,2\n3\n', 'Expected 2 cells as in the header in line 3 for the text but received 1 cell'],
      ['a\n\u0000', 'Expected text in line 2 for the text but received a NUL byte'],
      [
        'a,b\n1,"2\n3,4',
        'Expected a row that ends in line 2 for the text but received none: is there a quote that is never closed?'
      ],
      [`${'a,'.repeat(1e6)}a\n`, 'Expected at most 16384 columns in line 1 for the text but received more'],
      [
        `a\n"${'x'.repeat(17 << 20)}`,
        'Expected a row of at most 16777216 bytes in line 2 for the text but received a longer one: is there a quote that is never closed?'
      ]
    ]) {
      refuses(() => Table.fromCSV(text), 'ERR_MIKIR_CORRUPT_FILE', message)
    }
    refuses(
      () => Table.fromCSV(Buffer.from([0x61, 10, 0xff])),
      'ERR_MIKIR_CORRUPT_FILE',
      "Expected UTF-8 in line 2, column 'a' for the text but received other bytes: save it as UTF-8"
    )
    refuses(
      () => Table.fromCSV(Buffer.from('a\n1', 'utf16le').subarray(0)),
      'ERR_MIKIR_CORRUPT_FILE',
      'Expected text in line 1 for the text but received a NUL byte'
    )
    refuses(
      () => Table.fromCSV(5),
      'ERR_MIKIR_INVALID_TYPE',
      'Expected a text or a Uint8Array for text but received 5'
    )
    await assert.rejects(Table.readCSV(path.join(folder, 'none.csv')), { code: 'ERR_MIKIR_FILE' })
    // A pipe that nobody writes to would be waited for.
    const pipe = path.join(folder, 'pipe.csv')
    if (process.platform !== 'win32') execFileSync('mkfifo', [pipe])
    for (const name of [folder, pipe]) await assert.rejects(Table.readCSV(name), { code: 'ERR_MIKIR_FILE' })
  })
})

describe('a table of rows', () => {
  const rows = [
    { a: 1, b: 'x', c: new Date(0), d: true },
    { b: null, a: '2', e: 5n },
    { a: Number.NaN, b: ' y ', c: undefined, d: false }
  ]
  const expected = [
    { a: 1, b: 'x', c: new Date(0), d: true, e: null },
    { a: 2, b: null, c: null, d: null, e: 5 },
    { a: null, b: 'y', c: null, d: false, e: null }
  ]

  test('comes from arrays, generators, streams and other async iterables', async () => {
    function* generated() {
      yield* rows
    }
    async function* cursor() {
      for (const row of rows) yield row
    }
    for (const source of [rows, new Set(rows), generated(), cursor(), Readable.from(rows)]) {
      assert.deepEqual(Array.from((await Table.from(source)).rows()), expected)
    }
    // Like the rows of Arrow tables: proxies, or objects that say what they hold.
    const proxies = rows.map((row) => new Proxy(row, {}))
    assert.deepEqual(Array.from((await Table.from(proxies)).rows()), expected)
    class Lazy {
      #row
      constructor(row) {
        this.#row = row
      }
      toJSON() {
        return this.#row
      }
    }
    assert.deepEqual(Array.from((await Table.from(rows.map((row) => new Lazy(row)))).rows()), expected)
  })

  test('of what is no row is refused', async () => {
    for (const [source, code, message] of [
      [[], 'ERR_MIKIR_INVALID_LENGTH', 'Expected at least 1 row for rows but received 0'],
      [[{}], 'ERR_MIKIR_INVALID_LENGTH', 'Expected at least 1 column for rows but received 0'],
      [
        [{ a: 1 }, [2]],
        'ERR_MIKIR_INVALID_TYPE',
        'Expected an object of cells for rows[1] but received an array of 1 element'
      ],
      [
        [{ a: 1 }, { a: {} }],
        'ERR_MIKIR_INVALID_TYPE',
        'Expected a number, a text, a boolean, a Date or nothing for rows[1].a but received an object'
      ],
      [
        [{ a: Infinity }],
        'ERR_MIKIR_OUT_OF_RANGE',
        'Expected a finite number for rows[0].a but received Infinity'
      ],
      [
        [{ a: new Date(Number.NaN) }],
        'ERR_MIKIR_OUT_OF_RANGE',
        "Expected a valid Date for rows[0].a but received 'Invalid Date'"
      ],
      [7, 'ERR_MIKIR_INVALID_TYPE', 'Expected an iterable of rows for rows but received 7']
    ]) {
      await assert.rejects(Table.from(source), { code, message })
    }
  })
})

describe('a split', () => {
  const lines = Array.from({ length: 200 }, (_, i) => `${i},${i % 10 === 0 ? 'rare' : 'often'}`)
  const table = Table.fromCSV(`n,kind\n${lines.join('\n')}`)
  const numbers = (part) => Array.from(part.rows(), ({ n }) => n)

  test('has every row once, in its order, and follows from the seed', () => {
    const [train, test] = table.split({ testSize: 0.3, seed: 5 })
    assert.deepEqual([train.rowCount, test.rowCount], [140, 60])
    assert.deepEqual(
      [...numbers(train), ...numbers(test)].sort((a, b) => a - b),
      Array.from(Array(200).keys())
    )
    assert.deepEqual(
      numbers(train),
      numbers(train).sort((a, b) => a - b)
    )
    assert.deepEqual(numbers(table.split({ testSize: 0.3, seed: 5 })[1]), numbers(test))
    assert.notDeepEqual(numbers(table.split({ testSize: 0.3, seed: 6 })[1]), numbers(test))
  })

  test('has the same shares of the values of a column', () => {
    for (const seed of [1, 2, 3]) {
      const parts = table.split({ stratify: 'kind', seed })
      const rare = parts.map((part) => Array.from(part.rows()).filter(({ kind }) => kind === 'rare').length)
      assert.deepEqual([parts[1].rowCount, ...rare], [50, 15, 5])
    }
  })

  test('of what cannot be split is refused', () => {
    refuses(
      () => Table.fromCSV('a\n1').split(),
      'ERR_MIKIR_INVALID_LENGTH',
      'Expected at least 2 rows for split but received 1'
    )
    refuses(
      () => table.split({ testSize: 1 }),
      'ERR_MIKIR_OUT_OF_RANGE',
      'Expected a number in (0, 1) for options.testSize but received 1'
    )
    refuses(
      () => table.split({ stratify: 'colour' }),
      'ERR_MIKIR_UNKNOWN_OPTION',
      "Expected only 'n', 'kind' for options.stratify but received 'colour'"
    )
  })
})

test('a table is read, not made', () => {
  refuses(
    () => new Table([]),
    'ERR_MIKIR_INVALID_TYPE',
    'Expected columns that mikir has read for new Table but received an array of 0 elements: call Table.readCSV(), Table.fromCSV() or Table.from()'
  )
})
