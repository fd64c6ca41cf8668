/** Rules of pods that no longer exist: pure, for the caller to remove. */
import { type Cidr, cidrContains, type Ipv4, splitCidr } from '../../inet/address.ts'
import { RT_TABLE_MAIN, type RuleSpec } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import { FROM_POD_PRIORITY, TO_POD_PRIORITY, tableOf } from '../datapath/policy-route.ts'
import type { Endpoint } from '../store/endpoint.ts'

export interface RuleQuestion {
  /** Those of the node. */
  readonly rules: readonly Rule[]
  readonly endpoints: readonly Endpoint[]
  /** Addresses that some pod's link carries, on record or not. */
  readonly podRoutes: ReadonlyMap<Ipv4, unknown>
  /** Of the ENIs of this node: rules about other addresses are somebody else's. */
  readonly cidrs: readonly Cidr[]
}

/**
 * An older `from` rule of the same priority wins over the one of the address's new pod and sends its packets to the
 * wrong ENI, where the VPC drops them; so a rule that is in nobody's plan must go.
 */
export function orphanRules({ rules, endpoints, podRoutes, cidrs }: RuleQuestion): Rule[] {
  const plans = new Map(
    endpoints.flatMap(({ ip, plan }) => (ip === undefined ? [] : [[ip, plan?.rules ?? []] as const])),
  )
  return rules.filter((rule) => {
    const ip = podOf(rule)
    if (ip === undefined || !cidrs.some((cidr) => cidrContains(cidr, ip))) return false
    const planned = plans.get(ip)
    return planned === undefined ? !podRoutes.has(ip) : !planned.some((spec) => isSame(spec, rule))
  })
}

/** The pod's address, when the rule is of the form that this datapath makes. */
function podOf(rule: Rule): Ipv4 | undefined {
  const { priority, source, destination, table } = rule
  const bare =
    !rule.special && rule.inputDevice === undefined && rule.outputDevice === undefined && rule.mark === undefined
  if (!bare) return undefined
  if (priority === TO_POD_PRIORITY && source === undefined && table === RT_TABLE_MAIN) return hostAddress(destination)
  if (priority === FROM_POD_PRIORITY && destination === undefined && table > tableOf(0)) return hostAddress(source)
  return undefined
}

function hostAddress(cidr: Cidr | undefined): Ipv4 | undefined {
  if (cidr === undefined) return undefined
  const { network, length } = splitCidr(cidr)
  return length === 32 ? (network as Ipv4) : undefined
}

function isSame(spec: RuleSpec, rule: Rule): boolean {
  const { netns, priority, source, destination, table } = spec
  const key = [priority, source, destination, table].join()
  return netns === 'host' && key === [rule.priority, rule.source, rule.destination, rule.table].join()
}
