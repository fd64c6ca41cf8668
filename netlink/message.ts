/**
 * Netlink messages and the assembly of replies, without any input or output.
 *
 * `Exchange` is fed the datagrams of a socket and knows when its requests are answered. Only what the kernel sent to
 * this socket for these requests counts: a reply is matched by sender, port and sequence number.
 */
import {
  type Attributes,
  decodeAttributes,
  readCString,
  readI32,
  readU16,
  readU32,
  writeU16,
  writeU32,
} from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'

/** linux/netlink.h */
export const NLM_F_REQUEST = 0x1
export const NLM_F_ACK = 0x4
/** The kernel tells what it made, with the handle that it gave it. */
export const NLM_F_ECHO = 0x8
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_DUMP = 0x300
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSG_NOOP = 1
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLMSGERR_ATTR_MSG = 1
const HEADER = 16

export interface Request {
  /** RTM_…, or IPCTNL_MSG_… with its subsystem. */
  readonly type: number
  /** NLM_F_… besides REQUEST and ACK. */
  readonly flags: number
  /** Family header and attributes, padded to 4 bytes. */
  readonly payload: Buffer
  /** What is asked, as an operator would write it. */
  readonly text: string
  /** Begins or ends a transaction: answered only when it is refused, and all that is between them with it. */
  readonly frame?: true
}

export interface Message {
  readonly type: number
  readonly flags: number
  readonly payload: Buffer
}

/** What became of one request: `error` is absent when it was carried out. */
export interface Ack {
  readonly request: Request
  readonly error?: NetlinkError
  /** Objects returned by a GET. */
  readonly messages: readonly Message[]
}

interface Framed extends Message {
  readonly seq: number
  readonly portid: number
}

/** @throws NetlinkError EBADMSG when a length does not fit the bytes: a truncated datagram is never half believed. */
export function splitMessages(datagram: Buffer, request: string): Framed[] {
  const messages: Framed[] = []
  for (let rest = datagram; rest.length > 0; ) {
    const length = rest.length >= HEADER ? readU32(rest) : 0
    if (length < HEADER || length > rest.length) {
      throw new NetlinkError({ errno: Errno.EBADMSG, request, extack: 'truncated netlink message' })
    }
    messages.push({
      type: readU16(rest, 4),
      flags: readU16(rest, 6),
      seq: readU32(rest, 8),
      portid: readU32(rest, 12),
      payload: rest.subarray(HEADER, length),
    })
    rest = rest.subarray(Math.min((length + 3) & ~3, rest.length))
  }
  return messages
}

/** One datagram of several requests, numbered from `firstSeq`. Of those that are acknowledged, the last asks for it. */
export function encodeRequests(requests: readonly Request[], firstSeq: number): Buffer {
  const last = lastAcknowledged(requests)
  return Buffer.concat(
    requests.flatMap((request, index) => {
      const header = Buffer.alloc(HEADER)
      writeU32(header, HEADER + request.payload.length, 0)
      writeU16(header, request.type, 4)
      writeU16(header, request.flags | NLM_F_REQUEST | (index === last ? NLM_F_ACK : 0), 6)
      writeU32(header, firstSeq + index, 8)
      return [header, request.payload]
    }),
  )
}

/**
 * rtnetlink numbers its requests in fours: new, delete, get, set (linux/rtnetlink.h); ctnetlink and nf_tables, behind the
 * number of their subsystem, in threes: new, get, delete (linux/netfilter/nfnetlink_conntrack.h, nf_tables.h).
 */
function isGet(type: number): boolean {
  return type < 0x100 ? type % 4 === 2 : (type & 0xff) % 3 === 1
}

function isDump({ type, flags }: Request): boolean {
  return (flags & NLM_F_DUMP) === NLM_F_DUMP && isGet(type)
}

/**
 * The kernel takes the requests of a datagram in their order, tells of every one that fails, asked or not, and of success
 * where it is asked (netlink_rcv_skb of net/netlink/af_netlink.c). So the ack of the last one stands for all before it;
 * an answer that found no room is an error of the socket. A dump ends by itself, and so does a frame.
 */
function lastAcknowledged(requests: readonly Request[]): number {
  return requests.findLastIndex((request) => !isDump(request) && request.frame !== true)
}

function textOf(attributes: Attributes): string | undefined {
  const text = attributes.get(NLMSGERR_ATTR_MSG)
  return text === undefined ? undefined : readCString(text)
}

/** The extended-ack text after the fixed part of an NLMSG_ERROR or NLMSG_DONE. */
function extackOf(message: Message): string | undefined {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return undefined
  try {
    return textOf(decodeAttributes(message.payload.subarray(extackOffset(message))))
  } catch {
    // The text is a courtesy; the error number counts, and it has been read.
    return undefined
  }
}

