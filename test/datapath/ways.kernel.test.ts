/** Which way packets take, in real namespaces, and what a node or a pod may have been set to before. */
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Attachment, EniFacts } from '../../daemon/datapath/attachment.ts'
import { planEni } from '../../daemon/datapath/plan-eni.ts'
import { planHost } from '../../daemon/datapath/plan-host.ts'
import { parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { writeSysctls } from '../../netlink/sysctl.ts'
import { until } from '../cluster/process.ts'
import { ip, ipBatch, ipJson, run } from '../kernel/namespaces.ts'
import { changes, podLines } from './kernel-lines.ts'
import { listOf, lost, NODE_IPS, OUTSIDE, SERVICES } from './node-network.ts'
import { NodeUnderTest, POD_A, POD_B } from './node-under-test.ts'
import { unanswered } from './reach.ts'
import { advertise } from './router-advertisement.ts'
import { BOTH } from './scenario.ts'

let under: NodeUnderTest
afterEach(() => under[Symbol.asyncDispose]())

/** A node whose ENI is `eth1`, where the router sends what is for both pods. */
function prepare(host: ConstructorParameters<typeof NodeUnderTest>[2] = {}): EniFacts {
  under = new NodeUnderTest('tw-way-', BOTH, host)
  const eni = under.network.addEni(1)
  for (const { addresses } of [POD_A, POD_B]) under.network.assign(addresses, eni)
  return eni
}

/** The node and its ENI, and these interfaces of the first pod. */
function apply(eni: EniFacts, ...attachments: readonly Attachment[]): void {
  for (const plan of [planHost(under.host), planEni(eni, under.host), under.plan('a', ...attachments)]) {
    under.kernel.apply(plan)
  }
  under.network.settle()
}

const set = (name: string, value: string) => ({ key: ['net', ...name.split('.')], value })

describe.each(['map', 'rules'] as const)('policy-route, %s', (policyRoute) => {
  test('the way out is the ENI: without it there is none', () => {
    const eni = prepare({ policyRoute })
    apply(eni, { ...POD_A, eni })
    ip(under.network.node, 'link', 'set', 'eth1', 'down')
    expect(OUTSIDE.filter((address) => lost(under.pods.a, address) === 0)).toEqual([])
  })

  test('a further interface answers from its own address while the first keeps the default route', () => {
    const eni = prepare({ policyRoute })
    const ifname = parseLinkName('eth1')
    const further = { ...POD_B, ...{ eni, ifname, containerId: 'c1', defaultRoute: false, sourceRouting: true } }
    apply(eni, { ...POD_A, eni }, further)
    expect(unanswered(under.network.router, [...listOf(POD_A.addresses), ...listOf(POD_B.addresses)])).toEqual([])
    expect(ip(under.pods.a, 'route', 'show', 'default')).toMatch(/dev eth0/)
    for (const [index, address] of listOf(POD_B.addresses).entries()) {
      const outside = OUTSIDE[index] ?? ''
      expect(ip(under.pods.a, 'route', 'get', outside, 'from', address)).toMatch(/dev eth1/)
      expect(lost(under.pods.a, outside, '-I', address)).toBe(0)
      expect(lost(under.pods.a, outside, '-I', 'eth1')).toBe(0)
    }
  })
})

describe('whatever reverse path filters there were', () => {
  const lostToPod = () => lost(under.network.router, POD_A.addresses.ipv4 ?? '')

  test.each(['0', '1', '2'].flatMap((all) => ['0', '1', '2'].map((link) => [all, link] as const)))(
    'all %s, ENI %s: packets come back',
    (all, link) => {
      const eni = prepare()
      const sysctls = [set('ipv4.conf.all.rp_filter', all), set('ipv4.conf.default.rp_filter', all)]
      writeSysctls(under.network.node, [...sysctls, set('ipv4.conf.eth1.rp_filter', link)])
      apply(eni, { ...POD_A, eni })
      expect(lostToPod()).toBe(0)
      expect(unanswered(under.pods.a, OUTSIDE)).toEqual([])
    },
  )

  test('and a strict one drops them, so it matters', () => {
    const eni = prepare()
    apply(eni, { ...POD_A, eni })
    writeSysctls(under.network.node, [set('ipv4.conf.eth1.rp_filter', '1')])
    expect(lostToPod()).toBe(3)
  })
})

test('an advertisement that nobody believes is one that counts where it is believed', async () => {
  const eni = prepare()
  apply(eni, { ...POD_A, eni })
  const before = podLines(under.pods.a)
  writeSysctls(under.pods.a, [set('ipv6.conf.eth0.accept_ra', '1')])
  const hasAddress = () => {
    advertise(under.network.node, POD_A.hostLink)
    return ip(under.pods.a, 'address').includes('2001:db8:bad:1:') || undefined
  }
  await until(hasAddress, { what: 'an address of the advertised prefix' })
  expect(changes(before, podLines(under.pods.a))).toContainEqual(expect.stringContaining('proto ra'))
})

const EXCLUSIVE: Partial<Attachment> = { datapath: 'exclusive', hostPeer: true, mtu: 1500 }

test('Q14: the kernel hears no router advertisements on the second veth, and has IPv6 there', () => {
  const eni = prepare()
  run(under.pods.a, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1', 'net.ipv6.conf.all.disable_ipv6=1')
  under.kernel.apply(planHost(under.host))
  under.kernel.apply(under.plan('a', { ...POD_A, ...EXCLUSIVE, eni }))
  for (const link of ['eth0', 'veth1']) {
    const names = [`net.ipv6.conf.${link}.accept_ra`, `net.ipv6.conf.${link}.disable_ipv6`]
    expect(run(under.pods.a, 'sysctl', '-n', ...names)).toBe('0\n0\n')
  }
  under.network.settle()
  expect(unanswered(under.pods.a, [...NODE_IPS, ...OUTSIDE])).toEqual([])
})

test('a pod on the node goes through the VPC to one with an ENI of its own, as its security groups ask', () => {
  const eni = prepare()
  const own = under.network.addEni(2)
  const addresses = { ipv4: parseIpv4('10.0.1.30'), ipv6: parseIpv6('fd00:1::30') }
  under.network.assign(addresses, own)
  under.kernel.apply(under.plan('b', { ...POD_B, ...EXCLUSIVE, eni: own, addresses }))
  apply(eni, { ...POD_A, eni })
  const peerBytes = () => Number(/RX:.*\n\s+(\d+)/.exec(ip(under.pods.b, '-s', 'link', 'show', 'veth1'))?.[1])
  const before = peerBytes()
  for (const address of listOf(addresses)) expect(lost(under.pods.a, address, '-s', '1200')).toBe(0)
  // Fewer than one of the pings: the kernel itself sends a few small packets on a new link.
  expect(peerBytes() - before).toBeLessThan(1200)
})

describe.each([
  ['policy-route', POD_A],
  ['exclusive', { ...POD_A, ...EXCLUSIVE }],
] as const)('%s', (_, pod) => {
  test('where a runtime has switched IPv6 off, and the node for new links, it is on', () => {
    const eni = prepare()
    for (const netns of [under.network.node, under.pods.a]) {
      writeSysctls(netns, [set('ipv6.conf.default.disable_ipv6', '1')])
    }
    writeSysctls(under.pods.a, [set('ipv6.conf.all.disable_ipv6', '1')])
    under.kernel.apply(planHost(under.host))
    under.kernel.apply(under.plan('a', { ...pod, eni }))
    if (pod.datapath === 'policy-route') under.kernel.apply(planEni(eni, under.host))
    under.network.settle()
    expect(unanswered(under.pods.a, [...OUTSIDE, ...NODE_IPS, ...SERVICES, '::1'])).toEqual([])
  })

  test('a pod without an IPv6 address leaves IPv6 as it found it: off', () => {
    const eni = prepare()
    writeSysctls(under.pods.a, [set('ipv6.conf.all.disable_ipv6', '1'), set('ipv6.conf.default.disable_ipv6', '1')])
    const { ipv4 } = pod.addresses
    const attachment = { ...pod, eni, addresses: ipv4 === undefined ? {} : { ipv4 }, extraRoutes: [] }
    under.kernel.apply(under.plan('a', attachment))
    expect(run(under.pods.a, 'sysctl', '-n', 'net.ipv6.conf.eth0.disable_ipv6')).toBe('1\n')
    expect(ip(under.pods.a, '-6', 'address')).toBe('')
  })

  test('`lo` comes up where a runtime has left it down, and 15 characters are a name', () => {
    const eni = prepare()
    const ifname = parseLinkName('interface-12345')
    ip(under.pods.a, 'link', 'set', 'lo', 'down')
    const plan = under.plan('a', { ...pod, eni, ifname })
    if (pod.datapath === 'policy-route') under.kernel.apply(planEni(eni, under.host))
    under.kernel.apply(planHost(under.host))
    under.kernel.apply(plan)
    under.network.settle()
    expect(under.kernel.verify(plan)).toEqual([])
    expect(ipJson(under.pods.a, 'link', 'show', ifname)[0]).toMatchObject({ ifname, ifindex: 2001 })
    expect(unanswered(under.pods.a, ['127.0.0.1', ...listOf(pod.addresses), ...OUTSIDE])).toEqual([])
  })
})

test('Q21: rules are looked up in each family, however many there are of others', async () => {
  const eni = prepare({ policyRoute: 'rules' })
  const numbers = Array.from({ length: 500 }, (_, index) => index + 1)
  for (const [family, ofNumber] of [
    ['-4', (number: number) => `10.9.${number >> 8}.${number & 255}`],
    ['-6', (number: number) => `fd09::${number}`],
  ] as const) {
    const rulesOf = (address: string) => [
      `rule add to ${address} priority 512 lookup main`,
      `rule add from ${address} priority 2048 lookup 1099`,
    ]
    ipBatch(under.network.node, numbers.map(ofNumber).flatMap(rulesOf), family)
  }
  const count = () => ['-4', '-6'].map((family) => ip(under.network.node, family, 'rule').split('\n').length)
  const before = count()
  expect(Math.min(...before)).toBeGreaterThan(1000)
  apply(eni, { ...POD_A, eni })
  const plan = under.plan('a', { ...POD_A, eni })
  expect(under.kernel.verify(plan)).toEqual([])
  expect(count()).toEqual(before.map((rules) => rules + 2))
  await under.kernel.remove(plan)
  expect(count()).toEqual(before)
})
