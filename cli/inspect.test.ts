import { describe, expect, test } from '@jest/globals'
import type { EndpointInspection__Output as EndpointInspection } from '../proto/generated/terway/inspect/v1/EndpointInspection.ts'
import type { HostInspection__Output as HostInspection } from '../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { PlannedObject__Output as PlannedObject } from '../proto/generated/terway/inspect/v1/PlannedObject.ts'
import { lineWidth } from './columns.ts'
import { renderHost } from './host.ts'
import { type ObjectOptions, objectLines, objectSummary } from './objects.ts'
import type { Paint } from './paint.ts'
import { objectsToJudge, renderPod } from './pod.ts'
import { parsePodName } from './pod-name.ts'
import { limitsText } from './rates.ts'

const plain: Paint = (_tone, text) => text
const tagged: Paint = (tone, text) => (tone === 'plain' ? text : `<${tone}>${text}</>`)
const WIDE: ObjectOptions = { paint: plain, width: Number.POSITIVE_INFINITY, onlyProblems: false }

const ROUTE = 'default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink'
function object(state: string, change: Partial<PlannedObject> = {}): PlannedObject {
  return { netns: 'host', object: 'rule', wanted: '512: from all (ipv4) lookup 1000', found: '', state, ...change }
}
const OBJECTS = [
  object('same'),
  object('missing', { netns: 'pod', object: 'route', wanted: ROUTE }),
  object('different', { object: 'link', wanted: 'cali1 (ifindex 7)', found: 'mtu 1400' }),
  object('tolerated', { object: 'sysctl', wanted: 'net.a >= 5', found: '3' }),
  object('tolerated', { object: 'sysctl', wanted: 'net.b >= 5' }),
  object('same', { object: 'sysctl', wanted: 'net.c >= 5', found: '9' }),
]

describe('objects', () => {
  test('plan and kernel side by side', () => {
    expect(objectLines(OBJECTS, WIDE)).toEqual([
      '   NETNS  OBJECT  PLAN                                                      KERNEL',
      '✓  host   rule    512: from all (ipv4) lookup 1000                          same',
      '✗  pod    route   default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink  missing',
      '≠  host   link    cali1 (ifindex 7)                                         mtu 1400',
      '·  host   sysctl  net.a >= 5                                                3, and cannot be written',
      '·  host   sysctl  net.b >= 5                                                none here',
      '✓  host   sysctl  net.c >= 5                                                9',
    ])
  })

  test('colours: what differs as a whole, of the rest the sign; they shift no column', () => {
    expect(objectLines(OBJECTS.slice(0, 3), { ...WIDE, paint: tagged }).slice(1)).toEqual([
      '<good>✓</>  host   rule    512: from all (ipv4) lookup 1000                          same',
      '<bad>✗  pod    route   default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink  missing</>',
      '<waiting>≠  host   link    cali1 (ifindex 7)                                         mtu 1400</>',
    ])
  })

  test('as wide as the table is enough; one column less, and what differs is told below each other', () => {
    const narrow = ['✗ pod route', `    plan    ${ROUTE}`, '    kernel  missing']
    const missing = OBJECTS.slice(1, 2)
    const [head, row = ''] = objectLines(missing, WIDE)
    expect(objectLines(missing, { ...WIDE, width: row.length })).toEqual([head, row])
    expect(objectLines(missing, { ...WIDE, width: row.length - 1 })).toEqual(narrow)
    const painted = objectLines(OBJECTS.slice(0, 2), { ...WIDE, width: 20, paint: tagged })
    expect(painted).toEqual([
      '<good>✓</> host rule 512: from all (ipv4) lookup 1000',
      ...narrow.map((line) => `<bad>${line}</>`),
    ])
    expect(objectLines(OBJECTS.slice(5), { ...WIDE, width: 20 })).toEqual(['✓ host sysctl net.c >= 5'])
  })

  test('only the problems', () => {
    const lines = objectLines(OBJECTS, { ...WIDE, onlyProblems: true })
    expect(lines.map((line) => line[0])).toEqual([' ', '✗', '≠'])
    expect(objectLines(OBJECTS.slice(0, 1), { ...WIDE, onlyProblems: true })).toEqual([])
  })

  test('a state of a later daemon is shown as it comes', () => {
    expect(objectLines([object('frozen')], WIDE)[1]).toMatch(/^\? {2}host .* frozen$/)
  })

  test('the sum', () => {
    expect(objectSummary(OBJECTS, plain)).toBe('kernel differs in 2 of 6 objects: 1 missing, 1 different')
    expect(objectSummary(OBJECTS.slice(3), tagged)).toBe('<good>kernel is as planned; objects: 3</>')
  })
})

