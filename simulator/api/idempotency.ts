/** The same ClientToken gives the same answer and has one effect. */
import { ApiError } from '../cloud/error.ts'

/** Longest ClientToken (ECS documentation, "How to ensure idempotence"). */
const MAX_TOKEN = 64
/** How long a token is remembered, ms. The documentation does not say; a day is what its other products promise. */
const LIFE = 86_400_000
/** Tokens that are remembered; the oldest are forgotten first. */
const CAPACITY = 100_000

interface Kept<T> {
  readonly fingerprint: string
  readonly answer: T
  readonly at: number
  /** The answer is still on its way to the first caller. */
  running: boolean
}

export interface IdempotentCall<T> {
  /** The action: tokens of different ones have nothing to do with each other. A caller may change its key meanwhile. */
  readonly scope: string
  readonly token: string | undefined
  /** Equal for equal parameters. */
  readonly fingerprint: string
  readonly run: () => T
}

export interface IdempotentAnswer<T> {
  readonly answer: T
  /** The call had its effect before. */
  readonly replayed: boolean
  /** To be called when the answer has been given. */
  readonly end: () => void
}

export class Idempotency<T> {
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #kept = new Map<string, Kept<T>>()
  readonly #now: () => number
  readonly #capacity: number

  /** @param now milliseconds since the epoch. */
  constructor(now: () => number, capacity = CAPACITY) {
    this.#now = now
    this.#capacity = capacity
  }

  /**
   * Runs the call, or gives the answer it got before. A call that failed has had no effect and leaves its token free.
   * @throws ApiError IdempotentParameterMismatch when the token was used with other parameters, LastTokenProcessing
   *   when the first call with the token has not been answered yet.
   */
  begin({ scope, token, fingerprint, run }: IdempotentCall<T>): IdempotentAnswer<T> {
    if (token === undefined || token === '') return { answer: run(), replayed: false, end: () => undefined }
    if (token.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ApiError('InvalidParameter', `ClientToken must have at most ${MAX_TOKEN} ASCII characters.`)
    }
    this.#forget()
    const key = `${scope} ${token}`
    const kept = this.#kept.get(key)
    if (kept !== undefined) return replay(kept, { token, fingerprint })
    const first: Kept<T> = { fingerprint, answer: run(), at: this.#now(), running: true }
    this.#kept.set(key, first)
    const end = () => {
      first.running = false
    }
    return { answer: first.answer, replayed: false, end }
  }

  #forget(): void {
    const now = this.#now()
    for (const [key, { at }] of this.#kept) {
      if (at + LIFE > now && this.#kept.size < this.#capacity) return
      this.#kept.delete(key)
    }
  }
}

function replay<T>(kept: Kept<T>, call: { readonly token: string; readonly fingerprint: string }): IdempotentAnswer<T> {
  if (kept.fingerprint !== call.fingerprint) {
    throw new ApiError('IdempotentParameterMismatch', `The ClientToken ${call.token} was used with other parameters.`)
  }
  if (kept.running) {
    throw new ApiError('LastTokenProcessing', `The first call with the ClientToken ${call.token} is still running.`)
  }
  return { answer: kept.answer, replayed: true, end: () => undefined }
}
