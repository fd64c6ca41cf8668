/** What a comparison of the journal with the cloud goes by. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import type { VSwitchId } from '../../../cloud/ids.ts'
import type { Cidr, Ip } from '../../../inet/address.ts'
import type { LinkName } from '../../../inet/link-name.ts'
import type { EniKey } from '../model.ts'
import type { PoolKind } from '../settings.ts'
import type { PoolState } from '../tables.ts'
import type { Ownership } from './ownership.ts'

/** What an answer of the cloud may show although it is not so, or not any more: believed when another one shows it too. */
type Suspect =
  /** An ENI on record that the answer lacks. */
  | 'missing'
  /** An ENI on record that is not attached here, by the answer: to nothing, */
  | 'detached'
  /** or to another node. */
  | 'elsewhere'
  /** An address or prefix on record that the answer lacks, although it has its ENI. */
  | 'gone'
  /** An ENI on record whose tags say that it is somebody else's. */
  | 'taken'
  /** An ENI of ours that is not on record. */
  | 'unknown'
  /** An ENI attached here that is not ours. */
  | 'foreign'
  /** An address or prefix, on an ENI on record, that is not. */
  | 'stranger'

export type Suspicion = `${Suspect} ${string}`

/** What the last comparison has seen, and since when one after the other has, ms since the epoch. */
export type Suspicions = ReadonlyMap<Suspicion, number>

export const NO_SUSPICIONS: Suspicions = new Map()

export interface World {
  readonly state: PoolState
  /** ENIs attached to this instance or tagged with it, of any owner; each once. */
  readonly cloud: readonly CloudEni[]
  readonly ownership: Ownership
  /** What the pool holds ENIs for. */
  readonly kind: PoolKind
  /** Of every vSwitch that an ENI of ours in `cloud` lies in. */
  readonly cidrs: ReadonlyMap<VSwitchId, Cidr>
  /** The same of IPv6, for those that have it. */
  readonly cidrs6: ReadonlyMap<VSwitchId, Cidr>
  /** Addresses that a pod's host link carries a route for, whatever the journal says. */
  readonly podRoutes: ReadonlyMap<Ip, LinkName>
  /** Of the comparison before; none for the first one of a start. */
  readonly suspicions: Suspicions
  /**
   * The first comparison of a start whose journal was empty: a reboot has lost it, and there is nothing that the answer
   * could be older than. What is attached is taken over at once then, or pods would wait for a second look.
   */
  readonly fresh: boolean
  /** ms for which an unattached ENI must have been seen as nobody's before it is deleted, beside being seen twice. */
  readonly orphanTtl: number
  /** Records younger than this, ms since the epoch, are left alone: the cloud's answer may be older than they are. */
  readonly settledBefore: number
  readonly newKey: () => EniKey
  /** ms since the epoch */
  readonly now: number
}
