/**
 * Standard input and output by plain system calls: done when the call returns, so that the process may exit at once,
 * and without loading Node's streams.
 */
import { readSync, writeSync } from 'node:fs'
import { isNativeError } from 'node:util/types'

export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2

const CHUNK_BYTES = 65_536
/** Pause before a descriptor that the parent has made non-blocking is tried again, in ms. */
const AGAIN_MS = 1

/** Runs the call again for as long as it would block. */
function blocking<Value>(call: () => Value): Value {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (!(isNativeError(error) && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS)
    }
  }
}

/** Everything up to the end of file. @throws Error of the system call. */
export function readAll(fd: number): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const length = blocking(() => readSync(fd, chunk))
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, length))
  }
}

/** @throws Error of the system call, EPIPE when nobody reads any more. */
export function writeAll(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  let written = 0
  while (written < bytes.length) {
    written += blocking(() => writeSync(fd, bytes, written))
  }
}

/** Tells whoever reads the log of the runtime. */
export function note(text: string): void {
  try {
    writeAll(STDERR, text)
  } catch {
    // What is told has happened all the same, and there is no other place to tell of it.
  }
}
