/** What follows when asking again cannot help. Pure. */
import { CloudError } from '../../cloud/error.ts'
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
  const code = error instanceof CloudError ? error.code : ''
  const isEmpty = /IpNotEnough|QuotaExceeded\.PrivateIpAddress/.test(code)
  switch (eni.phase) {
    case 'creating':
      return { changes: [{ kind: 'drop-eni', key: eni.key }], isEmpty, isGeneral: !isEmpty }
    case 'attaching': {
      const failure = error instanceof Error ? error.message : String(error)
      const changes: Change[] = [{ kind: 'put-eni', eni: { ...eni, phase: 'deleting', since: now, failure } }]
      return { changes, isEmpty, isGeneral: true }
    }
    default: {
      const changes: Change[] = assign === undefined ? [] : [{ kind: 'drop-assign', token: assign.token }]
      return { changes, isEmpty, isGeneral: false }
    }
  }
}
