import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIp } from '../../inet/address.ts'
import { ownerOf, type PodKey } from '../pool/model.ts'
import type { RouteAddress, RouteChange } from '../route/allocation.ts'
import { Journal } from './journal.ts'

const pod = { pod: 'default/web' as PodKey, podUid: 'u1' }
const ADDRESSES: readonly RouteAddress[] = [
  { ip: parseIp('172.20.1.2'), since: 1, ...pod, phase: 'owned', owner: ownerOf('c', 'eth0') },
  { ip: parseIp('fd00:0:0:1::2'), since: 1, ...pod, phase: 'owned', owner: ownerOf('c', 'eth0') },
  { ip: parseIp('172.20.1.3'), since: 2, ...pod, phase: 'cooling', until: 99 },
  { ip: parseIp('172.20.1.4'), since: 3, phase: 'free' },
]
const put = (address: RouteAddress): RouteChange => ({ kind: 'put-address', address })

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-route-rows-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function change(...changes: readonly RouteChange[]): void {
  using journal = new Journal(directory)
  journal.commitRouteAddresses(changes)
}

test('the next process finds what was committed, and not what was dropped', () => {
  change(...ADDRESSES.map(put))
  change(put({ ...pod, ip: parseIp('172.20.1.2'), since: 4, phase: 'cooling', until: 30_004 }))
  change({ kind: 'drop-address', ip: parseIp('172.20.1.4') })
  using journal = new Journal(directory)
  expect(journal.loadRouteAddresses().sort((a, b) => (a.ip < b.ip ? -1 : 1))).toEqual([
    { ...pod, ip: '172.20.1.2', since: 4, phase: 'cooling', until: 30_004 },
    ADDRESSES[2],
    ADDRESSES[1],
  ])
  expect(journal.loadPool().addresses.size).toBe(0)
})

test('all changes of a commit are made, or none', () => {
  const torn = { ...ADDRESSES[1], ip: null } as unknown as RouteAddress
  expect(() => change(...ADDRESSES.slice(0, 1).map(put), put(torn))).toThrow(/NOT NULL/)
  using journal = new Journal(directory)
  expect(journal.loadRouteAddresses()).toEqual([])
})

test('a row that no daemon wrote is named', () => {
  change(...ADDRESSES.map(put))
  const db = new DatabaseSync(join(directory, 'journal.db'))
  db.exec(`UPDATE route_addresses SET record = '{"phase":"owned"}' WHERE ip = '172.20.1.3'`)
  db.close()
  using journal = new Journal(directory)
  expect(() => journal.loadRouteAddresses()).toThrow(/row 172\.20\.1\.3 of table route_addresses/)
})
