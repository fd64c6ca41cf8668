import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ip, run } from '../test/kernel/namespaces.ts'
import { ENI, HOST_LINK, HOST_MAC, POD_MAC, PodHost, ping } from '../test/kernel/pod-plan.ts'
import type { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import type { NetworkPlan } from './plan.ts'

let node: PodHost
let host: Netns
let pod: Netns
let kernel: PlanInterpreter
let plan: NetworkPlan

beforeEach(() => {
  node = new PodHost('tw-nl-ver-')
  ;({ host, pod, kernel, plan } = node)
})

afterEach(() => node[Symbol.asyncDispose]())

const cases: [string, string, () => void][] = [
  ['route', '10.0.1.7/32 dev cali0123456789a table 254', () => ip(host, 'route', 'del', '10.0.1.7')],
  [
    'route',
    'default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink',
    () => ip(pod, 'route', 'change', 'default', 'dev', 'eth0'),
  ],
  ['rule', '512: from all (ipv4) to 10.0.1.7/32 lookup 254', () => ip(host, 'rule', 'del', 'prio', '512')],
  ['rule', '2048: from 10.0.1.7/32 iif cali0123456789a lookup 1070', () => ip(host, 'rule', 'del', 'prio', '2048')],
  ['address', 'fd00::7/128 dev eth0', () => ip(pod, 'addr', 'del', 'fd00::7/128', 'dev', 'eth0')],
  [
    'neighbour',
    `10.0.1.7 lladdr ${POD_MAC} dev cali0123456789a`,
    () => ip(host, 'neigh', 'del', '10.0.1.7', 'dev', HOST_LINK),
  ],
  [
    'neighbour',
    `169.254.1.1 lladdr ${HOST_MAC} dev eth0`,
    () => ip(pod, 'neigh', 'change', '169.254.1.1', 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0'),
  ],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'set', HOST_LINK, 'down')],
  ['link', 'eth0 (ifindex 6001)', () => ip(pod, 'link', 'set', 'eth0', 'mtu', '1300')],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'set', HOST_LINK, 'address', '02:00:00:00:00:98')],
  ['link', 'eni1 (ifindex 70)', () => ip(host, 'link', 'set', ENI.name, 'down')],
  ['link', 'lo (ifindex 1)', () => ip(pod, 'link', 'set', 'lo', 'down')],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'del', HOST_LINK)],
  ['address', '10.0.1.7/32 dev eth0', () => ip(pod, 'addr', 'flush', 'dev', 'eth0')],
  ['rule', '512: from 10.0.1.7/32 lookup 254', () => ip(pod, 'rule', 'flush')],
  [
    'sysctl',
    'net.ipv4.conf.cali0123456789a.rp_filter = 0',
    () => run(host, 'sysctl', '-q', `net.ipv4.conf.${HOST_LINK}.rp_filter=1`),
  ],
]
test.each(cases)('%s %s', (object, subject, tamper) => {
  kernel.apply(plan)
  tamper()
  const differences = kernel.verify(plan)
  expect(differences).toContainEqual(expect.objectContaining({ object, subject }))
  expect(kernel.repair(plan)).toEqual(differences)
  expect(kernel.verify(plan)).toEqual([])
  expect(ping(host, '10.0.1.7')).toContain('1 received')
})

test('only what differs is named, with what was found', () => {
  kernel.apply(plan)
  ip(host, 'link', 'set', HOST_LINK, 'mtu', '1300')
  expect(kernel.verify(plan)).toEqual([
    {
      netns: 'host',
      object: 'link',
      subject: 'cali0123456789a (ifindex 5001)',
      problem: 'different',
      found: 'mtu 1300',
    },
  ])
  expect(kernel.repair({ ...plan, links: [] })).toEqual([])
})

test('a missing pod namespace is a difference, and what the host misses is named too', () => {
  kernel.apply(plan)
  node.spaces.delete('pod')
  const differences = kernel.verify(plan)
  expect(differences[0]).toEqual({ netns: 'pod', object: 'netns', subject: plan.podNetns, problem: 'missing' })
})

test('many plans are compared with one reading of the host', () => {
  kernel.apply(plan)
  expect(
    kernel.verifyAll([plan, { ...plan, rules: [{ netns: 'host', family: 'ipv4', priority: 9, table: 254 }] }]),
  ).toEqual([[], [{ netns: 'host', object: 'rule', subject: '9: from all (ipv4) lookup 254', problem: 'missing' }]])
})
