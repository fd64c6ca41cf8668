/** Reads the journal's rows: each parsed, none trusted. */
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { damaged } from './error.ts'

/** By what its rows are named. */
const KEYS = {
  ...{ enis: 'key', addresses: 'ip', prefixes: 'cidr', assigns: 'token', route_addresses: 'ip' },
  endpoints: "container_id || '/' || ifname",
} as const
export type Table = keyof typeof KEYS

export interface Reading<T> {
  readonly db: DatabaseSync
  /** For errors. */
  readonly path: string
  readonly table: Table
  /** Throws what is wrong with the record. */
  readonly decode: (record: unknown) => T
}

/** @throws JournalError that names the row and what to do when it is not what this program wrote. */
export function readTable<T>({ db, path, table, decode }: Reading<T>): T[] {
  const rows = whole(path, `table ${table}`, () =>
    db.prepare(`SELECT ${KEYS[table]} AS name, record FROM ${table}`).all(),
  )
  return rows.map(({ name, record }) =>
    whole(path, `row ${String(name)} of table ${table}`, () => decode(JSON.parse(String(record)))),
  )
}

/** @throws JournalError the same for a fact. */
export function readFact(db: DatabaseSync, path: string, name: string): unknown {
  return whole(path, `row ${name} of table facts`, () => {
    const row = db.prepare('SELECT value FROM facts WHERE name = ?').get(name)
    return row === undefined ? undefined : JSON.parse(String(row.value))
  })
}

function whole<T>(path: string, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw damaged(path, what, cause instanceof z.ZodError ? inWords(cause) : cause)
  }
}

function inWords(cause: z.ZodError): Error {
  const problems = cause.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`)
  return new Error(problems.join('; '), { cause })
}
