/**
 * Deletes links in batches, off the main thread.
 *
 * Deleting a link makes the kernel wait for an RCU grace period, 20 to 40 ms inside `send`; deleting a whole group of
 * links waits for it once. So a link to be deleted is set down and put into a private group at once, and whatever has
 * gathered there goes with one request from a pool thread, one request at a time.
 */
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { deleteLink, deleteLinkGroup, getLink, setLink } from './link.ts'
import type { Ack, Request } from './message.ts'
import type { NetnsRef } from './netns.ts'
import { NetlinkSocket } from './socket.ts'

/** "terw": a group number (IFLA_GROUP, any u32) that nobody else uses. Links in it are about to be deleted. */
export const REAPER_GROUP = 0x74657277

/** A batch is complete when nothing has come for so long, or after so long all the same, ms. */
const QUIET = 5
const LONGEST = 100

type Waiter = PromiseWithResolvers<void>

export class LinkReaper implements AsyncDisposable {
  readonly #socket: NetlinkSocket
  readonly #poolSocket: NetlinkSocket
  #waiting = new Map<number, Waiter>()
  #running: Promise<void> | undefined
  #closed = false
  #requests = 0

  /** For the links of one namespace; the one the thread is in when absent. @throws NetnsError, SystemCallError */
  constructor({ netns }: { readonly netns?: NetnsRef } = {}) {
    const options = netns === undefined ? {} : { netns }
    this.#socket = NetlinkSocket.open(options)
    try {
      this.#poolSocket = NetlinkSocket.open(options)
    } catch (error) {
      this.#socket.close()
      throw error
    }
  }

  /** Delete requests made so far, each worth a grace period: one for a batch, one for each link that needed its own. */
  get requests(): number {
    return this.#requests
  }

  /**
   * Sets the link down before it returns; the promise is fulfilled when the kernel has confirmed that the link is gone.
   * A link that does not exist is gone. Rejects with NetlinkError.
   */
  remove(ifindex: number): Promise<void> {
    const request = setLink(ifindex, { up: false, group: REAPER_GROUP })
    if (this.#closed) {
      return Promise.reject(
        new NetlinkError({ errno: Errno.EBADF, request: `delete link ${ifindex}`, extack: 'the reaper is closed' }),
      )
    }
    try {
      const [ack] = this.#socket.request([request])
      if (ack?.error?.errno === Errno.ENODEV) return Promise.resolve()
      if (ack?.error !== undefined) throw ack.error
    } catch (error) {
      return Promise.reject(error)
    }
    // Somebody may wait for the index already: for this link, or for one that had it before.
    const waiter = this.#waiting.get(ifindex) ?? Promise.withResolvers<void>()
    this.#waiting.set(ifindex, waiter)
    this.#running ??= this.#run()
    return waiter.promise
  }

  /** Waits for what was handed over, then closes. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    this.#socket.close()
    this.#poolSocket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#gather()
      const batch = this.#waiting
      this.#waiting = new Map()
      try {
        // Its ack is not asked: one link that cannot be deleted makes the kernel refuse the whole group, and a group may
        // be empty because its links went with their namespaces. Each link is looked at instead.
        await this.#request(deleteLinkGroup(REAPER_GROUP))
        for (const [ifindex, waiter] of batch) {
          await this.#settle(ifindex, waiter)
          // Who waited goes on before the next one is looked at.
          await setImmediate()
        }
      } catch (error) {
        // The transport broke: nobody knows what became of the batch.
        for (const waiter of batch.values()) waiter.reject(error)
      }
    }
    this.#running = undefined
  }

  /** While the kernel deletes links, it lets nobody change any of the node's: once for many is better than often. */
  async #gather(): Promise<void> {
    const began = performance.now()
    for (let count = 0; count < this.#waiting.size && performance.now() - began < LONGEST; ) {
      count = this.#waiting.size
      await setTimeout(QUIET)
    }
  }

  #request(request: Request): Promise<Ack> {
    this.#requests++
    return this.#poolSocket.requestInPool(request)
  }

  /** Deletes the link by itself when the group request did not. */
  async #settle(ifindex: number, waiter: Waiter): Promise<void> {
    try {
      // A link with the same index that is not in the group is a new one.
      if (getLink(this.#socket, ifindex)?.group === REAPER_GROUP) {
        const { error } = await this.#request(deleteLink(ifindex))
        if (error !== undefined && error.errno !== Errno.ENODEV) throw error
      }
      waiter.resolve()
    } catch (error) {
      waiter.reject(error)
    }
  }
}
