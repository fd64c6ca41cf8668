/** An elastic network interface and the life it may have. */
import type { Ipv4, Mac } from '../../inet/address.ts'
import type { EniId, InstanceId, SecurityGroupId, VSwitchId, ZoneId } from '../region/ids.ts'

/** `linked`: the guest has its link; that is some time after the API says InUse. */
export type EniState =
  | { readonly status: 'Available' }
  | { readonly status: 'Attaching'; readonly instanceId: InstanceId; readonly deviceIndex: number }
  | {
      readonly status: 'InUse'
      readonly instanceId: InstanceId
      readonly deviceIndex: number
      readonly linked: boolean
    }
  | { readonly status: 'Detaching'; readonly instanceId: InstanceId; readonly deviceIndex: number }
  | { readonly status: 'Deleting' }
export type EniStatus = EniState['status']

export interface Eni {
  readonly id: EniId
  readonly mac: Mac
  readonly type: 'Primary' | 'Secondary'
  readonly vSwitchId: VSwitchId
  readonly zone: ZoneId
  readonly primaryIp: Ipv4
  readonly secondaryIps: readonly Ipv4[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly name: string
  readonly description: string
  readonly tags: ReadonlyMap<string, string>
  readonly deleteOnRelease: boolean
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly state: EniState
}

/** ECS documentation, "ENI overview": states and the operations between them. A failed attach goes back. */
const NEXT: Readonly<Record<EniStatus, readonly EniStatus[]>> = {
  Available: ['Attaching', 'Deleting'],
  Attaching: ['InUse', 'Available'],
  InUse: ['InUse', 'Detaching'],
  Detaching: ['Available'],
  Deleting: [],
}

/** @throws Error when the transition does not exist: a defect of the simulator, never of its client. */
export function withState(eni: Eni, state: EniState): Eni {
  if (!NEXT[eni.state.status].includes(state.status)) {
    throw new Error(`${eni.id} cannot go from ${eni.state.status} to ${state.status}`)
  }
  return { ...eni, state }
}

/** The primary address first. */
export function addressesOf(eni: Eni): readonly Ipv4[] {
  return [eni.primaryIp, ...eni.secondaryIps]
}

/** The instance that the ENI is on, or on its way to or from. */
export function instanceOf(eni: Eni): InstanceId | undefined {
  return 'instanceId' in eni.state ? eni.state.instanceId : undefined
}
