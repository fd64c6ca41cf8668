/** Identifiers of cloud resources, parsed where they enter: from an API answer, the metadata service or the journal. */

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

export type EniId = Id<'EniId'>
export type InstanceId = Id<'InstanceId'>
export type VSwitchId = Id<'VSwitchId'>
export type VpcId = Id<'VpcId'>
export type SecurityGroupId = Id<'SecurityGroupId'>
export type ResourceGroupId = Id<'ResourceGroupId'>
export type RouteTableId = Id<'RouteTableId'>
export type RouteEntryId = Id<'RouteEntryId'>
export type VRouterId = Id<'VRouterId'>
export type ZoneId = Id<'ZoneId'>
export type RegionId = Id<'RegionId'>

export class CloudIdError extends Error {
  override readonly name = 'CloudIdError'
}

/**
 * Resource ids are a short prefix, a hyphen and letters or digits (`eni-bp1…`); region and zone ids read the same way
 * (`cn-hangzhou-h`). Anything else is refused, since ids end up in queries, logs and tags.
 * @throws CloudIdError
 */
export function parseCloudId<T extends Id<string>>(text: string): T {
  if (!/^[a-z][a-z0-9]*(-[a-zA-Z0-9]+)+$/.test(text) || text.length > 64) {
    throw new CloudIdError(`not a cloud resource id: ${JSON.stringify(text.slice(0, 80))}`)
  }
  return text as T
}
