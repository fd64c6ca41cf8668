import { describe, expect, test } from '@jest/globals'
import type { Address__Output as Address } from '../proto/generated/terway/inspect/v1/Address.ts'
import type { Endpoint__Output as Endpoint } from '../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { Eni__Output as Eni } from '../proto/generated/terway/inspect/v1/Eni.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { GcFinding__Output as GcFinding } from '../proto/generated/terway/repair/v1/GcFinding.ts'
import { renderBox } from './box.ts'
import { renderDifferences } from './differences.ts'
import { renderFindings } from './findings.ts'
import type { Paint } from './paint.ts'
import { renderTree } from './tree.ts'

const NOW = 1_700_000_000_000
const plain: Paint = (_tone, text) => text
const tagged: Paint = (tone, text) => (tone === 'plain' ? text : `<${tone}>${text}`)

function address(ip: string, change: Partial<Address> = {}): Address {
  const facts = { primary: false, family: ip.includes(':') ? 'ipv6' : 'ipv4', lost: false }
  return { ip, ...facts, phase: 'warm', pod: '', containerId: '', coolingUntil: 0, ...change }
}

function eni(id: string, change: Partial<Eni> = {}): Eni {
  const vswitch = { vswitchId: 'vsw-1', vswitchCidr: '10.0.1.0/24', gateway: '10.0.1.253' }
  const base = { mac: '02:00:00:00:00:01', link: 'eth1', ifindex: 3, primaryIp: '10.0.1.10', capacity: 10 }
  const kind = { role: 'shared', vlanId: 0, failure: '', prefixes: [] }
  return { id, ...base, ...vswitch, ...kind, phase: 'in-use', addresses: [], ...change }
}

function endpoint(pod: string, ips: string[], change: Partial<Endpoint> = {}): Endpoint {
  const place = { containerId: 'c1', ifname: 'eth0', netns: '/run/netns/x', namespace: 'default', pod }
  const state = { phase: 'ready', since: NOW, datapath: '', ingress: null, egress: null }
  return { ...place, ips, eniId: 'eni-1', hostLink: 'cali1', ...state, ...change }
}

function node(change: Partial<Node> = {}): Node {
  const place = { regionId: 'cn-hangzhou', zoneId: 'cn-hangzhou-h', vpcId: 'vpc-1' }
  return {
    name: 'cn-hangzhou.10.0.1.10',
    instanceId: 'i-1',
    instanceType: 'ecs.g7.large',
    ...place,
    version: '0.1.0',
    startedAt: NOW,
    now: NOW,
    enis: [],
    pool: pool(0, 0, 0),
    ...{ endpoints: [], problems: [], foreignEnis: [], events: [], conditions: [] },
    ...change,
  }
}

function pool(total: number, allocated: number, available: number) {
  const kind = { families: ['ipv4'], kind: 'shared', strategy: 'fixed', target: 0, warmEnis: 0 }
  return { total, allocated, available, cooling: 0, capacity: 30, min: 0, max: 5, waiting: 0, ...kind }
}

