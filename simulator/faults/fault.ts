/** What a fault is made of: which calls it concerns, and what becomes of them. */
import type { TransitionFault, TransitionKind } from '../cloud/faults.ts'
import type { EniId, NodeName, VSwitchId } from '../region/ids.ts'

/** What is not given selects everything. */
export interface Selector {
  /** The action, or a pattern like `Describe*`. */
  readonly action?: string
  /** Node of the caller; of a transition, the node that the ENI is on. */
  readonly node?: NodeName
  /** Id of the access key. */
  readonly key?: string
  /** An ENI that the call names; of a wrong list, the ENI that is wrong in it. */
  readonly eni?: EniId
  /** The vSwitch that the call names, or that an ENI it names is in. */
  readonly vSwitch?: VSwitchId
  /** Of the metadata service, below `/latest/`: `meta-data/ram/*`. */
  readonly path?: string
  /** Only the nth of those that match, from 1. */
  readonly nth?: number
  /** Not the first that many. */
  readonly after?: number
  /** At most that often. */
  readonly times?: number
  /** Milliseconds of the region's clock, from the moment the fault is added. */
  readonly for?: number
  /** Of each that is left by the rest, 0 to 1. */
  readonly probability?: number
}

/** Whether the call has had its effect when the fault strikes. */
export type When = 'before' | 'after'

/** What can happen instead of the answer. One call gets one of them at most. */
export type Outcome =
  | {
      readonly kind: 'error'
      readonly code: string
      /** HTTP status. */
      readonly status: number
      readonly message: string
      /** Milliseconds. */
      readonly retryAfter?: number
    }
  | { readonly kind: 'silence' | 'reset'; readonly when: When }
  | { readonly kind: 'page'; readonly status: number; readonly when: When }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'empty-id' }

/** The list of ENIs as the call sees it, or one of the ENIs in it: old. */
export interface StaleList {
  /** Milliseconds. */
  readonly by: number
  readonly eni?: EniId
}

export type Effect =
  | { readonly kind: 'delay'; readonly when: When; readonly milliseconds: number }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  /** Every call of the action is throttled for that long. */
  | { readonly kind: 'throttle'; readonly milliseconds: number; readonly code: string }
  | { readonly kind: 'stale'; readonly by: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'transition'; readonly step: TransitionKind; readonly fault: TransitionFault }
  | { readonly kind: 'metadata'; readonly status: number | 'timeout' }
  | { readonly kind: 'free-ips'; readonly vSwitch: VSwitchId; readonly availableIps: number }

export interface Fault {
  readonly name?: string
  readonly select: Selector
  readonly effect: Effect
  /** The effect as it was asked for. */
  readonly asked: unknown
}

/** Effects on what only some actions have; the others are not selected, whatever the selector says. */
export function actionsOf(effect: Effect): RegExp {
  if (effect.kind === 'stale' || effect.kind === 'missing') return /^DescribeNetworkInterface/
  if (effect.kind === 'outcome' && effect.outcome.kind === 'empty-id') return /^CreateNetworkInterface$/
  return /^/
}