const ENDPOINT = {
  ...{ containerId: 'c1', ifname: 'eth0', netns: '/run/netns/x', namespace: 'default', pod: 'web' },
  ...{ ips: ['10.0.1.7', 'fd00::7'], eniId: 'eni-1', hostLink: 'cali1', phase: 'ready', since: 1_000 },
  ...{ datapath: 'policy-route', ingress: { rate: 1_250_000, burst: 0 }, egress: null },
}
function inspection(change: Partial<typeof ENDPOINT>, objects: PlannedObject[]): EndpointInspection {
  return { endpoint: { ...ENDPOINT, ...change }, eniLink: 'eth1', vlanId: 0, objects, replacing: false }
}

describe('a pod', () => {
  test('each interface with what it is', () => {
    const member = { ...inspection({ ifname: 'net1', phase: 'adding' }, []), vlanId: 7, replacing: true }
    const pod = { now: 61_000, endpoints: [inspection({}, OBJECTS.slice(0, 1)), member] }
    expect(renderPod(pod, WIDE)).toBe(`\
Interface: default/web eth0 (ready since 60s)
  Container: c1
  Network namespace: /run/netns/x
  Datapath: policy-route
  Addresses: 10.0.1.7, fd00::7
  ENI: eni-1 (eth1)
  Link on the node: cali1
  Bandwidth: ingress 10 Mbit/s
   NETNS  OBJECT  PLAN                              KERNEL
✓  host   rule    512: from all (ipv4) lookup 1000  same
Interface: default/web net1 (adding since 60s)
  Container: c1
  Network namespace: /run/netns/x
  Datapath: policy-route
  Addresses: 10.0.1.7, fd00::7
  ENI: eni-1 (eth1, VLAN 7)
  Link on the node: cali1
  Bandwidth: ingress 10 Mbit/s
  Note: it is being added: what is missing may be made yet
  Note: its plan is being changed: objects of the last one may be there besides
  Note: nothing has been planned for it yet
kernel is as planned; objects: 1
`)
  })

  test('what is not known has no line', () => {
    const unknown = { datapath: '', eniId: '', hostLink: '', ips: [], ingress: null }
    const one = { ...inspection({}, OBJECTS.slice(0, 1)), eniLink: '', endpoint: { ...ENDPOINT, ...unknown } }
    expect(renderPod({ now: 1_000, endpoints: [one] }, WIDE)).toBe(`\
Interface: default/web eth0 (ready since 0s)
  Container: c1
  Network namespace: /run/netns/x
   NETNS  OBJECT  PLAN                              KERNEL
✓  host   rule    512: from all (ipv4) lookup 1000  same
kernel is as planned; objects: 1
`)
  })

  test('one that is on its way in or out is not judged', () => {
    const endpoints = ['adding', 'deleting'].map((phase) => inspection({ phase }, OBJECTS))
    expect(objectsToJudge({ now: 0, endpoints })).toEqual([])
    const text = renderPod({ now: 0, endpoints }, WIDE)
    expect(text).toContain('Note: it is being removed: what is missing is gone for good\n')
    expect(text).toMatch(/\nno interface is ready: nothing to judge\n$/)
    const both = { now: 0, endpoints: [...endpoints, inspection({}, OBJECTS.slice(1, 2))] }
    expect(renderPod(both, WIDE)).toMatch(/\nkernel differs in 1 of 1 objects: 1 missing\n$/)
  })
})

