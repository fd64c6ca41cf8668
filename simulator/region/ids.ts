/** Identifiers of cloud resources, branded so that one kind cannot be given for another. */

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

export type RegionId = Id<'RegionId'>
export type ZoneId = Id<'ZoneId'>
export type VpcId = Id<'VpcId'>
export type VSwitchId = Id<'VSwitchId'>
export type SecurityGroupId = Id<'SecurityGroupId'>
export type RouteTableId = Id<'RouteTableId'>
export type RouteEntryId = Id<'RouteEntryId'>
/** The name of a RAM role. */
export type RoleName = Id<'RoleName'>
export type InstanceId = Id<'InstanceId'>
export type EniId = Id<'EniId'>
export type AccessKeyId = Id<'AccessKeyId'>
/** The name of a node; its namespace is `<prefix>-<name>`. */
export type NodeName = Id<'NodeName'>
