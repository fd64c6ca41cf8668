/** The socket to the daemon: how it is opened, and what a write that fails means for what the daemon has said. */
import { Socket } from 'node:net'
import { Status, StatusError } from './grpc/status.ts'

/** Pause before a daemon whose queue of connections is full is asked again, in ms: at first, and at most. */
const PAUSE_MS = 2
const PAUSE_MAX_MS = 100

type Written = (error?: NodeJS.ErrnoException | null) => void

/**
 * A daemon that answers and closes without having read everything makes the next write fail, and Node would throw away
 * the socket together with the answer that waits in it. So this is no error: reading goes on, up to the answer or the
 * end of the connection.
 */
function unlessGone(written: Written): Written {
  return (error) => written(error?.code === 'EPIPE' || error?.code === 'ECONNRESET' ? null : error)
}

class Connection extends Socket {
  override _write(chunk: Buffer, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, unlessGone(written))
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], written: Written): void {
    super._writev?.(chunks, unlessGone(written))
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = new Connection()
    connection.once('error', reject)
    connection.connect({ path }, () => resolve(connection))
  })
}

/** Monotonic, ms. */
export function now(): number {
  return process.uptime() * 1000
}

/**
 * A full queue (EAGAIN) is waited for: nothing has been sent that could be done twice. The pauses differ, as those who
 * wait have come together.
 * @param deadline by `now`
 * @throws StatusError at once when nothing listens
 */
export async function connectDaemon(path: string, deadline: number): Promise<Socket> {
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, PAUSE_MAX_MS)) {
    try {
      return await open(path)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException // a socket has no other errors
      if (code !== 'EAGAIN') throw new StatusError(Status.unavailable, message)
      if (now() >= deadline) throw new StatusError(Status.deadlineExceeded, `no connection in time: ${message}`)
    }
    const wait = Math.min(pause * (0.5 + Math.random()), deadline - now())
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
