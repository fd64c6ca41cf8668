/** A node with two pods whose interfaces are as the attachments say, and a kernel that carries their plans out. */

import type { Attachment, HostFacts } from '../../daemon/datapath/attachment.ts'
import { planPods } from '../../daemon/datapath/plan-pod.ts'
import { type Family, familyOf, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { cidrs, POD } from './attachments.ts'
import { nodeLines, podLines } from './kernel-lines.ts'
import { listOf, NODE, NODE_LOCAL, NodeNetwork } from './node-network.ts'

export type Families = readonly Family[]

const ADDRESSES = {
  a: { ipv4: parseIpv4('10.0.1.20'), ipv6: parseIpv6('fd00:1::20') },
  b: { ipv4: parseIpv4('10.0.1.21'), ipv6: parseIpv6('fd00:1::21') },
} as const

/** All that an interface can have. */
export const POD_A: Attachment = {
  ...{ ...POD, addresses: ADDRESSES.a, hostLink: parseLinkName('cali0000000000a') },
  indexes: { link: 2001, peer: 2002, shaper: 2003 },
  extraRoutes: cidrs('198.51.100.0/24', '2001:db8:9::/48'),
  hostStackCidrs: cidrs(`${NODE_LOCAL[0]}/32`, `${NODE_LOCAL[1]}/128`),
  bandwidth: { ingress: { rate: 12_500_000 }, egress: { rate: 125_000_000 } },
}

export const POD_B: Attachment = {
  ...{ ...POD, containerId: 'c2', addresses: ADDRESSES.b, hostLink: parseLinkName('cali0000000000b') },
  indexes: { link: 2101, peer: 2102, shaper: 2103 },
}

function limitedTo(families: Families, attachment: Attachment): Attachment {
  const { ipv4, ipv6 } = attachment.addresses
  const has = (family: Family) => families.includes(family)
  return {
    ...attachment,
    addresses: {
      ...(ipv4 !== undefined && has('ipv4') ? { ipv4 } : {}),
      ...(ipv6 !== undefined && has('ipv6') ? { ipv6 } : {}),
    },
    extraRoutes: attachment.extraRoutes.filter((cidr) => has(familyOf(cidr))),
  }
}

export class NodeUnderTest implements AsyncDisposable {
  readonly #families: Families
  readonly network: NodeNetwork
  readonly pods: { readonly a: Netns; readonly b: Netns }
  readonly host: HostFacts
  readonly kernel: PlanInterpreter

  constructor(prefix: string, families: Families, host: Partial<HostFacts> = {}) {
    this.#families = families
    this.network = new NodeNetwork(prefix)
    this.pods = { a: this.network.pod('pod-a'), b: this.network.pod('pod-b') }
    const podCidrs = (host.podCidrs ?? []).filter((cidr) => families.includes(familyOf(cidr)))
    this.host = { ...NODE, families, ...host, podCidrs }
    this.kernel = new PlanInterpreter({ hostNetns: this.network.node })
  }

  /** What must exist for the interfaces of a pod. */
  plan(pod: 'a' | 'b', ...attachments: readonly Attachment[]): NetworkPlan {
    const { path } = this.pods[pod]
    const own = attachments.map((attachment) => limitedTo(this.#families, { ...attachment, netns: path }))
    return planPods(own, this.host)
  }

  /** Of these those that the test is about. */
  among(addresses: readonly string[]): string[] {
    return addresses.filter((address) => this.#families.includes(address.includes(':') ? 'ipv6' : 'ipv4'))
  }

  addresses(...attachments: readonly Attachment[]): string[] {
    return this.among(attachments.flatMap(({ addresses }) => listOf(addresses)))
  }

  /** What there is on the node, and in the first pod. */
  lines(): string[] {
    return [...nodeLines(this.network.node), ...podLines(this.pods.a)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kernel.close()
    this.network[Symbol.dispose]()
  }
}
