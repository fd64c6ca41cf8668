/** Asking again until there is an answer: a daemon that waits says so in its log, one that exits only crash-loops. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CloudError, isCloudError } from '../../cloud/error.ts'
import { abandonable } from '../../cloud/transport/time-limit.ts'

export interface Persistence<T> {
  /** What is asked for, to begin a line of the log with. */
  readonly what: string
  readonly ask: () => Promise<T>
  /** True: no error ends it, because the daemon can go on without the answer. */
  readonly forgiving: boolean
  readonly log: Logger
  readonly signal: AbortSignal
  /** Before the second question, ms; a second unless given. It doubles up to half a minute. */
  readonly firstPause?: number
}

const FIRST_PAUSE = 1_000
/** So that a node is back soon after the cloud is, and the log of a long outage stays readable; ms. */
const LONGEST_PAUSE = 30_000

/**
 * @returns the first answer.
 * @throws the signal's reason; unless forgiving, also what asking again cannot change: a CloudError that is permanent or
 * about who asks, and whatever is no CloudError.
 */
export async function persist<T>({ what, ask, forgiving, log, signal, firstPause }: Persistence<T>): Promise<T> {
  for (let pause = firstPause ?? FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    signal.throwIfAborted()
    try {
      return await abandonable(ask(), signal)
    } catch (err) {
      signal.throwIfAborted()
      if (!forgiving && !mayPass(err)) throw err
      log.warn({ err }, `${what}: no answer; asking again in ${pause / 1000} s`)
    }
    // Rejects only when the signal aborts, and that is looked at next.
    await sleep(pause, undefined, { signal }).catch(() => undefined)
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof CloudError && !isCloudError(error, 'permanent', 'identity', 'local')
}

/** Whether the promise resolved within the time, ms. @throws what it rejects with in that time. */
export async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
