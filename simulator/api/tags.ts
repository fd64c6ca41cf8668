/** Tags of ENIs. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { EniId } from '../region/ids.ts'
import { type Action, type Answer, ECS } from './action.ts'
import type { Parameters } from './parameters.ts'

/** TagResources documentation. */
const MAX_RESOURCES = 50
/** Above every limit, so that the limit's own code is the answer. */
const ANY = 10_000

function tag(cloud: Cloud, parameters: Parameters): Answer {
  const type = parameters.optional('ResourceType')
  if (type === undefined) throw new ApiError('MissingParameter.ResourceType', 'ResourceType is mandatory.')
  if (type !== 'eni') {
    throw new ApiError('InvalidResourceType.NotFound', `The simulator has tags for the ResourceType eni, not ${type}.`)
  }
  const ids = parameters.list('ResourceId', ANY)
  if (ids.length === 0) throw new ApiError('MissingParameter', 'The parameter "ResourceId.1" is mandatory.')
  if (ids.length > MAX_RESOURCES) {
    throw new ApiError('NumberExceed.ResourceIds', `${ids.length} resources of ${MAX_RESOURCES}.`)
  }
  const tags = parameters.tags()
  if (tags.size === 0) throw new ApiError('MissingParameter.Tags', 'At least one tag must be given.')
  cloud.tagEnis(ids as readonly string[] as readonly EniId[], tags)
  return {}
}

export const TAG_ACTIONS: Readonly<Record<string, Action>> = {
  TagResources: { version: ECS, regionId: 'required', clientToken: false, handle: tag },
}
