/** Whether an ENI fits on an instance, and where. Every check throws ApiError. */
import type { EniId, ZoneId } from '../region/ids.ts'
import type { Node } from '../region/region.ts'
import { type Attachment, type Eni, instanceOf, ipv4Slots, ipv6Slots, trunkOf } from './eni.ts'
import { checkHighPerformance, checkIpv4Slots, checkIpv6Slots, checkQueues } from './eni-rules.ts'
import { ApiError } from './error.ts'

export interface Target {
  readonly node: Node
  readonly zone: ZoneId
  /** What is on the instance, or on its way to or from it. */
  readonly attached: readonly Eni[]
  /** The ENI that is to carry the new one; undefined: none is. */
  readonly trunk: Eni | undefined
}

/** The place the ENI gets: the lowest free device index, or VLAN id on the trunk. */
export function placeFor(eni: Eni, target: Target): Attachment {
  const { node, zone, attached, trunk } = target
  if (zone !== eni.zone) {
    const message = `${eni.id} is in the zone ${eni.zone}, ${node.instanceId} in ${zone}.`
    throw new ApiError('InvalidOperation.AvailabilityZoneMismatch', message)
  }
  if (trunk === undefined) checkDeviceFits(eni, target)
  else checkMemberFits(eni, trunk, target)
  if (eni.trafficMode === 'HighPerformance') checkHighPerformance(node, attached)
  checkQueues({ queueNumber: eni.queueNumber, member: trunk !== undefined }, node, attached)
  checkIpv4Slots(ipv4Slots(eni), node)
  checkIpv6Slots(ipv6Slots(eni), node)
  const { instanceId } = node
  if (trunk !== undefined)
    return { instanceId, deviceIndex: freeIndex(membersOf(attached, trunk.id)), trunkId: trunk.id }
  return { instanceId, deviceIndex: freeIndex(devicesOf(attached)) }
}

/** Members and their trunk share a link, so that they do not count as devices of the instance. */
function devicesOf(attached: readonly Eni[]): readonly Eni[] {
  return attached.filter((eni) => trunkOf(eni) === undefined)
}

export function membersOf(attached: readonly Eni[], trunk: EniId): readonly Eni[] {
  return attached.filter((eni) => trunkOf(eni) === trunk)
}

function checkDeviceFits(eni: Eni, { node, attached }: Target): void {
  const { id, eniQuantity, trunkSupported } = node.instanceType
  if (eni.type === 'Trunk' && !trunkSupported) {
    const message = `The instance type ${id} does not support trunk ENIs.`
    throw new ApiError('InvalidOperation.InstanceTypeNotSupportEniTrunking', message)
  }
  const used = devicesOf(attached).length
  if (used < eniQuantity) return
  throw new ApiError('EniPerInstanceLimitExceeded', `${node.instanceId} (${id}) has ${used} ENIs of ${eniQuantity}.`)
}

function checkMemberFits(eni: Eni, trunk: Eni, { node, attached }: Target): void {
  if (trunk.type !== 'Trunk') throw notForTrunking(trunk, 'carry another ENI')
  if (eni.type !== 'Secondary') throw notForTrunking(eni, 'be carried by a trunk')
  if (trunk.state.status !== 'InUse' || instanceOf(trunk) !== node.instanceId) {
    const message = `The trunk ${trunk.id} must be InUse on ${node.instanceId}; it is ${trunk.state.status}.`
    throw new ApiError('InvalidOperation.InvalidTrunkEniStatus', message)
  }
  const { id, eniQuantity, eniTotalQuantity } = node.instanceType
  const used = attached.length - devicesOf(attached).length
  if (used < eniTotalQuantity - eniQuantity) return
  const message = `${node.instanceId} (${id}) has ${used} member ENIs of ${eniTotalQuantity - eniQuantity}.`
  throw new ApiError('EniPerInstanceLimitExceeded', message)
}

function notForTrunking(eni: Eni, purpose: string): ApiError {
  return new ApiError('InvalidOperation.EniTypeNotSupportTrunking', `${eni.id} is ${eni.type} and cannot ${purpose}.`)
}

/**
 * From 1 on: device 0 is the primary ENI's, VLAN 0 is no VLAN (IEEE 802.1Q, 9.6). An id that was returned comes back at
 * once. No instance type has room for more members than there are VLANs.
 */
function freeIndex(enis: readonly Eni[]): number {
  const used = new Set(enis.map((eni) => ('deviceIndex' in eni.state ? eni.state.deviceIndex : 0)))
  for (let index = 1; ; index++) if (!used.has(index)) return index
}
