/** What the node needs once: it forwards for its pods, and its tables are large enough for them. */
import {
  type NetworkPlan,
  networkPlan,
  type RouteSpec,
  RT_TABLE_MAIN,
  type RuleSpec,
  type SysctlSpec,
} from '../../netlink/plan.ts'
import type { HostFacts } from './attachment.ts'
import { LOOPBACK, LOOPBACK_INDEX, POD_TABLE, TO_POD_PRIORITY } from './constants.ts'

/**
 * Neighbours of all namespaces of the node are in one table for each family (net/core/neighbour.c). A pod has its own
 * and the node's permanent entry, the gateway, and with IPVlan its peers in the vSwitch: 2,000 pods with four each never
 * wait for a collection (gc_thresh1), and twice and four times as many bound it.
 */
const NEIGHBOURS = { gc_thresh1: 8192, gc_thresh2: 16_384, gc_thresh3: 32_768 } as const

/** Connections that the node follows, as operators' check lists ask for; at 320 bytes each when all of them exist. */
const CONNECTIONS = 1_000_000

const host = (key: readonly string[], value: string | number): SysctlSpec => ({
  ...{ netns: 'host', key: ['net', ...key], value: String(value) },
})

/** More is as good; and only the node's first namespace may write it, or its module may not be loaded. */
const atLeast = (key: readonly string[], value: number): SysctlSpec => ({
  ...{ ...host(key, value), want: 'at-least', optional: true },
})

function ipv6Sysctls({ primaryLink, acceptsRouterAdvertisements = false }: HostFacts): SysctlSpec[] {
  return [
    // Before the next: a router takes no advertisements unless this is 2, and forgets the default routes it has of them.
    ...(acceptsRouterAdvertisements ? [host(['ipv6', 'conf', primaryLink, 'accept_ra'], 2)] : []),
    host(['ipv6', 'conf', 'all', 'forwarding'], 1),
    // Links of pods are born with it.
    host(['ipv6', 'conf', 'default', 'disable_ipv6'], 0),
  ]
}

function sysctls(facts: HostFacts): SysctlSpec[] {
  return [
    ...(facts.families.includes('ipv4') ? [host(['ipv4', 'ip_forward'], 1)] : []),
    ...(facts.families.includes('ipv6') ? ipv6Sysctls(facts) : []),
    ...facts.families.flatMap((family) =>
      Object.entries(NEIGHBOURS).map(([name, value]) => atLeast([family, 'neigh', 'default', name], value)),
    ),
    atLeast(['netfilter', 'nf_conntrack_max'], CONNECTIONS),
  ]
}

/** `fib_default_rules_init` of net/ipv4/fib_rules.c and `fib6_rules_net_init`: the kernel's own, which a flush takes too. */
const MAIN_PRIORITY = 0x7ffe

/**
 * Without the kernel's look into the main table the node has lost its own way out, and with it the pods what loose
 * reverse path filtering goes by. No ENI of pods, nor rules for them, in VPC route mode.
 */
function rules({ families, policyRoute, podCidrs }: HostFacts): RuleSpec[] {
  const toPods: RuleSpec[] = families.map((family) => ({
    ...{ netns: 'host', family, priority: TO_POD_PRIORITY, table: POD_TABLE },
  }))
  const toMain: RuleSpec[] = families.map((family) => ({
    ...{ netns: 'host', family, priority: MAIN_PRIORITY, table: RT_TABLE_MAIN, protocol: 'kernel' },
  }))
  return policyRoute === 'rules' || podCidrs.length > 0 ? toMain : [...toPods, ...toMain]
}

/** The VPC sends the whole prefix here: what nobody has would go back to it by the default route, and come again. */
function ownPrefixes({ podCidrs }: HostFacts): RouteSpec[] {
  const device = { netns: 'host', name: LOOPBACK, ifindex: LOOPBACK_INDEX } as const
  return podCidrs.map((destination) => ({
    ...{ device, destination, table: RT_TABLE_MAIN, scope: 'global', type: 'blackhole' },
  }))
}

/** `rp_filter` of pods' links is left alone: their addresses are behind them in either form, so a strict one fits. */
export function planHost(facts: HostFacts): NetworkPlan {
  return networkPlan({ sysctls: sysctls(facts), routes: ownPrefixes(facts), rules: rules(facts) })
}
