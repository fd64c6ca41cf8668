/** The same ClientToken gives the same answer and has one effect. */
import { ApiError } from '../cloud/error.ts'

/** Longest ClientToken (ECS documentation, "How to ensure idempotence"). */
const MAX_TOKEN = 64

interface Kept<T> {
  readonly fingerprint: string
  readonly answer: T
}

export interface IdempotentCall<T> {
  /** Who asks and for what action: tokens of different ones have nothing to do with each other. */
  readonly scope: string
  readonly token: string | undefined
  /** Equal for equal parameters. */
  readonly fingerprint: string
  readonly run: () => T
}

export class Idempotency<T> {
  readonly #kept = new Map<string, Kept<T>>()

  /**
   * Runs the call, or gives the answer it got before. A call that failed has had no effect and leaves its token free.
   * @throws ApiError IdempotentParameterMismatch when the token was used with other parameters.
   */
  once({ scope, token, fingerprint, run }: IdempotentCall<T>): T {
    if (token === undefined || token === '') return run()
    if (token.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ApiError('InvalidParameter', `ClientToken must have at most ${MAX_TOKEN} ASCII characters.`)
    }
    const key = `${scope} ${token}`
    const kept = this.#kept.get(key)
    if (kept === undefined) {
      const answer = run()
      this.#kept.set(key, { fingerprint, answer })
      return answer
    }
    if (kept.fingerprint === fingerprint) return kept.answer
    throw new ApiError('IdempotentParameterMismatch', `The ClientToken ${token} was used with other parameters.`)
  }
}
