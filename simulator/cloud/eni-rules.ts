/** What the cloud allows with an ENI. Every check throws ApiError. */
import { totalQueues } from '../region/instance-types.ts'
import type { Node } from '../region/region.ts'
import type { Eni } from './eni.ts'
import { ApiError } from './error.ts'

/** Of an ENI that is on no instance, the primary address included (ECS documentation). */
const IPV4_WHEN_AVAILABLE = 50
const IPV6_WHEN_AVAILABLE = 10

export function checkSettled(eni: Eni): void {
  const { status } = eni.state
  if (status !== 'Available' && status !== 'InUse') throw wrongState(eni, 'Available or InUse')
}

export function wrongState(eni: Eni, expected: string): ApiError {
  const message = `Expecting ${eni.id} to be ${expected} while its current status is ${eni.state.status}.`
  return new ApiError('InvalidOperation.InvalidEniState', message)
}

/**
 * So many addresses and prefixes on one ENI, as the type of its instance allows; `node` undefined: as an ENI on no
 * instance may have.
 */
export function checkIpv4Slots(slots: number, node: Node | undefined): void {
  const limit = node?.instanceType.ipv4PerEni ?? IPV4_WHEN_AVAILABLE
  if (slots <= limit) return
  const message = `An ENI ${where(node)} has at most ${limit} IPv4 addresses and prefixes, not ${slots}.`
  throw new ApiError('InvalidOperation.Ipv4CountExceeded', message)
}

/** As for IPv4. */
export function checkIpv6Slots(slots: number, node: Node | undefined): void {
  const limit = node?.instanceType.ipv6PerEni ?? IPV6_WHEN_AVAILABLE
  if (slots <= limit) return
  const message = `An ENI ${where(node)} has at most ${limit} IPv6 addresses and prefixes, not ${slots}.`
  if (node === undefined) throw new ApiError('MaxEniIpv6IpsCountExceeded', message)
  throw new ApiError(limit === 0 ? 'InvalidOperation.Ipv6NotSupport' : 'InvalidOperation.Ipv6CountExceeded', message)
}

function where(node: Node | undefined): string {
  return node === undefined ? 'on no instance' : `on ${node.instanceId} (${node.instanceType.id})`
}

export interface Queues {
  /** Undefined: as many as the type gives it. */
  readonly queueNumber: number | undefined
  /** It is, or is to be, on a trunk. */
  readonly member: boolean
}

/** The queues of one ENI, and of all together beside `others`: members count as well. */
export function checkQueues(wanted: Queues, node: Node, others: readonly Eni[]): void {
  const { instanceId, instanceType } = node
  const { id, queuesPerEni } = instanceType
  const asked = queuesOf(wanted, queuesPerEni)
  if (asked > queuesPerEni) {
    const message = `An ENI on ${instanceId} (${id}) has at most ${queuesPerEni} queues, not ${asked}.`
    throw new ApiError('InvalidOperation.MaxEniQueueNumberExceeded', message)
  }
  const used = others.reduce(
    (sum, { queueNumber, type }) => sum + queuesOf({ queueNumber, member: type === 'Member' }, queuesPerEni),
    0,
  )
  const total = totalQueues(instanceType)
  if (asked === 0 || used + asked <= total) return
  const message = `${instanceId} (${id}) has ${used} queues of ${total}; ${asked} more are too many.`
  throw new ApiError('InvalidOperation.MaxEniQueueNumberExceeded', message)
}

/** A member uses its trunk's queues unless it asks for its own. */
function queuesOf({ queueNumber, member }: Queues, queuesPerEni: number): number {
  return queueNumber ?? (member ? 0 : queuesPerEni)
}

/** Room for one more eRDMA interface beside those of `others`. */
export function checkHighPerformance(node: Node, others: readonly Eni[]): void {
  const { id, eriQuantity } = node.instanceType
  if (eriQuantity === 0) {
    const message = `The instance type ${id} has no eRDMA interfaces.`
    throw new ApiError('InvalidOperation.InstanceTypeNotSupportHighPerformance', message)
  }
  const used = others.filter((eni) => eni.trafficMode === 'HighPerformance').length
  if (used < eriQuantity) return
  const message = `${node.instanceId} (${id}) has ${used} eRDMA interfaces of ${eriQuantity}.`
  throw new ApiError('InvalidOperation.HighPerformanceEniPerInstanceLimitExceeded', message)
}
