/** Plans with qdiscs, filters and ifbs: a limit in each direction, and filters on a link that pods share. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { MessageCount } from '../test/kernel/message-count.ts'
import { ip, ipJson, run } from '../test/kernel/namespaces.ts'
import { ENI, HOST_LINK, INDEX, PodHost, ping } from '../test/kernel/pod-plan.ts'
import { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { type FilterSpec, type NetworkPlan, networkPlan } from './plan.ts'

const IFB = { netns: 'host', name: parseLinkName('ifb0123456789a'), ifindex: 7001 } as const
const CALI = { netns: 'host', name: HOST_LINK, ifindex: INDEX } as const

let node: PodHost
let host: Netns
let kernel: PlanInterpreter
/** The pod of the fixture, with both limits. */
let plan: NetworkPlan

beforeEach(() => {
  node = new PodHost('tw-nl-ptc-')
  ;({ host, kernel } = node)
  const tbf = { kind: 'tbf', rate: 12_500_000, burst: 65_536, limit: 400_000 } as const
  plan = {
    ...node.plan,
    links: [...node.plan.links, { kind: 'ifb', ...IFB, mtu: 1400 }],
    qdiscs: [
      { ...tbf, device: CALI },
      { ...tbf, device: IFB },
      { kind: 'clsact', device: CALI },
    ],
    filters: [
      {
        ...{ device: CALI, direction: 'ingress', priority: 1, protocol: 'all' },
        actions: [{ kind: 'redirect', to: IFB, direction: 'egress' }],
      },
    ],
  }
})

afterEach(() => node[Symbol.asyncDispose]())

const tc = (...args: string[]) => JSON.parse(run(host, 'tc', '-j', '-s', ...args))
const names = () => ipJson(host, 'link').map(({ ifname }) => ifname)
/** Filters on the shared link as tc lists them, without the lines of hash tables. */
const shared = () =>
  tc('filter', 'show', 'dev', ENI.name, 'egress').filter(({ options }: { options?: { fh?: string } }) => {
    return options?.fh !== undefined && /::[0-9a-f]+$/.test(options.fh)
  })

test('what the pod sends and gets passes the limits', () => {
  kernel.apply(plan)
  expect(kernel.verify(plan)).toEqual([])
  run(host, 'ping', '-c', '1', '-W', '2', '-s', '1200', '10.0.1.7')
  for (const dev of [CALI.name, IFB.name]) {
    const [root] = tc('qdisc', 'show', 'dev', dev, 'root')
    expect(root).toMatchObject({ kind: 'tbf', options: { rate: 12_500_000 } })
    expect(root.bytes).toBeGreaterThan(1200)
  }
})

test('applied twice there is one filter, and removed there is nothing', async () => {
  const before = names()
  kernel.apply(plan)
  kernel.apply(plan)
  expect(run(host, 'tc', 'filter', 'show', 'dev', CALI.name, 'ingress').match(/mirred/g)).toHaveLength(1)
  await kernel.remove(plan)
  expect(names()).toEqual(before)
})

test.each<[string, string, () => void]>([
  ['qdisc', `tbf dev ${HOST_LINK}`, () => run(host, 'tc', 'qdisc', 'del', 'dev', HOST_LINK, 'root')],
  ['qdisc', `clsact dev ${HOST_LINK}`, () => run(host, 'tc', 'qdisc', 'del', 'dev', HOST_LINK, 'clsact')],
  ['filter', `dev ${HOST_LINK} ingress`, () => run(host, 'tc', 'filter', 'del', 'dev', HOST_LINK, 'ingress')],
  ['link', `${IFB.name} (ifindex 7001)`, () => ip(host, 'link', 'set', IFB.name, 'down')],
  ['link', `${IFB.name} (ifindex 7001)`, () => ip(host, 'link', 'del', IFB.name)],
])('a %s that is lost, %s, is named and comes back', (object, subject, tamper) => {
  kernel.apply(plan)
  tamper()
  const found = kernel.repair(plan)
  expect(found).toContainEqual(expect.objectContaining({ object, subject: expect.stringContaining(subject) }))
  expect(kernel.verify(plan)).toEqual([])
  expect(ping(host, '10.0.1.7')).toContain('1 received')
})

test('another rate is named, and put right in place', () => {
  kernel.apply(plan)
  run(
    host,
    'tc',
    'qdisc',
    'change',
    'dev',
    HOST_LINK,
    'root',
    'tbf',
    'rate',
    '1mbit',
    'burst',
    '64k',
    'limit',
    '400000',
  )
  const [difference] = kernel.repair(plan)
  expect(difference).toMatchObject({ object: 'qdisc', problem: 'different' })
  expect(tc('qdisc', 'show', 'dev', HOST_LINK, 'root')[0]).toMatchObject({ options: { rate: 12_500_000 } })
})

test('a stale ifb is replaced at once, a link of another kind is not', () => {
  ip(host, 'link', 'add', IFB.name, 'type', 'ifb')
  kernel.apply(plan)
  expect(kernel.verify(plan)).toEqual([])
  ip(host, 'link', 'del', IFB.name)
  ip(host, 'link', 'add', IFB.name, 'type', 'bridge')
  expect(() => kernel.apply(plan)).toThrow(expect.objectContaining({ code: 'name-taken' }))
})

const filterOf = (source: string, to: FilterSpec['device']): NetworkPlan =>
  networkPlan({
    links: [{ kind: 'existing', ...ENI }],
    qdiscs: [{ kind: 'clsact', device: ENI }],
    filters: [
      {
        ...{ device: ENI, direction: 'egress', priority: 50001, protocol: 'ipv4', source: parseCidr(source) },
        actions: [{ kind: 'redirect', to, direction: 'egress' }],
      },
    ],
  })

