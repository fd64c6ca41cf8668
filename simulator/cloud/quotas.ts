/** What the account may have: ENIs, and addresses in a security group. Every check throws ApiError. */
import type { EniId, SecurityGroupId } from '../region/ids.ts'
import type { Region } from '../region/region.ts'
import { type Eni, privateIpCount } from './eni.ts'
import { ApiError } from './error.ts'

export function checkEniQuota(region: Region, enis: readonly Eni[]): void {
  const { enis: quota } = region.quotas
  if (enis.length < quota) return
  throw new ApiError('MaxEniCountExceeded', `The account has ${enis.length} ENIs of ${quota} in ${region.id}.`)
}

/** Groups that exist, each once, not too many, and all of one type: rules of two types cannot be put together. */
export function checkSecurityGroups(
  region: Pick<Region, 'quotas' | 'securityGroups'>,
  ids: readonly SecurityGroupId[],
): void {
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated !== undefined) {
    throw new ApiError('InvalidParameter.SecurityGroupIdRepeated', `${repeated} is there twice.`)
  }
  const { securityGroupsPerEni } = region.quotas
  if (ids.length > securityGroupsPerEni) {
    const message = `An ENI can join ${securityGroupsPerEni} security groups, not ${ids.length}.`
    throw new ApiError('JoinedGroupLimitExceed', message)
  }
  const types = ids.map((id) => {
    const group = region.securityGroups.get(id)
    if (group === undefined) {
      throw new ApiError('InvalidSecurityGroupId.NotFound', `The security group ${id} does not exist.`)
    }
    return group.type
  })
  if (new Set(types).size <= 1) return
  throw new ApiError('InvalidOperation.MultiGroupType', `${ids.join(', ')} are security groups of different types.`)
}

export interface Joining {
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Private IPv4 addresses the groups get, those inside prefixes included. */
  readonly ips: number
  /** An ENI that is in some of the groups and is counted in `ips`. */
  readonly instead?: EniId
}

export function checkSecurityGroupRoom(region: Region, enis: readonly Eni[], joining: Joining): void {
  for (const id of joining.securityGroupIds) {
    const type = region.securityGroups.get(id)?.type ?? 'normal'
    const quota = region.quotas.securityGroupIps[type]
    const members = enis.filter((eni) => eni.id !== joining.instead && eni.securityGroupIds.includes(id))
    const used = members.reduce((sum, eni) => sum + privateIpCount(eni), 0)
    if (used + joining.ips <= quota) continue
    const message = `The security group ${id} has ${used} private addresses of ${quota}; ${joining.ips} more are too many.`
    throw new ApiError('SecurityGroupInstanceLimitExceed', message)
  }
}
