import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Ip, ipToBytes, parseIp } from '../inet/address.ts'
import { TestNamespaces } from '../test/kernel/namespaces.ts'
import { encodeAttribute } from './codec.ts'
import { forgetConntrack, listConntrack } from './conntrack.ts'
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts'
import type { Netns } from './netns.ts'
import { NetlinkSocket } from './socket.ts'

const PEER = parseIp('10.8.0.1')
const GONE = ['10.8.0.2', '10.8.0.3'].map(parseIp)
const STAYS = parseIp('10.8.0.4')
/** 20,100 in all. */
const OF_EACH = 6_700

/** linux/netfilter/nfnetlink_conntrack.h: IPCTNL_MSG_CT_NEW and _GET, CTA_… */
const [NEW, GET] = [0x100, 0x101]
/** A GET of a part of netfilter that there is none of. */
const NO_SUBSYSTEM = 0xf001
const [TUPLE_ORIG, TUPLE_REPLY, TIMEOUT] = [1, 2, 7]
const [TUPLE_IP, TUPLE_PROTO] = [1, 2]
const HEADER = Buffer.of(2, 0, 0, 0)
const LIST: Request = { type: GET, flags: 0, payload: HEADER, text: 'list connections' }

interface End {
  readonly ip: Ip
  readonly port: number
}

function tuple(type: number, from: End, to: End): Buffer {
  const port = ({ port }: End) => Buffer.of(port >> 8, port & 0xff)
  const addresses = [from, to].map(({ ip }, index) => encodeAttribute(1 + index, Buffer.from(ipToBytes(ip))))
  const udp = encodeAttribute(1, Buffer.of(17))
  const ports = [from, to].map((end, index) => encodeAttribute(2 + index, port(end)))
  const parts = [
    encodeAttribute(TUPLE_IP, Buffer.concat(addresses)),
    encodeAttribute(TUPLE_PROTO, Buffer.concat([udp, ...ports])),
  ]
  return encodeAttribute(type, Buffer.concat(parts))
}

/** Of UDP, from a port of its own for each, for ten minutes. */
function insert(netns: Netns, to: Ip, count: number): void {
  const requests = Array.from({ length: count }, (_, index): Request => {
    const [from, server] = [
      { ip: PEER, port: 1024 + index },
      { ip: to, port: 53 },
    ]
    const timeout = encodeAttribute(TIMEOUT, Buffer.of(0, 0, 2, 88))
    const payload = [HEADER, tuple(TUPLE_ORIG, from, server), tuple(TUPLE_REPLY, server, from), timeout]
    return { type: NEW, flags: NLM_F_CREATE | NLM_F_EXCL, payload: Buffer.concat(payload), text: 'new connection' }
  })
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
  socket.execute(requests)
}

function countByServer(netns: Netns): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { original } of listConntrack(netns)) {
    counts[original.destination] = (counts[original.destination] ?? 0) + 1
  }
  return counts
}

/** Counts turns of the event loop while it is in use. */
class Turns implements Disposable {
  count = 0
  #pending = setImmediate(() => this.#turn())

  #turn(): void {
    this.count += 1
    this.#pending = setImmediate(() => this.#turn())
  }

  [Symbol.dispose](): void {
    clearImmediate(this.#pending)
  }
}

let spaces: TestNamespaces
let netns: Netns

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-forget-')
  netns = spaces.create('node')
})

afterEach(() => spaces[Symbol.dispose]())

test('where nothing is tracked there is nothing to forget', async () => {
  expect(await forgetConntrack(netns, GONE)).toBe(0)
})

describe('among 20,100 connections', () => {
  beforeEach(() => {
    for (const ip of [...GONE, STAYS]) insert(netns, ip, OF_EACH)
  })

  test('all of the addresses end and no others, while the event loop goes on', async () => {
    using turns = new Turns()
    expect(await forgetConntrack(netns, GONE)).toBe(2 * OF_EACH)
    // Half of what there are turns for at 80 entries of the list and 32 deletions in each.
    expect(turns.count).toBeGreaterThan((3 * OF_EACH) / 160 + (2 * OF_EACH) / 32 / 2)
    expect(countByServer(netns)).toEqual({ [STAYS]: OF_EACH })
  })

  test('a part of the list is small, and there is a turn of the event loop between two', async () => {
    using socket = NetlinkSocket.open({ netns, protocol: 'netfilter', datagramBytes: 16 * 1024 })
    using turns = new Turns()
    const parts: { readonly entries: number; readonly turn: number }[] = []
    for await (const { messages, interrupted } of socket.dumpInPool(LIST)) {
      parts.push({ entries: messages.length, turn: turns.count })
      expect(interrupted).toBe(false)
    }
    expect(parts.reduce((sum, { entries }) => sum + entries, 0)).toBe(3 * OF_EACH)
    expect(Math.max(...parts.map(({ entries }) => entries))).toBeLessThanOrEqual(120)
    expect(new Set(parts.map(({ turn }) => turn)).size).toBe(parts.length)
  })

  test('who gives up has the socket closed and what is left in the table', async () => {
    const controller = new AbortController()
    const over = forgetConntrack(netns, GONE, { signal: controller.signal })
    controller.abort(new Error('the daemon stops'))
    await expect(over).rejects.toThrow('the daemon stops')
    expect(countByServer(netns)[STAYS]).toBe(OF_EACH)
    expect(await forgetConntrack(netns, GONE)).toBeGreaterThan(0)
  })
})

test('a list that the kernel refuses is an error that says what it was for', async () => {
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
  const parts = socket.dumpInPool({ ...LIST, type: NO_SUBSYSTEM, text: 'list nothing' })
  // The answer has come, and there is nothing in it.
  expect(await parts.next()).toMatchObject({ value: { messages: [] } })
  await expect(parts.next()).rejects.toMatchObject({ request: 'list nothing', code: 'EINVAL' })
})
