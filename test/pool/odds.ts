/** How likely each kind of trouble is, and the faults of the simulator that make it so. */
import type { FaultRequest } from '../cloud/region-under-test.ts'

/** Probabilities from 0 to 1; what is not named does not happen. */
export interface Odds {
  /** Of a call: it fails with InternalError and has no effect. */
  readonly refused?: number
  /** Of a call: the connection is reset after the effect. */
  readonly answerLost?: number
  /** Of a call: its effect is there, and no answer ever comes. */
  readonly silence?: number
  /** Of a call: it arrives LATE, also when who made it has died meanwhile. */
  readonly arrivesLate?: number
  /** Of a call: it is answered LATE. */
  readonly answeredLate?: number
  /** Of a call: one of its own is throttled, not the action for a while. */
  readonly throttled?: number
  /** Of a creation: it is answered with an empty id and has made nothing. */
  readonly emptyId?: number
  /** Of an attach: the ENI falls back to Available. */
  readonly attachFails?: number
  /** Of a change of the state: the ENI stays Attaching, Detaching or Deleting until it is asked again. */
  readonly attachHangs?: number
  readonly detachHangs?: number
  readonly deleteHangs?: number
  /** Of a listing: it shows the ENIs as they were LATE ago. */
  readonly staleList?: number
  /** Of a listing: it lacks one of the ENIs. */
  readonly incompleteList?: number
}

/** ms: later than every latency, sooner than the client gives up. */
export const LATE = 5_000

const EFFECTS: Readonly<Record<keyof Odds, FaultRequest['effect']>> = {
  refused: { error: 'InternalError' },
  answerLost: { reset: 'after' },
  silence: { timeout: 'after' },
  arrivesLate: { delayBefore: LATE },
  answeredLate: { delay: LATE },
  throttled: { error: 'Throttling.User', retryAfter: 1_000 },
  emptyId: { answer: 'empty-id' },
  attachFails: { attach: 'fail' },
  attachHangs: { attach: 'hang' },
  detachHangs: { detach: 'hang' },
  deleteHangs: { delete: 'hang' },
  staleList: { answer: 'stale', by: LATE },
  incompleteList: { answer: 'missing' },
}

export function faultsOf(odds: Odds): FaultRequest[] {
  return (Object.keys(EFFECTS) as (keyof Odds)[]).flatMap((kind) => {
    const probability = odds[kind] ?? 0
    return probability > 0 ? [{ select: { probability }, effect: EFFECTS[kind] }] : []
  })
}

/** Every call fails as if there were no connection, for so many ms from now on. */
export function outage(milliseconds: number): FaultRequest {
  return { select: { for: milliseconds }, effect: { reset: 'before' } }
}
