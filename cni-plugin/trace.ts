/** Where the time of one start of the plugin goes, for whoever asks with TERWAY_CNI_TRACE=1. */

/**
 * - `start`: from the start of the process to the first line of the plugin
 * - `read`: standard input, and the checks
 * - `connect`: loading the client, and the connection to the daemon
 * - `call`: from the request to the reply
 * - `print`: the answer, to standard output
 */
export type Phase = 'start' | 'read' | 'connect' | 'call' | 'print'

export class Trace {
  /** End of each phase that there was, ms since the process started. */
  readonly #ends: (readonly [phase: Phase, end: number])[] = []
  readonly #on: boolean

  constructor(env: NodeJS.ProcessEnv) {
    this.#on = env.TERWAY_CNI_TRACE === '1'
  }

  /** Nobody pays for what is not asked for: even `performance` is only loaded when it is used. */
  end(phase: Phase): void {
    if (this.#on) this.#ends.push([phase, performance.now()])
  }

  /** One line of JSON: phases in ms, the start of the process in ms since the epoch; nothing when nobody asked. */
  line(): string {
    if (!this.#on) return ''
    const lengths = this.#ends.map(([phase, end], i) => [phase, end - (this.#ends[i - 1]?.[1] ?? 0)])
    return `${JSON.stringify({ phases: Object.fromEntries(lengths), startedAt: performance.timeOrigin })}\n`
  }
}