describe('tree', () => {
  test('an ENI with pods and warm addresses', () => {
    const shown = node({
      enis: [
        eni('eni-bp1xxx', {
          addresses: [
            address('10.0.1.10', { primary: true }),
            address('10.0.1.100', { phase: 'owned', pod: 'default/pod-a' }),
            address('10.0.1.101', { phase: 'owned', pod: 'default/pod-b' }),
            address('10.0.1.102'),
            address('10.0.1.103'),
          ],
        }),
      ],
      pool: pool(4, 2, 2),
    })
    expect(renderTree(shown, { now: NOW, paint: plain })).toBe(`\
Node: cn-hangzhou.10.0.1.10
ENI: eni-bp1xxx (eth1)
  Primary IP: 10.0.1.10
  Secondary IPs:
    - 10.0.1.100 (allocated to default/pod-a)
    - 10.0.1.101 (allocated to default/pod-b)
    - 10.0.1.102 (available)
    - 10.0.1.103 (available)
IP Pool: 4 total, 2 allocated, 2 available; capacity 30
`)
  })

  test('every phase, ENIs on their way, a primary address in use, problems', () => {
    const shown = node({
      enis: [
        eni('eni-1', {
          addresses: [
            address('10.0.1.10', { primary: true, phase: 'owned', pod: 'kube-system/dns' }),
            address('10.0.1.11', { phase: 'cooling', coolingUntil: NOW + 11_001 }),
            address('10.0.1.12', { phase: 'cooling', coolingUntil: NOW - 5 }),
            address('10.0.1.14', { phase: 'unassigning' }),
          ],
        }),
        eni('eni-2', { link: '', phase: 'attaching', primaryIp: '10.0.1.20' }),
        eni('eni-3', { link: 'eth3', phase: 'detaching', primaryIp: '10.0.1.30' }),
      ],
      pool: { ...pool(3, 1, 0), cooling: 2, waiting: 4 },
      problems: ['vSwitch vsw-1 has no free addresses; add one in another zone to vswitches'],
    })
    expect(renderTree(shown, { now: NOW, paint: plain })).toBe(`\
Node: cn-hangzhou.10.0.1.10
ENI: eni-1 (eth1)
  Primary IP: 10.0.1.10 (allocated to kube-system/dns)
  Secondary IPs:
    - 10.0.1.11 (cooling 12s)
    - 10.0.1.12 (cooling 0s)
    - 10.0.1.14 (unassigning)
ENI: eni-2 (attaching)
  Primary IP: 10.0.1.20
  Secondary IPs: none
ENI: eni-3 (eth3, detaching)
  Primary IP: 10.0.1.30
  Secondary IPs: none
IP Pool: 3 total, 1 allocated, 0 available, 2 cooling; capacity 30
Problems:
  - vSwitch vsw-1 has no free addresses; add one in another zone to vswitches
  - pods that wait for an address: 4
`)
  })

  test('roles, prefixes, ghosts, ENIs of others, bad conditions, the last events', () => {
    const used = (last: number, change: Partial<Address>) => address(`10.0.2.${last}`, change)
    const shown = node({
      enis: [
        eni('eni-1', {
          prefixes: [
            { cidr: '10.0.2.0/28', phase: 'active', used: 1, free: 14 },
            { cidr: '10.0.2.16/28', phase: 'lost', used: 1, free: 0 },
          ],
          addresses: [
            address('10.0.1.10', { primary: true }),
            used(0, {}),
            used(1, { phase: 'owned', pod: 'default/a' }),
            used(2, { phase: 'cooling', coolingUntil: NOW + 5000, pod: 'default/b' }),
            used(17, { phase: 'owned', pod: 'default/c', lost: true }),
            address('fd00::1'),
          ],
        }),
        eni('eni-t', { role: 'trunk', link: 'eth2', failure: 'no link appeared' }),
        eni('eni-m', { role: 'member', link: 'eth2', vlanId: 7, phase: 'draining' }),
      ],
      foreignEnis: [{ id: 'eni-x', type: 'Secondary', why: 'it has no tag creator=terway' }],
      conditions: [
        { type: 'Fine', status: 'True', reason: 'Fine', message: 'all is well', since: 0 },
        {
          ...{ type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', message: 'every address is in use' },
          since: NOW - 300_000,
        },
      ],
      events: ['0', '1', '2', '3', '4', '5'].map((message, i) => ({
        ...{ time: NOW - 10_000_000 + i, level: i === 5 ? 'warning' : 'normal', reason: 'IPExhausted', message },
        count: i === 5 ? 3 : 1,
      })),
    })
    expect(renderTree(shown, { now: NOW, paint: plain })).toBe(`\
Node: cn-hangzhou.10.0.1.10
ENI: eni-1 (eth1)
  Primary IP: 10.0.1.10
  Secondary IPs:
    - fd00::1 (available)
  Prefixes:
    - 10.0.2.0/28 (1 allocated, 14 available)
      - 10.0.2.1 (allocated to default/a)
      - 10.0.2.2 (cooling 5s, was default/b)
    - 10.0.2.16/28 (1 allocated, 0 available, lost)
      - 10.0.2.17 (allocated to default/c, lost in the cloud)
ENI: eni-t (eth2, trunk)
  Given back: no link appeared
  Primary IP: 10.0.1.10
  Secondary IPs: none
ENI: eni-m (eth2, member, VLAN 7, draining)
  Primary IP: 10.0.1.10
  Secondary IPs: none
Foreign ENI: eni-x (Secondary): it has no tag creator=terway
IP Pool: 0 total, 0 allocated, 0 available; capacity 30
Problems:
  - SufficientIP is False since 5m (InsufficientIP): every address is in use
Events:
  - 2h ago IPExhausted: 1
  - 2h ago IPExhausted: 2
  - 2h ago IPExhausted: 3
  - 2h ago IPExhausted: 4
  - 2h ago IPExhausted: 5 (3 times)
`)
    const box = renderBox(shown, { now: NOW, paint: plain })
    expect(box).toContain('│ Foreign ENIs: eni-x ')
    expect(box).toContain('eni-1 (eth1): Primary=10.0.1.10, Secondary=1 IPs, Prefixes=2 ')
    expect(box).toMatch(/Problems:\n {2}- SufficientIP is False/)
  })

  test('how a pod is connected, its own sandbox and not another with the address', () => {
    const owned = address('10.0.1.11', { phase: 'owned', pod: 'default/a', containerId: 'c2' })
    const limits = { ingress: { rate: 1_250_000, burst: 0 }, egress: { rate: 125_000_000, burst: 1_000_000 } }
    const shown = node({
      enis: [eni('eni-1', { addresses: [owned] })],
      endpoints: [
        endpoint('a', ['10.0.1.11'], { containerId: 'c1', datapath: 'policy-route' }),
        endpoint('a', ['10.0.1.11'], { containerId: 'c2', datapath: 'ipvlan', ...limits }),
      ],
    })
    expect(renderTree(shown, { now: NOW, paint: plain })).toContain(
      '- 10.0.1.11 (allocated to default/a, ipvlan, ingress 10 Mbit/s, egress 1 Gbit/s (burst 1 MB))\n',
    )
  })

  test('VPC route mode has no ENIs and no pool, and shows its pods all the same', () => {
    const shown = node({
      pool: null,
      endpoints: [
        endpoint('a', ['10.8.0.7', 'fd08::7'], { eniId: '', datapath: 'route' }),
        endpoint('b', [], { eniId: '', phase: 'adding' }),
      ],
    })
    expect(renderTree(shown, { now: NOW, paint: plain })).toBe(`\
Node: cn-hangzhou.10.0.1.10
Pods without an ENI:
  - 10.8.0.7, fd08::7 default/a (eth0, route)
  - no address yet default/b (eth0, adding)
IP Pool: none, pods' addresses are of the node's own prefixes
`)
  })

  test('colours touch nothing but the marks', () => {
    const paint: Paint = (tone, text) => (tone === 'good' ? `<${text}>` : text)
    const shown = node({ enis: [eni('eni-1', { addresses: [address('10.0.1.11')] })] })
    expect(renderTree(shown, { now: NOW, paint })).toContain('    - 10.0.1.11 (<available>)\n')
  })
})

describe('box', () => {
  const ten = Array.from({ length: 10 }, (_, i) => address(`10.0.1.${100 + i}`))

  test('three ENIs', () => {
    const primary = (ip: string) => address(ip, { primary: true })
    const shown = node({
      enis: [
        eni('eni-bp1xxx', { addresses: [primary('10.0.1.10'), ...ten] }),
        eni('eni-bp2xxx', { link: 'eth2', primaryIp: '10.0.1.20', addresses: [primary('10.0.1.20'), ...ten] }),
        eni('eni-bp3xxx', { link: 'eth3', primaryIp: '10.0.1.30', addresses: [primary('10.0.1.30'), ...ten] }),
      ],
      pool: { ...pool(30, 25, 5), capacity: 60 },
    })
    expect(renderBox(shown, { now: NOW, paint: plain })).toBe(`\
┌──────────────────────────────────────────────────────────────┐
│ Node: cn-hangzhou.10.0.1.10                                  │
├──────────────────────────────────────────────────────────────┤
│ ENI Count: 3                                                 │
│ IP Pool: Total=30, Allocated=25, Available=5                 │
│ Utilization: 83% of total (assigned), 42% of capacity (60)   │
├──────────────────────────────────────────────────────────────┤
│ ENI Details:                                                 │
│   eni-bp1xxx (eth1): Primary=10.0.1.10, Secondary=10 IPs     │
│   eni-bp2xxx (eth2): Primary=10.0.1.20, Secondary=10 IPs     │
│   eni-bp3xxx (eth3): Primary=10.0.1.30, Secondary=10 IPs     │
└──────────────────────────────────────────────────────────────┘
`)
  })

  test('a long name widens the box, the right edge stays straight', () => {
    const lines = renderBox(node({ name: 'n'.repeat(90), enis: [eni('eni-1')] }), { now: NOW, paint: plain })
      .trimEnd()
      .split('\n')
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([100]))
  })

  test('an empty pool is not divided by; cooling and problems are shown', () => {
    const shown = node({ pool: { ...pool(1, 0, 0), cooling: 1 }, problems: ['no permission'] })
    const text = renderBox(shown, { now: NOW, paint: plain })
    expect(text).toContain('│ IP Pool: Total=1, Allocated=0, Available=0, Cooling=1 ')
    expect(text).toMatch(/┘\nProblems:\n {2}- no permission\n$/)
    expect(renderBox(node(), { now: NOW, paint: plain })).toContain(
      '│ Utilization: 0% of total (assigned), 0% of capacity (30) ',
    )
  })
})

