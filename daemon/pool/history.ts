/**
 * What the pool remembers of the demand: how many addresses were given, how fast, and how many were free all the time
 * and so were not needed. Times are handed in; a clock that is set back begins a new memory.
 */
import { BurstClock } from './burst-clock.ts'
import type { IdleReclaim, WarmUp } from './settings.ts'

/** Of what has happened, that which the next decision depends on. */
export interface Past {
  /** Addresses given in the last minute. */
  readonly recent: number
  /** Free addresses that nobody has needed for the idle time-out; undefined while that has not been watched for long enough. */
  readonly spare: number | undefined
  /** When the next batch of idle addresses may go, ms since the epoch. */
  readonly nextReclaim: number
  /** When anything may go back again, ms since the epoch: addresses that become free one by one go together. */
  readonly nextShrink: number
  /** Addresses that may be asked for now although no pod waits for them. */
  readonly warmUpLeft: number
  /** When there may be more of them, ms since the epoch. */
  readonly nextWarmUp: number | undefined
  readonly forecast: Forecast
  /** When the forecast is another one, ms since the epoch. */
  readonly nextForecast: number | undefined
}

export interface Forecast {
  /** Addresses asked for, per second, of the last quarter of an hour or so. */
  readonly perSecond: number
  /** Pods that may come together at any moment. */
  readonly burst: number
  /** The same within the next ten minutes. */
  readonly soon: number
  /** The most that came together. */
  readonly peak: number
  /** Bursts follow each other within minutes. */
  readonly isDense: boolean
  /** From asking the cloud for addresses until pods can have them, seconds: the longest of late. */
  readonly lead: number
}

