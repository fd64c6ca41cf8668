/** A time for what may be given up: the timer goes when the task has ended, since most end at once. */

/**
 * The signal that the task gets aborts as the given one does, and with a TimeoutError after so many ms.
 * @returns what the task returns, as the task ends.
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const abort = () => limit.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  const timeUp = () => limit.abort(new DOMException(`not done within ${milliseconds} ms`, 'TimeoutError'))
  const timer = setTimeout(timeUp, milliseconds)
  try {
    return await task(limit.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
