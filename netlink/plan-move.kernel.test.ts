/** An ENI that lives in a pod as long as its plan does. One end of a veth is the ENI, the other is in the VPC. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, ipJson, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { ping } from '../test/kernel/pod-plan.ts'
import { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { type MovedLinkSpec, type NetworkPlan, networkPlan } from './plan.ts'

const MAC = parseMac('02:00:00:00:30:01')
const HOME = { name: parseLinkName('eth1'), ifindex: 60 }
const device = { netns: 'pod', name: parseLinkName('eth0'), ifindex: 7001 } as const
const eni: MovedLinkSpec = { kind: 'moved', ...device, mac: MAC, mtu: 1400, home: HOME }
const GATEWAY = '10.0.0.1'

let spaces: TestNamespaces
let host: Netns
let pod: Netns
let kernel: PlanInterpreter
let plan: NetworkPlan

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-move-')
  const vpc = spaces.create('vpc')
  host = spaces.create('host')
  pod = spaces.create('pod')
  const peer = ['type', 'veth', 'peer', 'name', 'eni', 'netns', 'tw-nl-move-vpc']
  ip(host, 'link', 'add', HOME.name, 'index', String(HOME.ifindex), 'address', MAC, ...peer)
  ip(host, 'addr', 'add', '10.0.0.5/24', 'dev', HOME.name)
  ip(host, 'link', 'set', HOME.name, 'up')
  // As on a node: the name that the pod wants is that of the node's own link.
  ip(host, 'link', 'add', 'eth0', 'type', 'bridge')
  ip(vpc, 'addr', 'add', `${GATEWAY}/24`, 'dev', 'eni')
  ip(vpc, 'link', 'set', 'eni', 'up')
  kernel = new PlanInterpreter({ hostNetns: host })
  plan = networkPlan({
    podNetns: pod.path,
    links: [eni],
    sysctls: [{ netns: 'pod', key: ['net', 'ipv4', 'conf', 'eth0', 'rp_filter'], value: '0' }],
    addresses: [{ device, address: parseIp('10.0.0.7'), prefixLength: 24, scope: 'global' }],
    routes: [
      {
        ...{ device, destination: parseCidr('0.0.0.0/0'), gateway: parseIp(GATEWAY) },
        ...{ table: 254, scope: 'global' },
      },
    ],
  })
})

afterEach(async () => {
  await kernel.close()
  spaces[Symbol.dispose]()
})

const names = (netns: Netns) => ipJson(netns, 'link').map(({ ifname }) => ifname)
/** Of the ENI, where it is. */
const found = (netns: Netns) => ipJson(netns, 'link').find(({ address }) => address === MAC)
const codeOf = (code: string) => expect.objectContaining({ name: 'PlanError', code })
/** The kernel has no route to this gateway. */
const broken = (): NetworkPlan => ({
  ...plan,
  routes: plan.routes.map((route) => ({ ...route, gateway: parseIp('192.0.2.1') })),
})

test('is in the pod with the name, index and size of the plan, and comes home as it was, but down', async () => {
  kernel.apply(plan)
  expect(kernel.verify(plan)).toEqual([])
  expect(found(pod)).toMatchObject({ ifname: 'eth0', ifindex: 7001, mtu: 1400 })
  expect(found(host)).toBeUndefined()
  expect(ping(pod, GATEWAY)).toContain('1 received')

  await kernel.remove(plan)
  expect(names(pod)).toEqual(['lo'])
  expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60, flags: expect.not.arrayContaining(['UP']) })
  expect(ipJson(host, 'addr', 'show', 'eth1')[0]?.addr_info).toEqual([])
  await kernel.remove(plan)
})

test('gets its name back when a daemon was killed between its way home and that', async () => {
  ip(host, 'link', 'set', HOME.name, 'down')
  ip(host, 'link', 'set', HOME.name, 'name', `tw${MAC.replaceAll(':', '')}`)
  await kernel.remove(plan)
  expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60 })
})

test('applied twice stays where it is', () => {
  kernel.apply(plan)
  kernel.apply(plan)
  expect(kernel.verify(plan)).toEqual([])
})

