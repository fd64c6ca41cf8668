/** A history: where it plays and what happens, as plain values, so that it can be drawn, made smaller and written down. */
import type { PoolKind, PoolLimits } from '../../../daemon/pool/settings.ts'
import type { Odds } from '../odds.ts'

export type Mode = 'shared' | 'dual' | 'ipv6' | 'prefix' | 'dual prefix' | 'exclusive' | 'dual exclusive' | 'member'

export const KIND_OF: Readonly<Record<Mode, PoolKind>> = {
  ...{ shared: 'shared', dual: 'shared', ipv6: 'shared', prefix: 'shared', 'dual prefix': 'shared' },
  ...{ exclusive: 'exclusive', 'dual exclusive': 'exclusive', member: 'member' },
}

/** Of the instance type: `tiny` is full after a few pods. */
export type Size = 'tiny' | 'small' | 'large'

export type Sizing = Partial<Pick<PoolLimits, 'minFree' | 'maxFree' | 'maxEnis' | 'minEnis'>>

export interface Scene {
  readonly mode: Mode
  readonly size: Size
  /** Lengths of the prefixes of the vSwitches that ENIs may be made in. */
  readonly vSwitches: readonly number[]
  readonly sizing: Sizing & Pick<PoolLimits, 'minFree' | 'maxFree'>
  readonly more: Partial<Pick<PoolLimits, 'order' | 'strategy' | 'reserve' | 'firstFill' | 'minPrefixes' | 'warmUp'>>
  /** ms */
  readonly coolDown: number
  /** The longest way of a call to the API, ms. */
  readonly transit: number
  /** Seed of all that is left to chance while it is played. */
  readonly chance: number
}

/** Where the daemon dies: at once, or at the so-many-th time that something is about to happen or has just happened. */
export type Spot = 'now' | 'before write' | 'after write' | 'call arrived' | 'call answered' | 'forgetting'

export type Event = { readonly at: number } & Happening

export type Happening =
  /** So many pods, from this one on, are to run; those that do get another sandbox. */
  | { readonly kind: 'run'; readonly pod: number; readonly count: number; readonly patience: number }
  | { readonly kind: 'end'; readonly pod: number; readonly count: number }
  /** Ended and made again under the same name. */
  | { readonly kind: 'recreate'; readonly pod: number }
  | { readonly kind: 'trouble'; readonly odds: Odds; readonly for: number }
  | { readonly kind: 'outage'; readonly for: number }
  /** Each action is refused for a while once it is called. */
  | { readonly kind: 'throttle'; readonly for: number }
  /** The vSwitch says that it is empty. */
  | { readonly kind: 'dry'; readonly vSwitch: number; readonly for: number }
  /** The kernel refuses to forget connections. */
  | { readonly kind: 'deaf kernel'; readonly for: number }
  /** Somebody else does it to an ENI of ours. */
  | { readonly kind: 'detach'; readonly which: number }
  | { readonly kind: 'delete'; readonly which: number }
  | { readonly kind: 'unassign'; readonly which: number }
  /** An ENI of somebody else is attached beside ours, or taken away again. */
  | { readonly kind: 'neighbour comes'; readonly tagged: boolean }
  | { readonly kind: 'neighbour goes' }
  | { readonly kind: 'crash'; readonly spot: Spot; readonly nth: number; readonly pause: number }
  | { readonly kind: 'reboot'; readonly pause: number }
  /** The machine's clock is set. */
  | { readonly kind: 'jump'; readonly by: number }
  | { readonly kind: 'limits'; readonly sizing: Sizing }

export interface History {
  readonly scene: Scene
  /** In no order. */
  readonly events: readonly Event[]
}

/** One line for the scene and one for each event. */
export function textOf({ scene, events }: History): string {
  const lines = inOrder(events).map(({ at, kind, ...rest }) => {
    return `  ${String(at).padStart(7)} ms  ${kind}${Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`}`
  })
  return [JSON.stringify(scene), ...lines].join('\n')
}

export function inOrder(events: readonly Event[]): readonly Event[] {
  return events.toSorted((a, b) => a.at - b.at)
}
