/** Tags of ECS resources, for what was not given any when it was created and for more than a filter can match. */
import { z } from 'zod'
import { callOf, chunksOf, TEXT } from '../answer.ts'
import { hasCode } from '../gone.ts'
import { listByToken, type TokenListing, tokenPage } from '../listing.ts'
import { tagQuery } from '../tags.ts'
import type { CallOptions, Transport } from '../transport.ts'

export type TaggedType = 'eni' | 'instance' | 'securitygroup'

export interface ResourceTag {
  readonly resourceId: string
  readonly key: string
  readonly value: string
}

/** By ids, by tags, or both: at least one must be given. */
export interface ListTags {
  readonly ids?: readonly string[]
  readonly tags?: Readonly<Record<string, string>>
}

/** Every function throws CloudError, or the signal's reason. A call takes at most 20 tags or keys. */
export interface TagActions {
  tag(
    type: TaggedType,
    ids: readonly string[],
    tags: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void>
  /** Success also when a resource is gone. */
  untag(type: TaggedType, ids: readonly string[], keys: readonly string[], options?: CallOptions): Promise<void>
  /** All pages, each tag of each resource once. */
  listTags(type: TaggedType, filter: ListTags, options?: CallOptions): Promise<ResourceTag[]>
}

/** Most ids in a call: ECS API reference, `NumberExceed.ResourceIds`. */
const MAX_IDS = 50
const GONE = ['InvalidResourceId.NotFound']

export function tagActions(transport: Transport): TagActions {
  return {
    async tag(type, ids, tags, options) {
      for (const chunk of chunksOf(ids, MAX_IDS)) {
        const query = { ResourceType: type, ResourceId: chunk, ...tagQuery(tags) }
        await transport(callOf('ecs', 'TagResources', query), options)
      }
    },
    async untag(type, ids, keys, options) {
      for (const chunk of chunksOf(ids, MAX_IDS)) await untagChunk(transport, { type, keys, options }, chunk)
    },
    async listTags(type, { ids, tags }, options) {
      if (ids === undefined)
        return await listByToken(transport, RESOURCE_TAGS, { ResourceType: type, ...tagQuery(tags) }, options)
      const found: ResourceTag[] = []
      for (const chunk of chunksOf(ids, MAX_IDS)) {
        const query = { ResourceType: type, ResourceId: chunk, ...tagQuery(tags) }
        found.push(...(await listByToken(transport, RESOURCE_TAGS, query, options)))
      }
      return found
    },
  }
}

interface Untagging {
  readonly type: TaggedType
  readonly keys: readonly string[]
  readonly options: CallOptions | undefined
}

/** The API refuses the whole list when one resource does not exist, so then each is asked for alone. */
async function untagChunk(transport: Transport, untagging: Untagging, ids: readonly string[]): Promise<void> {
  const { type, keys, options } = untagging
  try {
    await transport(callOf('ecs', 'UntagResources', { ResourceType: type, ResourceId: ids, TagKey: keys }), options)
    return
  } catch (error) {
    if (!hasCode(error, GONE)) throw error
    if (ids.length === 1) return
  }
  for (const id of ids) await untagChunk(transport, untagging, [id])
}

const RESOURCE_TAG: z.ZodType<ResourceTag> = z
  .object({ ResourceId: z.string(), TagKey: z.string(), TagValue: TEXT })
  .transform(({ ResourceId, TagKey, TagValue }) => ({ resourceId: ResourceId, key: TagKey, value: TagValue }))

const RESOURCE_TAGS: TokenListing<ResourceTag> = {
  service: 'ecs',
  action: 'ListTagResources',
  pageSize: {},
  page: tokenPage('TagResources', 'TagResource'),
  item: RESOURCE_TAG,
  idOf: ({ resourceId, key }) => `${resourceId} ${key}`,
}
