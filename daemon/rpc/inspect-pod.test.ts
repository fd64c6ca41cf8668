import { expect, test } from '@jest/globals'
import { parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { type Comparison, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { NotFoundError } from './failure.ts'
import { type InspectedPods, inspectPod } from './inspect-pod.ts'

const BARE: Endpoint = {
  ...{ containerId: 'c1', ifname: parseLinkName('eth0'), phase: 'ready', network: 'terway', netns: '/run/netns/c1' },
  ...{ namespace: 'default', pod: 'web', netnsId: '4:1', since: 1 },
}

function podsWith(endpoints: readonly Endpoint[], compare: (plan: NetworkPlan) => Comparison[] = () => []) {
  const kernel = { compareAll: (plans: readonly NetworkPlan[]) => plans.map(compare) }
  return { endpoints: { all: () => [...endpoints] }, kernel, now: () => 9 } satisfies InspectedPods
}
const ask = { namespace: 'default', pod: 'web', containerId: '' }
const shown = (pods: InspectedPods, containerId = '') =>
  inspectPod(pods, { ...ask, containerId }).endpoints?.map(({ endpoint }) => [
    endpoint?.containerId,
    endpoint?.ifname,
    endpoint?.phase,
  ])

test('interfaces of one sandbox come together, the newest sandbox first, one that is being removed last', () => {
  const eth1 = parseLinkName('eth1')
  const endpoints: Endpoint[] = [
    { ...BARE, containerId: 'old', ifname: eth1, phase: 'deleting', since: 99 },
    { ...BARE, containerId: 'mid', since: 5 },
    { ...BARE, containerId: 'new', ifname: eth1, since: 8 },
    { ...BARE, containerId: 'other', pod: 'db' },
    { ...BARE, containerId: 'new', phase: 'adding', since: 4 },
    { ...BARE, containerId: 'old', phase: 'deleting', since: 98 },
  ]
  expect(shown(podsWith(endpoints))).toEqual([
    ['new', 'eth0', 'adding'],
    ['new', 'eth1', 'ready'],
    ['mid', 'eth0', 'ready'],
    ['old', 'eth0', 'deleting'],
    ['old', 'eth1', 'deleting'],
  ])
  expect(shown(podsWith(endpoints), 'mi')).toEqual([['mid', 'eth0', 'ready']])
})

test('every object of a plan has its own state, and the interface what it was made from', () => {
  const subject = 'default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink'
  const ip = { ip: parseIpv4('10.0.1.7'), ip6: parseIpv6('fd00::7') }
  const endpoint: Endpoint = { ...BARE, ...ip, eniId: 'eni-1', plan: networkPlan({}), replaced: networkPlan({}) }
  const compare = (plan: NetworkPlan): Comparison[] =>
    plan === endpoint.plan
      ? [
          { netns: 'host', object: 'link', subject: 'cali1 (ifindex 7)', problem: 'different', found: 'mtu 1400' },
          { netns: 'pod', object: 'route', subject, problem: 'missing' },
          { netns: 'pod', object: 'address', subject: '10.0.1.7/32 dev eth0' },
        ]
      : []
  expect(inspectPod(podsWith([endpoint], compare), ask)).toEqual({
    now: 9,
    endpoints: [
      {
        endpoint: {
          ...{ containerId: 'c1', ifname: 'eth0', netns: '/run/netns/c1', namespace: 'default', pod: 'web' },
          ...{ phase: 'ready', since: 1, ips: ['10.0.1.7', 'fd00::7'], eniId: 'eni-1', hostLink: '', datapath: '' },
        },
        ...{ eniLink: '', vlanId: 0, replacing: true },
        objects: [
          { netns: 'host', object: 'link', wanted: 'cali1 (ifindex 7)', found: 'mtu 1400', state: 'different' },
          { netns: 'pod', object: 'route', wanted: subject, found: '', state: 'missing' },
          { netns: 'pod', object: 'address', wanted: '10.0.1.7/32 dev eth0', found: '', state: 'same' },
        ],
      },
    ],
  })
})

test('before anything is planned there is nothing to compare', () => {
  const [inspection] = inspectPod(podsWith([{ ...BARE, phase: 'adding' }]), ask).endpoints ?? []
  expect(inspection).toMatchObject({ objects: [], replacing: false })
})

const refusal = (endpoints: readonly Endpoint[], containerId = ''): unknown => {
  try {
    return inspectPod(podsWith(endpoints), { ...ask, containerId })
  } catch (error) {
    expect(error).toBeInstanceOf(NotFoundError)
    return (error as Error).message
  }
}

test('a pod that is not here: where to look', () => {
  expect(refusal([{ ...BARE, pod: 'db' }])).toMatch(
    /^pod default\/web has no interface of Terway's on this node; kubectl get pod -o wide shows on which node it is/,
  )
})

test('a pod of that name in other namespaces is named', () => {
  const others = [
    { ...BARE, namespace: 'shop' },
    { ...BARE, namespace: 'shop', containerId: 'c2' },
  ]
  expect(refusal([...others, { ...BARE, namespace: 'blog' }])).toBe(
    "pod default/web has no interface of Terway's on this node; there is blog/web and shop/web",
  )
})

test('a sandbox that is not there: which there are', () => {
  expect(refusal([BARE, { ...BARE, containerId: 'c2', since: 2 }], 'd')).toBe(
    'pod default/web has no sandbox whose container id begins with d; it has c2, c1',
  )
})
