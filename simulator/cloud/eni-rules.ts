/** What the cloud allows with an ENI. Every check throws ApiError. */
import type { ZoneId } from '../region/ids.ts'
import type { Node } from '../region/region.ts'
import { addressesOf, type Eni } from './eni.ts'
import { ApiError } from './error.ts'

/** Tags of a resource (ECS documentation). */
const TAGS_PER_RESOURCE = 20

export interface Target {
  readonly node: Node
  readonly zone: ZoneId
  /** What is on the node, or on its way to or from it. */
  readonly attached: readonly Eni[]
}

/** Whether the instance is in the ENI's zone and its type has room for it. */
export function checkFits(eni: Eni, { node, zone, attached }: Target): void {
  const { instanceId, instanceType } = node
  if (zone !== eni.zone) {
    const message = `${eni.id} is in the zone ${eni.zone}, ${instanceId} in ${zone}.`
    throw new ApiError('InvalidOperation.AvailabilityZoneMismatch', message)
  }
  if (attached.length >= instanceType.eniQuantity) {
    const message = `${instanceId} (${instanceType.id}) has ${attached.length} ENIs of ${instanceType.eniQuantity}.`
    throw new ApiError('EniPerInstanceLimitExceeded', message)
  }
  const limit = instanceType.ipv4PerEni
  if (addressesOf(eni).length > limit) throw tooManyIps(eni, { limit, asked: 0 })
}

/** The ENI with the tags added. */
export function withTags(eni: Eni, tags: ReadonlyMap<string, string>): Eni {
  const all = new Map([...eni.tags, ...tags])
  if (all.size <= TAGS_PER_RESOURCE) return { ...eni, tags: all }
  throw new ApiError('QuotaExceed.Tags', `${eni.id} would have ${all.size} tags of ${TAGS_PER_RESOURCE}.`)
}

export function checkReadyForIps(eni: Eni): void {
  const { status } = eni.state
  if (status !== 'Available' && status !== 'InUse') throw wrongState(eni, 'Available or InUse')
}

export function wrongState(eni: Eni, expected: string): ApiError {
  const message = `${eni.id} must be ${expected} for this operation and is ${eni.state.status}.`
  return new ApiError('InvalidOperation.InvalidEniState', message)
}

export function tooManyIps(eni: Eni, { limit, asked }: { readonly limit: number; readonly asked: number }): ApiError {
  const message = `${eni.id} has ${addressesOf(eni).length} addresses of ${limit}; ${asked} more are too many.`
  return new ApiError('InvalidOperation.Ipv4CountExceeded', message)
}

/** 0 is the primary ENI's. */
export function freeDeviceIndex(attached: readonly Eni[]): number {
  const used = new Set(attached.map((eni) => ('deviceIndex' in eni.state ? eni.state.deviceIndex : -1)))
  for (let index = 1; ; index++) if (!used.has(index)) return index
}
