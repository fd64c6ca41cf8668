/** What the process takes, under the names that every Prometheus client has for it, and how late its event loop is. */
import { readdirSync } from 'node:fs'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Asked at every collection; the names and units are those of the Prometheus client libraries. */
export function createProcessMetrics(registry: Registry): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read())
      },
    })
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('process_open_fds', 'Open file descriptors', () => readdirSync('/proc/self/fd').length)
  gauge('process_start_time_seconds', 'Start of the process since the epoch', () => performance.timeOrigin / 1_000)
  new Counter({
    ...{ name: 'process_cpu_seconds_total', help: 'CPU time of the process', registers },
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1_000_000)
    },
  })
}

/** ms; each look wakes the process, and an idle daemon shall take next to nothing: ten a second are 0.1 % of a core. */
const PERIOD = 100
/** Upper bounds in s. A timer is up to 1 ms late by itself. */
const DELAYS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/**
 * Looks now and then how late the event loop comes to a timer. That is what anything else waits that becomes due at a
 * moment like any other; Node's own monitor has the same to say of a timer, but wakes up as often, and tells quantiles,
 * which cannot be added up over nodes.
 */
export class LoopDelay implements Disposable {
  readonly #histogram: Histogram
  #timer: NodeJS.Timeout

  /** Does not keep the process alive. */
  constructor(registry: Registry) {
    this.#histogram = new Histogram({
      ...{ name: 'terway_event_loop_delay_seconds', help: 'How late the event loop comes to a timer' },
      ...{ buckets: DELAYS, registers: [registry] },
    })
    this.#timer = this.#look()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #look(): NodeJS.Timeout {
    const due = performance.now() + PERIOD
    const timer = setTimeout(() => {
      this.#histogram.observe(Math.max(0, performance.now() - due) / 1_000)
      this.#timer = this.#look()
    }, PERIOD)
    return timer.unref()
  }
}
