/** Trying again as the rivals' code does it. */
import type { World } from './simulation.ts'
import type { Process } from './virtual-time.ts'

export interface Backoff {
  /** ms before the first try. */
  readonly delay?: number
  /** ms before the second try; each later pause is `factor` times as long, `cap` ms at most. */
  readonly pause: number
  readonly factor: number
  readonly cap?: number
  /** A pause is lengthened by up to this share of itself. */
  readonly jitter: number
  /** Tries. */
  readonly steps: number
}

/**
 * Up to `steps` tries of something that answers undefined or false when it failed.
 * @param deadline ms since the start; no pause begins that would end after it.
 */
export function* retry<T>(
  world: World,
  backoff: Backoff,
  attempt: () => Process<T>,
  deadline = Number.POSITIVE_INFINITY,
): Process<T | undefined> {
  for (const pause of pauses(world, backoff, deadline)) {
    yield pause
    const result = yield* attempt()
    if (result !== undefined && result !== false) return result
  }
  return undefined
}

/** Looks again until it is so. @returns whether it was in the end. */
export function* poll(world: World, backoff: Backoff, isSo: () => boolean): Process<boolean> {
  for (const pause of pauses(world, backoff, Number.POSITIVE_INFINITY)) {
    yield pause
    if (isSo()) return true
  }
  return false
}

function* pauses({ time, random }: World, backoff: Backoff, deadline: number): Generator<number> {
  yield backoff.delay ?? 0
  let next = backoff.pause
  for (let step = 1; step < backoff.steps; step++) {
    const pause = Math.round(next * (1 + backoff.jitter * random.next()))
    if (time.now + pause > deadline) return
    yield pause
    next = Math.min(next * backoff.factor, backoff.cap ?? Number.POSITIVE_INFINITY)
  }
}
