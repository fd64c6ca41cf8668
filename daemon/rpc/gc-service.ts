/** The Repair service: what the daemon sets right from time to time, on an operator's word. Translates, and nothing else. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import type { GcFinding as FindingMessage } from '../../proto/generated/terway/repair/v1/GcFinding.ts'
import type { GcReply } from '../../proto/generated/terway/repair/v1/GcReply.ts'
import type { GcRequest__Output as GcRequest } from '../../proto/generated/terway/repair/v1/GcRequest.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import type { Gc, GcFinding, GcReport } from '../pod/gc.ts'
import { failureOf } from './failure.ts'

export interface RepairOptions {
  readonly gc: Gc
  readonly log: Logger
}

class GcCancelledError extends Error {
  override readonly name = 'GcCancelledError'
}

export function repairService({ gc, log }: RepairOptions): RepairHandlers {
  return {
    Gc: (call: ServerUnaryCall<GcRequest, GcReply>, reply: sendUnaryData<GcReply>) => {
      const { dryRun, force } = call.request
      const cancelled = new AbortController()
      call.on('cancelled', () => cancelled.abort(new GcCancelledError('nobody waits for the answer any more')))
      gc.run({ dryRun, force }, cancelled.signal).then(
        (report) => {
          log.info({ dryRun, force, findings: report.findings.length }, 'collected garbage on request')
          reply(null, replyOf(report, dryRun))
        },
        (err: unknown) => {
          if (err instanceof GcCancelledError) log.info({ dryRun, force }, `garbage on request: ${err.message}`)
          else log.error({ err, dryRun, force }, 'garbage could not be collected on request')
          reply(failureOf(err))
        },
      )
    },
  }
}

function replyOf({ findings, enis, addresses, pods }: GcReport, dryRun: boolean): GcReply {
  return { enis, addresses, pods, findings: findings.map((finding) => messageOf(finding, dryRun)) }
}

function messageOf({ kind, level, message, fields }: GcFinding, dryRun: boolean): FindingMessage {
  const { eni = '', ip, prefix, podsCutOff, pod, owner } = fields
  return {
    ...{ kind, level, eni, why: message, outcome: outcomeOf(kind, dryRun) },
    address: prefix ?? ip ?? podsCutOff ?? '',
    pod: pod ?? owner ?? '',
  }
}

function outcomeOf(kind: GcFinding['kind'], dryRun: boolean): 'done' | 'would' | 'later' | 'failed' | 'none' {
  if (kind === 'suspected') return 'later'
  if (kind === 'failed') return 'failed'
  if (kind === 'foreign') return 'none'
  return dryRun ? 'would' : 'done'
}