describe('verify', () => {
  test('no difference', () => {
    expect(renderDifferences({ differences: [], plans: 7 }, plain)).toBe('kernel matches 7 plans\n')
  })

  test('differences are aligned', () => {
    const differences = [
      {
        owner: 'c1 eth0',
        netns: 'host',
        object: 'route',
        subject: '10.0.1.7/32 dev cali1',
        problem: 'missing',
        found: '',
      },
      {
        owner: 'eni-1',
        netns: '/run/netns/x',
        object: 'link',
        subject: 'eth1',
        problem: 'different',
        found: 'mtu 1400',
      },
    ]
    expect(renderDifferences({ differences, plans: 2 }, plain)).toBe(`\
OWNER    NETNS         OBJECT  SUBJECT                PROBLEM    FOUND
c1 eth0  host          route   10.0.1.7/32 dev cali1  missing    -
eni-1    /run/netns/x  link    eth1                   different  mtu 1400
kernel differs from 2 plans: 2 differences
`)
    const lines = renderDifferences({ differences, plans: 2 }, tagged).split('\n')
    expect(lines.map((line) => /^<\w+>/.exec(line)?.[0] ?? '')).toEqual(['', '<bad>', '<waiting>', '<bad>', ''])
  })
})

describe('gc', () => {
  const counts = { enis: 2, addresses: 20, pods: 7 }
  function finding(change: Partial<GcFinding>): GcFinding {
    const nothing = { kind: '', level: 'info', eni: '', address: '', pod: '', why: '', outcome: '' }
    return { ...nothing, ...change }
  }

  test('nothing found', () => {
    expect(renderFindings({ findings: [], ...counts }, plain)).toBe('ENIs: 2, addresses: 20, pods: 7; nothing to do\n')
  })

  test('what nothing is to be done about is shown, and nothing is to be done', () => {
    const foreign = finding({ kind: 'foreign', eni: 'eni-x', why: 'not ours', outcome: 'none' })
    expect(renderFindings({ findings: [foreign], ...counts }, plain)).toBe(`\
OUTCOME  WHAT     ENI    WHY
none     foreign  eni-x  not ours
ENIs: 2, addresses: 20, pods: 7; nothing to do
`)
  })

  const findings = [
    finding({ kind: 'released', eni: 'eni-1', address: '10.0.1.1,10.0.1.2', why: 'left behind', outcome: 'done' }),
    finding({ kind: 'ghost', level: 'error', eni: 'eni-2', address: '10.0.1.3', why: 'gone', outcome: 'would' }),
    finding({ kind: 'removed', level: 'warn', pod: 'default/web', why: 'ended', outcome: 'done' }),
    finding({ kind: 'suspected', eni: 'eni-3', why: 'seen once', outcome: 'later' }),
    finding({ kind: 'failed', level: 'warn', pod: 'default/db', why: 'stuck', outcome: 'failed' }),
  ]

  test('findings are aligned and counted', () => {
    expect(renderFindings({ findings, ...counts }, plain)).toBe(`\
OUTCOME  WHAT       ENI    ADDRESS      POD          WHY
done     released   eni-1  10.0.1.1 +1  -            left behind
would    ghost      eni-2  10.0.1.3     -            gone
done     removed    -      -            default/web  ended
later    suspected  eni-3  -            -            seen once
failed   failed     -      -            default/db   stuck
ENIs: 2, addresses: 20, pods: 7; 2 done, 1 would be done, 1 to be seen again before anything is done, 1 failed
`)
  })

  test('colours shift no column', () => {
    const paint: Paint = (tone, text) => (tone === 'plain' ? text : `<${tone}:${text}>`)
    const lines = renderFindings({ findings, ...counts }, paint).split('\n')
    expect(lines.slice(1, 4)).toEqual([
      '<good:done     >released   eni-1  10.0.1.1 +1  -            left behind',
      '<waiting:would    ><bad:ghost      >eni-2  10.0.1.3     -            gone',
      '<good:done     ><waiting:removed    >-      -            default/web  ended',
    ])
  })
})