test('on a link that stays every plan has its own filters', async () => {
  kernel.apply(plan)
  const [one, two] = [filterOf('10.0.1.7/32', IFB), filterOf('10.0.1.8/32', IFB)]
  for (const each of [one, two, one]) kernel.apply(each)
  expect(shared()).toHaveLength(2)
  await kernel.remove(one)
  expect(shared()).toHaveLength(1)
  expect(kernel.verify(one)).toEqual([expect.objectContaining({ object: 'filter', problem: 'missing' })])
  expect(kernel.verify(two)).toEqual([])
  await kernel.remove(two)
  expect(shared()).toEqual([])
})

test('what a pod on a shared link costs does not grow with the others', async () => {
  kernel.apply(plan)
  const pod = (index: number) => filterOf(`10.1.${index >> 8}.${index & 255}/32`, IFB)
  using exchanged = new MessageCount()
  const cost = async (index: number) => {
    const before = exchanged.count
    kernel.apply(pod(index))
    kernel.apply(pod(index))
    await kernel.remove(pod(index))
    return exchanged.count - before
  }
  kernel.apply(pod(0))
  const few = await cost(1)
  for (let index = 2; index < 100; index++) kernel.apply(pod(index))
  expect(await cost(200)).toBe(few)
  expect(shared()).toHaveLength(99)
})

test('handles that were remembered and lead elsewhere, or nowhere, are found out', async () => {
  kernel.apply(plan)
  const [one, two] = [filterOf('10.0.1.7/32', IFB), filterOf('10.0.1.8/32', IFB)]
  const flush = () => run(host, 'tc', 'filter', 'del', 'dev', ENI.name, 'egress')
  kernel.apply(one)
  flush()
  kernel.apply(one)
  expect(kernel.verify(one)).toEqual([])
  flush()
  // It gets the handle that the other had.
  await using other = new PlanInterpreter({ hostNetns: host })
  other.apply(two)
  await kernel.remove(one)
  expect(kernel.verify(two)).toEqual([])
  kernel.apply(one)
  kernel.apply(two)
  expect(kernel.verifyAll([one, two])).toEqual([[], []])
  expect(shared()).toHaveLength(2)
})

test('a filter that somebody put in front of ours is found by a repair', () => {
  kernel.apply(plan)
  const wanted = filterOf('10.0.1.7/32', IFB)
  kernel.apply(filterOf('10.0.1.9/32', IFB))
  const foreign = [
    'u32',
    'match',
    'ip',
    'src',
    '10.0.1.7/32',
    'action',
    'mirred',
    'egress',
    'redirect',
    'dev',
    HOST_LINK,
  ]
  run(host, 'tc', 'filter', 'add', 'dev', ENI.name, 'egress', 'prio', '50001', 'protocol', 'ip', ...foreign)
  kernel.apply(wanted)
  expect(kernel.repair(wanted)).toEqual([expect.objectContaining({ object: 'filter', problem: 'different' })])
  expect(kernel.verify(wanted)).toEqual([])
  expect(shared()).toHaveLength(2)
})

describe('a qdisc of somebody else', () => {
  const taken = (text: string) =>
    expect.objectContaining({ code: 'qdisc-taken', message: expect.stringContaining(text) })

  test.each(['1:', '2:'])('at the root of an ENI, %s, is left alone, and the rest is made', (handle) => {
    const root = ['dev', ENI.name, 'root']
    run(host, 'tc', 'qdisc', 'add', ...root, 'handle', handle, 'htb')
    const wanted: NetworkPlan = { ...node.plan, qdiscs: [{ kind: 'prio', device: ENI }] }
    expect(() => kernel.apply(wanted)).toThrow(taken(`tc qdisc delete dev ${ENI.name} root`))
    expect(() => kernel.repair(wanted)).toThrow(taken(`htb ${handle} root is there`))
    expect(tc('qdisc', 'show', ...root)).toEqual([expect.objectContaining({ kind: 'htb', handle })])
    expect(kernel.verify(node.plan)).toEqual([])
  })

  test('where clsact should be is left alone, and nothing is hung on it', () => {
    kernel.apply(plan)
    run(host, 'tc', 'qdisc', 'add', 'dev', ENI.name, 'ingress')
    const wanted = filterOf('10.0.1.7/32', IFB)
    expect(() => kernel.apply(wanted)).toThrow(taken(`tc qdisc delete dev ${ENI.name} ingress`))
    expect(run(host, 'tc', 'filter', 'show', 'dev', ENI.name, 'ingress')).toBe('')
    run(host, 'tc', 'qdisc', 'delete', 'dev', ENI.name, 'ingress')
    expect(kernel.repair(wanted)).toHaveLength(2)
    expect(kernel.verify(wanted)).toEqual([])
  })
})

test('a filter that does something else is named and replaced', () => {
  kernel.apply(plan)
  kernel.apply(filterOf('10.0.1.7/32', CALI))
  const wanted = filterOf('10.0.1.7/32', IFB)
  expect(kernel.repair(wanted)).toEqual([expect.objectContaining({ object: 'filter', problem: 'different' })])
  expect(kernel.verify(wanted)).toEqual([])
  expect(shared()).toHaveLength(1)
})

test('a limit on a link that stays goes with its plan', async () => {
  const limited = networkPlan({
    links: [{ kind: 'existing', ...ENI }],
    qdiscs: [{ kind: 'tbf', device: ENI, rate: 12_500_000, burst: 65_536, limit: 400_000 }],
  })
  kernel.apply(limited)
  expect(kernel.verify(limited)).toEqual([])
  await kernel.remove(limited)
  expect(kernel.verify(limited)).toEqual([expect.objectContaining({ object: 'qdisc', problem: 'missing' })])
  await kernel.remove(limited)
})
