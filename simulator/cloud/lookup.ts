/** Finding what a call names. Everything throws ApiError when it is not there. */
import type { InstanceId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import type { Node, Region, VSwitch } from '../region/region.ts'
import { ApiError } from './error.ts'
import type { VSwitchAddresses } from './vswitch-addresses.ts'

export function findInstance(region: Region, id: InstanceId): Node {
  const node = region.nodes.find((candidate) => candidate.instanceId === id)
  if (node === undefined) throw new ApiError('InvalidEcsId.NotFound', `The instance ${id} does not exist.`)
  return node
}

export interface Subnet {
  readonly vSwitch: VSwitch
  readonly pool: VSwitchAddresses
}

/** The vSwitches by id, with their addresses. */
export type Subnets = ReadonlyMap<VSwitchId, Subnet>

export function findSubnet(subnets: Subnets, id: VSwitchId): Subnet {
  const subnet = subnets.get(id)
  if (subnet === undefined) throw new ApiError('InvalidVSwitchId.NotFound', `The vSwitch ${id} does not exist.`)
  return subnet
}

export function checkSecurityGroups(region: Region, ids: readonly SecurityGroupId[]): void {
  const unknown = ids.find((id) => !region.securityGroups.has(id))
  if (unknown === undefined) return
  throw new ApiError('InvalidSecurityGroupId.NotFound', `The security group ${unknown} does not exist.`)
}
