import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseMac } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { homeNetns } from '../../netlink/netns.ts'
import { networkPlan } from '../../netlink/plan.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { endOf, type NodeSight, presenceOf } from './netns-presence.ts'

const HOME = '/proc/self/ns/net'
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-presence-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the namespace on record, and another under its path', () => {
  using home = homeNetns()
  expect(presenceOf({ netns: HOME, netnsId: home.identity })).toBe('there')
  expect(presenceOf({ netns: HOME, netnsId: '1:1' })).toBe('another')
})

test('nothing at the path, or what an unmounted namespace leaves behind', () => {
  const file = join(directory, 'empty')
  writeFileSync(file, '')
  expect(presenceOf({ netns: join(directory, 'nothing'), netnsId: '1:1' })).toBe('nothing')
  expect(presenceOf({ netns: file, netnsId: '1:1' })).toBe('nothing')
})

test('a path that cannot be followed says nothing about the pod', () => {
  const loop = join(directory, 'loop')
  symlinkSync(loop, loop)
  expect(presenceOf({ netns: loop, netnsId: '1:1' })).toBe('unknown')
})

const IFNAME = parseLinkName('eth0')
const HOST_END = parseLinkName('cali0123456789a')
const mac = parseMac('02:00:00:00:00:01')

/** @param hostEnd of a veth by which it reaches the node */
function endpointAt(netns: string, hostEnd?: LinkName): Endpoint {
  const peer = { name: IFNAME, ifindex: 2, mac, mtu: 1500 }
  const veth = { kind: 'veth', netns: 'host', ifindex: 1, mac, mtu: 1500, peer } as const
  return {
    ...{ containerId: 'c', ifname: IFNAME, phase: 'ready', network: 'terway', namespace: 'default', pod: 'web' },
    ...{ netns, netnsId: '1:1', hostLink: HOST_END, since: 1 },
    plan: networkPlan({ links: hostEnd === undefined ? [] : [{ ...veth, name: hostEnd }] }),
  }
}

const sight = (linkExists: boolean, sandboxes: NodeSight['sandboxes'] = []): NodeSight => ({
  linkExists: () => linkExists,
  sandboxes,
})

describe('a pod that reaches its node by a veth', () => {
  test('has ended when that is gone as well', () => {
    for (const path of [join(directory, 'nothing'), HOME]) {
      const endpoint = endpointAt(path, HOST_END)
      expect([true, false].map((exists) => endOf(endpoint, sight(exists)))).toEqual(['no', 'certain'])
    }
  })
})

describe('a pod without one', () => {
  test('has not ended because its path is hidden, as where no mount reaches, or in a directory without namespaces', () => {
    writeFileSync(join(directory, 'empty'), '')
    for (const path of [join(directory, 'pod'), join(directory, 'empty'), join(directory, 'netns', 'pod')]) {
      expect(endOf(endpointAt(path), sight(false))).toBe('no')
    }
  })

  test('has ended when another namespace is in its place', () => {
    expect(endOf(endpointAt(HOME), sight(false))).toBe('certain')
  })

  test('has likely ended when namespaces are seen where its own should be', () => {
    symlinkSync(HOME, join(directory, 'other'))
    expect(endOf(endpointAt(join(directory, 'pod')), sight(false))).toBe('likely')
  })

  test('has likely ended when its process is gone and those of other sandboxes are seen', () => {
    using home = homeNetns()
    const endpoint = endpointAt('/proc/4194305/ns/net')
    const other = { netns: `/proc/${process.pid}/ns/net`, netnsId: home.identity }
    expect(endOf(endpoint, sight(false, [endpoint, other]))).toBe('likely')
    expect(endOf(endpoint, sight(false, [endpoint, { ...other, netnsId: '1:1' }]))).toBe('no')
  })
})
