/** Counts what goes through the doors of NetlinkSocket: every exchange with the kernel comes through one of these. */
import { jest } from '@jest/globals'
import { NetlinkSocket } from '../../netlink/socket.ts'

export interface Traffic {
  /** Calls that send requests outside of transactions, each of one datagram or a few. */
  readonly sends: number
  /** Those of transactions among them. */
  readonly requests: number
  readonly transactions: number
  /** Lists read. */
  readonly dumps: number
  /** The most of them by one socket. */
  readonly dumpsOfOne: number
  /** Requests that keep the kernel busy, on another thread. */
  readonly inPool: number
}

export class NetlinkTraffic implements Disposable {
  readonly #request = jest.spyOn(NetlinkSocket.prototype, 'request')
  readonly #transact = jest.spyOn(NetlinkSocket.prototype, 'transact')
  readonly #dump = jest.spyOn(NetlinkSocket.prototype, 'dump')
  readonly #dumpInPool = jest.spyOn(NetlinkSocket.prototype, 'dumpInPool')
  readonly #requestInPool = jest.spyOn(NetlinkSocket.prototype, 'requestInPool')

  /** Since the last call. */
  take(): Traffic {
    const sent = this.#request.mock.calls.flatMap(([{ length }]) => (length > 0 ? [length] : []))
    const transacted = this.#transact.mock.calls.flatMap(([, { length }]) => (length > 0 ? [length] : []))
    const traffic = {
      sends: sent.length,
      requests: [...sent, ...transacted].reduce((sum, length) => sum + length, 0),
      transactions: transacted.length,
      dumps: this.#dump.mock.calls.length + this.#dumpInPool.mock.calls.length,
      dumpsOfOne: Math.max(0, ...[...Map.groupBy(this.#dump.mock.contexts, (socket) => socket).values()].map(sizeOf)),
      inPool: this.#requestInPool.mock.calls.length,
    }
    for (const spy of this.#all) spy.mockClear()
    return traffic
  }

  [Symbol.dispose](): void {
    for (const spy of this.#all) spy.mockRestore()
  }

  get #all() {
    return [this.#request, this.#transact, this.#dump, this.#dumpInPool, this.#requestInPool]
  }
}

const sizeOf = ({ length }: { readonly length: number }) => length

/** The most requests between two turns of the event loop while it runs. */
export async function busiestTurn(traffic: NetlinkTraffic, run: () => Promise<unknown>): Promise<number> {
  let most = 0
  let next: NodeJS.Immediate
  const look = () => {
    most = Math.max(most, traffic.take().requests)
    next = setImmediate(look)
  }
  traffic.take()
  next = setImmediate(look)
  try {
    await run()
    return Math.max(most, traffic.take().requests)
  } finally {
    clearImmediate(next)
  }
}
