/** Ends what cannot be ended from outside: by a time and by its caller. */
import type { Clock } from '../clock.ts'

/** The reason of a signal whose time is up. */
export class TimeUp extends Error {
  override readonly name = 'TimeUp'
  constructor(milliseconds: number) {
    super(`not done within ${milliseconds} ms`)
  }
}

export interface TimeLimit extends Disposable {
  /** Aborts with TimeUp, or as `outer` does. */
  readonly signal: AbortSignal
}

/** Disposed of, it leaves no timer and no listener behind. */
export function timeLimit(clock: Clock, milliseconds: number, outer?: AbortSignal): TimeLimit {
  const limit = new AbortController()
  const follow = () => limit.abort(outer?.reason)
  if (outer?.aborted) follow()
  outer?.addEventListener('abort', follow, { once: true })
  const done = new AbortController()
  clock.sleep(milliseconds, done.signal).then(
    () => limit.abort(new TimeUp(milliseconds)),
    // Disposed of before the time was up.
    () => undefined,
  )
  return {
    signal: limit.signal,
    [Symbol.dispose]: () => {
      outer?.removeEventListener('abort', follow)
      done.abort()
    },
  }
}

/**
 * The outcome of the work, or the signal's reason as soon as it aborts. The work is then left to end by itself and its
 * outcome is dropped, a failure too: nobody waits for it any more.
 */
export function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = () => reject(signal.reason)
    if (signal.aborted) abandon()
    signal.addEventListener('abort', abandon, { once: true })
    const leave = () => signal.removeEventListener('abort', abandon)
    work.then(resolve, reject).finally(leave)
  })
}
