/** The node's links and routes as the daemon looks at them: ENIs by MAC address, pods by their host links. */
import type { Ipv4, Mac } from '../../inet/address.ts'
import { familyOf, splitCidr } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { listLinks } from '../../netlink/link.ts'
import { type NetworkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import { listRoutes } from '../../netlink/route.ts'
import { deleteRule, listRules, type Rule } from '../../netlink/rule.ts'
import type { NetlinkSocket } from '../../netlink/socket.ts'
import type { EniLinks, ReadyEni } from '../pool/effects.ts'
import { planEni } from './policy-route.ts'

const POD_LINK = /^cali[0-9a-f]{11}$/

/** An exclusive ENI's link goes into its pod, and a member's is made there: they are programmed with the pod. */
function staysOnNode({ role }: ReadyEni): boolean {
  return role === 'shared' || role === 'trunk'
}

export interface NodeLinksOptions {
  readonly socket: NetlinkSocket
  readonly kernel: PlanInterpreter
  /** The node's own address. */
  readonly nodeIp: Ipv4
  /** Bytes. */
  readonly mtu: number
}

export class NodeLinks implements EniLinks {
  readonly #options: NodeLinksOptions

  constructor(options: NodeLinksOptions) {
    this.#options = options
  }

  /** A pod's end of a veth may carry any MAC, an ENI is a device of its own: only what is no pod's link counts. */
  find(mac: Mac) {
    return listLinks(this.#options.socket).find((link) => link.mac === mac && !POD_LINK.test(link.name))
  }

  program(eni: ReadyEni): void {
    if (staysOnNode(eni)) this.#options.kernel.apply(this.plan(eni))
  }

  async clear(eni: ReadyEni): Promise<void> {
    if (staysOnNode(eni)) await this.#options.kernel.remove(this.plan(eni))
  }

  plan({ link, ifindex, gateway }: ReadyEni): NetworkPlan {
    const { nodeIp, mtu } = this.#options
    return planEni({ link, ifindex, gateway, nodeIp, mtu })
  }

  exists(name: LinkName): boolean {
    return listLinks(this.#options.socket).some((link) => link.name === name)
  }

  /** Indexes that are taken on the node. */
  indexes(): number[] {
    return listLinks(this.#options.socket).map((link) => link.ifindex)
  }

  rules(): Rule[] {
    return listRules(this.#options.socket, { family: 'ipv4' })
  }

  /** Those that are gone already are fine. @throws NetlinkError */
  removeRules(rules: readonly Rule[]): void {
    const acks = this.#options.socket.request(rules.map(deleteRule))
    for (const { error } of acks) if (error !== undefined && error.code !== 'ENOENT') throw error
  }

  /** Addresses that a pod's link carries a host route for, whatever the journal says. */
  podRoutes(): Map<Ipv4, LinkName> {
    const { socket } = this.#options
    const pods = new Map(
      listLinks(socket).flatMap((link) => (POD_LINK.test(link.name) ? [[link.ifindex, link.name]] : [])),
    )
    const found = new Map<Ipv4, LinkName>()
    for (const route of listRoutes(socket, { family: 'ipv4', table: RT_TABLE_MAIN })) {
      const name = route.ifindex === undefined ? undefined : pods.get(route.ifindex)
      const { network, length } = splitCidr(route.destination)
      if (name !== undefined && length === 32 && familyOf(network) === 'ipv4') found.set(network as Ipv4, name)
    }
    return found
  }
}
