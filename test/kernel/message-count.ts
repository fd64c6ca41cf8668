/** How much goes between this process and the kernel. */
import { jest } from '@jest/globals'
import { NetlinkSocket } from '../../netlink/socket.ts'

/** Requests, and objects that the kernel told of, since this was made. Blocking exchanges of all sockets. */
export class MessageCount implements Disposable {
  readonly #requests = jest.spyOn(NetlinkSocket.prototype, 'request')
  readonly #dumps = jest.spyOn(NetlinkSocket.prototype, 'dump')

  get count(): number {
    const acks = this.#requests.mock.results.flatMap(({ type, value }) => (type === 'return' ? value : []))
    const listed = this.#dumps.mock.results.flatMap(({ type, value }) => (type === 'return' ? value : []))
    const told = acks.reduce((sum, { messages }) => sum + messages.length, 0)
    return acks.length + told + this.#dumps.mock.calls.length + listed.length
  }

  [Symbol.dispose](): void {
    this.#requests.mockRestore()
    this.#dumps.mockRestore()
  }
}
