/** Whose an ENI is. What is not ours is never touched, also where it takes a place of this instance. */
import type { EniType } from '../../../cloud/ecs/eni.ts'
import type { CloudEni } from '../../../cloud/ecs.ts'
import type { EniId, InstanceId } from '../../../cloud/ids.ts'
import { CLUSTER_TAG, CREATOR_TAG, NODE_TAG } from '../tags.ts'

export interface Ownership {
  readonly instanceId: InstanceId
  /** ENIs tagged with another one are not ours. */
  readonly clusterId: string | undefined
  /** An ENI of ours has all of them. */
  readonly tagFilter: Readonly<Record<string, string>>
  /** An ENI of ours has none of them. */
  readonly blockedTags: readonly { readonly key: string; readonly value: string }[]
}

/** Somebody else's, attached to this instance. */
export interface ForeignEni {
  readonly id: EniId
  readonly type: EniType
  /** What tells, in words for the operator. */
  readonly why: string
}

export type Claim =
  | { readonly whose: 'ours' }
  | { readonly whose: 'foreign'; readonly why: string }
  /** Not of this node, or its primary ENI: of no concern. */
  | { readonly whose: 'none' }

/** Of an ENI that is not on record. */
export function claimOf(eni: CloudEni, ownership: Ownership): Claim {
  const { instanceId } = ownership
  const attachedHere = eni.instanceId === instanceId
  const madeForHere = eni.instanceId === undefined && eni.tags.get(NODE_TAG) === instanceId
  if (eni.type === 'Primary' || !(attachedHere || madeForHere)) return { whose: 'none' }
  const why = whyForeign(eni, ownership)
  if (why === undefined) return { whose: 'ours' }
  return attachedHere ? { whose: 'foreign', why } : { whose: 'none' }
}

function whyForeign(eni: CloudEni, ownership: Ownership): string | undefined {
  if (eni.type === 'Unknown') return 'its type is none that Terway knows'
  if (!eni.tags.has(CREATOR_TAG.key)) return `it has no tag ${CREATOR_TAG.key}=${CREATOR_TAG.value}`
  const lacking = Object.entries(ownership.tagFilter).find(([key, value]) => eni.tags.get(key) !== value)
  return takenBy(eni, ownership) ?? (lacking && `it has no tag ${lacking.join('=')}, which eni_tag_filter asks for`)
}

/**
 * What in its tags says that it is somebody else's; undefined when nothing does. Of an ENI on record nothing less counts:
 * a tag that is not there yet, or a filter that is new, makes nobody else its owner.
 */
export function takenBy({ tags }: CloudEni, { clusterId, blockedTags }: Ownership): string | undefined {
  const creator = tags.get(CREATOR_TAG.key)
  if (creator !== undefined && creator !== CREATOR_TAG.value) return `its tag ${CREATOR_TAG.key} is ${creator}`
  const blocked = blockedTags.find(({ key, value }) => tags.get(key) === value)
  if (blocked !== undefined) return `its tag ${blocked.key}=${blocked.value} keeps Terway from it`
  const cluster = tags.get(CLUSTER_TAG)
  if (clusterId === undefined || cluster === undefined || cluster === clusterId) return undefined
  return `its tag ${CLUSTER_TAG} names the cluster ${cluster}, and this one is ${clusterId}`
}
