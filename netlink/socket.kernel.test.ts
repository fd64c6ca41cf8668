import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr } from '../inet/address.ts'
import { ip, TestNamespaces } from '../test/kernel/namespaces.ts'
import { u32, writeU16, writeU32 } from './codec.ts'
import { NetlinkError } from './error.ts'
import * as ffi from './ffi.ts'
import { listLinks, setLinkUp } from './link.ts'
import type { Netns } from './netns.ts'
import { addRoute, listRoutes } from './route.ts'
import { addRule, listRules, type RuleAddition } from './rule.ts'
import { NetlinkSocket, openNetlinkSocket, switchOn } from './socket.ts'

let spaces: TestNamespaces
let netns: Netns

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-sock-')
  netns = spaces.create('a')
})

afterEach(() => spaces[Symbol.dispose]())

const descriptors = () => readdirSync('/proc/self/fd').length
const rule = (index: number): RuleAddition => ({
  family: 'ipv4',
  priority: 1000 + index,
  destination: parseCidr(`10.${index >> 8}.${index & 255}.0/24`),
  table: 254,
})
const manyRules = (count: number) => Array.from({ length: count }, (_, index) => addRule(rule(index)))
const unreachable = (ifindex: number) => addRoute({ ifindex, destination: parseCidr('1.0.0.0/8') })

