/** The plans of this datapath in real namespaces, with packets; iproute2 is the independent reader. */
import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import { type Netns, openNetns } from '../../netlink/netns.ts'
import { hostLinkName } from './host-link-name.ts'
import { planEni, planHost, planPod } from './policy-route.ts'

const PREFIX = 'tw-dp'
const NODE = `${PREFIX}-node`
const ROUTER = `${PREFIX}-router`
const PODS = [`${PREFIX}-pod-a`, `${PREFIX}-pod-b`] as const
const GATEWAY = parseIpv4('10.9.0.253')
const NODE_IP = parseIpv4('10.9.1.10')
const IPS = [parseIpv4('10.9.0.5'), parseIpv4('10.9.0.6')] as const
const OUTSIDE = '203.0.113.7'

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' })
const inside = (netns: string, ...args: string[]): string => ip('netns', 'exec', netns, ...args)

/** Packets lost of three; ping ends with 1 when some are. */
function lost(netns: string, address: string): number {
  try {
    const text = inside(netns, 'ping', '-c3', '-i0.05', '-W1', '-n', address)
    return 3 - Number(/(\d) received/.exec(text)?.[1])
  } catch {
    return 3
  }
}

function removeNamespaces(): void {
  const names = ip('netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ')[0] || [])
  for (const name of names.filter((candidate) => candidate.startsWith(PREFIX))) ip('netns', 'delete', name)
}

/** A node whose ENI `eth1` leads to a router that knows the way back, and whose eth0 is elsewhere. */
function buildNode(): void {
  for (const name of [NODE, ROUTER, ...PODS]) ip('netns', 'add', name)
  ip('-n', NODE, 'link', 'set', 'lo', 'up')
  ip('-n', NODE, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'r1', 'netns', ROUTER)
  ip('-n', NODE, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'r0', 'netns', ROUTER)
  ip('-n', NODE, 'addr', 'add', `${NODE_IP}/24`, 'dev', 'eth0')
  ip('-n', NODE, 'link', 'set', 'eth0', 'up')
  for (const link of ['lo', 'r0', 'r1']) ip('-n', ROUTER, 'link', 'set', link, 'up')
  ip('-n', ROUTER, 'addr', 'add', `${GATEWAY}/32`, 'dev', 'r1')
  ip('-n', ROUTER, 'addr', 'add', `${OUTSIDE}/32`, 'dev', 'lo')
  const [{ address: mac }] = JSON.parse(ip('-j', '-n', NODE, 'link', 'show', 'eth1')) as [{ address: string }]
  for (const address of IPS) {
    ip('-n', ROUTER, 'route', 'add', `${address}/32`, 'dev', 'r1')
    ip('-n', ROUTER, 'neigh', 'add', address, 'lladdr', mac, 'dev', 'r1', 'nud', 'permanent')
  }
}

/** Everything of the node and its pods that a plan may touch, as text. */
function snapshot(): string {
  const views = [
    ['-o', 'link'],
    ['-4', 'rule'],
    ['-4', 'route', 'show', 'table', 'all'],
    ['neigh', 'show', 'nud', 'permanent'],
  ]
  const text = [NODE, ...PODS].flatMap((netns) => views.map((view) => ip('-n', netns, ...view)))
  // The state of the ENI itself stays: it is the cloud's to remove.
  return text.join('\n').replaceAll(/^.*\beth1\b.*$/gm, '')
}

describe('shared ENI with policy routes', () => {
  let node: Netns
  let kernel: PlanInterpreter

  beforeEach(() => {
    removeNamespaces()
    buildNode()
    node = openNetns(`/run/netns/${NODE}`)
    kernel = new PlanInterpreter({ hostNetns: node })
  })

  afterEach(async () => {
    await kernel.close()
    node.close()
    removeNamespaces()
  })

  const eniIfindex = () =>
    (JSON.parse(ip('-j', '-n', NODE, 'link', 'show', 'eth1')) as [{ ifindex: number }])[0].ifindex
  const eniPlan = () =>
    planEni({ link: parseLinkName('eth1'), ifindex: eniIfindex(), gateway: GATEWAY, nodeIp: NODE_IP, mtu: 1500 })
  const podPlan = (which: 0 | 1, ifname = 'eth0', address = IPS[which]) =>
    planPod({
      containerId: `container-${which}`,
      ifname: parseLinkName(ifname),
      netns: `/run/netns/${PODS[which]}`,
      hostLink: hostLinkName('default', PODS[which], parseLinkName(ifname)),
      ifindex: 1_000_000 + 2 * which + (ifname === 'eth0' ? 0 : 1),
      ip: address,
      mtu: 1400,
      eniIfindex: eniIfindex(),
      defaultRoute: ifname === 'eth0',
    })

  test('pods reach the world, each other and the node, and are reached; nothing is left of them', async () => {
    kernel.apply(planHost())
    kernel.apply(eniPlan())
    for (const pod of PODS) ip('-n', pod, 'link', 'set', 'lo', 'up')
    const before = snapshot()
    const plans = [podPlan(0), podPlan(1)]
    for (const plan of plans) kernel.apply(plan)

    expect(lost(PODS[0], OUTSIDE)).toBe(0)
    expect(lost(PODS[0], IPS[1])).toBe(0)
    expect(lost(PODS[0], NODE_IP)).toBe(0)
    expect(lost(NODE, IPS[0])).toBe(0)
    expect(lost(ROUTER, IPS[1])).toBe(0)
    const links = JSON.parse(inside(PODS[0], 'ip', '-j', 'link')) as { ifname: string; mtu: number }[]
    expect(links.find((link) => link.ifname === 'eth0')?.mtu).toBe(1400)
    expect(ip('-n', NODE, 'rule')).toContain(`512:\tfrom all to ${IPS[0]} lookup main`)
    expect(ip('-n', NODE, 'rule')).toContain(`2048:\tfrom ${IPS[0]} lookup ${1000 + eniIfindex()}`)
    expect(kernel.verifyAll([planHost(), eniPlan(), ...plans]).flat()).toEqual([])

    await Promise.all(plans.map((plan) => kernel.remove(plan)))
    expect(snapshot()).toBe(before)
  })

  test('without its ENI plan a pod has no way out, so the way above was the ENI table', () => {
    kernel.apply(planHost())
    kernel.apply(podPlan(0))
    expect(lost(PODS[0], OUTSIDE)).toBe(3)
  })

  test('a further interface answers from its own address while the first keeps the default route', () => {
    kernel.apply(planHost())
    kernel.apply(eniPlan())
    kernel.apply(podPlan(0))
    kernel.apply(podPlan(0, 'eth1', IPS[1]))
    expect(lost(ROUTER, IPS[0])).toBe(0)
    expect(lost(ROUTER, IPS[1])).toBe(0)
    expect(inside(PODS[0], 'ip', 'route', 'show', 'default')).toMatch(/dev eth0/)
    expect(lost(PODS[0], '127.0.0.1')).toBe(0)
    expect(inside(PODS[0], 'ping', '-c1', '-W1', '-I', IPS[1], OUTSIDE)).toContain('1 received')
  })
})
