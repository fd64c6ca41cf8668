/** Runs iproute2 and nftables: the one place of the program that starts processes. */
import { spawn } from 'node:child_process'

export interface CommandErrorOptions {
  /** What was run, as one would type it. */
  readonly command: string
  readonly stderr: string
  readonly stdin?: string
  readonly cause?: unknown
}

/** A command is missing, or ended with another status than zero. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly command: string
  readonly stderr: string

  constructor(problem: string, { command, stderr, stdin, cause }: CommandErrorOptions) {
    const script = stdin === undefined ? '' : `\nits input was:\n${stdin}`
    super(`${command}: ${problem}: ${stderr.trim()}${script}`, cause === undefined ? undefined : { cause })
    this.command = command
    this.stderr = stderr
  }
}

/**
 * Runs the command to its end and returns what it wrote on stdout. Rejects with CommandError.
 * @param argv the program and its arguments; no shell is involved.
 */
export function run(argv: readonly [string, ...string[]], stdin?: string): Promise<string> {
  const [program, ...args] = argv
  const command = argv.join(' ')
  return new Promise((resolve, reject) => {
    // Detached: a Ctrl-C at the terminal must not end the commands that clean up after it.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    const fail = (problem: string, cause?: unknown) => {
      const text = Buffer.concat(stderr).toString()
      const input = stdin === undefined ? {} : { stdin }
      reject(new CommandError(problem, { command, stderr: text, ...input, ...(cause === undefined ? {} : { cause }) }))
    }
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', (cause) => fail('cannot be started; are iproute2, nftables and util-linux installed?', cause))
    child.on('close', (status, signal) => {
      if (status === 0) resolve(Buffer.concat(stdout).toString())
      else fail(signal === null ? `ended with status ${status}` : `was killed by ${signal}`)
    })
    // A command that ends before it has read its input breaks the pipe; its status says what was wrong.
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin ?? '')
  })
}
