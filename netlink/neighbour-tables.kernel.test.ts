import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, TestNamespaces } from '../test/kernel/namespaces.ts'
import { encodeAttribute, u32 } from './codec.ts'
import { addVeth } from './link.ts'
import { addNeighbour } from './neighbour.ts'
import { listNeighbourTables, parseNeighbourTable } from './neighbour-tables.ts'
import type { Netns } from './netns.ts'
import { supportsNftables } from './probe.ts'
import { NetlinkSocket } from './socket.ts'

let spaces: TestNamespaces
let host: Netns
beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-ntb-')
  host = spaces.create('host')
})
afterEach(() => spaces[Symbol.dispose]())

test('the tables of all namespaces: their limits as iproute2 reads them, and at least what is here', () => {
  ip(host, 'link', 'add', 'eth1', 'index', '9', 'type', 'veth', 'peer', 'name', 'vpc')
  ip(host, 'link', 'set', 'eth1', 'up')
  using socket = NetlinkSocket.open({ netns: host })
  const mac = parseMac('02:00:00:00:00:01')
  const neighbours = Array.from({ length: 100 }, (_, i) => [parseIp(`10.0.0.${i}`), parseIp(`fd00::${i}`)]).flat()
  socket.request(neighbours.map((address) => addNeighbour({ ifindex: 9, address, mac })))

  const tables = listNeighbourTables(socket)
  expect(tables.map(({ family }) => family)).toEqual(['ipv4', 'ipv6'])
  const limits = ['arp_cache', 'ndisc_cache'].map((name) => {
    return Number(/thresh3 (\d+)/.exec(ip(host, 'ntable', 'show', 'name', name))?.[1])
  })
  expect(tables.map(({ limit }) => limit)).toEqual(limits)
  for (const { entries } of tables) expect(entries).toBeGreaterThanOrEqual(100)
})

test('each comes once, however many devices the kernel tells of besides', () => {
  using socket = NetlinkSocket.open({ netns: host })
  const end = (name: string) => ({ name: parseLinkName(name) })
  socket.request(Array.from({ length: 100 }, (_, i) => addVeth({ ...end(`a${i}`), peer: end(`b${i}`) })))
  expect(listNeighbourTables(socket).map(({ family }) => family)).toEqual(['ipv4', 'ipv6'])
})

test('of the counters the last is what was refused', () => {
  const attributes = [
    encodeAttribute(4, u32(1024)),
    encodeAttribute(5, Buffer.concat([u32(0), u32(7), Buffer.alloc(24)])),
    encodeAttribute(7, Buffer.concat(Array.from({ length: 11 }, (_, i) => Buffer.concat([u32(i), u32(0)])))),
  ]
  const payload = Buffer.concat([Buffer.from([2, 0, 0, 0]), ...attributes])
  expect(parseNeighbourTable({ type: 64, flags: 0, payload })).toEqual({
    ...{ family: 'ipv4', entries: 7, limit: 1024, refused: 10 },
  })
})

test('nf_tables is found', () => {
  expect(supportsNftables({ netns: host })).toBe(true)
})
