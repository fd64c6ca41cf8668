/** The region that is simulated: what stands in the cloud before the first call. */
import type { Cidr, Ipv4 } from '../../inet/address.ts'
import type { AccessKeyId, InstanceId, NodeName, RegionId, SecurityGroupId, VpcId, VSwitchId, ZoneId } from './ids.ts'
import type { InstanceType } from './instance-types.ts'

export interface VSwitch {
  readonly id: VSwitchId
  readonly zone: ZoneId
  readonly cidr: Cidr
  /** The third address from the end. */
  readonly gateway: Ipv4
}

/** An ECS instance, running for as long as the simulator does. */
export interface Node {
  readonly name: NodeName
  readonly instanceId: InstanceId
  readonly instanceType: InstanceType
  readonly vSwitchId: VSwitchId
  /** Primary address of the primary ENI. */
  readonly primaryIp: Ipv4
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** `required`: the metadata service answers only requests with a token. */
  readonly metadataTokens: 'optional' | 'required'
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
}

export interface AccessKey {
  readonly id: AccessKeyId
  readonly secret: string
}

export interface Region {
  readonly id: RegionId
  /** Account number, decimal. */
  readonly account: string
  readonly vpc: { readonly id: VpcId; readonly cidr: Cidr }
  readonly vSwitches: ReadonlyMap<VSwitchId, VSwitch>
  readonly securityGroups: ReadonlySet<SecurityGroupId>
  readonly nodes: readonly Node[]
  readonly accessKeys: ReadonlyMap<AccessKeyId, AccessKey>
  readonly latencies: Latencies
  /** Built-in types and those of the region file, by id. */
  readonly instanceTypes: ReadonlyMap<string, InstanceType>
}

/** The region file cannot be used; the message names the file, the key and what is allowed. */
export class RegionError extends Error {
  override readonly name = 'RegionError'
}
