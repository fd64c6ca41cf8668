/** What a strategy costs, in calls and addresses, and what its pods waited. */

const HOUR = 3_600_000

/** A value from a moment on. */
export interface Step {
  /** ms since the start. */
  readonly at: number
  readonly value: number
}

export interface Observations {
  /** One for each pod, ms; of a pod that never got an address, how long it waited for it in vain. */
  readonly waits: readonly number[]
  /** Pods that never got an address. */
  readonly unserved: number
  /** Addresses that the cloud has assigned and no pod holds: warm, cooling and unused primary ones. By `at`, from 0 up. */
  readonly idle: readonly Step[]
  /** ENIs that the cloud has, attached or not. By `at`, from 0 up. */
  readonly enis: readonly Step[]
  /** Calls of the API by name, those that failed and those that only read among them. */
  readonly calls: Readonly<Record<string, number>>
  /** ms. */
  readonly horizon: number
}

export interface Score {
  readonly pods: number
  readonly unserved: number
  readonly calls: Readonly<Record<string, number>>
  readonly callsPerPod: number
  /** Share of pods whose wait was not zero, 0 to 1. */
  readonly waited: number
  /** ms over all pods, percentiles by nearest rank. */
  readonly wait: Readonly<Record<'mean' | 'p50' | 'p95' | 'p99' | 'max', number>>
  readonly idleAddressHours: number
  readonly eniHours: number
}

export function score({ waits, unserved, idle, enis, calls, horizon }: Observations): Score {
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  const perPod = (count: number) => (waits.length === 0 ? 0 : count / waits.length)
  return {
    pods: waits.length,
    unserved,
    calls,
    callsPerPod: perPod(sum(Object.values(calls))),
    waited: perPod(waits.filter((wait) => wait > 0).length),
    wait: { mean: perPod(sum(waits)), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    idleAddressHours: area(idle, horizon) / HOUR,
    eniHours: area(enis, horizon) / HOUR,
  }
}

/** Under the steps up to the horizon, in ms times the value's unit. */
function area(steps: readonly Step[], horizon: number): number {
  return sum(
    steps.map(({ at, value }, index) => value * Math.max(0, Math.min(steps[index + 1]?.at ?? horizon, horizon) - at)),
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
