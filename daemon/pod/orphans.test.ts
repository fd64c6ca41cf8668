import { describe, expect, test } from '@jest/globals'
import { hostCidr, type Ip, parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { networkPlan, type RuleSpec } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { orphanMarks, orphanRules, type RuleQuestion } from './orphans.ts'

const [IP, IP6] = [parseIpv4('10.0.1.5'), parseIpv6('fd00::5')]
const LINK = parseLinkName('cali0123456789a')
const ENI_INDEX = 7
const MARK = { value: 0x10_0000, mask: 0x0ff0_0000 }

const spec = (part: Partial<RuleSpec>): RuleSpec => ({
  ...{ netns: 'host', family: 'ipv4', priority: 512, table: 254, ...part },
})
const TO = spec({ destination: hostCidr(IP) })
const FROM = spec({ priority: 2048, source: hostCidr(IP), table: 1007 })
const TO6 = spec({ family: 'ipv6', destination: hostCidr(IP6) })
const FROM6 = spec({ family: 'ipv6', priority: 2048, source: hostCidr(IP6), table: 1007 })
const PODS = spec({ table: 1000 })
const ENI = spec({ priority: 2048, mark: MARK, table: 1007 })

const inKernel = ({ netns: _, ...rule }: RuleSpec, part: Partial<Rule> = {}): Rule => ({
  ...{ ...rule, action: 1, special: false, ...part },
})

const BARE: Endpoint = {
  ...{ containerId: 'c', ifname: parseLinkName('eth0'), phase: 'ready', network: 'terway', namespace: 'default' },
  ...{ pod: 'web', netns: '/run/netns/p', netnsId: '4:5', since: 1, ip: IP, ip6: IP6 },
}
const BY_RULES: Endpoint = { ...BARE, plan: networkPlan({ rules: [TO, FROM, TO6, FROM6] }) }
const BY_MARK: Endpoint = {
  ...BARE,
  plan: networkPlan({
    marks: [{ netns: 'host', source: IP, mark: MARK.value }],
    routes: [
      {
        ...{ device: { netns: 'host', name: LINK, ifindex: 9 }, destination: hostCidr(IP), table: 1000 },
        scope: 'link',
      },
    ],
  }),
}

function orphans(rules: readonly Rule[], part: Partial<RuleQuestion> = {}): Rule[] {
  return orphanRules({
    ...{ rules, endpoints: [], nodePlans: [], podRoutes: new Map(), links: new Set() },
    ...{ isOfPods: (ip) => ip === IP || ip === IP6, ...part },
  })
}

describe.each([
  ['IPv4', IP, inKernel(TO), inKernel(FROM)],
  ['IPv6', IP6, inKernel(TO6), inKernel(FROM6)],
] as const)("pods' own rules, %s:", (_, ip: Ip, to, from) => {
  test('in a plan they stay, also in one that is on its way out', () => {
    expect(orphans([to, from], { endpoints: [BY_RULES] })).toEqual([])
    const { plan = networkPlan({}), ...rest } = BY_RULES
    const moving = { ...rest, plan: networkPlan({}), replaced: plan }
    expect(orphans([to, from], { endpoints: [moving] })).toEqual([])
  })

  test('of a pod that is connected in another way they go', () => {
    expect(orphans([to, from], { endpoints: [BY_MARK] })).toEqual([to, from])
  })

  test('of a pod that is not on record they go, unless it lives', () => {
    expect(orphans([to, from])).toEqual([to, from])
    expect(orphans([to, from], { podRoutes: new Map([[ip, LINK]]) })).toEqual([])
  })

  test('that lead to another table than the plan of their pod they go', () => {
    const stale = { ...from, table: 1009 }
    expect(orphans([to, stale, from], { endpoints: [BY_RULES] })).toEqual([stale])
  })
})

test.each<[string, Rule]>([
  ['another priority', inKernel(TO, { priority: 600 })],
  ['a mark', inKernel(TO, { mark: { value: 1, mask: 1 } })],
  ['an input device', inKernel(TO, { inputDevice: parseLinkName('eth0') })],
  ['fields that are not understood', inKernel(TO, { special: true })],
  ['a network instead of an address', inKernel(TO, { destination: parseCidr('10.0.1.0/28') })],
  ['an address that no pod can have', inKernel(TO, { destination: parseCidr('10.0.1.6/32') })],
  ['such an address and the table of an ENI', inKernel(FROM, { source: parseCidr('10.0.1.6/32') })],
  ['both ends', inKernel(TO, { source: hostCidr(IP) })],
  ['another table', inKernel(TO, { table: 100 })],
  ['a mark of another mask', inKernel(ENI, { mark: { value: 0x10_0000, mask: 0xffff_ffff } })],
  ['the table of pods and a source', inKernel(PODS, { source: hostCidr(IP) })],
])('a rule with %s is somebody else’s', (_, foreign) => {
  expect(orphans([foreign])).toEqual([])
})

describe('the table that a pod’s rule leads to', () => {
  const rule = inKernel(FROM)
  const links = new Set([ENI_INDEX])

  test('is that of an ENI, or of a link that has gone', () => {
    const eni = { kind: 'existing', netns: 'host', name: parseLinkName('eth1'), ifindex: ENI_INDEX } as const
    expect(orphans([rule], { links, nodePlans: [networkPlan({ links: [eni] })] })).toEqual([rule])
    expect(orphans([rule], { links: new Set() })).toEqual([rule])
  })

  test('of another link is somebody else’s', () => {
    expect(orphans([rule], { links })).toEqual([])
  })

  test('may be any when the address is on record, although the pool does not know it any more', () => {
    const isOfPods = () => false
    expect(orphans([rule], { isOfPods, endpoints: [BY_MARK] })).toEqual([rule])
    expect(orphans([rule], { isOfPods })).toEqual([])
  })
})

describe('rules that pods share', () => {
  const rules = [inKernel(PODS), inKernel(ENI)]

  test('are the node’s', () => {
    expect(orphans(rules, { nodePlans: [networkPlan({ rules: [PODS] }), networkPlan({ rules: [ENI] })] })).toEqual([])
  })

  test('stay for a pod that is still connected by them, whatever the node is configured to', () => {
    expect(orphans(rules, { endpoints: [BY_MARK] })).toEqual([])
    const { plan = networkPlan({}), ...rest } = BY_MARK
    expect(orphans(rules, { endpoints: [{ ...rest, plan: networkPlan({}), replaced: plan }] })).toEqual([])
  })

  test('go with the last of those, and with the link of their ENI', () => {
    expect(orphans(rules, { endpoints: [BY_RULES] })).toEqual(rules)
    const other = inKernel(ENI, { mark: { ...MARK, value: 0x20_0000 } })
    expect(orphans([...rules, other], { endpoints: [BY_MARK] })).toEqual([other])
  })
})

test('marks of addresses that no pod has are found', () => {
  const marks = new Map<Ip, number>([
    [IP, MARK.value],
    [IP6, 0x20_0000],
  ])
  const orphan = { netns: 'host', source: IP6, mark: 0x20_0000 }
  expect(orphanMarks(marks, { endpoints: [BY_MARK], podRoutes: new Map() })).toEqual([orphan])
  expect(orphanMarks(marks, { endpoints: [BY_MARK], podRoutes: new Map([[IP6, LINK]]) })).toEqual([])
})
