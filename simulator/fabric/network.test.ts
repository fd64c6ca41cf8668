import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { H6, I6, NODE_A, NODE_B, plug, SYSTEM_TABLE } from '../../test/simulator/fabric.ts'
import type { RouteTableId, SecurityGroupId } from '../region/ids.ts'
import { endedBy, Network } from './network.ts'
import type { FabricRoute, Plug } from './plug.ts'

const A: Plug = {
  ...plug(1, NODE_A, H6, '10.0.1.10'),
  ips: [parseIpv4('10.0.1.10'), parseIpv4('10.0.1.11')],
  ipv6s: [parseIpv6('fd00:0:0:1::10')],
  ipv4Prefixes: [parseCidr('10.0.1.32/28')],
}
const B = plug(2, NODE_B, I6, '10.0.2.10')
const PODS_A: FabricRoute = { destination: parseCidr('172.20.0.0/16'), routeTable: SYSTEM_TABLE.id, eni: A.eniId }
const PODS_B: FabricRoute = { ...PODS_A, destination: parseCidr('172.20.2.0/24'), eni: B.eniId }
const OTHER_TABLE = 'vtb-other' as RouteTableId

function network(plugs: readonly Plug[], routes: readonly FabricRoute[] = []): Network {
  return new Network({ vSwitches: [H6, I6], plugs: new Map(plugs.map((one) => [one.eniId, one])), routes })
}

const owners = (of: Network, ip: string) => of.ownersOf(parseIp(ip))

describe('an address is', () => {
  test.each(['10.0.1.10', '10.0.1.11', '10.0.1.47', 'fd00:0:0:1::10'])('that of its ENI: %s', (ip) => {
    expect(owners(network([A, B]), ip)).toEqual([A.eniId])
  })

  test.each(['10.0.1.12', '10.0.1.48', 'fd00:0:0:1::11', 'fd00:0:0:2::10', '172.20.1.1', '9.9.9.9'])(
    'nobody’s: %s',
    (ip) => expect(owners(network([A, B]), ip)).toEqual([]),
  )

  test('in a vSwitch nobody’s, whatever route there is', () => {
    const all = ['0.0.0.0/0', '::/0'].map((cidr) => ({ ...PODS_A, destination: parseCidr(cidr) }))
    const routed = network([A, B], all)
    for (const ip of ['10.0.1.99', 'fd00:0:0:2::99']) expect(owners(routed, ip)).toEqual([])
    for (const ip of ['9.9.9.9', 'fd99::1']) expect(owners(routed, ip)).toEqual([A.eniId])
  })

  test('that of the narrowest route in each table', () => {
    const routed = network([A, B], [PODS_A, PODS_B, { ...PODS_A, routeTable: OTHER_TABLE }])
    expect(owners(routed, '172.20.1.1')).toEqual([A.eniId, A.eniId])
    expect(owners(routed, '172.20.2.1')).toEqual([B.eniId, A.eniId])
  })

  test('not that of an ENI that is not plugged or lets nothing through', () => {
    expect(owners(network([B], [PODS_A]), '172.20.1.1')).toEqual([])
    expect(owners(network([{ ...A, sourceDestCheck: true }], [PODS_A]), '172.20.1.1')).toEqual([])
  })
})

describe('a change ends the sessions', () => {
  const ended = (before: Network, after: Network, ...ips: string[]) => {
    const isEnded = endedBy(before, after)
    return isEnded === undefined ? 'none' : ips.filter((ip) => isEnded(parseIp(ip)))
  }

  test('of nobody when there is more of everything', () => {
    const more = { ...A, ips: [...A.ips, parseIpv4('10.0.1.12')] }
    expect(ended(network([A]), network([A]))).toBe('none')
    expect(ended(network([A], [PODS_A]), network([more, B], [{ ...PODS_A }]))).toBe('none')
    expect(ended(network([], [PODS_A]), network([], []))).toBe('none')
  })

  test('of addresses that leave their ENI', () => {
    const less = { ...A, ips: A.ips.slice(0, 1), ipv4Prefixes: [] }
    const ips = ['10.0.1.10', '10.0.1.11', '10.0.1.33', 'fd00:0:0:1::10', '10.0.2.10']
    expect(ended(network([A, B]), network([less, B]), ...ips)).toEqual(['10.0.1.11', '10.0.1.33'])
    expect(ended(network([A, B]), network([B]), ...ips)).toEqual(ips.slice(0, 4))
    const inB = { ...B, ips: [...B.ips, parseIpv4('10.0.1.11')] }
    expect(ended(network([A, B]), network([{ ...less, ipv4Prefixes: A.ipv4Prefixes }, inB]), ...ips)).toEqual([
      '10.0.1.11',
    ])
  })

  test('of what is behind a route that goes, or that a narrower one leads elsewhere', () => {
    const ips = ['172.20.1.1', '172.20.2.1', '10.0.1.10', '10.0.2.10']
    expect(ended(network([A, B], [PODS_A]), network([A, B]), ...ips)).toEqual(ips.slice(0, 2))
    expect(ended(network([A, B], [PODS_A]), network([A, B], [PODS_A, PODS_B]), ...ips)).toEqual(['172.20.2.1'])
    // It was there, but led nowhere.
    expect(ended(network([A], [PODS_A, PODS_B]), network([A, B], [PODS_A, PODS_B]), ...ips)).toEqual(['172.20.2.1'])
    const checked = { ...A, sourceDestCheck: true }
    expect(ended(network([A, B], [PODS_A]), network([checked, B], [PODS_A]), ...ips)).toEqual(ips.slice(0, 2))
    // Two entries instead of one for the same ENI.
    const half = { ...PODS_A, destination: parseCidr('172.20.0.0/17') }
    const rest = { ...PODS_A, destination: parseCidr('172.20.128.0/17') }
    expect(ended(network([A, B], [PODS_A]), network([A, B], [half, rest]), ...ips)).toEqual([])
  })

  test('of an ENI in other security groups, and of what is behind it', () => {
    const regrouped = { ...A, securityGroupIds: ['sg-other' as SecurityGroupId] }
    const ips = ['10.0.1.10', '10.0.1.33', 'fd00:0:0:1::10', '172.20.1.1', '10.0.2.10', '172.20.2.1']
    const routes = [PODS_A, PODS_B]
    expect(ended(network([A, B], routes), network([regrouped, B], routes), ...ips)).toEqual(ips.slice(0, 4))
    const two = { ...A, securityGroupIds: ['sg-1', 'sg-2'] as SecurityGroupId[] }
    expect(ended(network([two]), network([{ ...two, securityGroupIds: two.securityGroupIds.toReversed() }]))).toBe(
      'none',
    )
  })
})