function extackOffset(message: Message): number {
  if (message.type === NLMSG_DONE) return 4
  // int error, then the header of the request, then its payload unless the kernel was asked to leave it out.
  const echoed = (message.flags & NLM_F_CAPPED) === 0 ? readU32(message.payload, 4) : HEADER
  return 4 + ((echoed + 3) & ~3)
}

interface Answer {
  readonly request: Request
  /** Only its failure is heard of. */
  readonly silent: boolean
  error?: NetlinkError
  messages: Message[]
  complete: boolean
}

function isEnd({ type }: Message): boolean {
  return type === NLMSG_ERROR || type === NLMSG_DONE
}

/** A failure is heard of once. */
function expects({ silent, error, complete }: Answer): boolean {
  return !complete || (silent && error === undefined)
}

/** The kernel's side of one datagram of requests, assembled from the datagrams it sends back. */
export class Exchange {
  readonly #portid: number
  readonly #firstSeq: number
  readonly #answers: Answer[]
  #interrupted = false
  /** Messages of the kernel that answered nothing. */
  #strays = 0
  /** Datagrams that held objects. */
  #parts = 0

  constructor(options: { readonly requests: readonly Request[]; readonly firstSeq: number; readonly portid: number }) {
    this.#portid = options.portid
    this.#firstSeq = options.firstSeq
    const last = lastAcknowledged(options.requests)
    this.#answers = options.requests.map((request, index) => {
      const silent = index !== last && !isDump(request)
      return { request, silent, messages: [], complete: silent }
    })
  }

  /** Whether the kernel answers with objects, which may be of any size; acks are small. */
  get bringsObjects(): boolean {
    return this.#answers.some(({ request: { type, flags } }) => isGet(type) || (flags & NLM_F_ECHO) !== 0)
  }

  get complete(): boolean {
    return this.#answers.every((answer) => answer.complete)
  }

  /** The dump ran while somebody changed what it lists (NLM_F_DUMP_INTR): its result may miss or repeat objects. */
  get interrupted(): boolean {
    return this.#interrupted
  }

  /**
   * A notification came while a list arrived in several parts, for sockets that are in a multicast group: what it tells
   * of may have shifted the place where the kernel went on.
   */
  get disturbed(): boolean {
    return this.#strays > 0 && this.#parts > 1
  }

  get acks(): Ack[] {
    return this.#answers.map(({ request, error, messages }) => ({
      request,
      messages,
      ...(error === undefined ? {} : { error }),
    }))
  }

  /** The objects that have come since the last call; `acks` has the others only. */
  take(): Message[] {
    return this.#answers.flatMap(({ messages }) => messages.splice(0))
  }

  /** What the exchange is about, for errors of the transport. */
  get text(): string {
    const asked = this.#answers.filter(({ request }) => request.frame !== true)
    const [first] = asked
    if (first === undefined) return 'nothing'
    const more = asked.length - 1
    return more === 0 ? first.request.text : `${first.request.text} and ${more} more`
  }

  /**
   * Takes a datagram. `sender` is the port it came from; the kernel's is 0, anything else is another process.
   * @throws NetlinkError EBADMSG when it is truncated.
   */
  feed(datagram: Buffer, sender: number): void {
    if (sender !== 0) return
    let objects = 0
    for (const message of splitMessages(datagram, this.text)) {
      const index = (message.seq - this.#firstSeq) >>> 0
      const answer = this.#answers[index]
      if (message.portid !== this.#portid || answer === undefined || !expects(answer)) this.#strays++
      else if (isEnd(message)) this.#finish(answer, message)
      else objects += this.#collect(answer, message)
    }
    if (objects > 0) this.#parts++
  }

  /** @returns the number of objects taken: none for padding. */
  #collect(answer: Answer, { type, flags, payload }: Framed): number {
    if ((flags & NLM_F_DUMP_INTR) !== 0) this.#interrupted = true
    if (type === NLMSG_NOOP) return 0
    answer.messages.push({ type, flags, payload })
    return 1
  }

  #finish(answer: Answer, message: Framed): void {
    if (message.type === NLMSG_DONE && (message.flags & NLM_F_DUMP_INTR) !== 0) this.#interrupted = true
    answer.complete = true
    const errno = message.payload.length >= 4 ? -readI32(message.payload) : Errno.EBADMSG
    if (errno <= 0) return
    const extack = extackOf(message)
    answer.error = new NetlinkError({
      errno,
      request: answer.request.text,
      ...(extack === undefined ? {} : { extack }),
    })
    if (answer.request.frame === true) this.#refuse(answer.error)
  }

  /** Nothing of the transaction was carried out, and the kernel may say no more about it. */
  #refuse(error: NetlinkError): void {
    for (const answer of this.#answers) {
      answer.complete = true
      answer.error ??= error
    }
  }
}
