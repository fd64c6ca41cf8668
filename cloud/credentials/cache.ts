/** The credential in use: one for all callers, renewed before it expires, kept while its issuer is away. */
import { advisedError } from '../advised-error.ts'
import { BACKGROUND_CLOCK, type Clock } from '../clock.ts'
import { CloudError, type CloudErrorFields, isCloudError } from '../error.ts'
import type { Credential } from '../transport.ts'
import { type CredentialProvider, sealCredential, type TimedCredential } from './credential.ts'
import { afterRefusal, type Refusal, refreshDelay, retryDelay } from './refresh-plan.ts'

export interface CacheOptions {
  readonly provider: CredentialProvider
  /** Its sleeps must not keep the process alive, or the cache must be closed; the system's clock unless given. */
  readonly clock?: Clock
  /** 0 to 1. */
  readonly random?: () => number
  /** Told of each failed fetch, also while the old credential still serves. */
  readonly onRefreshFailed?: (error: unknown) => void
}

export class CredentialCache {
  readonly #provider: CredentialProvider
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onRefreshFailed: (error: unknown) => void
  #current: TimedCredential | undefined
  #fetching: Promise<void> | undefined
  /** What the last fetch ended with; the next one is the timer's business. */
  #failure: { readonly error: unknown; readonly count: number } | undefined
  /** The last one that led to a fetch. */
  #refusal: Refusal | undefined
  #timer = new AbortController()
  #closed = false

  private constructor({ provider, clock, random, onRefreshFailed }: CacheOptions) {
    this.#provider = provider
    this.#clock = clock ?? BACKGROUND_CLOCK
    this.#random = random ?? Math.random
    this.#onRefreshFailed = onRefreshFailed ?? (() => undefined)
  }

  /** Nothing is fetched before the first `credential()`. */
  static open(options: CacheOptions): CredentialCache {
    return new CredentialCache(options)
  }

  /**
   * Waits only when there is none that has not expired. After a failed fetch the callers are told so at once until the
   * next fetch is due: they do not become a load for an issuer in trouble.
   * @throws CloudError (action `credential`) that names the provider; its kind is transient, throttled or identity.
   */
  async credential(): Promise<Credential> {
    if (this.#closed) throw closed()
    if (this.#usable === undefined && (this.#failure === undefined || this.#fetching !== undefined)) {
      await this.#fetchOnce()
    }
    const credential = this.#usable
    if (credential !== undefined) return credential
    throw this.#unavailable()
  }

  /**
   * For a credential that the API does not accept, however long it was to live: it was taken back, or the clock is wrong.
   * Resolves when there may be another one. Fetches only while that one is still in use, and ever more seldom when
   * refusals go on: they do not become a load for the issuer. Until there is another one the refused one is kept, for what
   * refuses it may be wrong.
   */
  async refused(credential: Credential): Promise<void> {
    if (this.#closed || credential !== this.#current) return
    if (this.#fetching === undefined) {
      const refusal = afterRefusal(this.#refusal, this.#clock.now(), this.#random())
      if (refusal === undefined) return
      this.#refusal = refusal
    }
    await this.#fetchOnce()
  }

  /** Ends the refreshing. */
  close(): void {
    this.#closed = true
    this.#timer.abort()
  }

  /** What there is and has not expired. */
  get #usable(): TimedCredential | undefined {
    const current = this.#current
    return current !== undefined && this.#isAlive(current) ? current : undefined
  }

  #isAlive({ expiration = Number.POSITIVE_INFINITY }: TimedCredential): boolean {
    return this.#clock.now() < expiration
  }

  #fetchOnce(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  /** Never rejects: what failed is kept for those who ask. */
  async #fetch(): Promise<void> {
    try {
      const credential = sealCredential(await this.#provider.fetch())
      if (!this.#isAlive(credential)) throw expired(credential.expiration)
      this.#current = credential
      this.#failure = undefined
      this.#fetchAfter(this.#refreshDelay(credential))
    } catch (error) {
      const count = this.#failure?.count ?? 0
      const permanent = isCloudError(error) && !isCloudError(error, 'transient', 'throttled')
      this.#failure = { error, count: count + 1 }
      this.#fetchAfter(retryDelay({ before: count, permanent, random: this.#random() }))
      this.#onRefreshFailed(error)
    }
  }

  #refreshDelay({ expiration }: TimedCredential): number | undefined {
    const { refreshMargin: margin, refreshInterval: interval } = this.#provider
    return refreshDelay({ now: this.#clock.now(), expiration, margin, interval, random: this.#random() })
  }

  /**
   * The time is slept, not compared: a clock that is set back or forth changes nothing but whether the credential that
   * is there counts as expired.
   */
  #fetchAfter(delay: number | undefined): void {
    this.#timer.abort()
    if (delay === undefined || this.#closed) return
    this.#timer = new AbortController()
    this.#clock.sleep(delay, this.#timer.signal).then(
      () => this.#fetchOnce(),
      () => undefined, // aborted: another time was set, or the cache closed
    )
  }

  #unavailable(): CloudError {
    const expiration = this.#current?.expiration
    // Without a failure the clock has been set while the fetch was on its way back.
    const cause = this.#failure?.error ?? expired(expiration)
    const last = expiration === undefined ? '' : ` (the last one expired at ${new Date(expiration).toISOString()})`
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new CloudError(`no credential from ${this.#provider.name}${last}: ${reason}`, {
      action: 'credential',
      cause,
      ...(cause instanceof CloudError ? fieldsOf(cause) : { code: 'CredentialUnavailable' }),
    })
  }
}

/**
 * A code of a fault that may pass stays. Any other one is hidden behind ours: `….NotFound` of a role must not look, to
 * who deletes an ENI, as if the ENI were gone.
 */
function fieldsOf({ code, kind, advice, requestId }: CloudError): Omit<CloudErrorFields, 'action'> {
  const stays = kind === 'transient' || kind === 'throttled' || code.startsWith('Credential')
  const id = requestId === undefined ? {} : { requestId }
  return { code: stays ? code : 'CredentialUnavailable', advice, ...id }
}

function closed(): CloudError {
  const advice = 'nothing to do: the process is ending'
  return advisedError('the credentials are not kept any more', {
    action: 'credential',
    code: 'CredentialClosed',
    advice,
  })
}

function expired(expiration = 0): CloudError {
  const when = new Date(expiration).toISOString()
  const advice = 'check the clock of this machine, and whether the credential is renewed at its source'
  return advisedError(`what it gave expired at ${when}`, { action: 'credential', code: 'CredentialExpired', advice })
}
