/** Whether and when a failed call is made again. */
import { isCloudError } from '../error.ts'

/** Full jitter: a random wait up to BASE × 2^attempt, at most CEILING, ms. */
const BASE = 200
const CEILING = 5_000
/** The API allows a throttled action again in the next minute: an answer that asks for more is not believed, ms. */
const LONGEST_RETRY_AFTER = 60_000

/**
 * Ms before the next attempt, undefined when another cannot help.
 * @param attempt number of the attempt that failed, from 1
 * @param random from 0 up to 1
 */
export function nextWait(error: unknown, attempt: number, random: () => number): number | undefined {
  if (!isCloudError(error, 'throttled', 'transient')) return undefined
  // On top of what the answer asked for, which it may have asked of many at the same moment.
  const jitter = random() * Math.min(CEILING, BASE * 2 ** attempt)
  return Math.min(LONGEST_RETRY_AFTER, error.retryAfter ?? 0) + jitter
}
