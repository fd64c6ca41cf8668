/** Asks the cloud what there is and compares it with the journal, time and again. */
import type { CloudEni } from '../../cloud/ecs/eni.ts'
import type { Ecs } from '../../cloud/ecs.ts'
import type { InstanceId } from '../../cloud/ids.ts'
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { newEniKey } from './creations.ts'
import { ANSWER_LAG } from './effects/state-watch.ts'
import type { Change } from './model.ts'
import {
  type ForeignEni,
  NO_SUSPICIONS,
  type Ownership,
  type Reconciliation,
  reconcile,
  type Suspicions,
  type World,
} from './reconcile.ts'
import type { PoolKind } from './settings.ts'
import type { PoolState } from './tables.ts'
import { CREATOR_TAG, NODE_TAG } from './tags.ts'

/** By which an ENI is told to be ours, and when it is an orphan. */
export interface Claims extends Partial<Omit<Ownership, 'instanceId'>> {
  /** ms for which an ENI that nobody knows must have been seen before it is removed, beside being seen twice. */
  readonly orphanTtl?: number
}

export interface ComparisonOptions {
  readonly state: PoolState
  readonly cloud: Ecs
  readonly vSwitches: VSwitches
  readonly instanceId: InstanceId
  readonly claims: Claims
  readonly now: () => number
  readonly kind: () => PoolKind
  /** Called with each ENI that something is to be done with, and when it was so described, ms since the epoch. */
  readonly saw: (eni: CloudEni, at: number) => void
}

export interface ComparisonRequest {
  /** Addresses that links of pods carry, whatever the journal says. */
  readonly podRoutes: ReadonlyMap<Ip, LinkName>
  /** Nothing of it is remembered. */
  readonly dryRun: boolean
  /** Also looks for ENIs of ours that are attached nowhere, which is one more call. */
  readonly thorough: boolean
  /** What to take for seen before, instead of what the last comparison has seen. */
  readonly seen?: Suspicions
}

export class Comparison {
  readonly #options: ComparisonOptions
  #suspicions: Suspicions = NO_SUSPICIONS
  #foreign: readonly ForeignEni[] = []
  #doubted: Reconciliation['doubted'] = new Set()
  /** Nothing was on record at the start and the cloud has not been asked yet. */
  #isFresh: boolean

  constructor(options: ComparisonOptions) {
    this.#options = options
    this.#isFresh = options.state.enis.size === 0
  }

  /** ENIs of this instance that are not ours, as the last comparison has found them. */
  get foreign(): readonly ForeignEni[] {
    return this.#foreign
  }

  /** What is to be given to nobody until the next comparison: the cloud may not have it any more. */
  get doubted(): Reconciliation['doubted'] {
    return this.#doubted
  }

  /** What the journal must learn; it is for the caller to record it. @throws CloudError when the cloud cannot be asked. */
  async run({ podRoutes, dryRun, thorough, seen }: ComparisonRequest): Promise<Reconciliation> {
    const { state, now, kind, claims } = this.#options
    const asked = now()
    const { enis, whole } = await this.#cloudEnis(thorough)
    const answered = now()
    const cidrs = await this.#cidrsOf(enis)
    const result = reconcile({
      ...{ state, cloud: enis, ...cidrs, podRoutes, now: answered, kind: kind() },
      // The list may be behind.
      settledBefore: asked - ANSWER_LAG,
      ...{ ownership: this.#ownership(), orphanTtl: claims.orphanTtl ?? 0 },
      ...{ suspicions: seen ?? this.#suspicions, fresh: this.#isFresh, newKey: newEniKey },
    })
    if (dryRun) return result
    this.#suspicions = whole ? result.suspicions : withUnseen(result.suspicions, this.#suspicions, enis)
    this.#isFresh = false
    this.#foreign = result.foreign
    this.#doubted = result.doubted
    for (const eni of begunWith(result.changes, enis)) this.#options.saw(eni, answered)
    return result
  }

  /**
   * All that are attached to this instance, whoever's, and ours that were made for it. The latter are left out where
   * nobody asks for them and every ENI on record is among the former.
   */
  async #cloudEnis(thorough: boolean): Promise<{ enis: readonly CloudEni[]; whole: boolean }> {
    const { cloud, instanceId, state } = this.#options
    const filter = { [CREATOR_TAG.key]: CREATOR_TAG.value, [NODE_TAG]: instanceId }
    const tagged = () => cloud.describeEnis({ tags: filter })
    const [attached, first = []] = await Promise.all([
      cloud.describeEnis({ instanceId }),
      ...(thorough ? [tagged()] : []),
    ])
    const ids = new Set(attached.map(({ id }) => id))
    const whole = thorough || [...state.enis.values()].some((eni) => eni.phase === 'creating' || !ids.has(eni.id))
    const others = whole && !thorough ? await tagged() : first
    return { enis: [...new Map([...attached, ...others].map((eni) => [eni.id, eni])).values()], whole }
  }

  /** Of ENIs with our tag only: the vSwitch of somebody else's is nothing to us, and may be one we are not told of. */
  async #cidrsOf(enis: readonly CloudEni[]): Promise<Pick<World, 'cidrs' | 'cidrs6'>> {
    const ours = enis.filter(({ tags }) => tags.get(CREATOR_TAG.key) === CREATOR_TAG.value)
    const ids = new Set(ours.flatMap((eni) => eni.vSwitchId ?? []))
    const facts = await Promise.all([...ids].map((id) => this.#options.vSwitches.facts(id)))
    return {
      cidrs: new Map(facts.map(({ id, cidr }) => [id, cidr])),
      cidrs6: new Map(facts.flatMap(({ id, ipv6Cidr }) => (ipv6Cidr === undefined ? [] : [[id, ipv6Cidr]]))),
    }
  }

  #ownership(): Ownership {
    const { instanceId, claims } = this.#options
    const { clusterId, tagFilter = {}, blockedTags = [] } = claims
    return { instanceId, clusterId, tagFilter, blockedTags }
  }
}

/** The ENIs that something is to be done with now. */
function begunWith(changes: readonly Change[], answer: readonly CloudEni[]): readonly CloudEni[] {
  const ids = changes.flatMap((change) => {
    return change.kind === 'put-eni' && change.eni.phase !== 'creating' ? [change.eni.id] : []
  })
  return answer.filter(({ id }) => ids.includes(id))
}

/** An answer without the ENIs that are attached nowhere says nothing of them. */
function withUnseen(seen: Suspicions, before: Suspicions, answer: readonly CloudEni[]): Suspicions {
  const named = new Set(answer.map(({ id }) => `unknown ${id}`))
  const unseen = [...before].filter(([suspicion]) => suspicion.startsWith('unknown ') && !named.has(suspicion))
  return new Map([...unseen, ...seen])
}
