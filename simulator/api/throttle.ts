/** The gateway's own limits: so many calls of an action in each minute, of the whole account. */
import { ApiError, type ErrorCode } from '../cloud/error.ts'

/** Windows are fixed: a call throttled in one minute is allowed in the next (ECS documentation, "API throttling"). */
const WINDOW = 60_000

export class Throttled extends ApiError {
  /** Milliseconds of the region's clock. */
  readonly retryAfter: number

  constructor(code: ErrorCode, retryAfter: number) {
    super(code, 'Request was denied due to user flow control.')
    this.retryAfter = retryAfter
  }
}

export class Throttle {
  readonly #limits: ReadonlyMap<string, number>
  /** Calls of each action in the window. */
  readonly #calls = new Map<string, number>()
  #window = Number.NaN

  /** @param limits calls a minute by action; `*` holds for each action that is not named. */
  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits
  }

  /** Counts the call. `now` in milliseconds. @throws Throttled */
  admit(action: string, now: number): void {
    const limit = this.#limits.get(action) ?? this.#limits.get('*')
    if (limit === undefined) return
    const window = Math.floor(now / WINDOW)
    if (window !== this.#window) this.#calls.clear()
    this.#window = window
    const calls = (this.#calls.get(action) ?? 0) + 1
    this.#calls.set(action, calls)
    if (calls > limit) throw new Throttled('Throttling.User', (window + 1) * WINDOW - now)
  }
}
