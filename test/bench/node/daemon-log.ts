/** What a daemon's log says of its calls: its own clock, at no cost to what is measured. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'

const CALL = z.object({
  msg: z.literal('CNI call done'),
  verb: z.string(),
  /** When it was done, ms since the epoch. */
  time: z.number(),
  /** From the request to the reply. */
  milliseconds: z.number(),
})
export type LoggedCall = z.infer<typeof CALL>

/** The kernel has confirmed that the pod's link is gone, which is some time after the DEL was answered. */
const REMOVAL = z.object({ msg: z.literal('endpoint removed'), containerId: z.string() })

export interface Logged {
  /** Successful ones, in the order in which they ended. */
  readonly calls: readonly LoggedCall[]
  /** Ids of containers. */
  readonly removed: readonly string[]
}

export class DaemonLog implements Disposable {
  readonly #fd: number
  #offset: number
  /** A line of which the end is not there yet. */
  #begun = ''

  /** Of what is logged from now on. */
  constructor(file: string) {
    this.#fd = openSync(file, 'r')
    this.#offset = fstatSync(this.#fd).size
  }

  /** Since the last time. */
  take(): Logged {
    const { size } = fstatSync(this.#fd)
    const bytes = Buffer.alloc(Math.max(0, size - this.#offset))
    const length = readSync(this.#fd, bytes, 0, bytes.length, this.#offset)
    this.#offset += length
    const lines = (this.#begun + bytes.toString('utf8', 0, length)).split('\n')
    this.#begun = lines.pop() ?? ''
    return loggedIn(lines)
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/** Lines that are no JSON are the program's last words, and lines of other messages are for others. */
export function loggedIn(lines: readonly string[]): Logged {
  const entries: unknown[] = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  return {
    calls: entries.flatMap((entry) => CALL.safeParse(entry).data ?? []),
    removed: entries.flatMap((entry) => REMOVAL.safeParse(entry).data?.containerId ?? []),
  }
}

/** From the first request to the last reply, ms. */
export function spanOfCalls(calls: readonly LoggedCall[]): number {
  const first = Math.min(...calls.map(({ time, milliseconds }) => time - milliseconds))
  return Math.max(...calls.map(({ time }) => time)) - first
}
