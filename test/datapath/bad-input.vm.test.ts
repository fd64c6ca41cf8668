/** The same for links that stand on an ENI, and what traffic control decides. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Attachment, EniFacts } from '../../daemon/datapath/attachment.ts'
import { planEni, planIpvlanEni } from '../../daemon/datapath/plan-eni.ts'
import { planHost } from '../../daemon/datapath/plan-host.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { writeSysctls } from '../../netlink/sysctl.ts'
import { ip, ipJson, run } from '../kernel/namespaces.ts'
import { cidrs, MEMBER } from './attachments.ts'
import { changes, nodeLines, podLines } from './kernel-lines.ts'
import { listOf, lost, NODE_IPS, NODE_LOCAL, OUTSIDE } from './node-network.ts'
import { NodeUnderTest, POD_A, POD_B } from './node-under-test.ts'
import { unanswered } from './reach.ts'
import { BOTH } from './scenario.ts'

let under: NodeUnderTest
/** Shared, or a trunk. */
let eni: EniFacts

beforeEach(() => {
  under = new NodeUnderTest('tw-bad-', BOTH)
  eni = under.network.addEni(1)
  for (const plan of [planHost(under.host), planEni(eni, under.host)]) under.kernel.apply(plan)
})
afterEach(() => under[Symbol.asyncDispose]())

const code = (code: string) => expect.objectContaining({ name: 'PlanError', code })

const member = (): EniFacts => ({ ...MEMBER, link: eni.link, ifindex: eni.ifindex, mark: eni.mark })
const ipvlan = (pod: Attachment): Attachment => ({ ...pod, datapath: 'ipvlan', eni })
const vlan = (pod: Attachment): Attachment => ({ ...pod, datapath: 'vlan', hostPeer: true, eni: member() })

/** What is on the router's side, and of the ENI, for the first pod. */
const MODES: readonly (readonly [string, (pod: Attachment) => Attachment, () => void])[] = [
  [
    'ipvlan',
    ipvlan,
    () => {
      under.network.assign(POD_A.addresses, eni)
      under.kernel.apply(planIpvlanEni(eni, under.host, []))
    },
  ],
  ['vlan', vlan, () => under.network.assign(POD_A.addresses, member(), under.network.addMember(eni, 11))],
]

function failure(plan: NetworkPlan): unknown {
  try {
    under.kernel.apply(plan)
  } catch (error) {
    return error
  }
  return undefined
}

describe.each(MODES)('%s', (_, attached, prepare) => {
  test('an MTU above that of the ENI, and an ENI that has vanished, are named and leave nothing', async () => {
    const large = under.plan('a', { ...attached(POD_A), mtu: 9000 })
    const plan = under.plan('a', attached(POD_A))
    const before = [nodeLines(under.network.node), podLines(under.pods.a)]
    expect(failure(large)).toEqual(code('mtu'))
    await under.kernel.remove(large)
    expect([nodeLines(under.network.node), podLines(under.pods.a)]).toEqual(before)

    ip(under.network.node, 'link', 'delete', 'eth1')
    expect(failure(plan)).toEqual(code('eni-gone'))
    await under.kernel.remove(plan)
    expect(podLines(under.pods.a)).toEqual(before[1])
  })

  test('Q1: a link with the name of the pod’s is replaced in the same call', () => {
    prepare()
    const stale = { ...attached(POD_A), indexes: { link: 3001, peer: 3002, shaper: 3003 } }
    const plan = under.plan('a', attached(POD_A))
    for (const one of [under.plan('a', stale), plan]) under.kernel.apply(one)
    under.network.settle()
    expect(under.kernel.verify(plan)).toEqual([])
    expect(unanswered(under.pods.a, OUTSIDE)).toEqual([])
  })

  test('`lo` down, IPv6 switched off and a name of 15 characters are fine', () => {
    prepare()
    const off = (link: string) => ({ key: ['net', 'ipv6', 'conf', link, 'disable_ipv6'], value: '1' })
    writeSysctls(under.pods.a, [off('all'), off('default')])
    writeSysctls(under.network.node, [off('default')])
    ip(under.pods.a, 'link', 'set', 'lo', 'down')
    const ifname = parseLinkName('interface-12345')
    const plan = under.plan('a', { ...attached(POD_A), ifname })
    under.kernel.apply(planHost(under.host))
    under.kernel.apply(plan)
    under.network.settle()
    expect(under.kernel.verify(plan)).toEqual([])
    expect(ipJson(under.pods.a, 'link', 'show', ifname)[0]).toMatchObject({ ifname, ifindex: 2001 })
    expect(unanswered(under.pods.a, ['127.0.0.1', '::1', ...listOf(POD_A.addresses), ...NODE_IPS, ...OUTSIDE])).toEqual(
      [],
    )
  })
})