/** What a pool knows that has just begun. */
export const NO_PAST: Past = {
  ...{
    recent: 0,
    spare: undefined,
    nextReclaim: 0,
    nextShrink: 0,
    warmUpLeft: Number.POSITIVE_INFINITY,
    nextWarmUp: undefined,
  },
  forecast: { perSecond: 0, burst: 0, soon: 0, peak: 0, isDense: false, lead: 0 },
  nextForecast: undefined,
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const RECENT = MINUTE
/** What the cloud has taken is forgotten by half in this time, and longer than that it never counts as. */
const LEAD_HALF_LIFE = 10 * MINUTE
const LONGEST_LEAD = MINUTE
/** The original's `ip_pool_sync_period`. */
const SHRINK_INTERVAL = 2 * MINUTE
const RATE_MEMORY = 15 * MINUTE
/** What is expected before any burst was seen is forgotten after this: by then the node has seen a whole day. */
const PRIOR_MEMORY = 24 * 60 * MINUTE
/** Parts that the idle time-out is watched in: the answer is late by at most one of them. */
const PARTS = 10

interface Part {
  readonly number: number
  fewest: number
}

export interface Sizing {
  readonly idle: IdleReclaim | undefined
  readonly warmUp: WarmUp | undefined
}

export class DemandHistory {
  readonly #random: () => number
  readonly #bursts = new BurstClock()
  /** Addresses that a burst is expected to ask for before any has been seen. */
  readonly #prior: number
  /** When it began to watch, ms since the epoch. */
  #beganAt: number | undefined
  /** Times of hand-outs of the last minute, ms. */
  #given: number[] = []
  #rate = 0
  /** ms */
  #lead = 0
  #decayedAt: number | undefined
  #parts: Part[] = []
  #watchedSince: number | undefined
  #free = 0
  #nextReclaim = 0
  #nextShrink = 0
  #portion = { until: 0, asked: 0 }
  #latest = 0

  /**
   * @param prior addresses that are expected to be asked for at once before anything was seen
   * @param random 0 ≤ x < 1
   */
  constructor(prior = 0, random: () => number = Math.random) {
    this.#prior = prior
    this.#random = random
  }

  /** A pod asks for an address. */
  arrived(now: number): void {
    this.#notice(now)
    this.#decay(now)
    this.#rate += SECOND / RATE_MEMORY
    this.#bursts.arrived(now)
  }

  /** A pod has got one. */
  given(now: number): void {
    this.#notice(now)
    this.#given.push(now)
  }

  /** The cloud has taken so long to give what it was asked for, ms; an outage is not what it usually takes. */
  led(now: number, milliseconds: number): void {
    this.#decay(now)
    this.#lead = Math.max(this.#lead, Math.min(milliseconds, LONGEST_LEAD))
  }

  /** Addresses were asked for although no pod waits for them. */
  warmed(now: number, count: number, warmUp: WarmUp | undefined): void {
    if (warmUp === undefined || count <= 0) return
    if (now >= this.#portion.until) this.#portion = { until: now + warmUp.interval, asked: 0 }
    this.#portion.asked += count
  }

  /** Something is given back. */
  shrunk(now: number): void {
    this.#nextShrink = now + SHRINK_INTERVAL
  }

  /** Nothing is given back for so long, ms. */
  holdOn(now: number, milliseconds: number): void {
    this.#nextShrink = Math.max(this.#nextShrink, now + milliseconds)
  }

  /** So many are given back because they were idle. */
  reclaimed(now: number, count: number, { interval, jitter }: IdleReclaim): void {
    for (const part of this.#parts) part.fewest -= count
    this.#free -= count
    this.#nextReclaim = now + interval * (1 + jitter * this.#random())
  }

  /** So many are free now; before it was what the last call said. */
  watch(now: number, free: number, idle: IdleReclaim | undefined): void {
    this.#notice(now)
    if (idle === undefined) return
    const width = Math.max(1, idle.after / PARTS)
    const number = Math.floor(now / width)
    if (this.#watchedSince === undefined) this.#watchedSince = now
    const last = this.#parts.at(-1)
    if (last !== undefined && number > last.number) this.#parts.push({ number, fewest: this.#free })
    else if (last === undefined) this.#parts.push({ number, fewest: free })
    const current = this.#parts.at(-1)
    if (current !== undefined) current.fewest = Math.min(current.fewest, free)
    this.#parts = this.#parts.filter((part) => part.number > number - PARTS)
    this.#free = free
  }

  view(now: number, { idle, warmUp }: Sizing): Past {
    this.#notice(now)
    this.#decay(now)
    this.#given = this.#given.filter((at) => at > now - RECENT)
    const watched = idle !== undefined && this.#watchedSince !== undefined && now - this.#watchedSince >= idle.after
    const inPortion = warmUp !== undefined && now < this.#portion.until
    return {
      recent: this.#given.length,
      spare: watched ? Math.max(0, Math.min(...this.#parts.map(({ fewest }) => fewest))) : undefined,
      nextReclaim: this.#nextReclaim,
      nextShrink: this.#nextShrink,
      warmUpLeft: warmUp === undefined ? Infinity : Math.max(0, warmUp.batch - (inPortion ? this.#portion.asked : 0)),
      nextWarmUp: inPortion ? this.#portion.until : undefined,
      ...this.#forecast(now),
    }
  }

  #forecast(now: number): Pick<Past, 'forecast' | 'nextForecast'> {
    const { size, soon, largest, isDense, isKnown, changesAt } = this.#bursts.expected(now)
    const isNew = !isKnown && now - (this.#beganAt ?? now) < PRIOR_MEMORY
    const prior = isNew ? this.#prior : 0
    const bursts = { burst: Math.max(size, prior), soon: Math.max(soon, prior), peak: Math.max(largest, prior) }
    return {
      forecast: { perSecond: this.#rate, isDense, lead: this.#lead / SECOND, ...bursts },
      nextForecast: changesAt,
    }
  }

  #decay(now: number): void {
    const passed = Math.max(0, now - (this.#decayedAt ?? now))
    this.#decayedAt = now
    if (passed === 0) return
    this.#rate *= Math.exp(-passed / RATE_MEMORY)
    this.#lead *= 2 ** (-passed / LEAD_HALF_LIFE)
  }

  /** What lies in the future of a clock that was set back would stay for as long as it was set back. */
  #notice(now: number): void {
    if (now < this.#latest - SECOND) {
      this.#given = []
      this.#parts = []
      this.#watchedSince = undefined
      this.#nextReclaim = 0
      this.#nextShrink = 0
      this.#portion = { until: 0, asked: 0 }
      this.#latest = now
    }
    this.#latest = Math.max(this.#latest, now)
    this.#beganAt ??= now
  }
}
