/** What a decision goes by: the question, and what adds up from it. Pure. */
import type { Cidr, Ip } from '../../inet/address.ts'
import { type Aim, aimAt } from './aim.ts'
import type { Circumstances } from './circumstances.ts'
import type { Past } from './history.ts'
import type { AssignKind, EniKey, EniRole } from './model.ts'
import { type PoolLimits, PREFIX_SIZE } from './settings.ts'
import { type Supply, suppliesOf } from './supply.ts'
import type { PoolState } from './tables.ts'

export type Action =
  /** An ENI that can serve so many pods as soon as it is there; 0 for a trunk. */
  | { readonly kind: 'create-eni'; readonly role: EniRole; readonly pods: number }
  | { readonly kind: 'assign'; readonly eni: EniKey; readonly what: AssignKind; readonly count: number }
  | {
      readonly kind: 'unassign'
      readonly eni: EniKey
      readonly ips: readonly Ip[]
      /** Those whose addresses are all in `ips`, or that have none on record. */
      readonly prefixes: readonly Cidr[]
    }
  /** Nothing more is given from it. */
  | { readonly kind: 'drain-eni'; readonly eni: EniKey }
  /** It is of use again. */
  | { readonly kind: 'keep-eni'; readonly eni: EniKey }
  | { readonly kind: 'release-eni'; readonly eni: EniKey }
  | { readonly kind: 'end-cooling'; readonly ips: readonly Ip[] }

export interface Demand {
  /** ADDs that wait for an address. */
  readonly waiting: number
  readonly past: Past
  /** True once the node has had as many addresses as it shall have when it is new. */
  readonly firstFillDone: boolean
}

export interface Question {
  readonly state: PoolState
  readonly demand: Demand
  readonly limits: PoolLimits
  readonly circumstances: Circumstances
  /** ms since the epoch */
  readonly now: number
}

/** What every part of the decision goes by. */
export interface Balance extends Question {
  readonly supplies: readonly Supply[]
  readonly aim: Aim
  readonly free: number
  readonly coming: number
}

export function balanceOf(question: Question): Balance {
  const { limits, demand } = question
  const supplies = suppliesOf(question)
  const owned = supplies.reduce((sum, supply) => sum + supply.owned, 0)
  return {
    ...question,
    supplies,
    aim: aimAt(limits, demand.past, owned),
    free: supplies.reduce((sum, { ready }) => sum + ready, 0),
    coming: supplies.reduce((sum, { coming }) => sum + coming, 0),
  }
}

/** ENIs that may still be made. */
export function newEnis({ state, limits, circumstances }: Question): number {
  const taken = [...state.enis.values()].filter(({ phase, role }) => phase !== 'lost' && role !== 'trunk').length
  return circumstances.noNewEni ? 0 : Math.max(0, limits.maxEnis - taken - circumstances.foreignEnis)
}

/** Whatever stands in the way: nothing more could be had. ENIs that leave make room for others. */
export function isFull({ supplies, limits, circumstances }: Balance): boolean {
  return supplies.every(({ room }) => room === 0) && supplies.length + circumstances.foreignEnis >= limits.maxEnis
}

/** Pods that an ENI can serve when it is full. */
export function podsOfNewEni({ kind, unit, addressesPerEni }: PoolLimits): number {
  if (kind !== 'shared') return 1
  return unit === 'address' ? addressesPerEni : 1 + (addressesPerEni - 1) * PREFIX_SIZE
}
