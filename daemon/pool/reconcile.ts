/**
 * What the journal must learn from the cloud: ENIs, addresses and prefixes that are there and not recorded, or recorded
 * and gone. Pure; run at start before anything is served, and again from time to time. A single answer of the cloud may
 * be older than the journal, or incomplete, so only what two answers show is acted on: what the journal does not know, and
 * what it knows and they lack.
 */
import type { EniId } from '../../cloud/ids.ts'
import type { Cidr, Ip } from '../../inet/address.ts'
import type { Change, KnownEni } from './model.ts'
import { Draft, type Finding } from './reconcile/draft.ts'
import { compareEni } from './reconcile/known-enis.ts'
import { claimOf, type ForeignEni } from './reconcile/ownership.ts'
import { considerUnknown } from './reconcile/unknown-enis.ts'
import type { Suspicions, World } from './reconcile/world.ts'
import { INTENT_TAG } from './tags.ts'

export type { Finding, FindingKind } from './reconcile/draft.ts'
export type { ForeignEni, Ownership } from './reconcile/ownership.ts'
export { NO_SUSPICIONS, type Suspicion, type Suspicions, type World } from './reconcile/world.ts'

export interface Reconciliation {
  /** To be committed all together. */
  readonly changes: readonly Change[]
  readonly findings: readonly Finding[]
  /** To be given to the next comparison. */
  readonly suspicions: Suspicions
  /**
   * Addresses, and prefixes of IPv6 with what nobody has had of them, that the journal has and this answer lacks. They
   * stay on record until another answer lacks them too, and are given to nobody meanwhile.
   */
  readonly doubted: ReadonlySet<Ip | Cidr>
  /** Attached to this instance and not ours; its primary ENI is not among them. */
  readonly foreign: readonly ForeignEni[]
  /** ENIs of ours to be deleted of which nothing can be recorded. Those that stay are named again by a later one. */
  readonly strays: readonly EniId[]
}

export function reconcile(world: World): Reconciliation {
  const draft = new Draft(world)
  const present = new Map(world.cloud.map((eni) => [eni.id, eni]))
  const records = [...world.state.enis.values()].flatMap((eni): KnownEni[] => (eni.phase === 'creating' ? [] : [eni]))
  // Losses first: what has left one ENI may be on another.
  for (const record of records) compareEni(draft, record, present.get(record.id))
  for (const { id } of records) present.delete(id)
  for (const eni of present.values()) {
    const claim = isBeingMade(world, eni.tags.get(INTENT_TAG)) ? undefined : claimOf(eni, world.ownership)
    if (claim?.whose === 'ours') considerUnknown(draft, eni)
    if (claim?.whose === 'foreign') noteForeign(draft, { id: eni.id, type: eni.type, why: claim.why })
  }
  const { changes, findings, suspicions, doubted, foreign, strays } = draft
  return { changes, findings, suspicions, doubted, foreign, strays }
}

/** A creation under way finds its ENI by its token; it is nobody's orphan. */
function isBeingMade({ state }: World, intent: string | undefined): boolean {
  return [...state.enis.values()].some(({ key, phase }) => key === intent && phase === 'creating')
}

function noteForeign(draft: Draft, eni: ForeignEni): void {
  draft.foreign.push(eni)
  draft.report({
    kind: 'foreign',
    level: 'info',
    message: `an ENI of this instance is not Terway’s, and takes a place: ${eni.why}`,
    fields: { eni: eni.id, type: eni.type },
    repeated: draft.note(`foreign ${eni.id}`),
  })
}
