/** Starts the processes of nodes, gives them their orders and hears whether they have died of them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Order, REPORT, type Report } from './order.ts'

const NODE = join(import.meta.dirname, '../../hack/node')
const SCRIPT = join(import.meta.dirname, 'node-process.ts')
/** What takes longer hangs, ms. */
const LIMIT = 60_000

/** `killed`: by SIGKILL, as it was ordered to. */
export type Outcome = Exclude<Report, { kind: 'ready' }> | { readonly kind: 'killed' }

export class NodeProcess {
  readonly #child: ChildProcess
  readonly #ready: Promise<Outcome | Report>

  /** @param cache directory for compiled code: most of a start is compiling */
  constructor(cache: string) {
    const env = { ...process.env, NODE_COMPILE_CACHE: cache }
    this.#child = spawn(NODE, [SCRIPT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env })
    this.#ready = this.#next()
  }

  async obey(order: Order): Promise<Outcome> {
    const ready = await this.#ready
    if (ready.kind !== 'ready') throw new Error(`a node's process did not start: ${JSON.stringify(ready)}`)
    const heard = this.#next()
    this.#child.send(order)
    const outcome = await heard
    if (outcome.kind === 'ready') throw new Error("a node's process is ready twice")
    return outcome
  }

  /** Whatever it is doing. */
  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** What it says next, or how it ends. */
  #next(): Promise<Outcome | Report> {
    const child = this.#child
    return new Promise((resolve) => {
      const settle = (outcome: Outcome | Report) => {
        clearTimeout(timer)
        child.off('message', said).off('exit', ended).off('error', broke)
        resolve(outcome)
      }
      const said = (message: unknown) => settle(REPORT.parse(message))
      const ended = (status: number | null, signal: string | null) => {
        settle(signal === 'SIGKILL' ? { kind: 'killed' } : { kind: 'failed', why: `it ended with ${signal ?? status}` })
      }
      const broke = (error: Error) => settle({ kind: 'failed', why: error.message })
      const timer = setTimeout(() => {
        settle({ kind: 'failed', why: `nothing was heard of it for ${LIMIT / 1000} s` })
        this.end()
      }, LIMIT)
      child.on('message', said).on('exit', ended).on('error', broke)
    })
  }
}

/** One process at a time at work, and another one that has started already. */
export class NodeHost implements Disposable {
  readonly #cache: string
  #current: NodeProcess
  #spare: NodeProcess

  constructor(cache: string) {
    this.#cache = cache
    this.#current = new NodeProcess(cache)
    this.#spare = new NodeProcess(cache)
  }

  async obey(order: Order): Promise<Outcome> {
    const outcome = await this.#current.obey(order)
    // One that has failed may still be at it.
    if (outcome.kind !== 'done') this.#replace()
    return outcome
  }

  #replace(): void {
    this.#current.end()
    this.#current = this.#spare
    this.#spare = new NodeProcess(this.#cache)
  }

  [Symbol.dispose](): void {
    this.#current.end()
    this.#spare.end()
  }
}
