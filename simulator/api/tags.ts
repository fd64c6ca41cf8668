/** Tags of ENIs, instances and security groups. Those of vSwitches and VPCs are another product's. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import { type ResourceTags, type Tags, withoutTags, withTags } from '../cloud/resource-tags.ts'
import type { EniId } from '../region/ids.ts'
import { type Action, type Answer, type CallContext, ECS } from './action.ts'
import { TAG_PARAMETERS, taggedAs } from './filters.ts'
import { pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** TagResources documentation. */
const MAX_RESOURCES = 50
/** The documentation says nothing of the size of pages; the caller cannot choose it. */
const PAGE = { min: 50, max: 50, default: 50 }

/** The resources of one type. */
interface Tagged {
  /** By id; of ENIs as Describe actions show them. */
  readonly all: () => ReadonlyMap<string, Tags>
  readonly add: (ids: readonly string[], tags: Tags) => void
  readonly remove: (ids: readonly string[], keys: readonly string[] | 'all') => void
}

function taggedEnis(cloud: Cloud, { enis }: CallContext): Tagged {
  const eniIds = (ids: readonly string[]) => ids as readonly EniId[]
  return {
    all: () => new Map(enis.map(({ id, tags }) => [id, tags])),
    add: (ids, tags) => cloud.tagEnis(eniIds(ids), tags),
    remove: (ids, keys) => cloud.untagEnis(eniIds(ids), keys),
  }
}

function taggedResources<Id extends string>(resources: ResourceTags<Id>): Tagged {
  const known = (ids: readonly string[]) => ids as readonly Id[]
  return {
    all: () => resources.all(),
    add: (ids, tags) => resources.change(known(ids), (id, before) => withTags(id, before, tags)),
    remove: (ids, keys) => resources.change(known(ids), (_, before) => withoutTags(before, keys)),
  }
}

const TYPES: ReadonlyMap<string, (cloud: Cloud, context: CallContext) => Tagged> = new Map([
  ['eni', taggedEnis],
  ['instance', ({ instanceTags }) => taggedResources(instanceTags)],
  ['securitygroup', ({ securityGroupTags }) => taggedResources(securityGroupTags)],
])

function resourceType(parameters: Parameters): string {
  if (!parameters.has('RegionId')) throw new ApiError('MissingParameter.RegionId', 'RegionId is mandatory.')
  const type = parameters.optional('ResourceType') ?? ''
  if (type === '') throw new ApiError('MissingParameter.ResourceType', 'ResourceType is mandatory.')
  return type
}

function resourcesOf(type: string, cloud: Cloud, context: CallContext): Tagged {
  const resources = TYPES.get(type)?.(cloud, context)
  if (resources !== undefined) return resources
  const message = `The simulator has tags for the types ${[...TYPES.keys()].join(', ')}, not for ${type}.`
  throw new ApiError('InvalidResourceType.NotFound', message)
}

/** Each id once. */
function resourceIds(parameters: Parameters): readonly string[] {
  const ids = parameters.list('ResourceId', Number.POSITIVE_INFINITY)
  if (ids.length <= MAX_RESOURCES) return [...new Set(ids)]
  throw new ApiError('NumberExceed.ResourceIds', `There are ${ids.length} resources. Valid: ${MAX_RESOURCES}.`)
}

function mandatoryIds(parameters: Parameters): readonly string[] {
  const ids = resourceIds(parameters)
  if (ids.length === 0) throw new ApiError('MissingParameter', 'The parameter "ResourceId.1" is mandatory.')
  return ids
}

function tag(cloud: Cloud, parameters: Parameters, context: CallContext): Answer {
  const resources = resourcesOf(resourceType(parameters), cloud, context)
  const ids = mandatoryIds(parameters)
  const tags = parameters.tags()
  if (tags.size === 0) throw new ApiError('MissingParameter.Tags', 'At least one tag must be given.')
  resources.add(ids, tags)
  return {}
}

function untag(cloud: Cloud, parameters: Parameters, context: CallContext): Answer {
  const resources = resourcesOf(resourceType(parameters), cloud, context)
  const ids = mandatoryIds(parameters)
  const keys = parameters.tagKeys()
  // All is for calls without a key (UntagResources documentation).
  const all = parameters.boolean('All') === true
  if (keys.length === 0 && !all) throw new ApiError('MissingParameter.Tags', 'TagKey.N or All=true must be given.')
  resources.remove(ids, keys.length > 0 ? keys : 'all')
  return {}
}

function list(cloud: Cloud, parameters: Parameters, context: CallContext): Answer {
  const type = resourceType(parameters)
  const all = resourcesOf(type, cloud, context).all()
  const ids = resourceIds(parameters)
  checkTagFilters(parameters, ids)
  const unknown = ids.find((id) => !all.has(id))
  if (unknown !== undefined) {
    throw new ApiError('InvalidResourceId.NotFound', `The resource ${unknown} does not exist.`)
  }
  const tagged = taggedAs(parameters)
  const found = [...all]
    .filter(([id, tags]) => (ids.length === 0 || ids.includes(id)) && tagged(tags))
    .flatMap(([id, tags]) => [...tags].map(([key, value]) => ({ id: `${id} ${key}`, resource: id, key, value })))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const { items, nextToken } = pageByToken(found, parameters, PAGE)
  const resources = items.map(({ resource, key, value }) => ({
    ResourceId: resource,
    ResourceType: type,
    TagKey: key,
    TagValue: value,
  }))
  return { TagResources: { TagResource: resources }, NextToken: nextToken }
}

function checkTagFilters(parameters: Parameters, ids: readonly string[]): void {
  const filters = parameters.records('Tag', Number.POSITIVE_INFINITY)
  if (filters.length === 0 && ids.length === 0) {
    throw new ApiError('MissingParameter.Tags', 'At least one of ResourceId.N and Tag.N must be given.')
  }
  if (filters.every((filter) => filter.has('Key'))) return
  throw new ApiError('InvalidParameter.TagValue', 'A tag has a value and no key.')
}

/** The RegionId that is missing has a code of its own. */
const common = { version: ECS, regionId: 'optional' } as const
const RESOURCES = ['ResourceType', 'ResourceId.N']

export const TAG_ACTIONS: Readonly<Record<string, Action>> = {
  TagResources: { ...common, parameters: [...RESOURCES, ...TAG_PARAMETERS], handle: tag },
  UntagResources: { ...common, parameters: [...RESOURCES, 'TagKey.N', 'All'], handle: untag },
  ListTagResources: { ...common, parameters: [...RESOURCES, ...TAG_PARAMETERS, 'NextToken'], handle: list },
}
