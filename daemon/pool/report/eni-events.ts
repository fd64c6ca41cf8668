/** What happens to ENIs, as events. Pure. */
import { isCloudError } from '../../../cloud/error.ts'
import type { EniId } from '../../../cloud/ids.ts'
import type { JobName } from '../effects/jobs.ts'
import type { Change, EniRecord } from '../model.ts'
import type { Finding, FindingKind } from '../reconcile.ts'
import type { PoolState } from '../tables.ts'
import type { EventReason, PoolEvent } from './events.ts'

/** @param before what the changes have not been applied to yet. @param time ms since the epoch */
export function eniEvents(changes: readonly Change[], before: PoolState, time: number): PoolEvent[] {
  return changes.flatMap((change): PoolEvent[] => {
    const [key, after] =
      change.kind === 'put-eni'
        ? [change.eni.key, change.eni]
        : change.kind === 'drop-eni'
          ? [change.key, undefined]
          : []
    const eni = key === undefined ? undefined : before.enis.get(key)
    const step = eni === undefined ? undefined : stepOf(eni, after)
    return step === undefined ? [] : [{ time, level: 'normal', ...step }]
  })
}

type Step = Pick<PoolEvent, 'reason' | 'message' | 'eni'>

function stepOf(before: EniRecord, after: EniRecord | undefined): Step | undefined {
  const eni = idOf(after ?? before)
  switch (`${before.phase} ${after?.phase ?? 'gone'}`) {
    case 'creating attaching':
      return { reason: 'CreateENISucceed', message: `created in ${before.vSwitchId}`, ...eni }
    case 'attaching in-use':
      return { reason: 'AttachENISucceed', message: 'attached, pods can have its addresses', ...eni }
    case 'detaching deleting':
      return { reason: 'DetachENISucceed', message: 'detached', ...eni }
    case 'deleting gone':
      return { reason: 'DeleteENISucceed', message: 'given back to the cloud', ...eni }
    default:
      return undefined
  }
}

function idOf(eni: EniRecord): { readonly eni?: EniId } {
  return eni.phase === 'creating' ? {} : { eni: eni.id }
}

const FAILED_TO: Readonly<Record<EniRecord['phase'], EventReason>> = {
  creating: 'CreateENIFailed',
  ...{ attaching: 'AttachENIFailed', 'in-use': 'AttachENIFailed', draining: 'AttachENIFailed' },
  ...{ detaching: 'DetachENIFailed', deleting: 'DeleteENIFailed', lost: 'ResourceInvalid' },
}

/** One try of a call for an ENI. That an address cannot be given back concerns no pod: it is among the problems. */
export function failedCall(eni: EniRecord, job: JobName, error: unknown, time: number): PoolEvent | undefined {
  if (job.startsWith('unassign')) return undefined
  const reason = job === 'place' ? FAILED_TO[eni.phase] : 'AllocIPFailed'
  const message = error instanceof Error ? error.message : String(error)
  return { time, level: 'warning', reason, message, key: isCloudError(error) ? error.code : 'node', ...idOf(eni) }
}

/** What a single answer shows is no more than a suspicion, and what is well again no event. */
const UNTOLD: readonly FindingKind[] = ['suspected', 'regained']

/** What a comparison with the cloud has found, of which the addresses of one ENI are one event. */
export function findingEvent({ kind, level, message, fields, repeated }: Finding, time: number): PoolEvent | undefined {
  if (repeated || UNTOLD.includes(kind)) return undefined
  const { eni, ...others } = fields
  const about = Object.values(others).filter((value) => value !== '')
  return {
    ...{ time, level: level === 'info' ? 'normal' : 'warning', reason: 'ResourceInvalid', key: kind },
    message: about.length === 0 ? message : `${message} (${about.join(', ')})`,
    // Findings name ENIs by the ids of their records.
    ...(eni === undefined ? {} : { eni: eni as EniId }),
  }
}
