/** What effects work with: the pool's state, the cloud, and the node's side of ENIs. */
import type { Priority } from '../../../cloud/budget/priority.ts'
import type { Ecs } from '../../../cloud/ecs.ts'
import type { EniId, InstanceId } from '../../../cloud/ids.ts'
import type { CallOptions } from '../../../cloud/transport.ts'
import type { Cidr, Ip, Mac } from '../../../inet/address.ts'
import type { LinkName } from '../../../inet/link-name.ts'
import type { PoolClock } from '../clock.ts'
import type { Change, EniKey, EniRole, KnownEni } from '../model.ts'
import type { PoolState } from '../tables.ts'
import type { StateWatch } from './state-watch.ts'

/** An ENI that pods can be put on: attached, its link found and, where pods share it, programmed. */
export interface ReadyEni {
  readonly key: EniKey
  readonly id: EniId
  readonly mac: Mac
  readonly role: EniRole
  /** Of a member: the link of its trunk, and the 802.1Q id that its frames have there. */
  readonly link: LinkName
  readonly ifindex: number
  readonly vlanId?: number
  /** Of its vSwitch, and the gateways there. */
  readonly cidr: Cidr
  readonly gateway: Ip
  readonly cidr6?: Cidr
  readonly gateway6?: Ip
  /** Of a member: those of its trunk. */
  readonly trunkGateways?: { readonly gateway: Ip; readonly gateway6?: Ip }
}

export interface EniLink {
  readonly name: LinkName
  readonly ifindex: number
}

/** The node's side of an ENI. */
export interface EniLinks {
  /** In the node's own namespace. */
  find(mac: Mac): EniLink | undefined
  /** Programs a link that pods share, with its route table; does nothing when all is there. */
  program(eni: ReadyEni): void
  /** Takes away what `program` made, apart from the link, which the cloud removes. */
  clear(eni: ReadyEni): Promise<void>
}

export interface EffectContext {
  readonly state: PoolState
  readonly cloud: Ecs
  readonly links: EniLinks
  readonly instanceId: InstanceId
  readonly clock: PoolClock
  readonly signal: AbortSignal
  /** The guest's link appears some seconds after the cloud says InUse; longer than this, ms, and something is wrong. */
  readonly linkTimeout: number
  /** Of calls that bring addresses: whether pods wait for one just now. */
  priority(): Priority
  commit(changes: readonly Change[]): void
  ready(key: EniKey): ReadyEni | undefined
  setReady(eni: ReadyEni): void
  unsetReady(key: EniKey): void
}

/** All effects of a pool look at the cloud together. */
export interface Equipped extends EffectContext {
  readonly watch: StateWatch
}

/** An ENI did not reach the state it was asked to. */
export class EniStateError extends Error {
  override readonly name = 'EniStateError'
}

/** What brings addresses is asked for as urgently as they are needed at the moment of each call. */
export function growing(context: EffectContext): CallOptions {
  return { signal: context.signal, priority: context.priority }
}

/** What gives back goes last, with the looks that belong to it. */
export function shrinking({ signal }: EffectContext): CallOptions {
  return { signal, priority: 'clean-up' }
}

/** Unless something else was decided for the ENI while the effect ran. */
export function moveOn({ state, clock, commit }: EffectContext, record: KnownEni, phase: KnownEni['phase']): void {
  if (state.enis.get(record.key)?.phase !== record.phase) return
  commit([{ kind: 'put-eni', eni: { ...record, phase, since: clock.now() } }])
}

/** Pods that have addresses of the ENI, ghosts not counted. */
export function podsOn({ state }: Pick<EffectContext, 'state'>, key: EniKey): number {
  const [ipv4, ipv6] = [state.tally(key, 'ipv4'), state.tally(key, 'ipv6')]
  return Math.max(ipv4.owned - ipv4.lost, ipv6.owned - ipv6.lost)
}
