/** Every datapath, with what it makes in the kernel written by hand. */
import type { Addresses, Attachment, EniFacts, NetworkPriority } from '../../daemon/datapath/attachment.ts'
import { planEni, planIpvlanEni, planTrunkTags } from '../../daemon/datapath/plan-eni.ts'
import { parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { ip } from '../kernel/namespaces.ts'
import { cidrs, MEMBER } from './attachments.ts'
import * as made from './expected-lines.ts'
import type { NodeNetwork } from './node-network.ts'
import { POD_A, POD_B } from './node-under-test.ts'
import type { Scenario } from './scenario.ts'

/** A further interface of the first pod. */
const NET1: Attachment = {
  ...{ ...POD_A, ifname: parseLinkName('net1'), hostLink: parseLinkName('cali0000000001a') },
  addresses: { ipv4: parseIpv4('10.0.1.22'), ipv6: parseIpv6('fd00:1::22') },
  ...{ indexes: { link: 2011, peer: 2012, shaper: 2013 }, defaultRoute: false, sourceRouting: true },
  ...{ extraRoutes: [], hostStackCidrs: [], bandwidth: {} },
}

const shared = (network: NodeNetwork): EniFacts => {
  const eni = network.addEni(1)
  for (const { addresses } of [POD_A, POD_B]) network.assign(addresses, eni)
  return eni
}

/** What stays of the node's part when there are no pods any more. */
const node = (policyRoute: 'map' | 'rules'): readonly made.Line[] => [
  ...made.FORWARDING,
  ...made.ENI_UP,
  ...(policyRoute === 'map' ? [...made.POD_RULE, ...made.ENI_LOOSE] : []),
]
/** Filters of others may hang on these. */
const CLSACT: readonly made.Line[] = [['46d', 'node qdisc eth1 clsact']]
const PRIO: readonly made.Line[] = [['46d', 'node qdisc eth1 prio']]

const INDEXES = { eth0: 2001, net1: 2011 } as const

const movedTo = (name: 'eth0' | 'net1', eni: 1 | 2): readonly made.Line[] => [
  ['46d', `- node link eth${eni}#1${eni} veth of #11${eni} 00:16:3e:00:00:0${eni} mtu 1500 down`],
  ['46d', `pod link ${name}#${INDEXES[name]} veth of #11${eni} 00:16:3e:00:00:0${eni} mtu 1500 up`],
]

const vlanLink = (name: 'eth0' | 'net1', vlanId: number): readonly made.Line[] => [
  ['46d', `pod link ${name}#${INDEXES[name]} vlan id ${vlanId} of #11 00:16:3e:00:01:${vlanId} mtu 1400 up`],
]

const policyRoute = (policyRoute: 'map' | 'rules'): Scenario => ({
  name: `policy-route, ${policyRoute}`,
  host: { policyRoute },
  set(network) {
    const eni = shared(network)
    return { a: [{ ...POD_A, eni }], b: [{ ...POD_B, eni }], enis: (host) => [planEni(eni, host)] }
  },
  otherEnds: [['node', 'cali0000000000a']],
  once: [...node(policyRoute), ...made.ENI_TABLE, ...(policyRoute === 'map' ? made.ENI_RULE : [])],
  pod: [...made.DEAF, ...made.VETH, ...made.VETH_ADDRESSES, ...(policyRoute === 'map' ? made.MAP : made.RULES)],
  kept: [...node(policyRoute)],
})

/** An ENI that is the pod's own. */
function own(network: NodeNetwork, number: 1 | 2 | 3, pod: Attachment): Attachment {
  const eni = network.addEni(number)
  network.assign(pod.addresses, eni)
  return { ...pod, datapath: 'exclusive', eni, mtu: 1500 }
}

const exclusive: Scenario = {
  name: 'exclusive',
  set(network) {
    const [a, b] = [own(network, 1, POD_A), own(network, 2, POD_B)]
    return { a: [{ ...a, hostPeer: true }], b: [{ ...b, hostPeer: true }], enis: () => [] }
  },
  otherEnds: [
    ['router', 'r1'],
    ['node', 'cali0000000000a'],
  ],
  once: [...made.FORWARDING, ...made.POD_RULE],
  pod: [...made.DEAF, ...movedTo('eth0', 1), ...made.withHostPeer(1500)],
  kept: [...made.FORWARDING, ...made.POD_RULE],
}

const exclusiveTwice: Scenario = {
  name: 'exclusive, two interfaces',
  set(network) {
    const [first, second, b] = [own(network, 1, POD_A), own(network, 2, NET1), own(network, 3, POD_B)]
    const a = [{ ...first, hostPeer: true, sourceRouting: true }, second]
    return { a, b: [{ ...b, hostPeer: true }], enis: () => [] }
  },
  otherEnds: [
    ['router', 'r1'],
    ['router', 'r2'],
    ['node', 'cali0000000000a'],
  ],
  once: [...made.FORWARDING, ...made.POD_RULE],
  pod: [...made.DEAF, ...movedTo('eth0', 1), ...movedTo('net1', 2), ...made.withHostPeer(1500), ...made.TWO_WAYS],
  kept: [...made.FORWARDING, ...made.POD_RULE],
}

const inPrefix = (pod: Attachment, addresses: Addresses): Attachment => {
  const { eni: _, ...rest } = pod
  return { ...rest, datapath: 'route', addresses }
}

const route: Scenario = {
  name: 'route',
  host: { podCidrs: cidrs('10.244.3.0/24', 'fd00:244:3::/64') },
  set(network) {
    ip(network.router, 'route', 'add', '10.244.3.0/24', 'via', '10.0.1.10', 'dev', 'r0')
    ip(network.router, 'route', 'add', 'fd00:244:3::/64', 'via', 'fd00:1::10', 'dev', 'r0')
    const a = { ipv4: parseIpv4('10.244.3.5'), ipv6: parseIpv6('fd00:244:3::5') }
    const b = { ipv4: parseIpv4('10.244.3.6'), ipv6: parseIpv6('fd00:244:3::6') }
    return { a: [inPrefix(POD_A, a)], b: [inPrefix(POD_B, b)], enis: () => [] }
  },
  otherEnds: [['node', 'cali0000000000a']],
  once: [...made.FORWARDING, ...made.PREFIXES],
  pod: [...made.DEAF, ...made.VETH, ...made.VETH_IN_PREFIX],
  kept: [...made.FORWARDING, ...made.PREFIXES],
}

const ipvlan: Scenario = {
  name: 'ipvlan',
  set(network) {
    const eni = shared(network)
    return {
      a: [{ ...POD_A, datapath: 'ipvlan', eni, priority: 'guaranteed' }],
      b: [{ ...POD_B, datapath: 'ipvlan', eni, priority: 'best-effort' }],
      enis: (host) => [planEni(eni, host), planIpvlanEni(eni, host, POD_A.hostStackCidrs)],
    }
  },
  otherEnds: [['router', 'r1']],
  once: [...node('map'), ...made.ENI_TABLE, ...made.ENI_RULE, ...made.IPVLAN_NODE],
  pod: [...made.DEAF, ...made.IPVLAN, ...made.FIRST_BAND],
  kept: [...node('map'), ...CLSACT, ...PRIO],
}

/** On the trunk, with a VLAN and a MAC address of its own. */
function member(network: NodeNetwork, trunk: EniFacts, vlanId: number, pod: Attachment): Attachment {
  const { link, ifindex, mark } = trunk
  const eni = { ...MEMBER, link, ifindex, mark, vlanId, mac: parseMac(`00:16:3e:00:01:${vlanId}`) }
  network.assign(pod.addresses, eni, network.addMember(trunk, vlanId))
  return { ...pod, eni }
}

const vlan: Scenario = {
  name: 'vlan',
  set(network) {
    const trunk = network.addEni(1)
    const [a, b] = [member(network, trunk, 11, POD_A), member(network, trunk, 12, POD_B)]
    const common = { datapath: 'vlan', hostPeer: true } as const
    return {
      a: [{ ...a, ...common, priority: 'guaranteed' }],
      b: [{ ...b, ...common, priority: 'best-effort' }],
      enis: (host) => [planEni(trunk, host)],
    }
  },
  otherEnds: [
    ['router', 'r1.11'],
    ['node', 'cali0000000000a'],
  ],
  once: [...node('map'), ...made.ENI_TABLE, ...made.ENI_RULE],
  pod: [...made.DEAF, ...vlanLink('eth0', 11), ...made.withHostPeer(1400), ...made.FIRST_BAND_TAGGED],
  kept: [...node('map'), ...PRIO],
}

const vlanTwice: Scenario = {
  name: 'vlan, two interfaces',
  set(network) {
    const trunk = network.addEni(1)
    const [first, b] = [member(network, trunk, 11, POD_A), member(network, trunk, 12, POD_B)]
    const second = member(network, trunk, 13, NET1)
    const common = { datapath: 'vlan', hostPeer: true } as const
    return {
      a: [
        { ...first, ...common, sourceRouting: true },
        { ...second, datapath: 'vlan' },
      ],
      b: [{ ...b, ...common }],
      enis: (host) => [planEni(trunk, host)],
    }
  },
  otherEnds: [
    ['router', 'r1.11'],
    ['router', 'r1.13'],
    ['node', 'cali0000000000a'],
  ],
  once: [...node('map'), ...made.ENI_TABLE, ...made.ENI_RULE],
  pod: [...made.DEAF, ...vlanLink('eth0', 11), ...vlanLink('net1', 13), ...made.withHostPeer(1400), ...made.TWO_WAYS],
  kept: [...node('map')],
}

const vlanTag = (policyRoute: 'map' | 'rules'): Scenario => ({
  name: `vlan-tag, ${policyRoute}`,
  host: { policyRoute },
  set(network) {
    const trunk = network.addEni(1)
    const [a, b] = [member(network, trunk, 11, POD_A), member(network, trunk, 12, POD_B)]
    return {
      a: [{ ...a, datapath: 'vlan-tag', priority: 'guaranteed' }],
      b: [{ ...b, datapath: 'vlan-tag', priority: 'best-effort' }],
      enis: (host) => [planEni(trunk, host), planTrunkTags(trunk)],
    }
  },
  otherEnds: [['node', 'cali0000000000a']],
  once: [...node(policyRoute), ...made.ENI_TABLE, ...(policyRoute === 'map' ? made.ENI_RULE : []), ...made.TRUNK_TAGS],
  pod: [
    ...made.DEAF,
    ...made.VETH,
    ...made.VETH_ADDRESSES,
    ...(policyRoute === 'map' ? made.MAP : made.RULES),
    ...made.TAGS,
    ...made.FIRST_BAND_TAGGED,
  ],
  kept: [...node(policyRoute), ...CLSACT, ...PRIO],
})

/** On a kernel with prio. */
const prioritised: Scenario = {
  ...policyRoute('map'),
  name: 'policy-route, map, with priorities',
  set(network) {
    const { a, b, enis } = policyRoute('map').set(network)
    const of = (pods: readonly Attachment[], priority: NetworkPriority) => pods.map((pod) => ({ ...pod, priority }))
    return { a: of(a, 'guaranteed'), b: of(b, 'best-effort'), enis }
  },
  pod: [...policyRoute('map').pod, ...made.FIRST_BAND],
  kept: [...policyRoute('map').kept, ...PRIO],
}

/** Those that every kernel carries out. */
export const PLAIN = [policyRoute('map'), policyRoute('rules'), exclusive, exclusiveTwice, route]
/** Those that need ipvlan, or 802.1Q and its actions. */
export const STOCK = [ipvlan, vlan, vlanTwice, vlanTag('map')]
/** Also on a stock kernel, in one form. */
export const STOCK_TOO = [vlanTag('rules'), prioritised, exclusive]
