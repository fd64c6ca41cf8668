/**
 * The node's journal: what the daemon has promised and not yet finished, in SQLite on tmpfs. Every transition is
 * written before its effect is made, so a start after any crash finds it. It survives the process, not the node: after
 * a reboot the kernel's state is gone too, and the cloud's answer is the only truth left.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Change, EniKey } from '../pool/model.ts'
import { type PoolState, PoolTables } from '../pool/tables.ts'
import type { RouteAddress, RouteChange } from '../route/allocation.ts'
import { decodeEndpoint, type Endpoint, type EndpointKey } from './endpoint.ts'
import { damaged, JournalError } from './error.ts'
import { decodeAddress, decodeAssign, decodeEni, decodePrefix } from './pool-rows.ts'
import { decodeRouteAddress } from './route-rows.ts'
import { readFact, readTable, type Table } from './rows.ts'
import { migrate } from './schema.ts'

/** In place: a row that is deleted and inserted anew changes twice as many pages of the file, those of the index too. */
const ANEW = 'ON CONFLICT DO UPDATE SET record = excluded.record'

const STATEMENTS = {
  putEni: `INSERT INTO enis VALUES (?, ?) ${ANEW}`,
  dropEni: 'DELETE FROM enis WHERE key = ?',
  dropAddressesOf: 'DELETE FROM addresses WHERE eni = ?',
  dropAssignsOf: 'DELETE FROM assigns WHERE eni = ?',
  dropPrefixesOf: 'DELETE FROM prefixes WHERE eni = ?',
  putPrefix: `INSERT INTO prefixes VALUES (?, ?, ?) ${ANEW}, eni = excluded.eni`,
  dropPrefix: 'DELETE FROM prefixes WHERE cidr = ?',
  putAddress: `INSERT INTO addresses VALUES (?, ?, ?) ${ANEW}, eni = excluded.eni`,
  dropAddress: 'DELETE FROM addresses WHERE ip = ?',
  putAssign: `INSERT INTO assigns VALUES (?, ?, ?) ${ANEW}, eni = excluded.eni`,
  dropAssign: 'DELETE FROM assigns WHERE token = ?',
  putRouteAddress: `INSERT INTO route_addresses VALUES (?, ?) ${ANEW}`,
  dropRouteAddress: 'DELETE FROM route_addresses WHERE ip = ?',
  putEndpoint: `INSERT INTO endpoints VALUES (?, ?, ?) ${ANEW}`,
  dropEndpoint: 'DELETE FROM endpoints WHERE container_id = ? AND ifname = ?',
  putFact: 'INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
} as const
type StatementName = keyof typeof STATEMENTS

export class Journal {
  readonly #path: string
  readonly #db: DatabaseSync
  readonly #lock: DatabaseSync
  readonly #statements: ReadonlyMap<StatementName, StatementSync>

  /**
   * Opens `journal.db` in the directory (made with mode 0700 when absent) and locks it for this process: a second
   * daemon on the node is refused until the first has ended, however it ended.
   * @throws JournalError
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#lock = lockDirectory(directory)
    this.#path = join(directory, 'journal.db')
    try {
      this.#db = openDatabase(this.#path)
    } catch (cause) {
      this.#lock.close()
      throw cause
    }
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, this.#db.prepare(sql)] as const)
    this.#statements = new Map(prepared as [StatementName, StatementSync][])
  }

  [Symbol.dispose](): void {
    this.close()
  }

  close(): void {
    this.#db.close()
    this.#lock.close()
  }

  /** @throws JournalError when it is damaged. */
  loadPool(): PoolState {
    return PoolTables.of({
      enis: this.#load('enis', decodeEni, ({ key }) => key),
      addresses: this.#load('addresses', decodeAddress, ({ ip }) => ip),
      prefixes: this.#load('prefixes', decodePrefix, ({ cidr }) => cidr),
      assigns: this.#load('assigns', decodeAssign, ({ token }) => token),
    })
  }

  /** @throws JournalError when it is damaged. */
  loadEndpoints(): Endpoint[] {
    return this.#read('endpoints', decodeEndpoint)
  }

