/** What the node's kernel still has of pods and ENIs that are gone, or of how they were connected before. Pure. */
import { bitsOf, type Cidr, familyOf, type Ip, splitCidr } from '../../inet/address.ts'
import { type NetworkPlan, RT_TABLE_MAIN, type RuleSpec, type SourceMarkSpec } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import { FROM_POD_PRIORITY, POD_TABLE, TO_POD_PRIORITY, tableOf } from '../datapath/constants.ts'
import { linkMarkOf } from '../datapath/marks.ts'
import { addressesOf, type Endpoint, plansOf } from '../store/endpoint.ts'

export interface RuleQuestion {
  /** Those of the node. */
  readonly rules: readonly Rule[]
  readonly endpoints: readonly Endpoint[]
  /** Of the node and its ENIs. */
  readonly nodePlans: readonly NetworkPlan[]
  /** Addresses that some pod's link carries, on record or not. */
  readonly podRoutes: ReadonlyMap<Ip, unknown>
  /** See EniDirectory. */
  readonly isOfPods: (ip: Ip) => boolean
  /** Indexes of the node's links. */
  readonly links: ReadonlySet<number>
}

/**
 * An older `from` rule of the same priority wins over the one of the address's new pod and sends its packets to the
 * wrong ENI, where the VPC drops them; so a rule that is in nobody's plan must go. What all pods share stays as long as
 * one of them is connected by it, whatever the node is configured to now. A rule about an address that no pod can have,
 * or into the table of a link that is no ENI's, is somebody else's.
 */
export function orphanRules(question: RuleQuestion): Rule[] {
  const { rules, endpoints, nodePlans, podRoutes, isOfPods } = question
  const byIp = new Map(endpoints.flatMap((one) => addressesOf(one).map((ip) => [ip, rulesOf(plansOf(one))] as const)))
  const shared = new Set(rulesOf(nodePlans))
  const used = usedByPods(endpoints)
  return rules.filter((rule) => {
    const ip = podOf(rule)
    if (ip !== undefined) {
      const planned = byIp.get(ip)
      if ((planned === undefined && !isOfPods(ip)) || !isTableOfPods(rule, question)) return false
      return planned === undefined ? !podRoutes.has(ip) : !planned.has(keyOf(rule))
    }
    if (shared.has(keyOf(rule))) return false
    const mark = linkMarkOf(rule)?.mark
    return mark === undefined ? isOfPodTable(rule) && !used.podTable : !used.marks.has(mark)
  })
}

/** Marks of sources that no pod has. */
export function orphanMarks(
  marks: ReadonlyMap<Ip, number>,
  { endpoints, podRoutes }: Pick<RuleQuestion, 'endpoints' | 'podRoutes'>,
): SourceMarkSpec[] {
  const owned = new Set(
    endpoints.flatMap((one) => plansOf(one).flatMap((plan) => plan.marks.map(({ source }) => source))),
  )
  return [...marks].flatMap(([source, mark]) =>
    owned.has(source) || podRoutes.has(source) ? [] : [{ netns: 'host', source, mark } as const],
  )
}

interface Used {
  readonly podTable: boolean
  readonly marks: ReadonlySet<number>
}

function usedByPods(endpoints: readonly Endpoint[]): Used {
  const plans = endpoints.flatMap(plansOf)
  return {
    podTable: plans.some(({ routes }) =>
      routes.some(({ table, device }) => table === POD_TABLE && device.netns === 'host'),
    ),
    marks: new Set(plans.flatMap(({ marks }) => marks.map(({ mark }) => mark))),
  }
}

/** The pod's address, when the rule is of the form that pods have of their own. */
function podOf(rule: Rule): Ip | undefined {
  const { priority, source, destination, table } = rule
  if (!isBare(rule)) return undefined
  if (priority === TO_POD_PRIORITY && source === undefined && table === RT_TABLE_MAIN) return hostAddress(destination)
  if (priority === FROM_POD_PRIORITY && destination === undefined && table > tableOf(0)) return hostAddress(source)
  return undefined
}

/** Of an ENI, or of a link that is gone: then it was one's, and has no routes any more. */
function isTableOfPods({ table }: Rule, { nodePlans, links }: RuleQuestion): boolean {
  const ifindex = table - tableOf(0)
  const isOfEni = nodePlans.some((plan) => plan.links.some((link) => link.ifindex === ifindex))
  return table === RT_TABLE_MAIN || isOfEni || !links.has(ifindex)
}

function isOfPodTable(rule: Rule): boolean {
  const { priority, source, destination, table } = rule
  return (
    isBare(rule) &&
    priority === TO_POD_PRIORITY &&
    source === undefined &&
    destination === undefined &&
    table === POD_TABLE
  )
}

function isBare({ special, inputDevice, outputDevice, mark }: Rule): boolean {
  return !special && inputDevice === undefined && outputDevice === undefined && mark === undefined
}

function hostAddress(cidr: Cidr | undefined): Ip | undefined {
  if (cidr === undefined) return undefined
  const { network, length } = splitCidr(cidr)
  return length === bitsOf(familyOf(network)) ? network : undefined
}

function rulesOf(plans: readonly NetworkPlan[]): Set<string> {
  const specs = plans.flatMap(({ rules }) => rules.filter(({ netns }) => netns === 'host'))
  return new Set(specs.map(keyOf))
}

function keyOf(rule: Pick<RuleSpec, 'family' | 'priority' | 'source' | 'destination' | 'mark' | 'table'>): string {
  const { family, priority, source, destination, mark, table } = rule
  return [family, priority, source, destination, mark?.value, mark?.mask, table].join()
}
