/** Makes a history that fails smaller, as long as it fails in the same way. */
import type { Event, History, Scene } from './history.ts'

export interface Failing {
  readonly history: History
  readonly error: unknown
}

/** @returns what the history fails with; undefined when it does not */
export type Attempt = (history: History) => Promise<unknown>

/** @param patience ms of the machine's clock */
export async function shrink(failing: Failing, attempt: Attempt, patience: number): Promise<Failing> {
  const shrinker = new Shrinker(failing, attempt, Date.now() + patience)
  await shrinker.run()
  return shrinker.smallest
}

class Shrinker {
  smallest: Failing
  readonly #attempt: Attempt
  readonly #deadline: number
  readonly #kind: string

  constructor(failing: Failing, attempt: Attempt, deadline: number) {
    this.smallest = failing
    this.#attempt = attempt
    this.#deadline = deadline
    this.#kind = kindOf(failing.error)
  }

  /** Half of the events at a time, then a quarter, and so on (Zeller and Hildebrandt's ddmin). */
  async run(): Promise<void> {
    await this.#simplifyScene()
    const { length } = this.smallest.history.events
    for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      while (await this.#dropEvents(size)) if (Date.now() > this.#deadline) return
    }
    await this.#simplifyScene()
  }

  /** @returns whether something could be left out */
  async #dropEvents(size: number): Promise<boolean> {
    let dropped = false
    for (let from = 0; from < this.smallest.history.events.length; ) {
      const { scene, events } = this.smallest.history
      const fewer: Event[] = events.toSpliced(from, size)
      if (await this.#try({ scene, events: fewer })) dropped = true
      else from += size
    }
    return dropped
  }

  async #simplifyScene(): Promise<void> {
    const simpler: readonly Partial<Scene>[] = [
      ...[{ more: {} }, { transit: 0 }, { vSwitches: [24] }, { mode: 'shared' as const }, { size: 'tiny' as const }],
      ...[{ sizing: { minFree: 0, maxFree: 0 } }, { sizing: { minFree: 1, maxFree: 2 } }, { coolDown: 30_000 }],
    ]
    for (const change of simpler) {
      const { scene, events } = this.smallest.history
      await this.#try({ scene: { ...scene, ...change }, events })
    }
  }

  async #try(history: History): Promise<boolean> {
    if (Date.now() > this.#deadline) return false
    const error = await this.#attempt(history)
    const isSame = error !== undefined && kindOf(error) === this.#kind
    if (isSame) this.smallest = { history, error }
    return isSame
  }
}

/** What of the message does not name a pod, an address or an ENI. */
function kindOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message
    .split(/[:;,]/, 2)
    .join()
    .replaceAll(/[0-9a-f.:-]*\d[0-9a-f.:-]*/g, '#')
}
