/**
 * A blocking netlink socket.
 *
 * The kernel carries out a request inside `send`, so the answer is there when `recv` is called and nothing waits. The
 * socket belongs for life to the namespace it was opened in. For events see monitor.ts.
 */
import { readU32, u32, writeU16, writeU32 } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError, SystemCallError } from './error.ts'
import * as ffi from './ffi.ts'
import { type Ack, Exchange, encodeRequests, type Message, NLM_F_DUMP, type Request } from './message.ts'
import { type NetnsRef, withNetns } from './netns.ts'
import { transaction } from './transaction.ts'
import { wholeListing } from './whole-listing.ts'

/** linux/netlink.h */
const PROTOCOLS = { route: 0, netfilter: 12 } as const
type NetlinkProtocol = keyof typeof PROTOCOLS
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_DROP_MEMBERSHIP = 2
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12

/** More errors than this in a row can overrun a receive buffer that nobody was allowed to enlarge (212,992 bytes). */
const MAX_BATCH = 150
/** A datagram must fit the send buffer. */
const MAX_BATCH_BYTES = 128 * 1024
const SEND_BUFFER = 512 * 1024
const RECEIVE_BUFFER = 4 * 1024 * 1024
/** The kernel fills at most 32 KiB per datagram of a dump (NETLINK_MAX_RECVMSG_LEN in af_netlink.c). */
const DATAGRAM = 32 * 1024
/**
 * Where sockets receive that ask for no size of their own: what is received is copied before anything else can be. Not
 * cleared: only what was received into it is ever read.
 */
const SHARED = Buffer.allocUnsafe(DATAGRAM)
/** Bytes: an error number, the header of the request and a sentence are some hundreds. */
const LARGEST_ACK = 4 * 1024
/** Never reached while the kernel keeps its word; without it a lost answer would stop the process for ever. */
const RECEIVE_TIMEOUT_SECONDS = 5

/** What one datagram of a dump brought. */
export interface DumpPart {
  readonly messages: readonly Message[]
  /** The list has changed since it was begun: what the parts have together may miss or repeat objects. */
  readonly interrupted: boolean
}

/** struct sockaddr_nl */
export function netlinkAddress(groups = 0): Buffer {
  const address = Buffer.alloc(12)
  writeU16(address, ffi.AF_NETLINK, 0)
  writeU32(address, groups, 8)
  return address
}

export interface NetlinkSocketOptions {
  /** The namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
  /** Which part of the kernel it talks to: rtnetlink when absent. */
  readonly protocol?: NetlinkProtocol
  /** First size of the receive buffer in bytes; it grows to what arrives, but for `dumpInPool`. */
  readonly datagramBytes?: number
  /** Bytes the kernel may queue for this socket. 4 MiB, enough for the acks of the largest batch. */
  readonly receiveBuffer?: number
}

/** Opens, sizes and binds a descriptor; it is closed again when any of that fails. */
export function openNetlinkSocket(
  netns: NetnsRef | undefined,
  { protocol = 'route', receiveBuffer }: { readonly protocol?: NetlinkProtocol; readonly receiveBuffer: number },
): number {
  const create = () => ffi.socket({ domain: ffi.AF_NETLINK, type: ffi.SOCK_RAW, protocol: PROTOCOLS[protocol] })
  const fd = netns === undefined ? create() : withNetns(netns, create)
  try {
    ffi.setsockopt(fd, { level: ffi.SOL_SOCKET, name: ffi.SO_RCVBUFFORCE, value: u32(receiveBuffer) })
    ffi.setsockopt(fd, { level: ffi.SOL_SOCKET, name: ffi.SO_SNDBUFFORCE, value: u32(SEND_BUFFER) })
    for (const name of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) switchOn(fd, name)
    const timeout = Buffer.from(BigInt64Array.of(BigInt(RECEIVE_TIMEOUT_SECONDS), 0n).buffer) // struct timeval
    ffi.setsockopt(fd, { level: ffi.SOL_SOCKET, name: ffi.SO_RCVTIMEO, value: timeout })
    ffi.bind(fd, netlinkAddress())
    return fd
  } catch (error) {
    ffi.close(fd)
    throw error
  }
}

/**
 * Switches an option of netlink on, unless the kernel is too old to know it: strict checking of what is asked came with
 * 4.20. Without it dumps are not narrowed down, which the listings of this folder do themselves in any case.
 */
export function switchOn(fd: number, name: number): void {
  try {
    ffi.setsockopt(fd, { level: ffi.SOL_NETLINK, name, value: u32(1) })
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== Errno.ENOPROTOOPT) throw error
  }
}

