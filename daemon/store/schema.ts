/** The journal's tables, and how one that an earlier version wrote becomes one of this. */
import type { DatabaseSync } from 'node:sqlite'
import { type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import { type AddressRecord, ownerOf, podKeyOf } from '../pool/model.ts'
import { decodeEndpoint, type Endpoint } from './endpoint.ts'
import { JournalError } from './error.ts'
import { decodeAddress } from './pool-rows.ts'
import { readTable } from './rows.ts'

const SCHEMA_VERSION = 3
/** What the second version has more than the first, in tables. */
const SECOND = 'CREATE TABLE prefixes (cidr TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT;'
/** And the third more than the second. */
const THIRD = 'CREATE TABLE route_addresses (ip TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;'
const SCHEMA = `
  CREATE TABLE enis (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE addresses (ip TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE assigns (token TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE endpoints (
    container_id TEXT NOT NULL, ifname TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (container_id, ifname)
  ) STRICT;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  ${SECOND}
  ${THIRD}
`

/**
 * Whole or not at all.
 * @param path for errors
 * @throws JournalError
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version === SCHEMA_VERSION) return
  if (version > SCHEMA_VERSION || version < 0) {
    throw new JournalError(
      `${path} has schema version ${version}, this terwayd knows ${SCHEMA_VERSION}: run the newer one`,
    )
  }
  db.exec('BEGIN IMMEDIATE')
  try {
    if (version === 0) db.exec(SCHEMA)
    if (version === 1) toSecond(db, path)
    if (version === 1 || version === 2) toThird(db, path)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** A node that is upgraded has pods, which are to have the same addresses when they are made again. */
function toSecond(db: DatabaseSync, path: string): void {
  db.exec(SECOND)
  const endpoints = readTable({ db, path, table: 'endpoints', decode: decodeEndpoint })
  const pods = new Map(endpoints.map((e) => [ownerOf(e.containerId, e.ifname), podKeyOf(e, e.ifname)]))
  const put = db.prepare('UPDATE addresses SET record = ? WHERE ip = ?')
  for (const address of readTable({ db, path, table: 'addresses', decode: decodeAddress })) {
    const pod = address.phase === 'owned' ? pods.get(address.owner) : undefined
    if (pod !== undefined) put.run(JSON.stringify({ ...address, pod } satisfies AddressRecord), address.ip)
  }
}

/** Plans had no qdiscs, filters and marks. */
function toThird(db: DatabaseSync, path: string): void {
  db.exec(THIRD)
  const put = db.prepare('UPDATE endpoints SET record = ? WHERE container_id = ? AND ifname = ?')
  for (const endpoint of readTable({ db, path, table: 'endpoints', decode: decodeEndpoint })) {
    if (endpoint.plan === undefined) continue
    const plan = networkPlan(endpoint.plan satisfies Partial<NetworkPlan>)
    put.run(JSON.stringify({ ...endpoint, plan } satisfies Endpoint), endpoint.containerId, endpoint.ifname)
  }
}
