/** Starts the built plugin as a container runtime does: environment, standard input, one process per call. */
import { type ChildProcess, spawn } from 'node:child_process'

export interface PluginRun {
  /** The built file. */
  readonly plugin: string
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string | Uint8Array
}

export interface PluginExit {
  /** Exit status; null when a signal ended the process. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Resolves when the process has ended and everyone who held its output has closed it. */
export async function runPlugin({ plugin, env, stdin }: PluginRun): Promise<PluginExit> {
  const child = spawn(plugin, { env: { ...env }, stdio: 'pipe' })
  child.stdin.on('error', () => child.stdin.destroy()) // the plugin may answer without reading (EPIPE)
  child.stdin.end(stdin)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const status = await exitOf(child)
  return { status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

/** Exit status of a process once its output is closed too. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}