test('a VLAN id that another pod has is named; that pod keeps it, and nothing is left of the try', async () => {
  under.network.assign(POD_B.addresses, member(), under.network.addMember(eni, 11))
  under.kernel.apply(under.plan('b', vlan(POD_B)))
  const before = under.lines()
  const plan = under.plan('a', vlan(POD_A))
  expect(failure(plan)).toEqual(code('vlan-taken'))
  await under.kernel.remove(plan)
  expect(under.lines()).toEqual(before)
  under.network.settle()
  expect(unanswered(under.pods.b, OUTSIDE)).toEqual([])
})

test('Q6: filters of services that are no more go when the new ones are made', async () => {
  const planOf = (...services: string[]) =>
    planIpvlanEni(eni, { ...under.host, serviceCidrs: cidrs(...services) }, cidrs(`${NODE_LOCAL[0]}/32`))
  const old = planOf('172.16.0.0/16', 'fd00:5::/112')
  const now = planOf('172.17.0.0/16', 'fd00:6::/112')
  const without = nodeLines(under.network.node)
  under.kernel.apply(now)
  const wanted = nodeLines(under.network.node)
  await under.kernel.remove(now)

  under.kernel.apply(old)
  await under.kernel.replace(old, now)
  expect(nodeLines(under.network.node)).toEqual(wanted)
  await under.kernel.remove(now)
  // Filters of others may hang on it.
  expect(changes(without, nodeLines(under.network.node))).toEqual(['node qdisc eth1 clsact'])
})

test('Q7: an IPVlan pod with a limit for one direction has that one, and is limited in no other', async () => {
  const rate = 12_500_000
  under.kernel.apply(planIpvlanEni(eni, under.host, []))
  const qdiscs = () => podLines(under.pods.a).filter((line) => line.startsWith('pod qdisc'))
  for (const [bandwidth, expected] of [
    [{ ingress: { rate } }, ['pod qdisc eth0 clsact', 'pod qdisc ifbeth0 tbf rate 12500000 burst 64Ki']],
    [{ egress: { rate } }, ['pod qdisc eth0 tbf rate 12500000 burst 64Ki']],
  ] as const) {
    const plan = under.plan('a', { ...ipvlan(POD_A), bandwidth })
    under.kernel.apply(plan)
    expect(qdiscs()).toEqual(expected)
    expect(under.kernel.verify(plan)).toEqual([])
    await under.kernel.remove(plan)
  }
})

/** Packets that have left by a class of the ENI's prio qdisc. */
function packetsOf(band: 1 | 2 | 3): number {
  const text = run(under.network.node, 'tc', '-s', 'class', 'show', 'dev', 'eth1')
  return Number(new RegExp(`class prio 1:${band} .*\\n.* (\\d+) pkt`).exec(text)?.[1])
}

/** Of one ping, more than the kernel sends for its own sake. */
const PACKETS = 100

test.each([
  [
    'policy-route',
    (pod: Attachment): Attachment => ({ ...pod, eni }),
    () => under.network.assign(POD_A.addresses, eni),
  ],
  ...MODES,
])('Q20: packets of both families, of IPv6 too, go by the class of the pod’s priority: %s', (_, attached, prepare) => {
  prepare()
  under.kernel.apply(under.plan('a', { ...attached(POD_A), priority: 'best-effort', bandwidth: {} }))
  under.network.settle()
  for (const address of OUTSIDE) {
    const before = packetsOf(3)
    expect(lost(under.pods.a, address)).toBe(0)
    run(under.pods.a, 'ping', '-q', '-c', `${PACKETS}`, '-i', '0.002', address)
    expect(packetsOf(3) - before).toBeGreaterThanOrEqual(PACKETS)
  }
})
