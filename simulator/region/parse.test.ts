import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { REGION_FILE, regionText, testRegion } from '../../test/simulator/region.ts'
import type { SecurityGroupId } from './ids.ts'
import { parseRegion, readRegion } from './parse.ts'

const NODE = {
  name: 'node-a',
  instanceId: 'i-a',
  instanceType: 'ecs.g7.xlarge',
  vSwitch: 'vsw-sim-h',
  primaryIp: '10.0.1.10',
}
const KEY = { id: 'LTAIsim', secret: 'sim-secret' }
const TYPE = { id: 'ecs.x.large', cpuCores: 1, memoryGiB: 1, ipv4PerEni: 1 }
const GROUPS = { securityGroups: [{ id: 'sg-a' }, { id: 'sg-b' }, { id: 'sg-far', type: 'enterprise' }] }
const MANY_TAGS = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, '']))
const OTHER = { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' }
const WIDE = { vSwitches: [{ id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.0.0/20' }] }
const VSWITCH = { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24' }

test('reads the example', () => {
  const region = readRegion(REGION_FILE)
  expect(region.id).toBe('cn-sim')
  expect([...region.vSwitches.values()].map((vSwitch) => vSwitch.gateway)).toEqual(['10.0.1.253', '10.0.2.253'])
  expect(region.nodes.map((node) => [node.name, node.instanceType.eniQuantity, node.instanceType.ipv4PerEni])).toEqual([
    ['node-a', 4, 15],
    ['node-b', 4, 15],
  ])
  expect(region.latencies.attach).toBe(150)
})

test.each(readdirSync(dirname(REGION_FILE)))('%s can be used', (file) => {
  const region = readRegion(join(dirname(REGION_FILE), file))
  expect(region.nodes.length).toBeGreaterThan(0)
})

test('a count makes that many nodes', () => {
  const { nodes } = testRegion({ nodes: [{ ...NODE, count: 3, primaryIp: '10.0.1.254' }], ...WIDE })
  expect(nodes.map((node) => [node.name, node.instanceId, node.primaryIp])).toEqual([
    ['node-a-1', 'i-a-1', '10.0.1.254'],
    ['node-a-2', 'i-a-2', '10.0.1.255'],
    ['node-a-3', 'i-a-3', '10.0.2.0'],
  ])
})

describe('security groups', () => {
  const groupWith = (rule: object) => testRegion({ securityGroups: [{ id: 'sg-a', rules: [rule] }, { id: 'sg-b' }] })

  test('have rules with a port, a range, or neither', () => {
    const rulesOf = (rule: object) => groupWith(rule).securityGroups.get('sg-a' as SecurityGroupId)?.rules
    const rest = { direction: 'ingress', policy: 'accept', priority: 1 }
    const peer = { group: 'sg-b' }
    expect(rulesOf({ direction: 'ingress', group: 'sg-b' })).toEqual([
      { ...rest, protocol: 'all', ports: undefined, peer },
    ])
    const one = { direction: 'ingress', protocol: 'tcp', ports: 80, cidr: '10.0.0.0/8' }
    expect(rulesOf(one)).toMatchObject([{ ports: { from: 80, to: 80 }, peer: { cidr: '10.0.0.0/8' } }])
    expect(rulesOf({ ...one, ports: '80-443' })).toMatchObject([{ ports: { from: 80, to: 443 } }])
  })

  test.each<[string, object, string]>([
    ['the peer is missing', { direction: 'ingress' }, 'needs one of cidr and group'],
    ['two peers', { direction: 'ingress', cidr: '10.0.0.0/8', group: 'sg-b' }, 'needs one of cidr and group'],
    ['a group that is not there', { direction: 'ingress', group: 'sg-x' }, 'there is no security group sg-x'],
    ['ports of icmp', { direction: 'ingress', protocol: 'icmp', ports: 1, group: 'sg-b' }, 'for the protocols tcp'],
    ['a range backwards', { direction: 'ingress', protocol: 'tcp', ports: '9-8', group: 'sg-b' }, 'the lower one'],
    ['a port too high', { direction: 'ingress', protocol: 'tcp', ports: 65536, group: 'sg-b' }, 'must be 1 to 65535'],
    ['a priority of 0', { direction: 'ingress', group: 'sg-b', priority: 0 }, 'rules[0].priority'],
  ])('%s', (_, rule, message) => {
    expect(() => groupWith(rule)).toThrow(message)
  })
})

describe('groups name each other', () => {
  const far = (rules: readonly object[] = []) => ({ id: 'sg-far', type: 'enterprise', rules })
  const naming = (group: string) => [{ direction: 'ingress', group }]
  const problem = (at: number) =>
    `securityGroups[${at}].rules[0].group: sg-far is an enterprise group, which takes no part in rules between groups`

  test('unless one of them is an enterprise group', () => {
    const near = { id: 'sg-sim', rules: naming('sg-far') }
    expect(() => testRegion({ securityGroups: [near, far()] })).toThrow(problem(0))
    expect(() => testRegion({ securityGroups: [{ id: 'sg-sim' }, far(naming('sg-sim'))] })).toThrow(problem(1))
    expect(() => testRegion({ securityGroups: [{ id: 'sg-sim' }, far(naming('sg-far'))] })).toThrow(problem(1))
  })
})

describe('the prefix of the VPC', () => {
  const withVpc = (cidr: string, ipv6Cidr?: string) => {
    const inside = { id: 'vsw-x', zone: 'z', cidr: cidr.replace(/\/\d+$/, '/24') }
    const vpc = { id: 'vpc-sim', cidr, ...(ipv6Cidr === undefined ? {} : { ipv6Cidr }) }
    return testRegion({ vpc, vSwitches: [inside], nodes: [] })
  }

  test.each(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '30.0.0.0/16', '100.0.0.0/10', '223.255.255.0/24'])(
    'can be %s',
    (cidr) => {
      expect(withVpc(cidr).vpc.cidr).toBe(cidr)
    },
  )

  test.each([
    ['100.64.0.0/10', '100.64.0.0/10'],
    ['100.100.0.0/16', '100.64.0.0/10'],
    ['100.0.0.0/8', '100.64.0.0/10'],
    ['127.0.0.0/16', '127.0.0.0/8'],
    ['169.254.0.0/16', '169.254.0.0/16'],
    ['0.0.0.0/8', '0.0.0.0/8'],
    ['224.0.0.0/16', '224.0.0.0/4'],
    ['255.255.255.0/24', '240.0.0.0/4'],
  ])('cannot be %s', (cidr, taken) => {
    expect(() => withVpc(cidr)).toThrow(`vpc.cidr: ${cidr} overlaps ${taken}, which no VPC can have`)
  })

  test.each(['2001:db8::/56', 'fd00::/56', '3fff:ffff:ffff:ff00::/56'])('can be %s', (ipv6Cidr) => {
    expect(withVpc('10.0.0.0/16', ipv6Cidr).vpc.ipv6Cidr).toBe(ipv6Cidr)
  })

  test.each(['fe80::/56', 'ff00::/56', '::/56', '4000::/56'])('cannot be %s', (ipv6Cidr) => {
    expect(() => withVpc('10.0.0.0/16', ipv6Cidr)).toThrow(`vpc.ipv6Cidr: ${ipv6Cidr} is neither global unicast`)
  })
})

describe('the IPv6 address of a node', () => {
  const withIpv6 = (node: object) =>
    testRegion({
      vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8::/56' },
      vSwitches: [{ ...VSWITCH, ipv6Cidr: '2001:db8::/64' }, OTHER],
      nodes: [{ ...NODE, primaryIpv6: '2001:db8::ff', ...node }],
    })

  test('is counted up with the others', () => {
    const { nodes } = withIpv6({ count: 2 })
    expect(nodes.map(({ primaryIpv6 }) => primaryIpv6)).toEqual(['2001:db8::ff', '2001:db8::100'])
  })

  test.each<[object, string]>([
    [{ primaryIpv6: '10.0.0.1' }, 'not an IPv6 address'],
    [{ primaryIpv6: '2001:db8:0:1::1' }, 'primaryIpv6: 2001:db8:0:1::1 is not a free address of vsw-sim-h'],
    [{ primaryIpv6: '2001:db8::' }, 'primaryIpv6: 2001:db8:: is not a free address'],
    [{ primaryIpv6: '2001:db8::ffff:ffff:ffff:fff7' }, 'is not a free address'],
    [{ vSwitch: 'vsw-sim-i', primaryIp: '10.0.2.1' }, 'nodes[0].primaryIpv6: IPv6 is off in vsw-sim-i'],
  ])('%j is refused', (node, message) => {
    expect(() => withIpv6(node)).toThrow(message)
  })

  test('belongs to one node, of a type that has IPv6', () => {
    const ipv6 = { vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8::/56' } }
    const vSwitches = [{ ...VSWITCH, ipv6Cidr: '2001:db8::/64' }]
    const node = { ...NODE, primaryIpv6: '2001:db8::1' }
    const other = { ...node, name: 'node-b', instanceId: 'i-b', primaryIp: '10.0.1.11' }
    expect(() => testRegion({ ...ipv6, vSwitches, nodes: [node, other] })).toThrow('nodes.primaryIpv6: 2001:db8::1 is')
    const type = { ...TYPE, eniQuantity: 1 }
    expect(() =>
      testRegion({ ...ipv6, vSwitches, instanceTypes: [type], nodes: [{ ...node, instanceType: type.id }] }),
    ).toThrow('nodes[0].primaryIpv6: ENIs on ecs.x.large have no IPv6')
  })
})

test('IPv6 gateways are the ninth addresses from the end; vSwitches without a prefix have none', () => {
  const region = testRegion({
    vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:100::/56' },
    vSwitches: [{ ...VSWITCH, ipv6Cidr: '2001:db8:0:101::/64' }, OTHER],
  })
  expect([...region.vSwitches.values()].map((vSwitch) => vSwitch.ipv6?.gateway)).toEqual([
    '2001:db8:0:101:ffff:ffff:ffff:fff7',
    undefined,
  ])
})

test('the system route table has what no custom table has', () => {
  const routeTables = [{ id: 'vtb-own', vSwitches: ['vsw-sim-i'] }]
  const { vpc } = testRegion({ vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', routeTables } })
  expect(vpc.routeTables).toEqual([
    { id: 'vtb-sim', type: 'System', vSwitches: ['vsw-sim-h'] },
    { id: 'vtb-own', type: 'Custom', vSwitches: ['vsw-sim-i'] },
  ])
})

test('latencies, account and types have defaults; a file can change types', () => {
  const type = { id: 'ecs.g7.xlarge', cpuCores: 4, memoryGiB: 16, eniQuantity: 2, ipv4PerEni: 3 }
  const region = testRegion({ latencies: { attach: 1 }, instanceTypes: [type] })
  expect(region.latencies).toMatchObject({ attach: 1, detach: 3000 })
  expect(region.nodes[0]?.instanceType).toMatchObject({ eniQuantity: 2, eniTotalQuantity: 2, trunkSupported: false })
})

describe('what is wrong is named', () => {
  test.each([
    ['an unknown key', { colour: 'red' }, 'Unrecognized key: "colour"'],
    ['an unknown key of a node', { nodes: [{ ...NODE, size: 3 }] }, 'Unrecognized key: "size"'],
    ['an unknown latency', { latencies: { atach: 3 } }, 'Unrecognized key: "atach"'],
    ['a negative latency', { latencies: { attach: -3 } }, 'latencies.attach'],
    ['a name that is no namespace', { nodes: [{ ...NODE, name: '../x' }] }, 'nodes[0].name'],
    ['an address that is none', { nodes: [{ ...NODE, primaryIp: '10.0.1' }] }, 'not an IPv4 address'],
    ['an address of another vSwitch', { nodes: [{ ...NODE, primaryIp: '10.0.2.10' }] }, 'nodes[0].primaryIp'],
    ['the address of the gateway', { nodes: [{ ...NODE, primaryIp: '10.0.1.253' }] }, 'nodes[0].primaryIp'],
    ['an unknown type', { nodes: [{ ...NODE, instanceType: 'ecs.x.y' }] }, 'ecs.x.y is unknown'],
    ['an unknown vSwitch', { nodes: [{ ...NODE, vSwitch: 'vsw-x' }] }, 'vsw-x is none of vsw-sim-h, vsw-sim-i'],
    [
      'two nodes of one name',
      { nodes: [NODE, { ...NODE, primaryIp: '10.0.1.11' }] },
      'nodes.name: node-a is there twice',
    ],
    ['a role that is not there', { nodes: [{ ...NODE, ramRole: 'x' }] }, 'nodes[0].ramRole: there is no x'],
    [
      'a group that is not there',
      { nodes: [{ ...NODE, securityGroups: ['sg-x'] }] },
      'nodes[0].securityGroups: The sec',
    ],
    [
      'groups of two types',
      { ...GROUPS, nodes: [{ ...NODE, securityGroups: ['sg-a', 'sg-far'] }] },
      'nodes[0].securityGroups: sg-a, sg-far are security groups of different types',
    ],
    [
      'a group twice',
      { ...GROUPS, nodes: [{ ...NODE, securityGroups: ['sg-a', 'sg-a'] }] },
      'nodes[0].securityGroups: sg-a is there twice',
    ],
    [
      'more groups than the quota',
      { ...GROUPS, quotas: { securityGroupsPerEni: 1 }, nodes: [{ ...NODE, securityGroups: ['sg-a', 'sg-b'] }] },
      'nodes[0].securityGroups: An ENI can join 1 security groups, not 2',
    ],
    ['fewer ENIs than nodes', { quotas: { enis: 1 } }, 'quotas.enis: 1 is too few for 2 nodes'],
    [
      'less room in a group than nodes',
      { quotas: { securityGroupIps: { normal: 1 } } },
      'quotas.securityGroupIps.normal: 1 is too few for sg-sim, with 2',
    ],
    ['a tag that is reserved', { nodes: [{ ...NODE, tags: { 'acs:a': 'b' } }] }, 'nodes[0].tags: "acs:a" cannot be'],
    ['a value that is no tag’s', { nodes: [{ ...NODE, tags: { a: 'http://b' } }] }, 'nodes[0].tags: "http://b" cannot'],
    ['too many tags', { nodes: [{ ...NODE, tags: MANY_TAGS }] }, 'nodes[0].tags: i-a would have 21 tags of 20'],
    [
      'a type with fewer ENIs in all',
      { instanceTypes: [{ ...TYPE, eniQuantity: 4, eniTotalQuantity: 3 }] },
      'eniTotalQuantity',
    ],
    [
      'a table that is called as the system table',
      { vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', routeTables: [{ id: 'vtb-sim', vSwitches: ['vsw-sim-h'] }] } },
      "vpc.routeTables.id: vtb-sim is the system table's",
    ],
    [
      'more nodes than addresses',
      { nodes: [{ ...NODE, count: 244 }] },
      'nodes[0].primaryIp: 10.0.1.253 is not a free address',
    ],
    [
      'IPv6 outside the VPC',
      { nodes: [], vSwitches: [{ ...VSWITCH, ipv6Cidr: '2001:db8::/64' }] },
      "2001:db8::/64 is not inside the VPC's ipv6Cidr",
    ],
    ['IPv6 that is IPv4', { vSwitches: [{ ...VSWITCH, ipv6Cidr: '10.0.0.0/24' }] }, 'must be an IPv6 /64'],
    ['a permission of no service', { accessKeys: [{ ...KEY, policy: { allow: ['oss:*'] } }] }, 'ecs:Describe*'],
    [
      'a throttle of nothing',
      { throttle: { CreateNetworkInterfaces: 3 } },
      'throttle: there is no action CreateNetworkInterfaces; CreateNetworkInterface is the nearest',
    ],
    ['a throttle of less than nothing', { throttle: { DescribeVpcs: 0 } }, 'throttle.DescribeVpcs'],
    [
      'a permission of nothing',
      { accessKeys: [{ ...KEY, policy: { deny: ['ecs:CreateNetworkInterfaces'] } }] },
      'accessKeys[0].policy: ecs:CreateNetworkInterfaces is no action; ecs:CreateNetworkInterface is the nearest',
    ],
    [
      'a pattern that no action matches',
      { ramRoles: [{ name: 'r', policy: { allow: ['*', 'ecs:Desribe*'] } }] },
      'ramRoles[0].policy: ecs:Desribe* is no action; ecs:Describ* is the nearest',
    ],
    ['a permission that nobody needs', { accessKeys: [{ ...KEY, policy: { allow: ['sts:*'] } }] }, 'ecs:Describe*'],
    ['a vSwitch outside', { nodes: [], vSwitches: [{ ...VSWITCH, cidr: '10.1.1.0/24' }] }, 'not inside the VPC'],
    ['a tiny vSwitch', { nodes: [], vSwitches: [{ ...VSWITCH, cidr: '10.0.1.0/30' }] }, 'must be a /16 to /29'],
    [
      'vSwitches that overlap',
      { nodes: [], vSwitches: [VSWITCH, { ...VSWITCH, id: 'vsw-x', cidr: '10.0.1.128/25' }] },
      'overlaps 10.0.1.0/24 of vsw-sim-h',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => parseRegion(regionText(changes), 'sample.yaml')).toThrow(message)
  })

  test('once, however many nodes there are of the kind', () => {
    const nodes = [{ ...NODE, count: 3, primaryIp: '10.0.1.1', tags: { 'acs:a': '' } }]
    expect(() => testRegion({ nodes })).toThrow(/^the test region is not a region:\n[^\n]+$/)
  })

  test('the file is in the message', () => {
    expect(() => parseRegion('a: [', 'sample.yaml')).toThrow('sample.yaml is not YAML')
    expect(() => parseRegion('', 'sample.yaml')).toThrow('sample.yaml is not a region')
    expect(() => readRegion('/nowhere.yaml')).toThrow('cannot read the region file /nowhere.yaml')
  })
})
