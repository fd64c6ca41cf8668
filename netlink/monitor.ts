/**
 * Changes that anybody makes to links, addresses, routes, rules and neighbours of a namespace.
 *
 * The kernel's notifications are drained without blocking, by a timer. When they come faster than they are drained the
 * kernel drops some and says so (ENOBUFS): that is an event too, after which the listener must look at everything.
 */
import { type Address, parseAddress } from './address.ts'
import { MessageType, MulticastGroups, readU32, u32 } from './codec.ts'
import { Errno } from './errno.ts'
import { SystemCallError } from './error.ts'
import * as ffi from './ffi.ts'
import { type Link, parseLink } from './link.ts'
import { type Message, splitMessages } from './message.ts'
import { type Neighbour, parseNeighbour } from './neighbour.ts'
import type { NetnsRef } from './netns.ts'
import { parseRoute, type Route } from './route.ts'
import { parseRule, type Rule } from './rule.ts'
import { openNetlinkSocket } from './socket.ts'

/** NETLINK_ADD_MEMBERSHIP of linux/netlink.h */
const NETLINK_ADD_MEMBERSHIP = 1
const AF_UNSPEC = 0
const GROUPS = [
  MulticastGroups.LINK,
  MulticastGroups.NEIGH,
  MulticastGroups.IPV4_IFADDR,
  MulticastGroups.IPV4_ROUTE,
  MulticastGroups.IPV4_RULE,
  MulticastGroups.IPV6_IFADDR,
  MulticastGroups.IPV6_ROUTE,
  MulticastGroups.IPV6_RULE,
]
/** Holds the events of some 20,000 changes. */
const DEFAULT_RECEIVE_BUFFER = 8 * 1024 * 1024
const DEFAULT_INTERVAL_MS = 20
/** Between two breaths of the event loop; draining this many takes about 5 ms. */
const MAX_DATAGRAMS_PER_TURN = 2000
const DATAGRAM = 64 * 1024

type Change = 'new' | 'deleted'

export type KernelEvent =
  | { readonly kind: 'link'; readonly change: Change; readonly link: Link }
  | { readonly kind: 'address'; readonly change: Change; readonly address: Address }
  | { readonly kind: 'route'; readonly change: Change; readonly route: Route }
  | { readonly kind: 'rule'; readonly change: Change; readonly rule: Rule }
  | { readonly kind: 'neighbour'; readonly change: Change; readonly neighbour: Neighbour }
  /** Events were lost: read everything again. */
  | { readonly kind: 'overrun' }

export interface MonitorOptions {
  /** The namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
  /** What it throws is an uncaught exception of a timer; the events of the same datagram after it are lost. */
  readonly onEvent: (event: KernelEvent) => void
  /** Pause between two looks. 20 ms. */
  readonly intervalMs?: number
  /** Whether the monitor alone keeps the process alive. No. */
  readonly keepAlive?: boolean
  /** Bytes; needs CAP_NET_ADMIN beyond net.core.rmem_max. */
  readonly receiveBuffer?: number
}

/** Decodes one notification; `undefined` for what nobody here asked about. @throws Error when the bytes make no sense */
export function parseEvent(message: Message): KernelEvent | undefined {
  // rtnetlink numbers its requests in fours: new, delete, get, set.
  const change = message.type % 4 === 0 ? 'new' : 'deleted'
  switch (message.type) {
    case MessageType.NEWLINK:
    case MessageType.DELLINK:
      // With AF_BRIDGE it speaks of a port: a deleted port is not a deleted link.
      if (message.payload.readUInt8(0) !== AF_UNSPEC) return undefined
      return { kind: 'link', change, link: parseLink(message) }
    case MessageType.NEWADDR:
    case MessageType.DELADDR: {
      const address = parseAddress(message)
      return address && { kind: 'address', change, address }
    }
    case MessageType.NEWROUTE:
    case MessageType.DELROUTE: {
      const route = parseRoute(message)
      return route && { kind: 'route', change, route }
    }
    case MessageType.NEWRULE:
    case MessageType.DELRULE: {
      const rule = parseRule(message)
      return rule && { kind: 'rule', change, rule }
    }
    case MessageType.NEWNEIGH:
    case MessageType.DELNEIGH: {
      const neighbour = parseNeighbour(message)
      return neighbour && { kind: 'neighbour', change, neighbour }
    }
    default:
      return undefined
  }
}

export class NetlinkMonitor implements Disposable {
  readonly #options: MonitorOptions
  readonly #fd: number
  readonly #buffer = Buffer.alloc(DATAGRAM)
  readonly #sender = Buffer.alloc(12)
  readonly #timer: NodeJS.Timeout
  #open = true

  /** Events from now on are delivered. @throws NetnsError, SystemCallError */
  constructor(options: MonitorOptions) {
    this.#options = options
    this.#fd = openNetlinkSocket(options.netns, { receiveBuffer: options.receiveBuffer ?? DEFAULT_RECEIVE_BUFFER })
    try {
      for (const group of GROUPS) {
        ffi.setsockopt(this.#fd, { level: ffi.SOL_NETLINK, name: NETLINK_ADD_MEMBERSHIP, value: u32(group) })
      }
    } catch (error) {
      ffi.close(this.#fd)
      throw error
    }
    this.#timer = setInterval(() => this.drain(), options.intervalMs ?? DEFAULT_INTERVAL_MS)
    if (options.keepAlive !== true) this.#timer.unref()
  }

  /** Delivers what is queued, without waiting for the timer. At most 2,000 datagrams; the rest in the next turn. */
  drain(): void {
    for (let count = 0; this.#open && count < MAX_DATAGRAMS_PER_TURN; count++) {
      if (!this.#next()) return
    }
    if (this.#open) setImmediate(() => this.drain())
  }

  stop(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    ffi.close(this.#fd)
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** Handles one datagram. @returns false when there is none. */
  #next(): boolean {
    let length: number | undefined
    try {
      length = ffi.recvfrom(this.#fd, this.#buffer, { from: this.#sender, flags: ffi.MSG_DONTWAIT | ffi.MSG_TRUNC })
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errno !== Errno.ENOBUFS) throw error
      this.#options.onEvent({ kind: 'overrun' })
      return true
    }
    if (length === undefined) return false
    // Anybody may send to a netlink address; only the kernel's port is 0.
    if (readU32(this.#sender, 4) === 0) for (const event of this.#decode(length)) this.#options.onEvent(event)
    return true
  }

  /** Something that cannot be decoded may have said anything: the listener is told as if it had been lost. */
  #decode(length: number): KernelEvent[] {
    try {
      return splitMessages(this.#buffer.subarray(0, Math.min(length, DATAGRAM)), 'kernel event').flatMap(
        (message) => parseEvent(message) ?? [],
      )
    } catch {
      return [{ kind: 'overrun' }]
    }
  }
}
