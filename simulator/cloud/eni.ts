/** An elastic network interface and the life it may have. */
import type { Cidr, Ipv4, Ipv6, Mac } from '../../inet/address.ts'
import type { EniId, InstanceId, SecurityGroupId, VSwitchId, ZoneId } from '../region/ids.ts'
import { IPS_PER_PREFIX } from './vswitch-addresses.ts'

/** Where an ENI is. */
export interface Attachment {
  readonly instanceId: InstanceId
  /** Of a member ENI: its VLAN id on the trunk. */
  readonly deviceIndex: number
  /** The trunk ENI that carries it; only of a member. */
  readonly trunkId?: EniId
}

/**
 * `linked`: the guest has its link; that is some time after the API says InUse. A member has no link of its own, it is
 * a VLAN on its trunk.
 */
export type EniState =
  | { readonly status: 'Available' }
  | ({ readonly status: 'Attaching' } & Attachment)
  | ({ readonly status: 'InUse'; readonly linked: boolean } & Attachment)
  | ({ readonly status: 'Detaching' } & Attachment)
  | { readonly status: 'Deleting' }
export type EniStatus = EniState['status']

export interface Eni {
  readonly id: EniId
  readonly mac: Mac
  /** A plain ENI is Secondary, and a Member while it is on a trunk. */
  readonly type: 'Primary' | 'Secondary' | 'Trunk' | 'Member'
  readonly vSwitchId: VSwitchId
  readonly zone: ZoneId
  readonly primaryIp: Ipv4
  readonly secondaryIps: readonly Ipv4[]
  readonly ipv6s: readonly Ipv6[]
  /** Each a /28. */
  readonly ipv4Prefixes: readonly Cidr[]
  /** Each a /80. */
  readonly ipv6Prefixes: readonly Cidr[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly name: string
  readonly description: string
  readonly resourceGroupId: string
  readonly tags: ReadonlyMap<string, string>
  readonly deleteOnRelease: boolean
  readonly sourceDestCheck: boolean
  readonly trafficMode: 'Standard' | 'HighPerformance'
  /** Undefined: as many as the instance type gives it. */
  readonly queueNumber: number | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly state: EniState
}

/**
 * ECS documentation, "ENI overview": states and the operations between them. A failed attach goes back, and one that
 * hangs can be detached.
 */
const NEXT: Readonly<Record<EniStatus, readonly EniStatus[]>> = {
  Available: ['Attaching', 'Deleting'],
  Attaching: ['InUse', 'Available', 'Detaching'],
  InUse: ['InUse', 'Detaching'],
  Detaching: ['Available'],
  Deleting: [],
}

/** @throws Error when the transition does not exist: a defect of the simulator, never of its client. */
export function withState(eni: Eni, state: EniState): Eni {
  if (!NEXT[eni.state.status].includes(state.status)) {
    throw new Error(`${eni.id} cannot go from ${eni.state.status} to ${state.status}`)
  }
  return { ...eni, type: typeIn(state, eni), state }
}

/** A plain ENI is a member as long as a trunk carries it. */
function typeIn(state: EniState, { type }: Eni): Eni['type'] {
  if (type === 'Primary' || type === 'Trunk') return type
  return 'trunkId' in state && state.trunkId !== undefined ? 'Member' : 'Secondary'
}

/** Single IPv4 addresses, the primary one first; those inside prefixes are not among them. */
export function addressesOf(eni: Eni): readonly Ipv4[] {
  return [eni.primaryIp, ...eni.secondaryIps]
}

/** What the instance type limits: single IPv4 addresses and prefixes, one each. */
export function ipv4Slots(eni: Eni): number {
  return addressesOf(eni).length + eni.ipv4Prefixes.length
}

export function ipv6Slots(eni: Eni): number {
  return eni.ipv6s.length + eni.ipv6Prefixes.length
}

/** Private IPv4 addresses, those inside prefixes included. */
export function privateIpCount(eni: Eni): number {
  return addressesOf(eni).length + eni.ipv4Prefixes.length * IPS_PER_PREFIX
}

/** The trunk that carries the ENI, or is about to or just did. */
export function trunkOf(eni: Eni): EniId | undefined {
  return 'trunkId' in eni.state ? eni.state.trunkId : undefined
}

/** The instance that the ENI is on, or on its way to or from. */
export function instanceOf(eni: Eni): InstanceId | undefined {
  return 'instanceId' in eni.state ? eni.state.instanceId : undefined
}