test('an option that a kernel is too old for is done without, another failure is one', () => {
  const fd = openNetlinkSocket(netns, { receiveBuffer: 65_536 })
  const unknown = 4095
  expect(() => ffi.setsockopt(fd, { level: ffi.SOL_NETLINK, name: unknown, value: u32(1) })).toThrow('ENOPROTOOPT')
  switchOn(fd, unknown)
  ffi.close(fd)
  expect(() => switchOn(fd, unknown)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})

describe('batches', () => {
  test('larger than any queue are acked one by one, in order', () => {
    using socket = NetlinkSocket.open({ netns })
    const requests = manyRules(1000).flatMap((request, index) => (index % 100 === 50 ? [request, request] : [request]))
    const codes = socket.request(requests).map(({ error }) => error?.code)
    expect(codes.filter((code) => code === 'EEXIST')).toHaveLength(10)
    expect(codes.indexOf('EEXIST')).toBe(51)
    expect(codes.filter((code) => code === undefined)).toHaveLength(1000)
    expect(listRules(socket, { family: 'ipv4' })).toHaveLength(1003)
  })

  test('a failed request carries the text of the kernel', () => {
    using socket = NetlinkSocket.open({ netns })
    expect(() => socket.execute([setLinkUp(1), unreachable(55)])).toThrow(
      expect.objectContaining({ code: 'ENODEV', request: 'add route 1.0.0.0/8 dev 55 table 254' }),
    )
    expect(listLinks(socket)[0]?.up).toBe(true)
  })

  test('no request is no conversation', () => {
    using socket = NetlinkSocket.open({ netns })
    expect(socket.request([])).toEqual([])
  })
})

describe('what can go wrong', () => {
  test('an overrun is an error, and the socket goes on', () => {
    using socket = NetlinkSocket.open({ netns, receiveBuffer: 2048 })
    for (let round = 0; round < 3; round++) {
      expect(() => socket.request(Array(150).fill(unreachable(55)))).toThrow(
        expect.objectContaining({ code: 'ENOBUFS' }),
      )
      expect(listLinks(socket).map(({ name }) => name)).toEqual(['lo'])
    }
  })

  test('an answer larger than the buffer is read whole', () => {
    using setup = NetlinkSocket.open({ netns })
    setup.execute(manyRules(300))
    using socket = NetlinkSocket.open({ netns, datagramBytes: 16 })
    expect(listRules(socket, { family: 'ipv4' })).toEqual(listRules(setup, { family: 'ipv4' }))
  })

  test('another process that knows our address and sequence numbers answers nothing', () => {
    using socket = NetlinkSocket.open({ netns })
    const forger = openNetlinkSocket(netns, { receiveBuffer: 65536 })
    try {
      const to = Buffer.alloc(12)
      writeU16(to, ffi.AF_NETLINK, 0)
      writeU32(to, socket.portid, 4)
      for (let seq = 1; seq < 20; seq++) {
        const forged = Buffer.concat([u32(36), u32(2), u32(seq), u32(socket.portid), u32(-1), Buffer.alloc(16)])
        ffi.sendto(forger, forged, to)
      }
      socket.execute([setLinkUp(1)])
      expect(listLinks(socket)).toHaveLength(1)
    } finally {
      ffi.close(forger)
    }
  })

  test('lists stay whole while another process changes what they hold', async () => {
    // A small buffer makes many parts of the list, so that changes fall between them.
    using socket = NetlinkSocket.open({ netns, datagramBytes: 4096 })
    socket.execute(manyRules(600))
    // In front of the others: each change shifts the place where the kernel goes on.
    const changes = 'while :; do echo rule add prio 500 table 9; echo rule del prio 500; done'
    const command = ['netns', 'exec', 'tw-nl-sock-a', 'sh', '-c', `(${changes}) | exec ip -batch -`]
    const churn = spawn('ip', command, { stdio: 'ignore', detached: true })
    const exited = once(churn, 'exit')
    try {
      await once(churn, 'spawn')
      const end = Date.now() + 1500
      while (Date.now() < end) {
        try {
          const stable = listRules(socket, { family: 'ipv4' }).filter(
            ({ priority }) => priority >= 1000 && priority < 1600,
          )
          expect(stable.map(({ priority }) => priority)).toEqual(
            Array.from({ length: 600 }, (_, index) => 1000 + index),
          )
        } catch (error) {
          // Five interruptions in a row are reported, never a list with holes.
          if (!(error instanceof NetlinkError) || error.code !== 'EINTR') throw error
        }
      }
    } finally {
      if (churn.pid !== undefined) process.kill(-churn.pid, 'SIGKILL')
      await exited
    }
    expect(listRules(socket, { family: 'ipv4' }).length).toBeGreaterThanOrEqual(603)
  })

  test('a dump that the kernel refuses is an error', () => {
    using socket = NetlinkSocket.open({ netns })
    const refused = { type: 26, flags: 0, payload: Buffer.alloc(4), text: 'list routes, badly' }
    expect(() => socket.dump(refused)).toThrow(
      expect.objectContaining({ code: 'EINVAL', request: 'list routes, badly' }),
    )
    expect(listRoutes(socket, { family: 'ipv4' })).toEqual([])
  })

  test('a closed socket says so, and closing twice is fine', () => {
    const socket = NetlinkSocket.open({ netns })
    socket.close()
    socket.close()
    expect(() => socket.request([setLinkUp(1)])).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })
})

describe('descriptors', () => {
  test('one per socket, none after it is closed or could not be opened', () => {
    const before = descriptors()
    for (let round = 0; round < 200; round++) NetlinkSocket.open({ netns }).close()
    for (let round = 0; round < 50; round++) {
      expect(() => NetlinkSocket.open({ netns: '/run/netns/tw-nl-sock-none' })).toThrow(
        expect.objectContaining({ code: 'ENOENT' }),
      )
    }
    expect(descriptors()).toBe(before)
    using socket = NetlinkSocket.open({ netns })
    expect(descriptors()).toBe(before + 1)
    spaces.delete('a')
    expect(listLinks(socket)).toHaveLength(1)
  })

  test('a socket in a pool thread does the same', async () => {
    using socket = NetlinkSocket.open({ netns })
    expect(await socket.requestInPool(setLinkUp(1))).not.toHaveProperty('error')
    expect(ip(netns, 'link', 'show', 'lo')).toContain('UP')
    expect((await socket.requestInPool(setLinkUp(55))).error?.code).toBe('ENODEV')
  })
})
