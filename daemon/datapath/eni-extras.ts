/**
 * What pods of some datapaths need of the link of their ENI, once for all of them: it comes with the first such pod and
 * goes with the last.
 */
import { deleteFilter, type Filter, findFilter, listFilters } from '../../netlink/filter.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { getLink } from '../../netlink/link.ts'
import { type FilterSpec, joinPlans, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { NetlinkSocket } from '../../netlink/socket.ts'
import { CLSACT_PARENTS } from '../../netlink/tc-message.ts'
import { isAbsent } from '../../netlink/tc-support.ts'
import { KeyedLock } from '../pod/keyed-lock.ts'
import type { Attachment, EniFacts, HostFacts } from './attachment.ts'
import { FILTER_PRIORITIES } from './constants.ts'
import { planIpvlanEni, planTrunkTags } from './plan-eni.ts'

/** Where filters are that no pod has for itself. */
const SHARED_FILTERS = [
  { parent: CLSACT_PARENTS.ingress, priority: FILTER_PRIORITIES.untag },
  { parent: CLSACT_PARENTS.egress, priority: FILTER_PRIORITIES.toHostStack.ipv4 },
  { parent: CLSACT_PARENTS.egress, priority: FILTER_PRIORITIES.toHostStack.ipv6 },
] as const

export interface EniExtrasOptions {
  readonly socket: NetlinkSocket
  readonly kernel: PlanInterpreter
  readonly host: HostFacts
  /** Of the pods on record. */
  readonly attachments: () => readonly Attachment[]
}

export class EniExtras {
  readonly #options: EniExtrasOptions
  readonly #turns = new KeyedLock()
  /** The last plan that was carried out whole, by the index of the link. */
  readonly #done = new Map<number, string>()

  constructor(options: EniExtrasOptions) {
    this.#options = options
  }

  /** Needed by pods that are on record now. */
  plan(eni: EniFacts): NetworkPlan {
    const here = this.#options.attachments().filter((attachment) => attachment.eni?.ifindex === eni.ifindex)
    const ipvlan = here.filter(({ datapath }) => datapath === 'ipvlan')
    const cidrs = [...new Set(ipvlan.flatMap(({ hostStackCidrs }) => hostStackCidrs))].sort()
    return joinPlans([
      ...(ipvlan.length === 0 ? [] : [planIpvlanEni(eni, this.#options.host, cidrs)]),
      ...(here.some(({ datapath }) => datapath === 'vlan-tag') ? [planTrunkTags(eni)] : []),
    ])
  }

  /**
   * Makes what is needed now, and takes away what is not, also what an earlier daemon has left. One after the other for
   * each link: a slave that goes is in the way of the one that comes. Rejects with PlanError or NetlinkError; all of it
   * is done at the next call then.
   * @param made told when what is needed is there and nothing has gone yet.
   */
  async fit(eni: EniFacts, made: () => void): Promise<void> {
    await this.#turns.run(String(eni.ifindex), () => this.#fit(eni, made))
  }

  /** The link has become another one, or what it has is not known any more. */
  forget(ifindex: number): void {
    this.#done.delete(ifindex)
  }

  async #fit(eni: EniFacts, made: () => void): Promise<void> {
    const { kernel, socket, host } = this.#options
    const wanted = this.plan(eni)
    const text = JSON.stringify(wanted)
    if (this.#done.get(eni.ifindex) === text) return
    this.#done.delete(eni.ifindex)
    kernel.apply(wanted)
    made()
    // Pods may outlive their ENI, and its index may be somebody else's by then.
    if (getLink(socket, eni.ifindex)?.name !== eni.link) return
    deleteFilters(socket, strayFilters(socket, eni, wanted))
    const slave = planIpvlanEni(eni, host, []).links
    const isNeeded = wanted.links.some(({ kind }) => kind === 'ipvlan')
    if (!isNeeded) await kernel.remove(networkPlan({ links: slave }))
    this.#done.set(eni.ifindex, text)
  }
}

/** Whoever has made them: a plan that wants them no more may be one that nobody remembers. */
function strayFilters(socket: NetlinkSocket, { ifindex }: EniFacts, wanted: NetworkPlan): Filter[] {
  const place = { ifindex, indexOf: (device: FilterSpec['device']) => device.ifindex }
  const isWanted = (filter: Filter) => wanted.filters.some((spec) => findFilter(spec, place, [filter]) !== undefined)
  const found = SHARED_FILTERS.flatMap((shared) => listFilters(socket, { ifindex, ...shared }))
  return found.filter((filter) => !filter.special && !isWanted(filter))
}

/** @throws NetlinkError */
function deleteFilters(socket: NetlinkSocket, filters: readonly Filter[]): void {
  const acks = socket.request(filters.map(deleteFilter))
  for (const { error } of acks) if (error !== undefined && !isAbsent(error)) throw error
}
