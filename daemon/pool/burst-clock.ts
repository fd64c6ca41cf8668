/**
 * When pods come in bursts, and when the next burst may come. Jobs and roll-outs have something like a period: between
 * two of them addresses need not be kept ready, and shortly before the next they should be.
 */

/** Pods of one roll-out or one job come within this time of the first, ms. */
const WINDOW = 10_000
/** Fewer than this are no burst. */
const LEAST = 4
/** So many are remembered, */
const MEMORY = 8
/** for so long, ms. */
const FORGOTTEN = 26 * 3_600_000
/** Of the shortest pause seen, when the next burst may come; of the longest, when it does not come any more. */
const EARLY = 0.75
const LATE = 1.5
/** What is given back sooner than this before it is needed again costs two calls for nothing, ms. */
const SOON = 600_000
/** Where they have followed each other within minutes another one is possible for this long at least, ms. */
const DENSE_PATIENCE = 3_600_000
/** After the only burst that has been seen another one is possible for this long, ms. */
const FIRST_PATIENCE = 1_800_000

interface Burst {
  readonly at: number
  size: number
}

export interface Expectation {
  /** Pods that may come together at any moment; 0 when no burst is expected now. */
  readonly size: number
  /** The same within the next minutes: what is there for them stays. */
  readonly soon: number
  /** The largest of those remembered. */
  readonly largest: number
  /** They follow each other within minutes, or one is under way that is larger than all before. */
  readonly isDense: boolean
  /** One that is over is remembered. */
  readonly isKnown: boolean
  /** When the answer may be another one, ms since the epoch. */
  readonly changesAt: number | undefined
}

export class BurstClock {
  #bursts: Burst[] = []
  #open: Burst | undefined

  arrived(now: number): void {
    this.#closeOver(now)
    this.#open ??= { at: now, size: 0 }
    this.#open.size += 1
  }

  expected(now: number): Expectation {
    this.#closeOver(now)
    this.#bursts = this.#bursts.filter(({ at }) => now - at < FORGOTTEN && at <= now)
    const open = this.#open
    const isBurst = open !== undefined && open.size >= LEAST
    const all = isBurst ? [...this.#bursts, open] : this.#bursts
    const last = all.at(-1)
    if (last === undefined)
      return { size: 0, soon: 0, largest: 0, isDense: false, isKnown: false, changesAt: undefined }
    const largest = largestOf(all)
    const [from, until] = windowAfter(all, last)
    const isDue = now >= from && now <= until
    const left = yetToCome(this.#bursts, open?.size ?? 0)
    const changes = [...(open === undefined ? [] : [open.at + WINDOW]), from, until + 1].filter((at) => at > now)
    return {
      size: isDue || isBurst ? left : 0,
      soon: isBurst || (now >= from - SOON && now <= until) ? largest : 0,
      largest,
      isDense: isDense(all) || (isBurst && open.size > largestOf(this.#bursts)),
      isKnown: this.#bursts.length > 0,
      changesAt: changes.length === 0 ? undefined : Math.min(...changes),
    }
  }

  /** What began longer ago than a burst lasts, or in the future of a clock that was set back, is over. */
  #closeOver(now: number): void {
    const open = this.#open
    if (open === undefined || (now >= open.at && now - open.at < WINDOW)) return
    if (open.size >= LEAST) this.#bursts = [...this.#bursts, open].slice(-MEMORY)
    this.#open = undefined
  }
}

/**
 * What has come of the one that may be under way does not come again; of one that is larger than all before nobody knows
 * the end, so half as many again are expected.
 */
function yetToCome(before: readonly Burst[], come: number): number {
  const largest = largestOf(before)
  return come > largest ? Math.ceil(come / 2) : largest - come
}

/** When the burst after the last one may come, ms since the epoch. */
function windowAfter(bursts: readonly Burst[], last: Burst): readonly [from: number, until: number] {
  const pauses = pausesOf(bursts)
  if (pauses.length === 0) return [last.at, last.at + FIRST_PATIENCE]
  const [shortest, longest] = [Math.min(...pauses), Math.max(...pauses)]
  return [last.at + EARLY * shortest, last.at + Math.max(LATE * longest, isDense(bursts) ? DENSE_PATIENCE : 0)]
}

function pausesOf(bursts: readonly Burst[]): readonly number[] {
  return bursts.slice(1).map(({ at }, index) => at - (bursts[index]?.at ?? at))
}

/** What goes on without a pause are no bursts. */
function isDense(bursts: readonly Burst[]): boolean {
  return pausesOf(bursts).some((pause) => pause >= 3 * WINDOW && pause < SOON)
}

function largestOf(bursts: readonly Burst[]): number {
  return Math.max(0, ...bursts.map(({ size }) => size))
}