/** What lists objects: a socket. */
export type Dumper = Pick<NetlinkSocket, 'dump'>

export class NetlinkSocket implements Disposable {
  readonly #fd: number
  readonly #portid: number
  readonly #kernel = netlinkAddress()
  readonly #sender = Buffer.alloc(12)
  #buffer: Buffer
  #seq = 1
  #open = true

  private constructor(fd: number, datagramBytes: number | undefined) {
    this.#fd = fd
    this.#buffer = datagramBytes === undefined ? SHARED : Buffer.allocUnsafe(datagramBytes)
    const own = Buffer.alloc(12)
    ffi.getsockname(fd, own)
    this.#portid = readU32(own, 4)
  }

  /** @throws NetnsError when the namespace cannot be entered, SystemCallError when the socket cannot be made. */
  static open(options: NetlinkSocketOptions = {}): NetlinkSocket {
    const { netns, protocol = 'route', datagramBytes, receiveBuffer = RECEIVE_BUFFER } = options
    return new NetlinkSocket(openNetlinkSocket(netns, { protocol, receiveBuffer }), datagramBytes)
  }

  /** The socket's address: who knows it can send to it, which `request` ignores. */
  get portid(): number {
    return this.#portid
  }

  /**
   * Sends the requests, many in one datagram, and returns what became of each, in order. The kernel goes on after a request
   * that fails, so look at every ack; what must not follow a failure belongs into a second call.
   * @throws NetlinkError when the conversation itself broke: then it is unknown what was carried out.
   */
  request(requests: readonly Request[]): Ack[] {
    const acks: Ack[] = []
    for (const batch of batches(requests)) acks.push(...this.#exchange(batch).acks)
    return acks
  }

  /** The same, for callers that want all or an error. @throws NetlinkError of the first request that failed. */
  execute(requests: readonly Request[]): void {
    for (const { error } of this.request(requests)) if (error !== undefined) throw error
  }

  /**
   * All of the requests at one moment, or none of them; sockets of netfilter only. They go in one datagram, so together
   * they must fit the send buffer (1 MiB).
   * @throws NetlinkError of the first request that failed, or of the transaction as a whole.
   */
  transact(subsystem: number, requests: readonly Request[]): void {
    if (requests.length === 0) return
    for (const { error } of this.#exchange(transaction(subsystem, requests)).acks) if (error !== undefined) throw error
  }

  /**
   * One object. @throws NetlinkError, `ENODEV` when there is none of that name or index.
   */
  get(request: Request): Message[] {
    const [ack] = this.request([request])
    if (ack?.error !== undefined) throw ack.error
    return [...(ack?.messages ?? [])]
  }

  /**
   * All objects. Asked again, up to five times, when something changed meanwhile. `changes` is the multicast group that
   * tells of changes, for the kinds whose dumps the kernel does not mark as interrupted.
   * @throws NetlinkError; EINTR when it changed every time.
   */
  dump(request: Request, { changes }: { readonly changes?: number } = {}): Message[] {
    const dump = { ...request, flags: request.flags | NLM_F_DUMP }
    const ask = () => (changes === undefined ? this.#exchange([dump]) : this.#watchedExchange(dump, changes))
    return wholeListing(ask, { what: request.text, watched: changes !== undefined })
  }

  /**
   * One request that keeps the kernel busy for long, carried out on a thread of libuv's pool. The socket must not be
   * used for anything else until the promise settles; so give such requests a socket of their own.
   * @throws NetlinkError as a rejection.
   */
  async requestInPool(request: Request): Promise<Ack> {
    const { exchange, datagram } = this.#begin([request])
    try {
      await ffi.sendtoInPool(this.#fd, datagram, this.#kernel)
    } catch (error) {
      throw this.#broken(exchange, error)
    }
    this.#finish(exchange)
    const [ack] = exchange.acks
    return ack ?? { request, messages: [] }
  }

  /**
   * All objects, part by part: each is put together on a thread of libuv's pool, and between two of them the event loop
   * goes on. The kernel makes no part larger than `datagramBytes`, unless that is below 8 KiB (NLMSG_GOODSIZE). The
   * socket must not be used for anything else meanwhile, nor again when the parts were not all taken.
   * @throws NetlinkError
   */
  async *dumpInPool(request: Request): AsyncGenerator<DumpPart, void> {
    const { exchange, datagram } = this.#begin([{ ...request, flags: request.flags | NLM_F_DUMP }])
    try {
      await ffi.sendtoInPool(this.#fd, datagram, this.#kernel)
      const buffer = Buffer.allocUnsafe(this.#buffer.length)
      while (!exchange.complete) {
        const length = await ffi.recvfromInPool(this.#fd, buffer, { from: this.#sender, flags: ffi.MSG_TRUNC })
        this.#feed(exchange, { buffer, length })
        yield { messages: exchange.take(), interrupted: exchange.interrupted }
      }
    } catch (error) {
      throw asNetlinkError(exchange, error)
    }
    const [ack] = exchange.acks
    if (ack?.error !== undefined) throw ack.error
  }

  close(): void {
    if (this.#open) ffi.close(this.#fd)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #exchange(requests: readonly Request[]): Exchange {
    const { exchange, datagram } = this.#begin(requests)
    try {
      ffi.sendto(this.#fd, datagram, this.#kernel)
    } catch (error) {
      throw this.#broken(exchange, error)
    }
    this.#finish(exchange)
    return exchange
  }

  /** Listens to a group during the exchange; a change that comes between two parts stands between them in the queue. */
  #watchedExchange(request: Request, group: number): Exchange {
    ffi.setsockopt(this.#fd, { level: ffi.SOL_NETLINK, name: NETLINK_ADD_MEMBERSHIP, value: u32(group) })
    try {
      return this.#exchange([request])
    } finally {
      ffi.setsockopt(this.#fd, { level: ffi.SOL_NETLINK, name: NETLINK_DROP_MEMBERSHIP, value: u32(group) })
      this.#drain()
    }
  }

  #begin(requests: readonly Request[]): { exchange: Exchange; datagram: Buffer } {
    const exchange = new Exchange({ requests, firstSeq: this.#seq, portid: this.#portid })
    if (!this.#open) {
      throw new NetlinkError({ errno: Errno.EBADF, request: exchange.text, extack: 'the netlink socket is closed' })
    }
    const datagram = encodeRequests(requests, this.#seq)
    // Numbers of a broken exchange are never used again, so that its late answers mean nothing to the next one.
    this.#seq = (this.#seq + requests.length) >>> 0
    return { exchange, datagram }
  }

  #finish(exchange: Exchange): void {
    try {
      while (!exchange.complete) this.#receive(exchange)
    } catch (error) {
      throw this.#broken(exchange, error)
    }
  }

  /** After an error of the transport: what is queued is thrown away, which also runs a half-read dump to its end. */
  #broken(exchange: Exchange, error: unknown): unknown {
    this.#drain()
    return asNetlinkError(exchange, error)
  }

  /** Looks at the length first where it may be any: a datagram that does not fit would be cut by the kernel. */
  #receive(exchange: Exchange): void {
    const peeks = exchange.bringsObjects || this.#buffer.length < LARGEST_ACK
    const length = peeks ? this.#recv(ffi.MSG_PEEK | ffi.MSG_TRUNC) : 0
    if (length !== undefined && length > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(length)
    this.#feed(exchange, { buffer: this.#buffer, length: length === undefined ? undefined : this.#recv(ffi.MSG_TRUNC) })
  }

  /** Hands over what was received. */
  #feed(exchange: Exchange, { buffer, length }: Received): void {
    if (length === undefined) {
      const extack = 'the kernel did not answer'
      throw new NetlinkError({ errno: Errno.ETIMEDOUT, request: exchange.text, extack })
    }
    if (length > buffer.length) {
      const extack = `a datagram of ${length} bytes was cut`
      throw new NetlinkError({ errno: Errno.EBADMSG, request: exchange.text, extack })
    }
    // Copied, because the messages outlive the buffer.
    exchange.feed(Buffer.from(buffer.subarray(0, length)), readU32(this.#sender, 4))
  }

  #recv(flags: number): number | undefined {
    return ffi.recvfrom(this.#fd, this.#buffer, { from: this.#sender, flags })
  }

  #drain(): void {
    for (;;) {
      try {
        if (this.#recv(ffi.MSG_DONTWAIT) === undefined) return
      } catch (error) {
        // The overrun itself may be reported once more, before what is still queued.
        if (!(error instanceof SystemCallError) || error.errno !== Errno.ENOBUFS) return
      }
    }
  }
}

interface Received {
  readonly buffer: Buffer
  /** Undefined when nothing came in time. */
  readonly length: number | undefined
}

function asNetlinkError(exchange: Exchange, error: unknown): unknown {
  if (!(error instanceof SystemCallError)) return error
  return new NetlinkError({ errno: error.errno, request: exchange.text, extack: error.call })
}

function* batches(requests: readonly Request[]): Generator<Request[]> {
  let batch: Request[] = []
  let bytes = 0
  for (const request of requests) {
    if (batch.length >= MAX_BATCH || (batch.length > 0 && bytes + request.payload.length > MAX_BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(request)
    bytes += request.payload.length + 16
  }
  if (batch.length > 0) yield batch
}
