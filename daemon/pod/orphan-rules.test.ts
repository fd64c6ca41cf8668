import { describe, expect, test } from '@jest/globals'
import { hostCidr, parseCidr, parseIpv4 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { Rule } from '../../netlink/rule.ts'
import { planPod } from '../datapath/policy-route.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { orphanRules, type RuleQuestion } from './orphan-rules.ts'
import { rehomed } from './rehome.ts'

const IP = parseIpv4('10.0.1.5')
const LINK = parseLinkName('cali0123456789a')
const PLAN = planPod({
  ...{ containerId: 'c', ifname: parseLinkName('eth0'), netns: '/run/netns/p', hostLink: LINK, ifindex: 1_000_000 },
  ...{ ip: IP, mtu: 1500, eniIfindex: 7, defaultRoute: true },
})
const ENDPOINT: Endpoint = {
  ...{
    containerId: 'c',
    ifname: parseLinkName('eth0'),
    phase: 'ready',
    network: 'terway',
    namespace: 'default',
    pod: 'web',
  },
  ...{ netns: '/run/netns/p', netnsId: '4:5', since: 1, ip: IP, plan: PLAN },
}
const rule = (part: Partial<Rule>): Rule => ({
  family: 'ipv4',
  priority: 512,
  table: 254,
  action: 1,
  special: false,
  ...part,
})
const TO = rule({ destination: hostCidr(IP) })
const FROM = rule({ priority: 2048, source: hostCidr(IP), table: 1007 })
const ask = (part: Partial<RuleQuestion>) =>
  orphanRules({ rules: [TO, FROM], endpoints: [], podRoutes: new Map(), cidrs: [parseCidr('10.0.1.0/24')], ...part })

describe('rules of pods', () => {
  test('that are in a plan stay', () => {
    expect(ask({ endpoints: [ENDPOINT] })).toEqual([])
  })

  test('whose pod is not on record and not in the kernel go', () => {
    expect(ask({})).toEqual([TO, FROM])
  })

  test('whose pod is not on record but alive stay', () => {
    expect(ask({ podRoutes: new Map([[IP, LINK]]) })).toEqual([])
  })

  test('that lead to another table than the plan of their pod go', () => {
    const stale = { ...FROM, table: 1009 }
    expect(ask({ rules: [TO, stale, FROM], endpoints: [ENDPOINT] })).toEqual([stale])
  })

  test.each<[string, Rule]>([
    ['another priority', { ...TO, priority: 600 }],
    ['a mark', { ...TO, mark: 1 }],
    ['an input device', { ...TO, inputDevice: parseLinkName('eth0') }],
    ['fields that are not understood', { ...TO, special: true }],
    ['a network instead of an address', { ...TO, destination: parseCidr('10.0.1.0/28') }],
    ['an address outside the vSwitches of the node', { ...TO, destination: parseCidr('192.168.0.1/32') }],
    ['both ends', { ...TO, source: hostCidr(IP) }],
    ['another table', { ...TO, table: 100 }],
  ])('with %s are somebody else’s', (_, foreign) => {
    expect(ask({ rules: [foreign] })).toEqual([])
  })
})

describe('a pod whose ENI has another link', () => {
  test('leaves by the new one', () => {
    const moved = rehomed(PLAN, 9)
    expect(moved?.rules).toEqual(PLAN.rules.map((one) => (one.priority === 2048 ? { ...one, table: 1009 } : one)))
    expect({ ...moved, rules: [] }).toEqual({ ...PLAN, rules: [] })
  })

  test('and one whose link is the same is left alone', () => {
    expect(rehomed(PLAN, 7)).toBeUndefined()
  })
})