  /** All or none of the changes. */
  commitPool(changes: readonly Change[]): void {
    const [only, ...others] = changes
    if (only === undefined) return
    // By itself a statement is a transaction already.
    if (others.length === 0 && only.kind !== 'drop-eni') {
      this.#commitOne(only)
      return
    }
    this.#atOnce(() => {
      for (const change of changes) this.#commitOne(change)
    })
  }

  /** Those of VPC route mode. @throws JournalError when it is damaged. */
  loadRouteAddresses(): RouteAddress[] {
    return this.#read('route_addresses', decodeRouteAddress)
  }

  /** All or none of the changes. */
  commitRouteAddresses(changes: readonly RouteChange[]): void {
    if (changes.length === 0) return
    this.#atOnce(() => {
      for (const change of changes) {
        if (change.kind === 'drop-address') this.#run('dropRouteAddress', change.ip)
        else this.#run('putRouteAddress', change.address.ip, JSON.stringify(change.address))
      }
    })
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#run('putEndpoint', endpoint.containerId, endpoint.ifname, JSON.stringify(endpoint))
  }

  dropEndpoint(key: EndpointKey): void {
    this.#run('dropEndpoint', key.containerId, key.ifname)
  }

  /** A fact about the node that a start without the cloud needs, such as the limits of its instance type. */
  putFact(name: string, value: unknown): void {
    this.#run('putFact', name, JSON.stringify(value))
  }

  /** The value, unparsed, or undefined when it was never put. @throws JournalError when it is damaged. */
  getFact(name: string): unknown {
    return readFact(this.#db, this.#path, name)
  }

  #commitOne(change: Change): void {
    switch (change.kind) {
      case 'put-eni':
        this.#run('putEni', change.eni.key, JSON.stringify(change.eni))
        break
      case 'drop-eni':
        this.#dropEni(change.key)
        break
      case 'put-address':
        this.#run('putAddress', change.address.ip, change.address.eni, JSON.stringify(change.address))
        break
      case 'drop-address':
        this.#run('dropAddress', change.ip)
        break
      case 'put-prefix':
        this.#run('putPrefix', change.prefix.cidr, change.prefix.eni, JSON.stringify(change.prefix))
        break
      case 'drop-prefix':
        this.#run('dropPrefix', change.cidr)
        break
      case 'put-assign':
        this.#run('putAssign', change.assign.token, change.assign.eni, JSON.stringify(change.assign))
        break
      case 'drop-assign':
        this.#run('dropAssign', change.token)
        break
    }
  }

  #dropEni(key: EniKey): void {
    this.#run('dropEni', key)
    this.#run('dropAddressesOf', key)
    this.#run('dropPrefixesOf', key)
    this.#run('dropAssignsOf', key)
  }

  #atOnce(write: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      write()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #run(name: StatementName, ...values: SQLInputValue[]): void {
    this.#statements.get(name)?.run(...values)
  }

  #load<Key, T>(table: Table, decode: (record: unknown) => T, keyOf: (record: T) => Key): ReadonlyMap<Key, T> {
    return new Map(this.#read(table, decode).map((record) => [keyOf(record), record]))
  }

  #read<T>(table: Table, decode: (record: unknown) => T): T[] {
    return readTable({ db: this.#db, path: this.#path, table, decode })
  }
}

/** @throws JournalError */
function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    // tmpfs loses everything with the machine anyway; against a killed process WAL is enough without syncing.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;')
    migrate(db, path)
    return db
  } catch (cause) {
    db?.close()
    if (cause instanceof JournalError) throw cause
    throw isDamage(cause) ? damaged(path, 'the file', cause) : new JournalError(`cannot open ${path}`, { cause })
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (Result and Error Codes of SQLite). */
function isDamage(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: unknown }
  return errcode === 11 || errcode === 26
}

/**
 * An exclusive transaction on a database of its own that is never ended: the kernel drops the lock with the process,
 * and others can still read the journal itself.
 */
function lockDirectory(directory: string): DatabaseSync {
  const lock = new DatabaseSync(join(directory, 'daemon.lock'))
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock.close()
    const message = `another terwayd holds ${directory}: end it first, or give this one its own --state-dir`
    throw new JournalError(message, { cause })
  }
}
