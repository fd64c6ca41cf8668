/**
 * A datapath from nothing to nothing: what the node needs for it, a pod beside which there is another one, what came of
 * it in the kernel object by object, who reaches whom, and what is left when it has gone.
 */
import { expect } from '@jest/globals'
import type { Attachment, HostFacts } from '../../daemon/datapath/attachment.ts'
import { planHost } from '../../daemon/datapath/plan-host.ts'
import { joinPlans, type NetworkPlan } from '../../netlink/plan.ts'
import { until } from '../cluster/process.ts'
import { ENI } from './attachments.ts'
import { DEAF, type Line } from './expected-lines.ts'
import { changes, nodeLines } from './kernel-lines.ts'
import { listOf, NODE_IPS, NODE_LOCAL, type NodeNetwork, OUTSIDE, SERVICES } from './node-network.ts'
import { type Families, NodeUnderTest } from './node-under-test.ts'
import { unanswered } from './reach.ts'
import { advertise, advertisementsIn } from './router-advertisement.ts'

interface Pods {
  readonly a: readonly Attachment[]
  readonly b: readonly Attachment[]
}

export interface Scenario {
  readonly name: string
  readonly host?: Partial<HostFacts>
  /** Makes ENIs and whatever else is in the VPC, and says what is to be. */
  set(network: NodeNetwork): Pods & {
    /** Made once for each ENI that stays on the node. */
    enis(host: HostFacts): readonly NetworkPlan[]
  }
  /** Other ends of the first pod's links, each in its namespace. */
  readonly otherEnds: readonly (readonly ['node' | 'router', link: string])[]
  /** What the node has before the first pod. */
  readonly once: readonly Line[]
  /** What the first pod brings. */
  readonly pod: readonly Line[]
  /** What the node keeps. */
  readonly kept: readonly Line[]
}

export const BOTH: Families = ['ipv4', 'ipv6']

export const FAMILIES: readonly (readonly [name: string, families: Families])[] = [
  ['IPv4', ['ipv4']],
  ['IPv6', ['ipv6']],
  ['both families', BOTH],
]

function written(lines: readonly Line[], families: Families): string[] {
  const letter = families.length === 2 ? 'd' : families[0] === 'ipv4' ? '4' : '6'
  return lines.flatMap(([letters, text]) => (letters.includes(letter) ? [text] : [])).sort()
}

export async function play(scenario: Scenario, families: Families): Promise<void> {
  await using under = new NodeUnderTest('tw-way-', families, scenario.host)
  const { network, kernel, host } = under
  const { enis, ...pods } = scenario.set(network)
  const empty = nodeLines(network.node)
  const shared = joinPlans(enis(host))
  for (const plan of [planHost(host), shared]) kernel.apply(plan)
  network.settle()
  expect(changes(empty, nodeLines(network.node))).toEqual(written(scenario.once, families))

  await comeAndGo(under, { scenario, pods, families })
  await kernel.remove(shared)
  expect(changes(empty, nodeLines(network.node))).toEqual(written(scenario.kept, families))
}

interface Visit {
  readonly scenario: Scenario
  readonly pods: Pods
  readonly families: Families
}

async function comeAndGo(under: NodeUnderTest, { scenario, pods, families }: Visit): Promise<void> {
  const { network, kernel } = under
  const plans = { a: under.plan('a', ...pods.a), b: under.plan('b', ...pods.b) }
  kernel.apply(plans.b)
  const before = under.lines()
  // The second time it is over what is there, as when an ADD is tried again.
  for (const plan of [plans.a, plans.a]) kernel.apply(plan)
  network.settle()
  await advertiseToPod(under, scenario)
  expect(changes(before, under.lines())).toEqual(written(scenario.pod, families))
  expect(kernel.verifyAll([plans.a, plans.b]).flat()).toEqual([])
  expectReach(under, pods)

  await kernel.remove(plans.a)
  expect(changes(before, under.lines())).toEqual(written(DEAF, families))
  expect(unanswered(network.router, under.addresses(...pods.b))).toEqual([])
  await kernel.remove(plans.b)
}

/** By each of the pod's links somebody says to be a router. */
async function advertiseToPod({ network, pods }: NodeUnderTest, { otherEnds }: Scenario): Promise<void> {
  for (const [netns, link] of otherEnds) {
    const before = advertisementsIn(pods.a)
    const hasArrived = () => {
      advertise(network[netns], link)
      return advertisementsIn(pods.a) > before || undefined
    }
    await until(hasArrived, { what: `a router advertisement from ${link} in the pod` })
  }
}

/** The node reaches a pod by its first interface; the VPC's router, which all others pass, by each. */
function expectReach(under: NodeUnderTest, { a, b }: Pods): void {
  const { network, pods } = under
  const exactly = under.among(OUTSIDE).map((to) => ({ to, size: a[0]?.mtu ?? 0 }))
  const near = under.among([...listOf(ENI.gateways), ...NODE_IPS, ...SERVICES, ...NODE_LOCAL])
  expect(unanswered(pods.a, [...exactly, ...near, ...under.addresses(...b)])).toEqual([])
  expect(unanswered(network.node, under.addresses(...a.slice(0, 1), ...b))).toEqual([])
  expect(unanswered(network.router, under.addresses(...a, ...b))).toEqual([])
}