test('is found on the host by its address, whatever its name and index', () => {
  ip(host, 'link', 'set', 'eth1', 'down')
  ip(host, 'link', 'set', 'eth1', 'name', 'renamed')
  kernel.apply({ ...plan, links: [{ ...eni, home: { ...HOME, ifindex: 61 } }] })
  expect(found(pod)).toMatchObject({ ifname: 'eth0' })
})

test('gets its name back in the pod', () => {
  kernel.apply(plan)
  ip(pod, 'link', 'set', 'eth0', 'down')
  ip(pod, 'link', 'set', 'eth0', 'name', 'net7')
  expect(kernel.repair(plan)).toContainEqual(expect.objectContaining({ object: 'link', problem: 'missing' }))
  expect(kernel.verify(plan)).toEqual([])
})

test('another index in the pod, as older kernels choose it, is as good', async () => {
  ip(pod, 'link', 'add', 'other', 'index', '7001', 'type', 'bridge')
  const shaped: NetworkPlan = { ...plan, qdiscs: [{ kind: 'tbf', device, rate: 1e7, burst: 65536, limit: 131072 }] }
  kernel.apply(shaped)
  expect(found(pod)?.ifindex).not.toBe(7001)
  expect(kernel.compare(shaped).filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(ping(pod, GATEWAY)).toContain('1 received')
  await kernel.remove(shaped)
  expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60 })
  expect(names(pod)).toEqual(['lo', 'other'])
})

describe('a failure', () => {
  test('after the move brings it home before the error is thrown', () => {
    expect(() => kernel.apply(broken())).toThrow(/add route default .*: ENETUNREACH/)
    expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60 })
    expect(names(pod)).toEqual(['lo'])
  })

  test('of a sysctl, too', () => {
    const key = ['net', 'ipv4', 'no_such_thing']
    expect(() => kernel.apply({ ...plan, sysctls: [{ netns: 'pod', key, value: '1' }] })).toThrow(codeOf('sysctl'))
    expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60 })
  })

  test('of a repair leaves it to the pod that has it', () => {
    kernel.apply(plan)
    expect(() => kernel.apply(broken())).toThrow(codeOf('refused'))
    expect(ping(pod, GATEWAY)).toContain('1 received')
  })

  test('in a pod that has the name leaves it on the host', () => {
    ip(pod, 'link', 'add', 'eth0', 'type', 'bridge')
    expect(() => kernel.apply(plan)).toThrow(codeOf('name-taken'))
    expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: 60, flags: expect.arrayContaining(['UP']) })
  })

  test('an ENI that is gone is named', () => {
    ip(host, 'link', 'delete', 'eth1')
    expect(() => kernel.apply(plan)).toThrow(codeOf('eni-gone'))
  })

  test('an MTU that the device does not allow is named, and the ENI is home', () => {
    expect(() => kernel.apply({ ...plan, links: [{ ...eni, mtu: 1_000_000 }] })).toThrow(codeOf('mtu'))
    expect(found(host)).toMatchObject({ ifname: 'eth1' })
  })
})

describe('coming home', () => {
  beforeEach(() => kernel.apply(plan))

  test('to a name that is taken, it gets one of the kernel’s', async () => {
    ip(host, 'link', 'add', 'eth1', 'type', 'bridge')
    await kernel.remove(plan)
    expect(found(host)).toMatchObject({ ifname: 'eni0', ifindex: 60 })
  })

  test('to an index that is taken, it gets another', async () => {
    ip(host, 'link', 'add', 'other', 'index', '60', 'type', 'bridge')
    await kernel.remove(plan)
    expect(found(host)).toMatchObject({ ifname: 'eth1', ifindex: expect.any(Number) })
    expect(found(host)?.ifindex).not.toBe(60)
  })

  test('from a pod that renamed it', async () => {
    ip(pod, 'link', 'set', 'eth0', 'down')
    ip(pod, 'link', 'set', 'eth0', 'name', 'mine')
    await kernel.remove(plan)
    expect(found(host)).toMatchObject({ ifname: 'eth1' })
  })

  test('is not for one that was lost with its pod', async () => {
    spaces.delete('pod')
    await kernel.remove(plan)
    expect(found(host)).toBeUndefined()
  })

  test('leaves what the pod made itself', async () => {
    run(pod, 'ip', 'link', 'add', 'own', 'type', 'bridge')
    await kernel.remove(plan)
    expect(names(pod)).toEqual(['lo', 'own'])
  })
})
