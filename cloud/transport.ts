/**
 * Calls of the ECS and VPC API: turn in the budget, deadline and retry. The SDK underneath does none of them: its timers
 * are unreliable on reused sockets, it cannot abort, and it never repeats by itself.
 */
import type { Budget } from './budget/budget.ts'
import type { LivePriority, Priority } from './budget/priority.ts'
import { type Clock, REAL_CLOCK } from './clock.ts'
import { CloudError, refusesCredential } from './error.ts'
import { attempt } from './transport/attempt.ts'
import { nextWait } from './transport/retry.ts'
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
  /**
   * Asked before each attempt, so that a rotated token is used at once. What it throws ends the call as it is: whether its
   * source is asked again, and when, is the source's business.
   */
  readonly credential: () => Promise<Credential>
  /**
   * Told of the credential that the API refuses; resolves when `credential` may have a better one. The call is made once
   * more if it has. Must not reject.
   */
  readonly onRefused?: (credential: Credential) => Promise<void>
  /** Every attempt takes a permit of its own from it. Without one, nothing is held back. */
  readonly budget?: Budget
  /** One attempt may take this long, ms; its time in line not counted. */
  readonly attemptTimeout?: number
  /** All of a call together, ms: also its time in line, for the pod that waits has a deadline too. */
  readonly callTimeout?: number
  readonly clock?: Clock
  /** From 0 up to 1. */
  readonly random?: () => number
  /**
   * Told of every attempt, and of a call whose time ran out in the budget's line. Not told of what never got there: the
   * credential could not be had, or the caller did not wait. Must not throw.
   */
  readonly onCall?: (call: FinishedCall) => void
}

export interface FinishedCall {
  readonly action: string
  /**
   * `OK`, the error's code, `Cancelled` when the caller did not wait for the answer, or `BudgetTimeout` when there was no
   * turn in time: then nothing was sent.
   */
  readonly code: string
  /** From the request to the answer. */
  readonly milliseconds: number
  /** From 1. */
  readonly attempt: number
  /** Time in the budget's line, ms. */
  readonly queued: number
  /** When it had its turn. */
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
  /** `prewarm` unless given. A function is asked while the call stands in line: it moves up when a pod comes to need it. */
  readonly priority?: LivePriority
}

/**
 * @returns the JSON body as sent.
 * @throws CloudError when the call failed for good or its time ran out: then the error of its last attempt, or when it
 * never had one, `BudgetTimeout`, or `Timeout` of the action `credential`. Also the signal's reason, and what `credential`
 * throws.
 */
export type Transport = (call: CloudCall, options?: CallOptions) => Promise<unknown>

/** The times are those of Terway's Go client: 20 s for an attempt; three of those for a call. */
const DEFAULTS = { clock: REAL_CLOCK, random: Math.random, attemptTimeout: 20_000, callTimeout: 60_000 }
export type Settings = TransportOptions & typeof DEFAULTS

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
  readonly priority: LivePriority
  /** Ms since the epoch: nobody waits for an attempt that would come after it. */
  readonly deadline: number
  /** Aborts at the deadline, or when the caller has gone. */
  readonly signal: AbortSignal
}

/** What there is to tell when the time runs out. */
interface Progress {
  failure: unknown
  credential: Credential | undefined
}

async function untilDone(settings: Settings, call: CloudCall, terms: Terms): Promise<unknown> {
  const progress: Progress = { failure: undefined, credential: undefined }
  try {
    return await attempts(settings, call, terms, progress)
  } catch (error) {
    if (!(error instanceof TimeUp)) throw error
    const { failure, credential } = progress
    throw failure ?? (credential === undefined ? noCredential(error) : noTurn(call, error))
  }
}

async function attempts(settings: Settings, call: CloudCall, terms: Terms, progress: Progress): Promise<unknown> {
  for (let number = 1, renewed = false; ; number++) {
    const credential = await credentialFor(settings, terms)
    progress.credential = credential
    try {
      return await attempt(settings, call, { ...terms, number, credential })
    } catch (error) {
      if (error instanceof TimeUp) throw error
      progress.failure = error
    }
    if (renewed || !refusesCredential(progress.failure)) await pauseAfter(progress.failure, number, settings, terms)
    else if (await isReplaced(credential, settings, terms)) renewed = true
    else throw progress.failure
  }
}

/**
 * Comes before the turn in the budget: a permit is for a call that is made at once, not for one that still waits.
 * @throws what `credential` throws, TimeUp, or the signal's reason
 */
async function credentialFor({ credential }: Settings, { signal }: Terms): Promise<Credential> {
  signal.throwIfAborted()
  return await abandonable(credential(), signal)
}

/** Whether there is another credential than the refused one now. @throws as credentialFor */
async function isReplaced(refused: Credential, settings: Settings, terms: Terms): Promise<boolean> {
  await abandonable(settings.onRefused?.(refused) ?? Promise.resolve(), terms.signal)
  const next = await credentialFor(settings, terms)
  const same = (['accessKeyId', 'accessKeySecret', 'securityToken'] as const).every((key) => next[key] === refused[key])
  return !same
}

/** @throws the failure when another attempt cannot help or would come too late; TimeUp; the signal's reason */
async function pauseAfter(failure: unknown, number: number, settings: Settings, terms: Terms): Promise<void> {
  const { clock, random } = settings
  const { deadline, signal } = terms
  const pause = nextWait(failure, number, random)
  if (pause === undefined || signal.aborted || clock.now() + pause >= deadline) throw failure
  if (pause > 0) await clock.sleep(pause, signal)
}

function noCredential({ message }: TimeUp): CloudError {
  const advice = 'check that the source of the credential answers; the log names it'
  return new CloudError(message, { action: 'credential', code: 'Timeout', advice })
}

function noTurn({ action }: CloudCall, { message }: TimeUp): CloudError {
  return new CloudError(`no turn in the request budget: ${message}`, { action, code: 'BudgetTimeout' })
}
