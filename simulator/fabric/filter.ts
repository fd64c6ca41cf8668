/** The VPC's filter in the kernel: sources, destinations, security groups, and what was dropped. */
import { z } from 'zod'
import type { EniId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import type { RouteTable } from '../region/region.ts'
import type { SecurityGroup } from '../region/security-group.ts'
import { FabricError } from './error.ts'
import { counterName, EMPTY, type FilterState, filterState, transition } from './filter-elements.ts'
import { DROP_REASONS, type DropReason, filterRules, TABLE } from './filter-rules.ts'
import { nft, nftScript, setSysctls } from './netns.ts'
import type { Network } from './network.ts'
import { marksOf } from './routes.ts'
import { declareChain } from './security-groups.ts'

export interface FilterOptions {
  readonly netns: string
  readonly securityGroups: ReadonlyMap<SecurityGroupId, SecurityGroup>
  readonly routeTables: readonly RouteTable[]
}

/** Packets. */
export type Drops = Readonly<Record<DropReason, number>>

/** Seconds a session lives without a packet (ECS documentation, "Security group rules"). */
const SESSION_LIFE = '910'

/** libnftables-json(5) */
const COUNTERS = z.object({
  nftables: z.array(z.object({ counter: z.object({ name: z.string(), packets: z.int() }).optional() })),
})

interface ChainPair {
  readonly egress: string
  readonly ingress: string
}

export class Filter {
  readonly #options: FilterOptions
  readonly #marks: ReadonlyMap<VSwitchId, number>
  /** Those that the kernel has, by the ids of their groups. */
  #chains: ReadonlyMap<string, ChainPair> = new Map()
  /** What the kernel has. */
  #state: FilterState = EMPTY

  constructor(options: FilterOptions) {
    this.#options = options
    this.#marks = marksOf(options.routeTables)
  }

  /** In a namespace that is new. Rejects with CommandError. */
  async start(): Promise<void> {
    const { netns, securityGroups } = this.#options
    await nftScript(netns, filterRules(securityGroups.keys()))
    // The key is there when the rules have loaded the tracking of connections.
    setSysctls(netns, { 'netfilter/nf_conntrack_tcp_timeout_established': SESSION_LIFE })
  }

  /**
   * Lets in what the ENIs may send, and through what their groups allow, all of it at once. Rejects with CommandError,
   * or with FabricError for a security group that does not exist.
   */
  async follow({ plugs, routes }: Network): Promise<void> {
    const chains = new Map(this.#chains)
    const declarations: string[] = []
    const chainsOf = (ids: readonly SecurityGroupId[]): ChainPair => {
      const key = ids.toSorted().join(' ')
      const known = chains.get(key)
      if (known !== undefined) return known
      const pair = { egress: `egress_${chains.size + 1}`, ingress: `ingress_${chains.size + 1}` }
      chains.set(key, pair)
      declarations.push(this.#declare(pair, ids))
      return pair
    }
    const state = filterState(plugs.values(), { routes, chainsOf, marks: this.#marks })
    const script = declarations.join('') + transition(this.#state, state)
    if (script !== '') await nftScript(this.#options.netns, script)
    this.#chains = chains
    this.#state = state
  }

  /** Rejects with CommandError. */
  async drops(enis: Iterable<EniId>): Promise<ReadonlyMap<EniId, Drops>> {
    const text = await nft(this.#options.netns, ['-j', 'list', 'counters', 'table', ...TABLE.split(' ')])
    const { nftables } = COUNTERS.parse(JSON.parse(text))
    const packets = new Map(nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])))
    const count = (reason: DropReason, eni: EniId) => packets.get(counterName(reason, eni)) ?? 0
    return new Map(
      [...enis].map((eni) => [eni, Object.fromEntries(DROP_REASONS.map((why) => [why, count(why, eni)])) as Drops]),
    )
  }

  #declare({ egress, ingress }: ChainPair, ids: readonly SecurityGroupId[]): string {
    const groups = ids.map((id) => {
      const group = this.#options.securityGroups.get(id)
      if (group === undefined) throw new FabricError(`the security group ${id} does not exist`)
      return group
    })
    return `table ${TABLE} {${declareChain(egress, 'egress', groups)}${declareChain(ingress, 'ingress', groups)}\n}\n`
  }
}
