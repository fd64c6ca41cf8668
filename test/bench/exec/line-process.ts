/** A process of the benchmark that answers each line of JSON with one, in a network namespace if need be. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface LineProcessOptions {
  /** What Node is to run. */
  readonly script: string
  /** Path of the network namespace; this process's own unless given. */
  readonly netns?: string
}

export class LineProcess implements AsyncDisposable {
  readonly #script: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor({ script, netns }: LineProcessOptions) {
    this.#script = script
    const enter = netns === undefined ? [] : ['nsenter', `--net=${netns}`]
    // It is to end with this process, however that ends.
    const argv = ['--pdeathsig', 'SIGKILL', '--', ...enter, process.execPath, script]
    const child = spawn('setpriv', argv, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** One question at a time. @throws Error when the process has ended. */
  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.#script} ended before it answered`)
    return JSON.parse(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}
