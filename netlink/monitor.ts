/**
 * Changes that anybody makes to links, addresses, routes, rules, neighbours and qdiscs of a namespace.
 *
 * The kernel's notifications are drained without blocking, by a timer. When they come faster than they are drained the
 * kernel drops some and says so (ENOBUFS): that is an event too, after which the listener must look at everything.
 */
import { type Address, parseAddress } from './address.ts'
import { MessageType, MulticastGroups, readI32 } from './codec.ts'
import { type Link, parseLink } from './link.ts'
import { type Message, splitMessages } from './message.ts'
import { MulticastSocket } from './multicast.ts'
import { type Neighbour, parseNeighbour } from './neighbour.ts'
import type { NetnsRef } from './netns.ts'
import { parseRoute, type Route } from './route.ts'
import { parseRule, type Rule } from './rule.ts'

const AF_UNSPEC = 0
/** Offset of `tcm_ifindex` in `struct tcmsg` of linux/rtnetlink.h. */
const TCM_IFINDEX = 4
const GROUPS = [
  MulticastGroups.LINK,
  MulticastGroups.NEIGH,
  MulticastGroups.TC,
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
/** Pause after a look that has found something, ms: more is likely to come. */
const BUSY_INTERVAL_MS = 20
/** Between two breaths of the event loop; taking in this many takes 5 ms at most, when all are of links. */
const MAX_DATAGRAMS_PER_TURN = 200

type Change = 'new' | 'deleted'

export type KernelEvent =
  | { readonly kind: 'link'; readonly change: Change; readonly link: Link }
  | { readonly kind: 'address'; readonly change: Change; readonly address: Address }
  | { readonly kind: 'route'; readonly change: Change; readonly route: Route }
  | { readonly kind: 'rule'; readonly change: Change; readonly rule: Rule }
  | { readonly kind: 'neighbour'; readonly change: Change; readonly neighbour: Neighbour }
  /** One that is replaced is deleted first. `ifindex`: of the link it is on. */
  | { readonly kind: 'qdisc'; readonly change: Change; readonly ifindex: number }
  /** Events were lost: read everything again. */
  | { readonly kind: 'overrun' }

export interface MonitorOptions {
  /** The namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
  /** What it throws is an uncaught exception of a timer; the events of the same datagram after it are lost. */
  readonly onEvent: (event: KernelEvent) => void
  /** Pause between two looks while nothing happens, ms. 20; 100 costs a fifth of the wake-ups. */
  readonly intervalMs?: number
  /** Called at each look by the timer: for what else is to be looked at as often, without waking the process for it. */
  readonly onLook?: () => void
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
    case MessageType.NEWQDISC:
    case MessageType.DELQDISC:
      return { kind: 'qdisc', change, ifindex: readI32(message.payload, TCM_IFINDEX) }
    default:
      return undefined
  }
}

export class NetlinkMonitor implements Disposable {
  readonly #onEvent: (event: KernelEvent) => void
  readonly #onLook: (() => void) | undefined
  readonly #socket: MulticastSocket
  readonly #interval: number
  readonly #keepAlive: boolean
  #timer: NodeJS.Timeout | undefined
  #open = true

  /** Events from now on are delivered. @throws NetnsError, SystemCallError */
  constructor({ netns, onEvent, onLook, intervalMs, keepAlive = false, receiveBuffer }: MonitorOptions) {
    this.#onEvent = onEvent
    this.#onLook = onLook
    this.#socket = new MulticastSocket({
      ...(netns === undefined ? {} : { netns }),
      groups: GROUPS,
      receiveBuffer: receiveBuffer ?? DEFAULT_RECEIVE_BUFFER,
    })
    this.#interval = intervalMs ?? DEFAULT_INTERVAL_MS
    this.#keepAlive = keepAlive
    this.#lookAfter(this.#interval)
  }

  /** Delivers what is queued, without waiting for the timer. At most 200 datagrams; the rest in the next turn. */
  drain(): void {
    this.#drain()
  }

  stop(): void {
    this.#open = false
    clearTimeout(this.#timer)
    this.#socket.close()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** @returns whether there was anything */
  #drain(): boolean {
    for (let count = 0; count < MAX_DATAGRAMS_PER_TURN; count++) {
      const datagram = this.#socket.receive()
      if (datagram === undefined) return count > 0
      for (const event of datagram === 'overrun' ? OVERRUN : decode(datagram)) this.#onEvent(event)
    }
    setImmediate(() => this.#drain())
    return true
  }

  /** What a listener throws is an uncaught exception, and no reason to look no more. */
  #lookAfter(milliseconds: number): void {
    if (!this.#open) return
    this.#timer = setTimeout(() => {
      let isBusy = true
      try {
        isBusy = this.#drain()
        this.#onLook?.()
      } finally {
        this.#lookAfter(isBusy ? Math.min(BUSY_INTERVAL_MS, this.#interval) : this.#interval)
      }
    }, milliseconds)
    if (!this.#keepAlive) this.#timer.unref()
  }
}

const OVERRUN: readonly KernelEvent[] = [{ kind: 'overrun' }]

/** Something that cannot be decoded may have said anything: the listener is told as if it had been lost. */
function decode(datagram: Buffer): readonly KernelEvent[] {
  try {
    return splitMessages(datagram, 'kernel event').flatMap((message) => parseEvent(message) ?? [])
  } catch {
    return OVERRUN
  }
}
