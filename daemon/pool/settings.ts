/**
 * What a node's pool may hold and how it sizes itself: one value, from eni_conf, the instance type and the node's
 * annotations together. It may be another one at every look; nothing of it is remembered.
 */
import type { Family } from '../../inet/address.ts'

/**
 * `shared`: pods share ENIs, an address each. `exclusive`: an ENI for each pod, moved into it. `member`: a member ENI of
 * the node's trunk for each pod.
 */
export type PoolKind = 'shared' | 'exclusive' | 'member'

/**
 * `fixed`: by `minFree` and `maxFree` alone. `adaptive`: by what has been asked for and how long the cloud takes, and
 * never above `maxFree`.
 */
export type WarmStrategy = 'fixed' | 'adaptive'

/**
 * From which ENI an address is given. `most-pods`: the one with the most, so that others become empty and go back.
 * `fewest-pods`: the one with the fewest, so that pods share an ENI's bandwidth with fewer others.
 */
export type EniOrder = 'most-pods' | 'fewest-pods'

/** Shrinking by time; addresses are counted, the primary ones of ENIs that stay are not. */
export interface IdleReclaim {
  /** ms for which an address must not have been needed */
  readonly after: number
  /** ms between two batches */
  readonly interval: number
  /** Addresses given back at once; Infinity for all. */
  readonly batch: number
  /** The interval is up to this share of it longer. */
  readonly jitter: number
}

/** Filling that is not for waiting pods, in portions. */
export interface WarmUp {
  /** Addresses asked for in one interval. */
  readonly batch: number
  /** ms */
  readonly interval: number
}

export interface Batch {
  /** Addresses of one call at most; the API's own limits hold besides. */
  readonly addresses: number
  /** ENIs made at the same time at most. */
  readonly enis: number
  /** ms that the first of several pods waits for the others, so that one call is for all of them; at most 100. */
  readonly wait: number
}

export interface PoolLimits {
  readonly kind: PoolKind
  /** Those that every pod has an address of, from the same ENI. */
  readonly families: readonly Family[]
  /** What an ENI is given beside its primary address: addresses, or prefixes (/28, /80) of them. */
  readonly unit: 'address' | 'prefix'
  /** ENIs that may carry pods: secondary ones, or members. The trunk does not count. */
  readonly maxEnis: number
  /** ENIs kept attached, also without pods. */
  readonly minEnis: number
  /** Places of an ENI for each family, the primary address included: an address or a prefix takes one. */
  readonly addressesPerEni: number
  /** Free addresses kept ready. */
  readonly minFree: number
  /** Free addresses above this go back to the cloud. */
  readonly maxFree: number
  /** Of the addresses in use this share is kept free besides, as far as `maxFree` allows: 0 to 1. */
  readonly reserve: number
  /** Addresses to have had once in the life of the node, when it is new; 0 for none. */
  readonly firstFill: number
  /** IPv4 prefixes kept in all, also when fewer would do. */
  readonly minPrefixes: number
  readonly strategy: WarmStrategy
  readonly order: EniOrder
  readonly batch: Batch
  /** Undefined: all at once. */
  readonly warmUp: WarmUp | undefined
  /** Undefined: only what is above `maxFree` goes back. */
  readonly idle: IdleReclaim | undefined
}

const MINUTE = 60_000

/** Idle time-out of the user's documents. */
export const DEFAULT_IDLE: IdleReclaim = { after: 5 * MINUTE, interval: 0, batch: Number.POSITIVE_INFINITY, jitter: 0 }
/** A tenth of what an assignment takes, so that the pods of one roll-out come together. */
export const DEFAULT_BATCH: Batch = {
  addresses: Number.POSITIVE_INFINITY,
  enis: Number.POSITIVE_INFINITY,
  wait: 50,
}

/** Limits in which only what is given differs from the defaults. */
export function poolLimits(
  given: Pick<PoolLimits, 'maxEnis' | 'addressesPerEni' | 'minFree' | 'maxFree'> & Partial<PoolLimits>,
): PoolLimits {
  return {
    ...{ kind: 'shared', families: ['ipv4'], unit: 'address', minEnis: 0, reserve: 0, firstFill: 0, minPrefixes: 0 },
    ...{ strategy: 'fixed', order: 'most-pods', batch: DEFAULT_BATCH, warmUp: undefined, idle: DEFAULT_IDLE },
    ...given,
  }
}

/** Addresses of a /28, the only length of an IPv4 prefix. */
export const PREFIX_SIZE = 16

/** Pods that the pool could serve with every ENI made and filled. */
export function capacityOf({ maxEnis, addressesPerEni, unit, kind }: PoolLimits): number {
  if (kind !== 'shared') return maxEnis
  const perEni = unit === 'address' ? addressesPerEni : 1 + Math.max(0, addressesPerEni - 1) * PREFIX_SIZE
  return maxEnis * perEni
}
