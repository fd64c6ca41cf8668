/** The region that is simulated: what stands in the cloud before the first call. */
import type { Cidr, Ipv4, Ipv6 } from '../../inet/address.ts'
import type {
  AccessKeyId,
  InstanceId,
  NodeName,
  RegionId,
  RoleName,
  RouteTableId,
  SecurityGroupId,
  VpcId,
  VSwitchId,
  ZoneId,
} from './ids.ts'
import type { InstanceType } from './instance-types.ts'
import type { SecurityGroup } from './security-group.ts'

export interface VSwitch {
  readonly id: VSwitchId
  readonly zone: ZoneId
  readonly cidr: Cidr
  /** The third address from the end. */
  readonly gateway: Ipv4
  /** A /64 of the VPC's IPv6 prefix; undefined when IPv6 is off. */
  readonly ipv6: { readonly cidr: Cidr; readonly gateway: Ipv6 } | undefined
}

/** A table of the VPC's router. vSwitches that are in no custom table use the system table, of which there is one. */
export interface RouteTable {
  readonly id: RouteTableId
  readonly type: 'System' | 'Custom'
  readonly vSwitches: readonly VSwitchId[]
}

export interface Vpc {
  readonly id: VpcId
  readonly cidr: Cidr
  /** A /56; undefined when IPv6 is off. */
  readonly ipv6Cidr: Cidr | undefined
  /** The system table first. */
  readonly routeTables: readonly RouteTable[]
}

/** An ECS instance. It is there for as long as the simulator is, and its status does not change. */
export interface Node {
  readonly name: NodeName
  readonly instanceId: InstanceId
  readonly instanceType: InstanceType
  readonly vSwitchId: VSwitchId
  /** Primary address of the primary ENI. */
  readonly primaryIp: Ipv4
  /** The first IPv6 address of the primary ENI; undefined: it has none. */
  readonly primaryIpv6: Ipv6 | undefined
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** `required`: the metadata service answers only requests with a token. */
  readonly metadataTokens: 'optional' | 'required'
  readonly status: 'Running' | 'Stopped'
  /** The RAM role whose credentials the metadata service gives out. */
  readonly ramRole: RoleName | undefined
  readonly tags: ReadonlyMap<string, string>
}

/** Milliseconds. */
export interface Latencies {
  /** Until the answer to CreateNetworkInterface. */
  readonly create: number
  /** From Attaching to InUse. */
  readonly attach: number
  /** From Detaching to Available. */
  readonly detach: number
  /** From Deleting to gone. */
  readonly delete: number
  /** Until the answer to AssignPrivateIpAddresses. */
  readonly assign: number
  /** Until the answer to UnassignPrivateIpAddresses. */
  readonly unassign: number
  /** How far the metadata service is behind the API. */
  readonly metadata: number
  /** From InUse to the link in the guest. */
  readonly link: number
  /** From Attaching to InUse of a member ENI, and back from Detaching to Available. */
  readonly member: number
  /** From Creating to Available of a route entry, and from Deleting to gone. */
  readonly route: number
  /** How far the answers of Describe actions are behind what was done. */
  readonly describe: number
}

/** Patterns like `ecs:Describe*`, `vpc:*`, `*`. A denial is stronger than a permission. */
export interface Policy {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

export interface AccessKey {
  readonly id: AccessKeyId
  readonly secret: string
  readonly policy: Policy
}

/** Gives out temporary keys: through the metadata service, and for tokens of the cluster's OIDC provider. */
export interface RamRole {
  readonly name: RoleName
  readonly policy: Policy
  /** Life of a temporary key, seconds. */
  readonly keyLife: number
}

/** What the account may have in the region. */
export interface Quotas {
  /** ENIs in all, primary ones included. */
  readonly enis: number
  readonly securityGroupsPerEni: number
  /** Private addresses in one security group, by its type. */
  readonly securityGroupIps: Readonly<Record<SecurityGroup['type'], number>>
  /** Custom entries of one route table. */
  readonly routeEntries: number
}

export interface Region {
  readonly id: RegionId
  /** Account number, decimal. */
  readonly account: string
  readonly vpc: Vpc
  readonly vSwitches: ReadonlyMap<VSwitchId, VSwitch>
  readonly securityGroups: ReadonlyMap<SecurityGroupId, SecurityGroup>
  readonly nodes: readonly Node[]
  readonly accessKeys: ReadonlyMap<AccessKeyId, AccessKey>
  readonly ramRoles: ReadonlyMap<RoleName, RamRole>
  readonly latencies: Latencies
  readonly quotas: Quotas
  /** Calls a minute by action (`*`: every action that is not named); an action without an entry is not throttled. */
  readonly throttle: ReadonlyMap<string, number>
  /** Bytes; of every ENI and of the VPC's router. */
  readonly mtu: number
  /** Of everything random: faults with a probability. */
  readonly seed: number
  /** Built-in types and those of the region file, by id. */
  readonly instanceTypes: ReadonlyMap<string, InstanceType>
}

/** The region file cannot be used; the message names the file, the key and what is allowed. */
export class RegionError extends Error {
  override readonly name = 'RegionError'
}
