/** A question over plain HTTP that may be repeated: for the services that do not speak the API's signed calls. */

import { advisedError } from './advised-error.ts'
import type { Clock } from './clock.ts'
import { CloudError } from './error.ts'

export interface Question {
  readonly url: URL
  readonly init?: {
    readonly method: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: URLSearchParams
  }
  /** Of the errors. */
  readonly action: string
  /** How the errors name the other side: the URL itself may hold a secret. */
  readonly peer: string
  /** What the operator can do when the other side does not answer. */
  readonly advice: string
}

export interface Patience {
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  /** For one attempt, its body included; ms. */
  readonly timeout: number
}

export interface Answer {
  readonly status: number
  readonly text: string
}

/**
 * Four attempts with 500, 600 and 720 ms between them, each up to a tenth longer: what the original does with the
 * metadata service.
 */
const ATTEMPTS = 4
const FIRST_PAUSE = 500
const GROWTH = 1.2
const JITTER = 0.1

/**
 * @returns whatever the other side says for good, a refusal too; a redirection is not followed.
 * @throws CloudError (transient or throttled) when every attempt ended in no answer, a 429 or a 5xx.
 */
export async function exchange(question: Question, patience: Patience): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await ask(question, patience.timeout)
    if (!(outcome instanceof CloudError)) return outcome
    if (attempt === ATTEMPTS) throw outcome
    await patience.clock.sleep(FIRST_PAUSE * GROWTH ** (attempt - 1) * (1 + JITTER * patience.random()))
  }
}

/** An answer that somebody else gave in the service's place, or one of a kind that is not known. */
export function badAnswer(
  { peer, ...fields }: Pick<Question, 'action' | 'peer' | 'advice'>,
  problem: string,
): CloudError {
  return advisedError(`${peer} ${problem}`, { ...fields, code: 'BadAnswer' })
}

async function ask({ url, init, ...question }: Question, timeout: number): Promise<Answer | CloudError> {
  const { action, peer, advice } = question
  const fail = (code: string, problem: string, cause?: unknown) =>
    advisedError(`${peer} ${problem}`, { action, code, advice, cause })
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeout) })
    const { status } = response
    const text = await response.text()
    if (status === 429) return fail('Throttling', 'answered 429')
    if (status >= 500) return fail('ServiceUnavailable', `answered ${status}`)
    return { status, text }
  } catch (cause) {
    return fail('Network', 'cannot be reached', cause)
  }
}
