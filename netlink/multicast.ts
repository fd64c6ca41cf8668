/** A socket that hears what the kernel tells a multicast group, taken without waiting. */
import { readU32, u32 } from './codec.ts'
import { Errno } from './errno.ts'
import { SystemCallError } from './error.ts'
import * as ffi from './ffi.ts'
import { type NetlinkSocketOptions, openNetlinkSocket } from './socket.ts'

/** NETLINK_ADD_MEMBERSHIP of linux/netlink.h */
const NETLINK_ADD_MEMBERSHIP = 1
const DATAGRAM = 64 * 1024

export interface MulticastOptions extends Pick<NetlinkSocketOptions, 'netns' | 'protocol'> {
  readonly groups: readonly number[]
  /** Bytes that may wait; needs CAP_NET_ADMIN beyond net.core.rmem_max. */
  readonly receiveBuffer: number
}

export class MulticastSocket implements Disposable {
  readonly #fd: number
  readonly #buffer = Buffer.alloc(DATAGRAM)
  readonly #sender = Buffer.alloc(12)
  #open = true

  /** What is told from now on is heard. @throws NetnsError, SystemCallError */
  constructor({ netns, groups, ...options }: MulticastOptions) {
    this.#fd = openNetlinkSocket(netns, options)
    try {
      for (const group of groups) {
        ffi.setsockopt(this.#fd, { level: ffi.SOL_NETLINK, name: NETLINK_ADD_MEMBERSHIP, value: u32(group) })
      }
    } catch (error) {
      ffi.close(this.#fd)
      throw error
    }
  }

  /**
   * The next datagram, good until the next call; undefined when none waits. `overrun`: some are lost, or one was cut.
   * @throws SystemCallError
   */
  receive(): Buffer | 'overrun' | undefined {
    while (this.#open) {
      const length = this.#receive()
      if (length === undefined || length === 'overrun') return length
      if (length > DATAGRAM) return 'overrun'
      // Anybody may send to a netlink address; only the kernel's port is 0.
      if (readU32(this.#sender, 4) === 0) return this.#buffer.subarray(0, length)
    }
    return undefined
  }

  close(): void {
    if (this.#open) ffi.close(this.#fd)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #receive(): number | 'overrun' | undefined {
    try {
      return ffi.recvfrom(this.#fd, this.#buffer, { from: this.#sender, flags: ffi.MSG_DONTWAIT | ffi.MSG_TRUNC })
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errno !== Errno.ENOBUFS) throw error
      return 'overrun'
    }
  }
}
