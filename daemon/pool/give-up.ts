/** What follows when asking again cannot help. Pure. */
import { CloudError, isCloudError } from '../../cloud/error.ts'
import { isFinal } from './effects/outcome.ts'
import type { AssignRecord, Change, EniRecord } from './model.ts'

export interface Failure {
  readonly eni: EniRecord
  readonly error: unknown
  /** The one that failed, when it was one. */
  readonly assign: AssignRecord | undefined
  /** ms since the epoch */
  readonly now: number
}

export interface GivenUp {
  readonly changes: readonly Change[]
  /** The vSwitch has nothing more to give. */
  readonly isEmpty: boolean
  /** Other ENIs would fail as well. */
  readonly isGeneral: boolean
}

/** A refused growth is forgotten, so that the next decision can look elsewhere; a refused removal is tried again. */
export function giveUp({ eni, error, assign, now }: Failure): GivenUp {
  const isEmpty = OF_THE_VSWITCH.test(codeOf(error))
  // The ENI itself may be on its way somewhere by now, with pods on it: of that the failed call says nothing.
  if (assign !== undefined) {
    return { changes: [{ kind: 'drop-assign', token: assign.token }], isEmpty, isGeneral: false }
  }
  const isGeneral = !isEmpty && befallsAll(error)
  switch (eni.phase) {
    case 'creating':
      return { changes: [{ kind: 'drop-eni', key: eni.key }], isEmpty, isGeneral }
    case 'attaching': {
      const failure = error instanceof Error ? error.message : String(error)
      const changes: Change[] = [{ kind: 'put-eni', eni: { ...eni, phase: 'deleting', since: now, failure } }]
      return { changes, isEmpty, isGeneral }
    }
    default:
      return { changes: [], isEmpty, isGeneral: false }
  }
}

/** Another vSwitch may do. Error tables of CreateNetworkInterface and AssignPrivateIpAddresses. */
const OF_THE_VSWITCH = /^(InvalidVSwitchId\.(IpNotEnough|NotFound)|QuotaExceeded\.PrivateIpAddress)$/
/** It has gone, is in a state of its own, or its client token is spent: error tables of the ECS API reference. */
const OF_THE_ENI = /^(InvalidEniId\.|InvalidParams\.EniId$|InvalidOperation\.InvalidEniState$|Idempotent)/

/**
 * A limit, a missing permission, an unknown identity, an instance or a trunk that takes no ENI: what the API has against
 * one ENI it has against the next, which is made in the same way. What may pass without anybody's doing, and what this
 * machine lacks, is one ENI's bad luck.
 */
function befallsAll(error: unknown): boolean {
  return (isFinal(error) || isCloudError(error, 'identity')) && !OF_THE_ENI.test(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof CloudError ? error.code : ''
}
