/** Starts processes and times them, the same way for whoever is compared. */
import { join } from 'node:path'
import { LineProcess } from './line-process.ts'
import { ANSWER, type Exec, type Run } from './protocol.ts'

const SCRIPT = join(import.meta.dirname, 'starter-main.ts')

export class Starter implements AsyncDisposable {
  readonly #process: LineProcess

  /** @param netns where it starts them: path of a network namespace; this process's own unless given. */
  constructor(netns?: string) {
    this.#process = new LineProcess({ script: SCRIPT, ...(netns === undefined ? {} : { netns }) })
  }

  /** @throws Error when it fails. */
  async one(exec: Exec): Promise<Run> {
    const [run] = await this.atOnce([exec])
    if (run === undefined) throw new RangeError('one process was started and none has ended')
    return run
  }

  /** @throws Error when one of them fails. */
  async atOnce(execs: readonly Exec[]): Promise<Run[]> {
    const runs = ANSWER.parse(await this.#process.ask(execs))
    for (const [i, { status, stdout, stderr }] of runs.entries()) {
      if (status !== 0) throw new Error(`${execs[i]?.argv.join(' ')} ended with ${status}: ${tail(stdout + stderr)}`)
    }
    return runs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}

const tail = (text: string) => text.trim().slice(-500)

/** From the first start to the last end, ms. */
export function spanOf(runs: readonly Run[]): number {
  const first = Math.min(...runs.map(({ began }) => began))
  return Math.max(...runs.map(({ began, took }) => began + took)) - first
}
