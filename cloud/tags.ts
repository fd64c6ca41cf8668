/** Tags of resources: what the requests of both products send, and what ECS answers with. */
import { z } from 'zod'
import { listOf, TEXT } from './answer.ts'

export type Tags = ReadonlyMap<string, string>

/** `Tag.N.Key` and `Tag.N.Value`, in requests of ECS and of VPC; nothing when there are none. */
export function tagQuery(tags: Readonly<Record<string, string>> | undefined) {
  const list = Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
  return list.length > 0 ? { Tag: list } : {}
}

/** ECS answers with `TagKey` and `TagValue`, where VPC has `Key` and `Value`. */
export const ECS_TAGS: z.ZodType<Tags> = listOf('Tag', z.object({ TagKey: z.string(), TagValue: TEXT })).transform(
  (list) => new Map(list.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
)
