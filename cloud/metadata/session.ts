/** Reading items of the metadata service: with a token of version 2, or without where there is only version 1. */
import { advisedError } from '../advised-error.ts'
import type { CloudError } from '../error.ts'
import { type Answer, badAnswer as badAnswerOf, exchange, type Patience, type Question } from '../http-exchange.ts'

/** Life that is asked for, in seconds: the longest the service allows (ECS documentation, "Instance metadata"). */
const TOKEN_TTL = 21_600
const TTL_HEADER = 'X-aliyun-ecs-metadata-token-ttl-seconds'
const TOKEN_HEADER = 'X-aliyun-ecs-metadata-token'

const ACTION = 'metadata'
const ADVICE = 'is this an ECS instance, and is the route to the service intact?'

interface Token {
  /** Undefined: the service knows no tokens. */
  readonly text: string | undefined
  /** ms since the epoch */
  readonly goodUntil: number
}

export class MetadataSession {
  readonly #endpoint: string
  readonly #patience: Patience
  #token: Token | undefined
  #asking: Promise<Token> | undefined

  /** @param endpoint scheme, host and port. */
  constructor(endpoint: string, patience: Patience) {
    this.#endpoint = endpoint
    this.#patience = patience
  }

  /**
   * @param item path below `/latest/meta-data/`.
   * @returns the trimmed text, undefined when there is no such item.
   * @throws CloudError (action `metadata`); `Forbidden` when the service refuses for good.
   */
  async read(item: string): Promise<string | undefined> {
    const token = await this.#currentToken()
    let answer = await this.#get(item, token)
    if (isRefused(answer, token)) {
      // Expired early, or issued by a service that has restarted; or tokens have become a must since the last time.
      if (this.#token === token) this.#token = undefined
      answer = await this.#get(item, await this.#currentToken())
    }
    const { status, text } = answer
    if (status === 404) return undefined
    if (status !== 200) throw refusal(item, status)
    const trimmed = text.trim()
    if (trimmed.startsWith('<')) throw badAnswer(item, 'is a page of markup')
    return trimmed
  }

  /** One request for all who wait. */
  #currentToken(): Promise<Token> {
    const token = this.#token
    if (token !== undefined && this.#patience.clock.now() < token.goodUntil) return Promise.resolve(token)
    this.#asking ??= this.#askToken().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** That there are no tokens is remembered like a token, and for as long: the service may learn. */
  async #askToken(): Promise<Token> {
    const goodUntil = this.#patience.clock.now() + (TOKEN_TTL * 1000) / 2
    const headers = { [TTL_HEADER]: String(TOKEN_TTL) }
    const { status, text } = await this.#ask('api/token', { method: 'PUT', headers })
    // Only these say that there are none. A 403 is for a request that a proxy has passed on, and what the proxy reads
    // without a token are the facts of another machine.
    const none = status === 404 || status === 405
    if (!none && status !== 200) throw refusal('the token', status)
    if (!none && !/^[\x21-\x7e]{1,1024}$/.test(text.trim())) throw badAnswer('the token', 'is not one word')
    this.#token = { text: none ? undefined : text.trim(), goodUntil }
    return this.#token
  }

  #get(item: string, { text }: Token): Promise<Answer> {
    return this.#ask(`meta-data/${item}`, {
      method: 'GET',
      headers: text === undefined ? {} : { [TOKEN_HEADER]: text },
    })
  }

  #ask(path: string, init: NonNullable<Question['init']>): Promise<Answer> {
    const url = new URL(`${this.#endpoint}/latest/${path}`)
    return exchange({ url, init, action: ACTION, peer: url.href, advice: ADVICE }, this.#patience)
  }
}

/** Without a token, 403 is how an instance that insists on tokens refuses. */
function isRefused({ status }: Answer, token: Token): boolean {
  return status === 401 || (status === 403 && token.text === undefined)
}

function refusal(item: string, status: number): CloudError {
  const advice = 'metadata access may be off for this instance, or a proxy stand between'
  return advisedError(`${item} answered ${status}`, { action: ACTION, code: 'Forbidden', advice })
}

export function badAnswer(item: string, problem: string): CloudError {
  return badAnswerOf({ action: ACTION, peer: item, advice: ADVICE }, problem)
}
