import { describe, expect, test } from '@jest/globals'
import type { Address__Output as Address } from '../proto/generated/terway/inspect/v1/Address.ts'
import type { Eni__Output as Eni } from '../proto/generated/terway/inspect/v1/Eni.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import { renderBox } from './box.ts'
import { renderDifferences } from './differences.ts'
import type { Paint } from './paint.ts'
import { renderTree } from './tree.ts'

const NOW = 1_700_000_000_000
const plain: Paint = (_tone, text) => text

function address(ip: string, change: Partial<Address> = {}): Address {
  return { ip, primary: false, phase: 'warm', pod: '', containerId: '', coolingUntil: 0, ...change }
}

function eni(id: string, change: Partial<Eni> = {}): Eni {
  const vswitch = { vswitchId: 'vsw-1', vswitchCidr: '10.0.1.0/24', gateway: '10.0.1.253' }
  const base = { mac: '02:00:00:00:00:01', link: 'eth1', ifindex: 3, primaryIp: '10.0.1.10', capacity: 10 }
  return { id, ...base, ...vswitch, phase: 'in-use', addresses: [], ...change }
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
    enis: [],
    pool: { total: 0, allocated: 0, available: 0, cooling: 0, capacity: 0, min: 0, max: 0, waiting: 0 },
    endpoints: [],
    problems: [],
    ...change,
  }
}

function pool(total: number, allocated: number, available: number) {
  return { total, allocated, available, cooling: 0, capacity: 30, min: 0, max: 5, waiting: 0 }
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
IP Pool: 4 total, 2 allocated, 2 available
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
            address('10.0.1.13', { phase: 'assigning' }),
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
    - 10.0.1.13 (assigning)
    - 10.0.1.14 (unassigning)
ENI: eni-2 (attaching)
  Primary IP: 10.0.1.20
  Secondary IPs: none
ENI: eni-3 (eth3, detaching)
  Primary IP: 10.0.1.30
  Secondary IPs: none
IP Pool: 3 total, 1 allocated, 0 available, 2 cooling
Problems:
  - vSwitch vsw-1 has no free addresses; add one in another zone to vswitches
  - pods that wait for an address: 4
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
      pool: pool(30, 25, 5),
    })
    expect(renderBox(shown, { paint: plain })).toBe(`\
┌──────────────────────────────────────────────────────────────┐
│ Node: cn-hangzhou.10.0.1.10                                  │
├──────────────────────────────────────────────────────────────┤
│ ENI Count: 3                                                 │
│ IP Pool: Total=30, Allocated=25, Available=5                 │
│ Utilization: 83%                                             │
├──────────────────────────────────────────────────────────────┤
│ ENI Details:                                                 │
│   eni-bp1xxx (eth1): Primary=10.0.1.10, Secondary=10 IPs     │
│   eni-bp2xxx (eth2): Primary=10.0.1.20, Secondary=10 IPs     │
│   eni-bp3xxx (eth3): Primary=10.0.1.30, Secondary=10 IPs     │
└──────────────────────────────────────────────────────────────┘
`)
  })

  test('a long name widens the box, the right edge stays straight', () => {
    const lines = renderBox(node({ name: 'n'.repeat(90), enis: [eni('eni-1')] }), { paint: plain })
      .trimEnd()
      .split('\n')
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([100]))
  })

  test('an empty pool is not divided by; cooling and problems are shown', () => {
    const shown = node({ pool: { ...pool(1, 0, 0), cooling: 1 }, problems: ['no permission'] })
    const text = renderBox(shown, { paint: plain })
    expect(text).toContain('│ IP Pool: Total=1, Allocated=0, Available=0, Cooling=1 ')
    expect(text).toMatch(/┘\nProblems:\n {2}- no permission\n$/)
    expect(renderBox(node(), { paint: plain })).toContain('│ Utilization: 0% ')
  })
})

describe('verify', () => {
  test('no difference', () => {
    expect(renderDifferences({ differences: [], plans: 7 })).toBe('kernel matches 7 plans\n')
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
    expect(renderDifferences({ differences, plans: 2 })).toBe(`\
OWNER    NETNS         OBJECT  SUBJECT                PROBLEM    FOUND
c1 eth0  host          route   10.0.1.7/32 dev cali1  missing    -
eni-1    /run/netns/x  link    eth1                   different  mtu 1400
kernel differs from 2 plans: 2 differences
`)
  })
})