describe('the host', () => {
  const HOST: HostInspection = {
    ...{ name: 'node-1', version: '0.1.0', kernel: '6.1.0-13-amd64', mode: 'shared', families: ['ipv4', 'ipv6'] },
    ...{ policyRoute: 'map', serviceCidrs: ['172.16.0.0/16'], podCidrs: [], primaryLink: 'eth0' },
    ...{ addresses: ['10.0.0.1', 'fd00::1'], pods: 3, marks: 6, rules: 9 },
    features: [
      { name: 'veth', present: true },
      { name: 'ipvlan', present: false },
    ],
    plans: [
      { owner: 'node', link: '', objects: OBJECTS.slice(0, 1) },
      { owner: 'eni-1', link: 'eth1', objects: OBJECTS.slice(2, 3) },
    ],
    settings: [
      { key: 'net.ipv4.conf.all.rp_filter', value: '2' },
      { key: 'net.ipv6.conf.eth0.accept_ra', value: '' },
    ],
    tables: [
      { name: 'connections', used: 900, limit: 1000, note: 'raise it' },
      { name: 'ipv4 neighbours', used: 5, limit: 32_768, note: '' },
    ],
  }

  test('facts, features, tables, settings, then plans', () => {
    expect(renderHost(HOST, WIDE)).toBe(`\
Node: node-1 (terwayd 0.1.0, Linux 6.1.0-13-amd64)
Mode: shared, ipv4 and ipv6, policy routes by map
Primary link: eth0 (10.0.0.1, fd00::1)
Services: 172.16.0.0/16
Pods: 3; marked sources: 6; rules: 9
Kernel: has veth; lacks ipvlan
Tables:
  connections      900 of 1000: raise it
  ipv4 neighbours  5 of 32768
Other settings:
  net.ipv4.conf.all.rp_filter   2
  net.ipv6.conf.eth0.accept_ra  none here
Plan: node
   NETNS  OBJECT  PLAN                              KERNEL
✓  host   rule    512: from all (ipv4) lookup 1000  same
Plan: eni-1 (eth1)
   NETNS  OBJECT  PLAN               KERNEL
≠  host   link    cali1 (ifindex 7)  mtu 1400
kernel differs in 1 of 2 objects: 1 different
`)
  })

  test('only the problems: no settings, no plan that holds; a full table is one', () => {
    const lines = renderHost(HOST, { ...WIDE, onlyProblems: true, paint: tagged }).split('\n')
    expect(lines).toContain('<waiting>  connections      900 of 1000: raise it</>')
    expect(lines.filter((line) => /settings|Plan:/.test(line))).toEqual(['Plan: <strong>eni-1 (eth1)</>'])
  })

  test('VPC route mode has prefixes and no policy routes', () => {
    const host = { ...HOST, mode: 'route', podCidrs: ['10.8.0.0/24'], serviceCidrs: [] }
    const text = renderHost(host, WIDE)
    expect(text).toContain('\nMode: route, ipv4 and ipv6\n')
    expect(text).toContain('\nServices: not known\nPrefixes of its pods: 10.8.0.0/24\n')
  })
})

test.each([
  ['web-0', { namespace: 'default', pod: 'web-0' }],
  ['shop/web.a', { namespace: 'shop', pod: 'web.a' }],
])('%s names a pod', (text, name) => {
  expect(parsePodName(text)).toEqual(name)
})

test.each<[number, string]>([
  [1, '8 bit/s'],
  [125, '1 kbit/s'],
  [1_250_000, '10 Mbit/s'],
  [156_250, '1.25 Mbit/s'],
  [1_250_000_000, '10 Gbit/s'],
])('%d bytes per second are %s', (rate, text) => {
  const limits = { ingress: { rate, burst: 0 }, egress: { rate, burst: 65_536 } }
  expect(limitsText(limits)).toBe(`ingress ${text}, egress ${text} (burst 65.54 kB)`)
})

test('a line is as long as COLUMNS says, else as the terminal, else as it likes', () => {
  expect(lineWidth({ columns: 80 }, { COLUMNS: '40' })).toBe(40)
  expect(lineWidth({ columns: 80 }, { COLUMNS: '0' })).toBe(80)
  expect(lineWidth({ columns: 80 }, {})).toBe(80)
  expect(lineWidth({}, {})).toBe(Number.POSITIVE_INFINITY)
})
