/** One attempt of a call: its turn in the budget, the sending, and what the answer means for the budget. */
import type { Permit } from '../budget/action-queue.ts'
import { type LivePriority, priorityNow } from '../budget/priority.ts'
import { CloudError, isCloudError } from '../error.ts'
import type { CloudCall, Credential, Settings } from '../transport.ts'
import { callOnce } from './sdk.ts'
import { abandonable, TimeUp, timeLimit } from './time-limit.ts'

export interface Attempt {
  readonly priority: LivePriority
  /** Aborts at the deadline of the call with TimeUp, or when the caller has gone. */
  readonly signal: AbortSignal
  /** From 1. */
  readonly number: number
  readonly credential: Credential
}

/** @throws CloudError; TimeUp when no turn came in time; the signal's reason */
export async function attempt(settings: Settings, call: CloudCall, { credential, number, ...terms }: Attempt) {
  const { clock, attemptTimeout, onCall } = settings
  const permit = await turnFor(settings, call, { ...terms, number })
  // Nothing may come between the turn and the sending.
  terms.signal.throwIfAborted()
  using limit = timeLimit(clock, attemptTimeout, terms.signal)
  const started = performance.now()
  const done = (code: string) => {
    const milliseconds = performance.now() - started
    const { waited: queued, priority } = permit
    onCall?.({ action: call.action, code, milliseconds, attempt: number, queued, priority })
  }
  try {
    const answer = callOnce({ ...settings, idleTimeout: attemptTimeout }, call, credential)
    const body = await abandonable(answer, limit.signal)
    permit.succeeded()
    done('OK')
    return body
  } catch (cause) {
    const error = cause instanceof TimeUp ? noAnswer(call, cause) : cause
    if (isCloudError(error, 'throttled')) permit.throttled(error.retryAfter)
    done(isCloudError(error) ? error.code : 'Cancelled')
    throw error
  }
}

/** @throws TimeUp or the signal's reason */
async function turnFor(settings: Settings, call: CloudCall, terms: Omit<Attempt, 'credential'>): Promise<Permit> {
  const { budget, clock, onCall } = settings
  const { priority, signal, number } = terms
  if (budget === undefined) return { ...UNLIMITED, priority: priorityNow(priority) }
  const since = clock.now()
  try {
    return await budget.acquire(call.action, { priority, signal })
  } catch (error) {
    const queued = Math.max(0, clock.now() - since)
    const waiting = { action: call.action, milliseconds: 0, attempt: number, queued, priority: priorityNow(priority) }
    if (error instanceof TimeUp) onCall?.({ ...waiting, code: 'BudgetTimeout' })
    throw error
  }
}

/** Where there is no budget, nobody waits and nobody wants to know the answer. */
const UNLIMITED = { waited: 0, succeeded: () => undefined, throttled: () => undefined }

function noAnswer({ action }: CloudCall, { message }: TimeUp): CloudError {
  return new CloudError(message, { action, code: 'Timeout' })
}
