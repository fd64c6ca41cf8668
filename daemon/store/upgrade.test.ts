import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIp } from '../../inet/address.ts'
import type { PodKey } from '../pool/model.ts'
import { Journal } from './journal.ts'

/** As the first version made it. */
const FIRST = `
  CREATE TABLE enis (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE addresses (ip TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE assigns (token TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE endpoints (
    container_id TEXT NOT NULL, ifname TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (container_id, ifname)
  ) STRICT;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  PRAGMA user_version = 1;
`
const KNOWN = {
  ...{ phase: 'in-use', key: 'k1', vSwitchId: 'vsw-h', cidr: '10.0.1.0/24', id: 'eni-1' },
  ...{ mac: '00:16:3e:00:00:01', primaryIp: '10.0.1.1', since: 1 },
}
const CREATING = {
  ...{ phase: 'creating', key: 'k2', vSwitchId: 'vsw-h', cidr: '10.0.1.0/24', since: 2 },
  request: {
    ...{ vSwitchId: 'vsw-h', securityGroupIds: ['sg-1'], secondaryIps: 3 },
    ...{ tags: { creator: 'terway' }, name: 'terway', clientToken: 'k2' },
  },
}
const address = (last: number, phase: object) => {
  return { ip: `10.0.1.${last}`, eni: 'k1', primary: last === 1, since: 3, ...phase }
}
const ADDRESSES = [
  address(1, { phase: 'warm' }),
  address(2, { phase: 'owned', owner: 'c/eth0' }),
  address(3, { phase: 'owned', owner: 'c/net1', lost: true }),
  address(4, { phase: 'owned', owner: 'unknown/cali1' }),
  address(5, { phase: 'cooling', until: 99 }),
  address(6, { phase: 'unassigning' }),
]
const ASSIGN = { token: 't1', eni: 'k1', count: 2, since: 4 }
/** As the first two versions had it. */
const PLAN = {
  ...{ links: [], addresses: [], neighbours: [], routes: [], rules: [] },
  sysctls: [{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }],
}
const endpoint = (ifname: string, ip: string) => ({
  ...{ containerId: 'c', ifname, phase: 'ready', network: 'terway', namespace: 'default', pod: 'web' },
  ...{ netns: '/run/netns/x', netnsId: '4:5', since: 6, ip, eniId: 'eni-1', hostLink: 'calic95a4947e07' },
  plan: PLAN,
})
const ENDPOINTS = [endpoint('eth0', '10.0.1.2'), endpoint('net1', '10.0.1.3')]
const TAKEN_OVER = ENDPOINTS.map((one) => ({ ...one, plan: { ...PLAN, qdiscs: [], filters: [], marks: [] } }))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-upgrade-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function withFirst(change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(directory, 'journal.db'))
  db.exec(FIRST)
  const put = (table: string, ...values: string[]) =>
    db.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join()})`).run(...values)
  for (const eni of [KNOWN, CREATING]) put('enis', eni.key, JSON.stringify(eni))
  for (const one of ADDRESSES) put('addresses', one.ip, one.eni, JSON.stringify(one))
  put('assigns', ASSIGN.token, ASSIGN.eni, JSON.stringify(ASSIGN))
  for (const one of ENDPOINTS) put('endpoints', one.containerId, one.ifname, JSON.stringify(one))
  put('facts', 'first-fill', 'true')
  change(db)
  db.close()
}

test('a journal of the first version is taken over whole, and whose address is whose', () => {
  withFirst(() => undefined)
  const pods = new Map([
    ['10.0.1.2', 'default/web'],
    ['10.0.1.3', 'default/web/net1'],
  ])
  // Once more: the second start finds what the first has made of it.
  for (let start = 0; start < 2; start++) {
    using journal = new Journal(directory)
    const pool = journal.loadPool()
    expect([...pool.enis.values()]).toEqual([
      { ...KNOWN, role: 'shared' },
      { ...CREATING, role: 'shared' },
    ])
    const expected = ADDRESSES.map((one) => (pods.has(one.ip) ? { ...one, pod: pods.get(one.ip) } : one))
    expect([...pool.addresses.values()]).toEqual(expected)
    expect([...pool.assigns.values()]).toEqual([{ ...ASSIGN, what: 'ipv4' }])
    expect(pool.prefixes.size).toBe(0)
    expect(journal.loadEndpoints()).toEqual(TAKEN_OVER)
    expect(journal.getFact('first-fill')).toBe(true)
    expect(pool.lastOf('default/web' as PodKey).map(({ ip }) => ip)).toEqual([parseIp('10.0.1.2')])
  }
})

test('one of the second version has the plans of its pods completed', () => {
  withFirst((db) => {
    db.exec('CREATE TABLE prefixes (cidr TEXT PRIMARY KEY, eni TEXT NOT NULL, record TEXT NOT NULL) STRICT')
    db.exec('PRAGMA user_version = 2')
  })
  using journal = new Journal(directory)
  expect(journal.loadEndpoints()).toEqual(TAKEN_OVER)
  expect([...journal.loadPool().addresses.values()]).toEqual(ADDRESSES)
})

test('one that cannot be taken over stays as it is', () => {
  withFirst((db) => db.exec(`UPDATE endpoints SET record = '{}' WHERE ifname = 'net1'`))
  expect(() => new Journal(directory)).toThrow(/row c\/net1 of table endpoints/)
  const db = new DatabaseSync(join(directory, 'journal.db'), { readOnly: true })
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
  expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'prefixes'`).all()).toEqual([])
  db.close()
})
