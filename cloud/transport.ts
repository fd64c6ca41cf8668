/**
 * Calls of the ECS and VPC API: turn in the budget, deadline and retry. The SDK underneath does none of them: its timers
 * are unreliable on reused sockets, it cannot abort, and it never repeats by itself.
 */
import type { Budget } from './budget/budget.ts'
import type { Priority } from './budget/priority.ts'
import { type Clock, REAL_CLOCK } from './clock.ts'
import { CloudError, isCloudError } from './error.ts'
import { nextWait } from './transport/retry.ts'
import { callOnce } from './transport/sdk.ts'
import { abandonable, TimeUp, timeLimit } from './transport/time-limit.ts'

export type Service = 'ecs' | 'vpc'

export interface Credential {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
}

export interface TransportOptions {
  /** `host` or `host:port`, no scheme. */
  readonly endpoints: Readonly<Record<Service, string>>
  readonly scheme: 'http' | 'https'
  readonly regionId: string
  /** Asked in each attempt, so that a rotated token is used at once. What it throws ends the call as it is. */
  readonly credential: () => Promise<Credential>
  /** Every attempt takes a permit of its own from it. Without one, nothing is held back. */
  readonly budget?: Budget
  /** One attempt may take this long, ms; its time in line not counted. */
  readonly attemptTimeout?: number
  /** All of a call together, ms: also its time in line, for the pod that waits has a deadline too. */
  readonly callTimeout?: number
  readonly clock?: Clock
  /** From 0 up to 1. */
  readonly random?: () => number
  /** Told of every attempt that had its turn. Must not throw. */
  readonly onCall?: (call: FinishedCall) => void
}

export interface FinishedCall {
  readonly action: string
  /**
   * `OK`, the error's code, `Cancelled` when the caller did not wait for the answer, or `Credential` when there was none.
   */
  readonly code: string
  /** From the request to the answer. */
  readonly milliseconds: number
  /** From 1. */
  readonly attempt: number
  /** Time in the budget's line, ms. */
  readonly queued: number
  readonly priority: Priority
}

export interface CloudCall {
  readonly service: Service
  readonly action: string
  /** Nested objects and arrays are flattened by the SDK (`Tag.1.Key`). RegionId is added. */
  readonly query: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  /** Aborted: the call is given up at once, with the signal's reason. */
  readonly signal?: AbortSignal
  /** `prewarm` unless given. */
  readonly priority?: Priority
}

/**
 * @returns the JSON body as sent.
 * @throws CloudError when the call failed for good or its time ran out: then the error of its last attempt, or
 * `BudgetTimeout` when it never had one. Also the signal's reason, and what `credential` throws.
 */
export type Transport = (call: CloudCall, options?: CallOptions) => Promise<unknown>

/** The times are those of Terway's Go client: 20 s for an attempt; three of those for a call. */
const DEFAULTS = { clock: REAL_CLOCK, random: Math.random, attemptTimeout: 20_000, callTimeout: 60_000 }
type Settings = TransportOptions & typeof DEFAULTS

export function createTransport(options: TransportOptions): Transport {
  const settings = { ...DEFAULTS, ...options }
  const { clock, callTimeout } = settings
  return async (call, { signal, priority = 'prewarm' } = {}) => {
    const deadline = clock.now() + callTimeout
    using limit = timeLimit(clock, callTimeout, signal)
    return await untilDone(settings, call, { priority, deadline, signal: limit.signal })
  }
}

interface Terms {
  readonly priority: Priority
  /** Aborts at the deadline, or when the caller has gone. */
  readonly signal: AbortSignal
}

/** @param terms with the deadline, ms since the epoch: nobody waits for an attempt that would come after it */
async function untilDone(settings: Settings, call: CloudCall, terms: Terms & { readonly deadline: number }) {
  const { clock, random, callTimeout } = settings
  const { signal, deadline } = terms
  let failure: unknown
  for (let number = 1, wait = 0; ; number++) {
    try {
      if (wait > 0) await clock.sleep(wait, signal)
      return await attempt(settings, call, { ...terms, number })
    } catch (error) {
      if (error instanceof TimeUp) throw failure ?? noTurn(call, callTimeout)
      const pause = nextWait(error, number, random)
      if (pause === undefined || signal.aborted || clock.now() + pause >= deadline) throw error
      failure = error
      wait = pause
    }
  }
}

/** @throws CloudError, the signal's reason, or what `credential` throws */
async function attempt(settings: Settings, call: CloudCall, { priority, signal, number }: Terms & { number: number }) {
  const { budget, clock, attemptTimeout, credential, onCall } = settings
  signal.throwIfAborted()
  const permit = await budget?.acquire(call.action, { priority, signal })
  using limit = timeLimit(clock, attemptTimeout, signal)
  const started = performance.now()
  const done = (code: string) => {
    const milliseconds = performance.now() - started
    onCall?.({ action: call.action, code, milliseconds, attempt: number, queued: permit?.waited ?? 0, priority })
  }
  const send = async () => await callOnce({ ...settings, idleTimeout: attemptTimeout }, call, await credential())
  try {
    const body = await abandonable(send(), limit.signal)
    permit?.succeeded()
    done('OK')
    return body
  } catch (cause) {
    const error = cause instanceof TimeUp ? noAnswer(call, cause) : cause
    // A credential may come from an API too; its throttling is not this action's.
    if (isCloudError(error, 'throttled') && error.action === call.action) permit?.throttled(error.retryAfter)
    done(isCloudError(error) ? error.code : signal.aborted ? 'Cancelled' : 'Credential')
    throw error
  }
}

function noTurn({ action }: CloudCall, milliseconds: number): CloudError {
  const message = `the request budget had no turn for it within ${milliseconds} ms`
  return new CloudError(message, { action, code: 'BudgetTimeout' })
}

function noAnswer({ action }: CloudCall, { message }: TimeUp): CloudError {
  return new CloudError(message, { action, code: 'Timeout' })
}
