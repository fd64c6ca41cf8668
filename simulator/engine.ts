/** Carries the cloud through real time and lets the fabric follow it. */
import type { Cloud } from './cloud/cloud.ts'

export interface EngineOptions {
  readonly cloud: Cloud
  /** Milliseconds since the epoch, of the region's clock. */
  readonly now: () => number
  /** How many times as fast as real time that clock runs; 1 where it is not given. */
  readonly speed?: number
  /** Makes the outside equal to the cloud as it is at the moment of the call; rejects when it cannot. */
  readonly follow: () => Promise<void>
  /** Told of every failure of `follow`. */
  readonly onError: (error: unknown) => void
}

export class Engine {
  readonly #options: EngineOptions
  /** Runs of `follow`, one after the other. Never rejects: no call of the API fails because a guest is broken. */
  #tail: Promise<void> = Promise.resolve()
  /** Version of the cloud that `follow` has been started for. */
  #followed = -1
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failure: unknown

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** Why the outside is not as the cloud has it; undefined when it is. */
  get failure(): unknown {
    return this.#failure
  }

  /** Call it after every change; resolves when the outside has followed, or has failed to. */
  async changed(): Promise<void> {
    if (this.#stopped) return
    this.#arm()
    const { version } = this.#options.cloud
    if (version !== this.#followed) {
      this.#followed = version
      this.#tail = this.#tail.then(() => this.#follow())
    }
    await this.#tail
  }

  /** No more transitions; resolves when the last run of `follow` has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#tail
  }

  async #follow(): Promise<void> {
    try {
      await this.#options.follow()
      this.#failure = undefined
    } catch (error) {
      this.#failure = error
      this.#options.onError(error)
    }
  }

  #arm(): void {
    const { cloud, now, speed = 1 } = this.#options
    clearTimeout(this.#timer)
    if (cloud.nextDue === undefined) return
    this.#timer = setTimeout(
      () => {
        cloud.advance()
        void this.changed()
      },
      Math.max(0, cloud.nextDue - now()) / speed,
    )
  }
}
