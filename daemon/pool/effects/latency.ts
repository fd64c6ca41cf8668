/** How long the cloud takes for what it does by itself, learned from the last times, and when to look. Pure. */

/** ms after the request: not yet before `from`, nearly always by `to`. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** Waits that are remembered: few, so that a change of the cloud's pace is learned within minutes. */
const KEPT = 16
const EARLY = 0.1
const LATE = 0.9
/** What is never looked for earlier would never be seen to have become faster. */
const EARLIER = 0.9

export class Latency {
  readonly #waits: number[]

  /** @param guess what it counts for until there are real ones */
  constructor({ from, to }: Window) {
    this.#waits = [from, (from + to) / 2, to]
  }

  /** @param milliseconds of a wait that ended well */
  add(milliseconds: number): void {
    this.#waits.push(Math.max(0, milliseconds))
    if (this.#waits.length > KEPT) this.#waits.shift()
  }

  get window(): Window {
    const sorted = this.#waits.toSorted((a, b) => a - b)
    const last = sorted.length - 1
    return { from: EARLIER * at(sorted, Math.floor(EARLY * last)), to: at(sorted, Math.ceil(LATE * last)) }
  }

  /** The median, ms. */
  get typical(): number {
    const sorted = this.#waits.toSorted((a, b) => a - b)
    return at(sorted, Math.floor(sorted.length / 2))
  }
}

function at(sorted: readonly number[], index: number): number {
  return sorted[index] ?? 0
}

/** ms between two looks at most: before the window, and in it. */
export interface Pace {
  readonly before: number
  readonly within: number
}

/** What the ECS documentation asks for when a state is polled, ms; what hangs is looked at less and less. */
const SLOW = 1_000
const SLOWEST = 5_000
/** A wide window is looked at in so many steps. */
const STEPS = 20

/** @returns ms from now to the next look, when so many have passed since the request */
export function nextPoll(elapsed: number, { from, to }: Window, { before, within }: Pace): number {
  // The machine's clock may have been set back.
  const waited = Math.max(0, elapsed)
  if (waited < from) return Math.min(before, from - waited)
  if (waited < to) return Math.max(within, (to - from) / STEPS)
  // The later it is, the less a moment more matters.
  const late = waited - to
  return Math.min(SLOWEST, Math.max(SLOW, late / 3), Math.max(within, late / 2))
}
