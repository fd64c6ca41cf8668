/** What one node is asked for over a day or a shift: pods that come and go, and when the cloud's API is away. */
import { Random } from '../../e2e/random.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** ms. A pod that runs anything at all lives that long. */
const SHORTEST = 10 * SECOND

export interface Arrival {
  /** The pod wants an address, ms since the start. */
  readonly at: number
  /** It ends, or it gives up if it has none yet. */
  readonly until: number
}

export interface Outage {
  /** ms since the start; calls begun in [from, until) fail. */
  readonly from: number
  readonly until: number
}

export interface Trace {
  readonly name: string
  readonly description: string
  /** ms. Nothing is looked at after it. */
  readonly horizon: number
  /** By `at`. */
  readonly arrivals: readonly Arrival[]
  readonly outages: readonly Outage[]
}

/** The same seed gives the same traces. */
export function traces(seed: number): readonly Trace[] {
  return [steady(seed), diurnal(seed), rollout(), ci(seed), scaleToZero(seed), outage(seed), churn1000()]
}

export function steady(seed: number): Trace {
  return {
    name: 'steady',
    description: 'Poisson arrivals, pods of 10 min on average, about 40 live, 8 h',
    horizon: 8 * HOUR,
    arrivals: steadyArrivals(seed, 8 * HOUR),
    outages: [],
  }
}

export function outage(seed: number): Trace {
  return {
    name: 'outage',
    description: 'the steady load; the API is away for 5 min after 2:40 h and after 5:20 h',
    horizon: 8 * HOUR,
    arrivals: steadyArrivals(seed, 8 * HOUR),
    outages: [160, 320].map((minute) => ({ from: minute * MINUTE, until: (minute + 5) * MINUTE })),
  }
}

function steadyArrivals(seed: number, horizon: number): readonly Arrival[] {
  return poisson({ random: new Random(seed), horizon, life: 10 * MINUTE, most: 40, live: () => 40 })
}

/** Trough at midnight, peak at noon. */
export function diurnal(seed: number): Trace {
  const horizon = 24 * HOUR
  const live = (at: number) => 42.5 - 37.5 * Math.cos((2 * Math.PI * at) / horizon)
  return {
    name: 'diurnal',
    description: 'Poisson arrivals, pods of 15 min on average, 5 live at midnight, 80 at noon, 24 h',
    horizon,
    arrivals: poisson({ random: new Random(seed), horizon, life: 15 * MINUTE, most: 80, live }),
    outages: [],
  }
}

export function rollout(): Trace {
  const horizon = 8 * HOUR
  const starts = [10, 130, 250, 370].map((minute) => minute * MINUTE)
  const end = (index: number) => Math.min(horizon, (starts[index + 1] ?? horizon) + MINUTE)
  return {
    name: 'rollout',
    description:
      '100 pods at once after 10 min on a cold node, replaced by 100 others every 2 h with 60 s overlap, 8 h',
    horizon,
    arrivals: starts.flatMap((at, index) => Array.from({ length: 100 }, () => ({ at, until: end(index) }))),
    outages: [],
  }
}

/** Working hours: every four minutes on average a burst, its jobs within five seconds; at night a job in two hours. */
export function ci(seed: number): Trace {
  const random = new Random(seed)
  const arrivals: Arrival[] = []
  const job = (at: number) => ({ at, until: at + MINUTE + random.below(5 * MINUTE + 1) })
  for (let at = between(random, 2 * HOUR); at < 24 * HOUR; ) {
    const isWork = at >= 9 * HOUR && at < 19 * HOUR
    const jobs = isWork ? 5 + random.below(26) : 1
    for (let i = 0; i < jobs; i++) arrivals.push(job(at + (isWork ? random.below(5 * SECOND) : 0)))
    const pause = between(random, isWork ? 4 * MINUTE : 2 * HOUR)
    // A night's pause does not reach into the day.
    at = at < 9 * HOUR ? Math.min(at + pause, Math.max(at + 1, 9 * HOUR)) : at + pause
  }
  return {
    name: 'ci',
    description: 'bursts of 5-30 jobs of 1-6 min every few minutes from 9 to 19 h, at night nearly nothing, 24 h',
    horizon: 24 * HOUR,
    arrivals: arrivals.sort((a, b) => a.at - b.at),
    outages: [],
  }
}

export function scaleToZero(seed: number): Trace {
  const random = new Random(seed)
  const arrivals: Arrival[] = []
  const [horizon, life] = [24 * HOUR, 5 * MINUTE]
  const pause = () => 30 * MINUTE + random.below(30 * MINUTE + 1)
  for (let at = pause(); at < horizon; at += life + pause()) {
    arrivals.push(...Array.from({ length: 20 }, () => ({ at, until: at + life })))
  }
  return {
    name: 'scale-to-zero',
    description: '20 pods at once for 5 min, then 30-60 min of nothing, 24 h',
    horizon,
    arrivals,
    outages: [],
  }
}

export function churn1000(): Trace {
  return {
    name: 'churn1000',
    description: '1,000 pods, one a second from the second minute on, each for 30 s, 20 min',
    horizon: 20 * MINUTE,
    arrivals: Array.from({ length: 1000 }, (_, i) => ({
      at: MINUTE + i * SECOND,
      until: MINUTE + (i + 30) * SECOND,
    })),
    outages: [],
  }
}

interface Load {
  readonly random: Random
  readonly horizon: number
  /** Mean, ms; exponential above SHORTEST. */
  readonly life: number
  /** The largest of `live`. */
  readonly most: number
  /** How many pods are to be live on average if the load stayed as it is at the moment. */
  live(at: number): number
}

/** Arrivals of a Poisson process whose rate changes: those of the highest rate, thinned out (Lewis and Shedler, 1979). */
function poisson({ random, horizon, life, most, live }: Load): readonly Arrival[] {
  const arrivals: Arrival[] = []
  for (let at = between(random, life / most); at < horizon; at += between(random, life / most)) {
    if (random.next() * most < live(at)) arrivals.push({ at, until: at + SHORTEST + between(random, life - SHORTEST) })
  }
  return arrivals
}

/** Exponential, whole ms, not zero. */
function between(random: Random, mean: number): number {
  return Math.max(1, Math.round(-Math.log(1 - random.next()) * mean))
}
