/** The node's links and routes as the daemon looks at them: ENIs by MAC address, pods by their host links. */
import type { EniId } from '../../cloud/ids.ts'
import {
  bitsOf,
  type Family,
  familyOf,
  type Ip,
  type Ipv4,
  type Ipv6,
  type Mac,
  splitCidr,
} from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { getLink, type Link, listLinks } from '../../netlink/link.ts'
import type { Netns } from '../../netlink/netns.ts'
import { lacksNftables, SourceMarks } from '../../netlink/nftables/source-marks.ts'
import { joinPlans, type NetworkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import { listRoutes } from '../../netlink/route.ts'
import { deleteRule, listRules, type Rule } from '../../netlink/rule.ts'
import type { NetlinkSocket } from '../../netlink/socket.ts'
import type { EniLinks, ReadyEni } from '../pool/effects.ts'
import type { Addresses, Attachment, EniFacts, HostFacts } from './attachment.ts'
import { ipvlanHostLink, POD_TABLE } from './constants.ts'
import { EniExtras } from './eni-extras.ts'
import { type LinkMark, markOf } from './marks.ts'
import { planEni, planIpvlanEni } from './plan-eni.ts'

const POD_LINK = /^cali[0-9a-f]{11}$/
/** Host's end of an ENI's IPVlan. */
const SLAVE = /^ipvl_\d+$/
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** Datapaths by which a pod depends on what is on the link of its ENI. */
const NEEDS_MORE: ReadonlySet<Attachment['datapath']> = new Set(['ipvlan', 'vlan', 'vlan-tag'])

/** An exclusive ENI's link goes into its pod, and a member's is made there: they are programmed with the pod. */
function staysOnNode({ role }: ReadyEni): boolean {
  return role === 'shared' || role === 'trunk'
}

export interface NodeLinksOptions {
  readonly socket: NetlinkSocket
  readonly kernel: PlanInterpreter
  /** The namespace of both; the process's own when absent. */
  readonly netns?: Netns
  readonly host: HostFacts
  /** Bytes, of ENIs. */
  readonly mtu: number
  /** Of the pods on record: what some of them need of their ENI belongs to its plan, and they remember its mark. */
  readonly attachments: () => readonly Attachment[]
  /** Looks after what ENIs have. */
  readonly keeper?: {
    watch(eni: EniId, plan: NetworkPlan): void
    forget(eni: EniId): void
  }
}

export class NodeLinks implements EniLinks {
  readonly #options: NodeLinksOptions
  readonly #marks = new Map<number, number>()
  /** Those that have their plans, by the indexes of their links. */
  readonly #onNode = new Map<number, ReadyEni>()
  readonly #extras: EniExtras

  constructor(options: NodeLinksOptions) {
    this.#options = options
    this.#extras = new EniExtras(options)
  }

  /** A device of its own, or a veth of a simulated region: what stands on an ENI may have its MAC address too. */
  find(mac: Mac): Link | undefined {
    return this.#links().find((link) => link.mac === mac && isDevice(link))
  }

  program(eni: ReadyEni): void {
    if (!staysOnNode(eni)) return
    this.#options.kernel.apply(this.plan(eni))
    this.#extras.forget(eni.ifindex)
    this.#onNode.set(eni.ifindex, eni)
    this.#watch(eni.ifindex)
  }

  async clear(eni: ReadyEni): Promise<void> {
    const { kernel, host, keeper } = this.#options
    keeper?.forget(eni.id)
    if (!staysOnNode(eni)) return
    this.#onNode.delete(eni.ifindex)
    const facts = this.factsOf(eni)
    // Of pods that have gone nothing says any more what the link has for them.
    const slave = this.exists(ipvlanHostLink(eni.ifindex)) ? [planIpvlanEni(facts, host, [])] : []
    await kernel.remove(joinPlans([this.plan(eni), ...slave]))
    this.#marks.delete(eni.ifindex)
    this.#extras.forget(eni.ifindex)
  }

  /** What the ENI needs on the node as long as it is ready. */
  plan(eni: ReadyEni): NetworkPlan {
    const facts = this.factsOf(eni)
    return joinPlans([planEni(facts, this.#options.host), this.#extras.plan(facts)])
  }

  /**
   * Gives the ENI what its pods on record need of it beside what every pod needs, and takes from it what none of them
   * needs any more: before a pod is connected, and when it has gone. Rejects with PlanError or NetlinkError.
   */
  async fit({ datapath, eni }: Attachment): Promise<void> {
    if (eni !== undefined && NEEDS_MORE.has(datapath)) await this.#fit(eni)
  }

  /** The same for every ENI, whatever pods it has had. Rejects with the first error, when all have had their turn. */
  async fitAll(): Promise<void> {
    const enis = [...this.#onNode.values()]
    const outcomes = await Promise.allSettled(enis.map((eni) => this.#fit(this.factsOf(eni))))
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  factsOf(eni: ReadyEni): EniFacts {
    const { id, mac, link, ifindex, vlanId, cidr, cidr6, gateway, gateway6, trunkGateways: trunk } = eni
    return {
      ...{ id, mac, link, ifindex, mtu: this.#options.mtu, mark: this.#markOf(ifindex) },
      cidrs: { ipv4: cidr, ...(cidr6 === undefined ? {} : { ipv6: cidr6 }) },
      gateways: addressesIn([gateway, gateway6]),
      ...(vlanId === undefined ? {} : { vlanId }),
      ...(trunk === undefined ? {} : { trunkGateways: addressesIn([trunk.gateway, trunk.gateway6]) }),
    }
  }

  exists(name: LinkName): boolean {
    return this.#links().some((link) => link.name === name)
  }

  /** Whether the ENI, or the trunk of a member, still has the link that the facts are about. @throws NetlinkError */
  isThere({ ifindex, mac, link: name, vlanId }: EniFacts): boolean {
    const link = getLink(this.#options.socket, ifindex)
    return vlanId === undefined ? link?.mac === mac : link?.name === name
  }

  /** Indexes that are taken on the node. */
  indexes(): number[] {
    return this.#links().map((link) => link.ifindex)
  }

  /** Of both families; asked for one by one, since there are kernels whose list of all is not whole. */
  rules(): Rule[] {
    return FAMILIES.flatMap((family) => listRules(this.#options.socket, { family }))
  }

  /** Those that are gone already are fine. @throws NetlinkError */
  removeRules(rules: readonly Rule[]): void {
    const acks = this.#options.socket.request(rules.map(deleteRule))
    for (const { error } of acks) if (error !== undefined && error.code !== 'ENOENT') throw error
  }

  /** Sources whose packets are marked. @throws NetlinkError */
  marks(): ReadonlyMap<Ip, number> {
    const { netns } = this.#options
    try {
      using marks = new SourceMarks(netns === undefined ? {} : { netns })
      return marks.read().marks
    } catch (error) {
      // A kernel that cannot mark has marked nothing.
      if (lacksNftables(error)) return new Map()
      throw error
    }
  }

  /** Addresses that a link of pods carries a host route for, whatever the journal says. */
  podRoutes(): Map<Ip, LinkName> {
    const { socket } = this.#options
    const isPods = ({ name }: Link) => POD_LINK.test(name) || SLAVE.test(name)
    const pods = new Map(this.#links().flatMap((link) => (isPods(link) ? [[link.ifindex, link.name]] : [])))
    const routes = FAMILIES.flatMap((family) =>
      [RT_TABLE_MAIN, POD_TABLE].flatMap((table) => listRoutes(socket, { family, table })),
    )
    const found = routes.flatMap(({ ifindex = 0, family, destination }) => {
      const name = pods.get(ifindex)
      const { network, length } = splitCidr(destination)
      return name !== undefined && length === bitsOf(family) ? [[network, name] as const] : []
    })
    return new Map(found)
  }

  #fit(eni: EniFacts): Promise<void> {
    return this.#extras.fit(eni, () => this.#watch(eni.ifindex))
  }

  /** From now on the ENI is to have what its pods need of it now; a trunk that of its members' pods. */
  #watch(ifindex: number): void {
    const eni = this.#onNode.get(ifindex)
    if (eni !== undefined) this.#options.keeper?.watch(eni.id, this.plan(eni))
  }

  #links(): Link[] {
    return listLinks(this.#options.socket)
  }

  #markOf(ifindex: number): number {
    const known = this.#marks.get(ifindex)
    if (known !== undefined) return known
    const links = new Set(this.indexes())
    for (const other of this.#marks.keys()) if (!links.has(other)) this.#marks.delete(other)
    const mark = markOf(ifindex, { rules: this.rules(), remembered: this.#remembered() })
    this.#marks.set(ifindex, mark)
    return mark
  }

  #remembered(): LinkMark[] {
    const given = [...this.#marks].map(([ifindex, mark]) => ({ ifindex, mark }))
    return [...given, ...this.#options.attachments().flatMap(({ eni }) => eni ?? [])]
  }
}

function isDevice({ kind, name }: Link): boolean {
  return kind === undefined || (kind === 'veth' && !POD_LINK.test(name))
}

function addressesIn(ips: readonly (Ip | undefined)[]): Addresses {
  const of = (family: Family) => ips.find((ip) => ip !== undefined && familyOf(ip) === family)
  const [ipv4, ipv6] = [of('ipv4') as Ipv4 | undefined, of('ipv6') as Ipv6 | undefined]
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) }
}
