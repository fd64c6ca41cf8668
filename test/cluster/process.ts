/** Processes of tests and the demo. None outlives whoever started it, and none hears the terminal's Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A command did not do what was asked of it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export interface CommandOptions {
  /** The whole environment; that of this process unless given. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  /** ms until it is killed; a minute unless given. */
  readonly timeout?: number
  /** Resolves when it is to be killed. */
  readonly killed?: Promise<unknown>
}

export interface CommandResult {
  /** Exit status; null when a signal ended the process. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** setpriv(1) of util-linux: PR_SET_PDEATHSIG survives the exec of what follows. */
const WITH_PARENT = ['setpriv', '--pdeathsig', 'SIGKILL', '--']

// Each process starts a session (`detached`): a Ctrl-C at the terminal reaches us alone, and we decide what ends when.

/** Runs a command to its end and hands back whatever came of it. */
export async function execute(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = [...WITH_PARENT, ...argv]
  const child = spawn(program, args, { env: { ...(options.env ?? process.env) }, stdio: 'pipe', detached: true })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => child.stdin.destroy()) // it may end without having read (EPIPE)
  child.stdin.end(options.stdin ?? '')
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000)
  void options.killed?.then(() => child.kill('SIGKILL'))
  try {
    const status = await exitOf(child, 'close')
    return { status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs a command that must succeed and hands back its standard output.
 * @throws CommandError with what it said on standard error.
 */
export async function check(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await execute(argv, options)
  if (status === 0) return stdout
  throw new CommandError(`"${argv.join(' ')}" ended with ${status ?? 'a signal'}: ${stderr.trim() || stdout.trim()}`)
}

function exitOf(child: ChildProcess, event: 'exit' | 'close'): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once(event, resolve)
  })
}

export interface ServiceOptions {
  /** For messages. */
  readonly name: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Gets its standard error, and standard output too unless there is a file for that. Appended to. */
  readonly logFile: string
  readonly stdoutFile?: string
  /** True: it goes on when this process ends. */
  readonly outlive?: boolean
}

/** A process that runs until it is stopped. It writes to files, so it needs nobody who reads. */
export class Service {
  readonly name: string
  readonly #child: ChildProcess
  readonly #logFile: string
  readonly #exit: Promise<number | null>
  #running = true

  constructor({ name, argv, env, logFile, stdoutFile = logFile, outlive = false }: ServiceOptions) {
    this.name = name
    this.#logFile = logFile
    const [program = '', ...args] = outlive ? argv : [...WITH_PARENT, ...argv]
    const [stdout, stderr] = [openSync(stdoutFile, 'a'), openSync(logFile, 'a')]
    this.#child = spawn(program, args, {
      env: { ...(env ?? process.env) },
      stdio: ['ignore', stdout, stderr],
      detached: true,
    })
    closeSync(stdout)
    closeSync(stderr)
    if (outlive) this.#child.unref()
    this.#exit = exitOf(this.#child, 'exit').finally(() => {
      this.#running = false
    })
    this.#exit.catch(() => undefined) // told by stop() and failIfEnded(); it must not be an unhandled rejection before
  }

  get running(): boolean {
    return this.#running
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** @throws CommandError with the end of its log once it has ended. */
  failIfEnded(): void {
    if (this.#running) return
    const how = this.#child.signalCode ?? `status ${this.#child.exitCode}`
    throw new CommandError(`${this.name} ended with ${how}; the end of its log:\n${this.logTail()}`)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** Sends the signal and waits for the end, by SIGKILL after `grace` ms. Resolves to the exit status. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM', grace = 10_000): Promise<number | null> {
    if (this.#running) this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), grace)
    try {
      return await this.#exit
    } finally {
      clearTimeout(timer)
    }
  }

  logTail(lines = 20): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }
}

export interface UntilOptions {
  /** What is waited for, to complete "timed out after … waiting for". */
  readonly what: string
  /** ms; 20 s unless given. */
  readonly timeout?: number
  /** ms between two looks; 20 unless given. */
  readonly every?: number
}

/**
 * Looks again and again until there is something to see.
 * @throws CommandError when it takes too long; whatever `look` throws.
 */
export async function until<Seen>(
  look: () => Seen | undefined | Promise<Seen | undefined>,
  { what, timeout = 20_000, every = 20 }: UntilOptions,
): Promise<Seen> {
  const deadline = performance.now() + timeout
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > deadline) throw new CommandError(`timed out after ${timeout} ms waiting for ${what}`)
    await sleep(every)
  }
}
