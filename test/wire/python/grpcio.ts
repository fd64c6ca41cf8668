/** Debian's python3-grpcio, which is gRPC's C core: an implementation that shares nothing with Node's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Not whatever `python3` the path has: the package is that of the system's. */
const PYTHON = '/usr/bin/python3'

/** Why it cannot be used here; empty when it can. */
export function whyNoGrpcio(): string {
  const { error, status } = spawnSync(PYTHON, ['-c', 'import grpc'])
  if (error !== undefined) return `${PYTHON} is missing`
  return status === 0 ? '' : 'python3-grpcio is not installed'
}

export class PythonServer {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(socket: string) {
    const script = join(import.meta.dirname, 'server.py')
    this.#child = spawn(PYTHON, ['-B', script, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (this.#child.stdout === null) throw new Error('no pipe to the server')
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  /** Resolves when it listens. */
  static async start(socket: string): Promise<PythonServer> {
    const server = new PythonServer(socket)
    const line = await server.line()
    if (line !== 'ready') throw new Error(`the server began with ${line}`)
    return server
  }

  /** The next line that it prints; empty when it has ended. */
  async line(): Promise<string> {
    const { value } = await this.#lines.next()
    return value ?? ''
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

export interface PythonCall {
  readonly socket: string
  readonly method: string
  readonly request: Uint8Array
  /** s */
  readonly timeout: number
}

/** Resolves to the reply; rejects with the status and its details. */
export async function callFromPython({ socket, method, request, timeout }: PythonCall): Promise<Buffer> {
  const script = join(import.meta.dirname, 'client.py')
  const child = spawn(PYTHON, ['-B', script, socket, method, `${timeout}`], { stdio: 'pipe' })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(request)
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(stderr.trim())
  return Buffer.concat(stdout)
}
