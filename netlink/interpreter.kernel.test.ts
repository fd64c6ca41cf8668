import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp } from '../inet/address.ts'
import { ip, ipJson } from '../test/kernel/namespaces.ts'
import { ENI, HOST_LINK, HOST_MAC, INDEX, PEER_INDEX, POD_MAC, PodHost, ping } from '../test/kernel/pod-plan.ts'
import type { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { type NetworkPlan, networkPlan } from './plan.ts'
import { REAPER_GROUP } from './reaper.ts'

let node: PodHost
let host: Netns
let pod: Netns
let kernel: PlanInterpreter
let plan: NetworkPlan

beforeEach(() => {
  node = new PodHost('tw-nl-plan-')
  ;({ host, pod, kernel, plan } = node)
})

afterEach(() => node[Symbol.asyncDispose]())

/** Everything iproute2 can see, without counters and without what changes by itself. */
function snapshot(netns: Netns) {
  const links = ipJson(netns, 'link').map(({ ifindex, ifname, address, mtu, group }) => ({
    ifindex,
    ifname,
    address,
    mtu,
    group,
  }))
  const addresses = ipJson(netns, 'addr').flatMap(({ addr_info }) => addr_info)
  const routes = ['-4', '-6'].map((family) => ipJson(netns, family, 'route', 'show', 'table', 'all'))
  const rules = ['-4', '-6'].map((family) => ipJson(netns, family, 'rule'))
  return {
    links,
    addresses: JSON.stringify(addresses),
    routes,
    rules,
    neighbours: ipJson(netns, 'neigh', 'show', 'nud', 'permanent'),
  }
}

const found = (netns: Netns, ...args: string[]) =>
  ipJson(netns, ...args)
    .map((entry) => JSON.stringify(entry))
    .join('\n')

/** Before 6.2 a link has to be down for it. */
function rename(netns: Netns, link: string): void {
  ip(netns, 'link', 'set', link, 'down')
  ip(netns, 'link', 'set', link, 'name', 'renamed')
  ip(netns, 'link', 'set', 'renamed', 'up')
}

describe('apply', () => {
  test('makes a pod that reaches its host in both families', () => {
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(ping(pod, '10.99.0.1')).toContain('1 received')
    expect(ping(host, '10.0.1.7')).toContain('1 received')
    expect(ping(host, 'fd00::7')).toContain('1 received')
    expect(ipJson(host, 'link', 'show', HOST_LINK)[0]).toMatchObject({ ifindex: INDEX, address: HOST_MAC, mtu: 1400 })
    expect(ipJson(pod, 'link', 'show', 'eth0')[0]).toMatchObject({ ifindex: PEER_INDEX, address: POD_MAC, mtu: 1400 })
    expect(found(host, 'rule')).toContain('"priority":2048')
  })

  test('twice is the same as once', () => {
    kernel.apply(plan)
    const once = [snapshot(host), snapshot(pod)]
    kernel.apply(plan)
    expect([snapshot(host), snapshot(pod)]).toEqual(once)
  })

  test('replaces a stale link of the same name at once', () => {
    ip(host, 'link', 'add', HOST_LINK, 'type', 'veth', 'peer', 'name', 'old')
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(found(host, 'link')).not.toContain('"old"')
  })

  test('replaces a link that the reaper is about to delete', async () => {
    kernel.apply(plan)
    ip(host, 'link', 'set', HOST_LINK, 'group', String(REAPER_GROUP))
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(ipJson(host, 'link', 'show', HOST_LINK)[0]).toMatchObject({ group: 'default' })
  })

  test('while the same plan is being removed ends with a whole pod', async () => {
    kernel.apply(plan)
    const removed = kernel.remove(plan)
    kernel.apply(plan)
    await removed
    expect(kernel.verify(plan)).toEqual([])
  })

  test.each([
    ['host', () => ip(host, 'link', 'add', 'other', 'index', String(INDEX), 'type', 'veth', 'peer', 'name', 'other2')],
    [
      'pod',
      () => ip(pod, 'link', 'add', 'other', 'index', String(PEER_INDEX), 'type', 'veth', 'peer', 'name', 'other2'),
    ],
  ])('an index taken in the %s asks for another plan', (_, occupy) => {
    occupy()
    expect(() => kernel.apply(plan)).toThrow(expect.objectContaining({ name: 'PlanError', code: 'ifindex-taken' }))
    expect(found(host, 'link')).not.toContain(HOST_LINK)
  })

  test("an interface of the pod's name that is not ours is left alone", () => {
    ip(pod, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'theirs')
    expect(() => kernel.apply(plan)).toThrow(expect.objectContaining({ code: 'name-taken' }))
    expect(found(pod, 'link')).toContain('"theirs"')
  })

  test('an error names the namespace, the object and the reason of the kernel', () => {
    const bad = {
      ...plan,
      routes: [{ ...plan.routes[0], destination: parseCidr('1.0.0.0/8'), gateway: parseIp('9.9.9.9') }],
    }
    expect(() => kernel.apply(bad as NetworkPlan)).toThrow(
      `pod namespace ${pod.path}: add route 1.0.0.0/8 via 9.9.9.9 dev eth0 table 254: ENETUNREACH (network is unreachable: Nexthop has invalid gateway)`,
    )
  })

  test('the host’s side is there before the pod’s link comes up', () => {
    const route = { ...plan.routes[3], gateway: parseIp('9.9.9.9') } as NetworkPlan['routes'][number]
    expect(() => kernel.apply({ ...plan, routes: [route] })).toThrow('ENETUNREACH')
    expect(ipJson(host, 'link', 'show', HOST_LINK)[0]?.flags).toContain('UP')
    expect(ipJson(pod, 'link', 'show', 'eth0')[0]?.flags).not.toContain('UP')
  })

  test.each([
    ['host', () => rename(host, HOST_LINK)],
    ['pod', () => rename(pod, 'eth0')],
  ])('a veth of ours that was renamed in the %s has its name again, and is the same', (_, tamper) => {
    kernel.apply(plan)
    tamper()
    kernel.repair(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(found(host, 'link') + found(pod, 'link')).not.toContain('renamed')
    expect(ipJson(host, 'link', 'show', HOST_LINK)[0]).toMatchObject({ ifindex: INDEX, address: HOST_MAC })
    expect(ping(host, '10.0.1.7')).toContain('1 received')
  })

  test('a veth that was renamed takes its name from a stale one, but not from a link of another kind', () => {
    kernel.apply(plan)
    rename(host, HOST_LINK)
    ip(host, 'link', 'add', HOST_LINK, 'type', 'veth', 'peer', 'name', 'old')
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    rename(host, HOST_LINK)
    ip(host, 'link', 'add', HOST_LINK, 'type', 'bridge')
    expect(() => kernel.apply(plan)).toThrow(expect.objectContaining({ code: 'name-taken' }))
  })

  test('an ENI that is gone is named', () => {
    ip(host, 'link', 'del', ENI.name)
    expect(() => kernel.apply(plan)).toThrow(expect.objectContaining({ name: 'PlanError', code: 'eni-gone' }))
  })

  test('an absent sysctl or namespace is an error with its name', () => {
    const key = ['net', 'ipv4', 'no_such_thing']
    const sysctl: NetworkPlan = { ...plan, sysctls: [{ netns: 'pod', key, value: '1' }] }
    expect(() => kernel.apply(sysctl)).toThrow(/net\.ipv4\.no_such_thing: ENOENT/)
    expect(() => kernel.apply({ ...plan, podNetns: '/run/netns/tw-nl-none' })).toThrow(
      expect.objectContaining({ code: 'netns' }),
    )
  })
})

describe('repair', () => {
  const key = ['net', 'ipv4', 'no_such_thing']
  const nowhere = { device: ENI, destination: parseCidr('1.0.0.0/8'), gateway: parseIp('9.9.9.9'), table: 254 }

  test.each<[string, Partial<NetworkPlan>, string]>([
    ['sysctl of the host', { sysctls: [{ netns: 'host', key, value: '1' }] }, 'sysctl'],
    ['route of the host', { routes: [{ ...nowhere, scope: 'global' }] }, 'refused'],
    ['mark', { marks: [{ netns: 'host', source: parseIp('10.0.1.7'), mark: 1 }] }, 'refused'],
    ['qdisc of the host', { qdiscs: [{ kind: 'prio', device: ENI }] }, 'unsupported'],
    ['sysctl of the pod', { sysctls: [{ netns: 'pod', key, value: '1' }] }, 'sysctl'],
  ])('goes on after a %s that cannot be set, and says so', (_, bad, code) => {
    kernel.apply(plan)
    ip(host, 'link', 'set', HOST_LINK, 'mtu', '1300')
    ip(host, 'rule', 'del', 'prio', '2048')
    ip(host, 'route', 'del', '10.0.1.7')
    ip(pod, 'addr', 'flush', 'dev', 'eth0')
    const merged = {
      ...{ sysctls: [...(bad.sysctls ?? []), ...plan.sysctls], routes: [...(bad.routes ?? []), ...plan.routes] },
      ...{ marks: bad.marks ?? [], qdiscs: bad.qdiscs ?? [] },
    }
    expect(() => kernel.repair({ ...plan, ...merged })).toThrow(expect.objectContaining({ name: 'PlanError', code }))
    expect(kernel.verify(plan)).toEqual([])
  })
})

describe('remove', () => {
  test('made again and removed again in one turn of the loop is gone', async () => {
    kernel.apply(plan)
    const removed = [kernel.remove(plan)]
    kernel.apply(plan)
    removed.push(kernel.remove(plan))
    await Promise.all(removed)
    expect(found(host, 'link')).not.toContain(HOST_LINK)
  })

  test('leaves nothing of the plan and nothing else missing', async () => {
    ip(host, 'link', 'set', ENI.name, 'up', 'mtu', '1400')
    ip(pod, 'link', 'set', 'lo', 'up')
    const before = [snapshot(host), snapshot(pod)]
    kernel.apply(plan)
    await kernel.remove(plan)
    expect([snapshot(host), snapshot(pod)]).toEqual(before)
    await kernel.remove(plan)
    expect([snapshot(host), snapshot(pod)]).toEqual(before)
  })

  test('rules, routes and the link’s state are gone before the promise is awaited', async () => {
    kernel.apply(plan)
    const removed = kernel.remove(plan)
    expect(found(host, 'rule')).not.toContain('10.0.1.7')
    expect(found(host, 'route')).not.toContain('10.0.1.7')
    await removed
    expect(found(host, 'link')).not.toContain(HOST_LINK)
  })

  test('goes on after what cannot be removed, and says so', async () => {
    kernel.apply(plan)
    // Not one of the bits of a source's mark.
    const marks = [{ netns: 'host' as const, source: parseIp('10.0.1.7'), mark: 1 }]
    await expect(kernel.remove({ ...plan, marks })).rejects.toMatchObject({ name: 'PlanError', code: 'refused' })
    expect(found(host, 'link')).not.toContain(HOST_LINK)
    expect(found(host, 'rule')).not.toContain('10.0.1.7')
  })

  test('works without the pod namespace', async () => {
    kernel.apply(plan)
    node.spaces.delete('pod')
    await kernel.remove(plan)
    expect(found(host, 'link')).not.toContain(HOST_LINK)
    expect(found(host, 'rule')).not.toContain('10.0.1.7')
  })

  test('works when the path of the pod namespace has become an empty file', async () => {
    kernel.apply(plan)
    const path = join(tmpdir(), `tw-nl-plan-${process.pid}`)
    writeFileSync(path, '')
    await kernel.remove({ ...plan, podNetns: path }).finally(() => rmSync(path))
    expect(found(host, 'link')).not.toContain(HOST_LINK)
  })

  test('works when the link is gone, and before anything was made', async () => {
    await kernel.remove(plan)
    kernel.apply(plan)
    ip(host, 'link', 'del', HOST_LINK)
    await kernel.remove(plan)
    expect(found(host, 'rule')).not.toContain('10.0.1.7')
  })

  test('never deletes a link of the same name that the plan did not make', async () => {
    ip(host, 'link', 'add', HOST_LINK, 'type', 'veth', 'peer', 'name', 'theirs')
    await kernel.remove(plan)
    expect(found(host, 'link')).toContain(HOST_LINK)
  })

  test('deletes its link under another name', async () => {
    kernel.apply(plan)
    ip(host, 'link', 'set', HOST_LINK, 'down') // before Linux 6.2 a link that is up keeps its name
    rename(host, HOST_LINK)
    await kernel.remove(plan)
    expect(found(host, 'link')).not.toContain('renamed')
  })
})

test('an empty plan is fine', async () => {
  const empty = networkPlan({})
  kernel.apply(empty)
  expect(kernel.repair(empty)).toEqual([])
  await kernel.remove(empty)
})

test('200 cycles leave no descriptor and no link', async () => {
  const descriptors = () => readdirSync('/proc/self/fd').length
  kernel.apply(plan)
  await kernel.remove(plan)
  const [before, links] = [descriptors(), snapshot(host).links]
  for (let cycle = 0; cycle < 200; cycle++) {
    kernel.apply(plan)
    if (cycle % 10 === 0) expect(kernel.verify(plan)).toEqual([])
    await kernel.remove(plan)
  }
  expect(descriptors()).toBe(before)
  expect(snapshot(host).links).toEqual(links)
}, 60_000)
