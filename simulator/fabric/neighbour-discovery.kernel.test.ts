import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ipToBytes, parseIpv6 } from '../../inet/address.ts'
import { writeU16, writeU32 } from '../../netlink/codec.ts'
import * as ffi from '../../netlink/ffi.ts'
import { type Netns, withNetns } from '../../netlink/netns.ts'
import { ip, ipJson, TestNamespaces } from '../../test/kernel/namespaces.ts'
import type { EniId } from '../region/ids.ts'
import { NeighbourDiscovery } from './neighbour-discovery.ts'
import { setSysctls } from './netns.ts'

const PREFIX = 'tw-sim-nd-'
const IPPROTO_ICMPV6 = 58
const SOLICITATION = 135
const ADVERTISEMENT = 136
/** To all on the link, where the router's filter sends the questions for others. */
const ALL_NODES = parseIpv6('ff02::1')
const TARGET = parseIpv6('fd00::7')
/** Less than what a socket's queue takes, and more than what is heard in a turn. */
const FLOOD = 150
const MAX_PER_TURN = 64

let spaces: TestNamespaces
let guest: Netns
let ifindex: number
let socket: number
let discovery: NeighbourDiscovery
let owner: EniId
/** Questions that reached the router since it was last looked at. */
let heard: number
/** Answers that came back to the guest. */
let answered: number

beforeEach(() => {
  spaces = new TestNamespaces(PREFIX)
  const vpc = spaces.create('vpc')
  guest = spaces.create('guest')
  ip(vpc, 'link', 'add', 'eni-guest', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${PREFIX}guest`)
  setSysctls(`${PREFIX}vpc`, { 'ipv6/conf/eni-guest/accept_dad': '0' })
  setSysctls(`${PREFIX}guest`, { 'ipv6/conf/eth0/accept_dad': '0' })
  ip(vpc, 'link', 'set', 'eni-guest', 'up')
  ip(guest, 'link', 'set', 'eth0', 'up')
  ifindex = Number(ipJson(guest, 'link', 'show', 'eth0')[0]?.ifindex)
  socket = withNetns(guest, () => ffi.socket({ domain: ffi.AF_INET6, type: ffi.SOCK_RAW, protocol: IPPROTO_ICMPV6 }))
  heard = 0
  answered = 0
  owner = 'eni-other' as EniId
  const ownersOf = () => {
    heard++
    return [owner]
  }
  discovery = new NeighbourDiscovery({ netns: `${PREFIX}vpc`, ownersOf })
})

afterEach(() => {
  discovery.stop()
  ffi.close(socket)
  spaces[Symbol.dispose]()
})

/** From the link-local address of the guest. */
function ask(length = 24): void {
  const to = Buffer.alloc(28) // struct sockaddr_in6
  writeU16(to, ffi.AF_INET6, 0)
  to.set(ipToBytes(ALL_NODES), 8)
  writeU32(to, ifindex, 24)
  const question = Buffer.concat([Buffer.of(SOLICITATION, 0, 0, 0, 0, 0, 0, 0), ipToBytes(TARGET)])
  ffi.sendto(socket, question.subarray(0, length), to)
}

/** Before the queue of the socket is full: it has the questions, too. */
function countAnswers(): void {
  const [message, from] = [Buffer.alloc(64), Buffer.alloc(28)]
  while (ffi.recvfrom(socket, message, { from, flags: ffi.MSG_DONTWAIT }) !== undefined) {
    if (message.readUInt8(0) === ADVERTISEMENT) answered++
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** How many questions were heard in each turn of the event loop, until there were that many. */
async function hear(questions: number): Promise<number[]> {
  const turns: number[] = []
  for (let left = questions; left > 0; left -= turns.at(-1) ?? 0) {
    await turn()
    countAnswers()
    turns.push(heard)
    heard = 0
  }
  return turns
}

test('a flood of questions is answered, and everything else gets its turn meanwhile', async () => {
  for (let count = 0; count < FLOOD; count++) ask()
  countAnswers()
  const turns = await hear(FLOOD)
  expect(Math.max(...turns)).toBeLessThanOrEqual(MAX_PER_TURN)
  expect(answered).toBe(FLOOD)
})

test('questions that are cut off count as well', async () => {
  for (let count = 0; count < FLOOD / 2; count++) ask(8)
  for (let count = 0; count < FLOOD / 2; count++) ask()
  const turns = await hear(FLOOD / 2)
  expect(turns.filter((questions) => questions > 0).length).toBeGreaterThan(1)
  expect(answered).toBe(FLOOD / 2)
})

test('the guest that has the address is not answered', async () => {
  owner = 'eni-guest' as EniId
  ask()
  await hear(1)
  expect(answered).toBe(0)
})

test('nothing is heard any more after the end, not even what is waiting', async () => {
  for (let count = 0; count < FLOOD; count++) ask()
  const [first = 0] = (await hear(1)).filter((questions) => questions > 0)
  expect(first).toBeLessThan(FLOOD)
  discovery.stop()
  for (let count = 0; count < 5; count++) await turn()
  expect(heard).toBe(0)
})
