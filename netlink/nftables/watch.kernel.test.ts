import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIp } from '../../inet/address.ts'
import { run, TestNamespaces } from '../../test/kernel/namespaces.ts'
import { MulticastSocket } from '../multicast.ts'
import type { Netns } from '../netns.ts'
import { ROUTING_TABLE, SourceMarks } from './source-marks.ts'
import { NftablesWatch } from './watch.ts'

const NFNLGRP_NFTABLES = 7
const POD = { source: parseIp('10.0.0.1'), mark: 0x00100000 }

let spaces: TestNamespaces
let netns: Netns
let marks: SourceMarks
let changes: number

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-nftw-')
  netns = spaces.create('node')
  marks = new SourceMarks({ netns })
  changes = 0
})

afterEach(() => {
  marks[Symbol.dispose]()
  spaces[Symbol.dispose]()
})

const nft = (command: string) => run(netns, 'nft', command)

/** Looks only when it is told to. */
const watch = () =>
  new NftablesWatch({
    netns,
    table: ROUTING_TABLE,
    onChange: () => changes++,
    isOwn: (portid) => portid === marks.portid,
    intervalMs: 1 << 30,
  })

test.each([
  ['the ruleset flushed', 'flush ruleset'],
  ['the table deleted', 'delete table inet terway_routing'],
  ['rules flushed', 'flush chain inet terway_routing prerouting'],
  ['a rule added', 'insert rule inet terway_routing prerouting accept'],
  ['an element deleted', 'delete element inet terway_routing pods4 { 10.0.0.1 }'],
  ['an element added', 'add element inet terway_routing pods4 { 10.0.0.9 : accept }'],
  ['a chain added', 'add chain inet terway_routing theirs'],
  ['the table switched off', 'add table inet terway_routing { flags dormant; }'],
])('%s is told once', (_what, command) => {
  marks.add([POD])
  using watched = watch()
  nft(command)
  watched.drain()
  watched.drain()
  expect(changes).toBe(1)
})

test('own changes, and those of other tables, are not', () => {
  using watched = watch()
  marks.add([POD])
  marks.add([{ ...POD, mark: 0x00200000 }])
  marks.repair([POD])
  marks.remove([POD])
  nft('add table ip terway_routing; add table inet other; add chain inet other x; delete table ip terway_routing')
  watched.drain()
  expect(changes).toBe(0)
  using another = new SourceMarks({ netns })
  another.add([POD])
  watched.drain()
  expect(changes).toBe(1)
})

test('the timer looks by itself until it is stopped', async () => {
  const watched = new NftablesWatch({ netns, table: ROUTING_TABLE, onChange: () => changes++, intervalMs: 1 })
  marks.add([POD])
  for (let waited = 0; changes === 0; waited++) {
    if (waited > 5000) throw new Error('nothing was told')
    await sleep(1)
  }
  watched.stop()
  watched.stop()
  changes = 0
  marks.remove([POD])
  watched.drain()
  expect(changes).toBe(0)
})

test('a socket that is overrun says so, and goes on', () => {
  using socket = new MulticastSocket({ netns, protocol: 'netfilter', groups: [NFNLGRP_NFTABLES], receiveBuffer: 4096 })
  marks.add(Array.from({ length: 1000 }, (_, i) => ({ ...POD, source: parseIp(`10.0.${i >> 8}.${i & 255}`) })))
  const heard: unknown[] = []
  for (let next = socket.receive(); next !== undefined; next = socket.receive()) heard.push(next)
  expect(heard).toContain('overrun')
  nft('add table inet other')
  expect(socket.receive()).toBeInstanceOf(Buffer)
})

test('a namespace that is not there is an error', () => {
  const none = { netns: '/run/netns/tw-nl-nftw-none', table: ROUTING_TABLE, onChange: () => changes++ }
  expect(() => new NftablesWatch(none)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
