/** Changes that others make to a table of nf_tables, such as `nft flush ruleset`. */
import { decodeAttributes, readCString } from '../codec.ts'
import { splitMessages } from '../message.ts'
import { MulticastSocket } from '../multicast.ts'
import type { NetnsRef } from '../netns.ts'
import { messageType, NFGENMSG, NFNL_SUBSYS_NFTABLES, NFPROTO_INET, TABLE_NAME } from './request.ts'

/** linux/netfilter/nfnetlink.h */
const NFNLGRP_NFTABLES = 7
const NEW_GENERATION = messageType('generation', 'new')
/** Holds the events of some 10,000 changes: others may have large tables, and reload all of them. */
const RECEIVE_BUFFER = 8 * 1024 * 1024
const DEFAULT_INTERVAL_MS = 20
/** Between two breaths of the event loop. */
const MAX_DATAGRAMS_PER_TURN = 500

export interface NftablesWatchOptions {
  /** The namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
  /** Name of a table of the family `inet`. */
  readonly table: string
  /**
   * Something of the table was added, changed or deleted, or events were lost; called once for many changes. What it
   * throws is an uncaught exception of a timer.
   */
  readonly onChange: () => void
  /** Whether changes by the socket with this address are one's own, of no interest. None are when absent. */
  readonly isOwn?: (portid: number) => boolean
  /** Pause between two looks. 20 ms; `none`: it looks when it is told to, by `drain`. */
  readonly intervalMs?: number | 'none'
}

/** Does not keep the process alive. */
export class NftablesWatch implements Disposable {
  readonly #options: NftablesWatchOptions
  readonly #socket: MulticastSocket
  readonly #timer: NodeJS.Timeout | undefined

  /** Changes from now on are told. @throws NetnsError, SystemCallError: see `lacksNftables` of source-marks.ts. */
  constructor(options: NftablesWatchOptions) {
    this.#options = options
    this.#socket = new MulticastSocket({
      ...(options.netns === undefined ? {} : { netns: options.netns }),
      protocol: 'netfilter',
      groups: [NFNLGRP_NFTABLES],
      receiveBuffer: RECEIVE_BUFFER,
    })
    const { intervalMs = DEFAULT_INTERVAL_MS } = options
    if (intervalMs !== 'none') this.#timer = setInterval(() => this.drain(), intervalMs).unref()
  }

  /** Looks at what waits now. At most 500 datagrams; the rest in the next turn. */
  drain(): void {
    let changed = false
    let count = 0
    for (; count < MAX_DATAGRAMS_PER_TURN; count++) {
      const datagram = this.#socket.receive()
      if (datagram === undefined) break
      changed ||= datagram === 'overrun' || this.#concerns(datagram)
    }
    if (count === MAX_DATAGRAMS_PER_TURN) setImmediate(() => this.drain())
    if (changed) this.#options.onChange()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#socket.close()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** Something that cannot be decoded may have said anything. */
  #concerns(datagram: Buffer): boolean {
    try {
      return splitMessages(datagram, 'nf_tables event').some(
        ({ type, portid, payload }) => this.#isOfTable(type, payload) && this.#options.isOwn?.(portid) !== true,
      )
    } catch {
      return true
    }
  }

  #isOfTable(type: number, payload: Buffer): boolean {
    if (type >> 8 !== NFNL_SUBSYS_NFTABLES || type === NEW_GENERATION) return false
    if (payload.readUInt8(0) !== NFPROTO_INET) return false
    const name = decodeAttributes(payload.subarray(NFGENMSG)).get(TABLE_NAME)
    return name !== undefined && readCString(name) === this.#options.table
  }
}
