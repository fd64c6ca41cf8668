/**
 * The connections that a namespace tracks, and their end: ctnetlink (linux/netfilter/nfnetlink_conntrack.h).
 *
 * An entry outlives the address it was made for: what netfilter once let through, or translated, it lets through and
 * translates for whoever has the address next. So entries go before an address is used again.
 *
 * All of the table crosses over to find those of an address. The kernel could select (CTA_FILTER), but not before Linux
 * 5.8, and for IPv6 it then returns all but what was asked for. Once through a table of 262,144 buckets takes 10 ms, and
 * 2 µs an entry: better one call for many addresses than many calls.
 */
import { setImmediate } from 'node:timers/promises'
import { type Family, familyOf, type Ip, ipFromBytes, ipToBytes } from '../inet/address.ts'
import { type Attributes, decodeAttributes, encodeAttribute } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { familyFromNumber, familyNumber } from './family.ts'
import type { Message, Request } from './message.ts'
import type { NetnsRef } from './netns.ts'
import { NetlinkSocket } from './socket.ts'
import { readSysctls } from './sysctl.ts'
import { DUMP_ATTEMPTS } from './whole-listing.ts'

/** NFNL_SUBSYS_CTNETLINK of linux/netfilter/nfnetlink.h, and IPCTNL_MSG_CT_… */
const SUBSYSTEM = 1 << 8
const GET = SUBSYSTEM | 1
const DELETE = SUBSYSTEM | 2
/** struct nfgenmsg: family, version, number of a resource */
const HEADER = 4
const ALL_FAMILIES = 0
/** linux/netfilter/nfnetlink_conntrack.h */
const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_REPLY = 2
const CTA_ZONE = 18
const CTA_TUPLE_IP = 1
const CTA_TUPLE_PROTO = 2
const CTA_IP = { ipv4: { source: 1, destination: 2 }, ipv6: { source: 3, destination: 4 } } as const
const CTA_PROTO_NUM = 1
const CTA_PROTO_SRC_PORT = 2
const CTA_PROTO_DST_PORT = 3

const LIST = 'list connections'
/** Bytes of a part of the list: some 80 entries, looked through in a fraction of a ms. */
const PART = 16 * 1024
/** Connections that are ended in one turn of the event loop. */
const DELETIONS = 32

/** One direction of a connection, as its packets come from the network. */
export interface Flow {
  readonly source: Ip
  readonly destination: Ip
  /** Of protocols that have ports. */
  readonly sourcePort?: number
  readonly destinationPort?: number
}

export interface Connection {
  readonly family: Family
  /** IPPROTO_…: 6 is TCP, 17 UDP, 1 and 58 ICMP. */
  readonly protocol: number
  readonly original: Flow
  /** Not the reverse of `original` where an address is translated. */
  readonly reply: Flow
  /** What the kernel knows it by, and a later one between the same ends in the same zone: attributes of a request. */
  readonly identity: Buffer
}

/**
 * Of both families unless one is given. Entries that come or go meanwhile may be in it or not.
 * @throws NetnsError, SystemCallError, NetlinkError
 */
export function listConntrack(netns: NetnsRef, filter: { readonly family?: Family } = {}): Connection[] {
  return dump(netns, filter.family).flatMap((message) => parseConnection(message) ?? [])
}

/**
 * @returns how many there still were: others may end a connection first, and it may end by itself.
 * @throws NetnsError, SystemCallError, NetlinkError
 */
export function deleteConntrack(netns: NetnsRef, connections: readonly Connection[]): number {
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
  return deleteWith(socket, connections)
}

function deleteWith(socket: NetlinkSocket, connections: readonly Connection[]): number {
  const errors = socket.request(connections.map(deletion)).flatMap(({ error }) => error ?? [])
  const failure = errors.find(({ errno }) => errno !== Errno.ENOENT)
  if (failure !== undefined) throw failure
  return connections.length - errors.length
}

/**
 * Ends those from or to one of the addresses, in either direction. However many there are, of these or of others, the
 * event loop is held up for a fraction of a ms at a time. A kernel that tracks nothing has nothing to forget.
 * @returns how many there were.
 * @throws NetnsError, SystemCallError, NetlinkError; the signal's reason when it aborts: some may have ended then.
 */
export async function forgetConntrack(
  netns: NetnsRef,
  addresses: readonly Ip[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<number> {
  signal?.throwIfAborted()
  if (addresses.length === 0 || tracksNothing(netns)) return 0
  const pass: Pass = { netns, wanted: searchFor(addresses), signal }
  let forgotten = 0
  for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    const { connections, interrupted } = await find(pass)
    forgotten += await deleteInTurns(pass, connections)
    if (!interrupted) return forgotten
  }
  const extack = `interrupted by changes ${DUMP_ATTEMPTS} times`
  throw new NetlinkError({ errno: Errno.EINTR, request: LIST, extack })
}

/** The addresses that have a part in it; one may come several times. */
export function endsOf({ original, reply }: Connection): readonly Ip[] {
  return [original.source, original.destination, reply.source, reply.destination]
}

/** The number is of this namespace alone; without connection tracking there is no such sysctl. */
function tracksNothing(netns: NetnsRef): boolean {
  const [count] = readSysctls(netns, [['net', 'netfilter', 'nf_conntrack_count']])
  return count === undefined || count === '0'
}

interface Search {
  readonly addresses: ReadonlySet<Ip>
  /** Undefined for both. */
  readonly family: Family | undefined
  /** The last four bytes of each address. */
  readonly tails: ReadonlySet<number>
}

function searchFor(addresses: readonly Ip[]): Search {
  const [family, other] = new Set(addresses.map(familyOf))
  const tails = addresses.map((ip) => Buffer.from(ipToBytes(ip)).subarray(-4).readUInt32BE(0))
  return { addresses: new Set(addresses), family: other === undefined ? family : undefined, tails: new Set(tails) }
}

interface Pass {
  readonly netns: NetnsRef
  readonly wanted: Search
  readonly signal: AbortSignal | undefined
}

/** Looks through the table part by part. */
async function find({ netns, wanted, signal }: Pass): Promise<{ connections: Connection[]; interrupted: boolean }> {
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter', datagramBytes: PART })
  const connections: Connection[] = []
  let interrupted = false
  for await (const part of socket.dumpInPool(listing(wanted.family))) {
    signal?.throwIfAborted()
    connections.push(...part.messages.flatMap((message) => connectionOf(message, wanted)))
    interrupted = part.interrupted
  }
  return { connections, interrupted }
}

function connectionOf(message: Message, { addresses, tails }: Search): Connection[] {
  if (!hasWord(message.payload, tails)) return []
  const connection = parseConnection(message)
  const concerned = connection !== undefined && endsOf(connection).some((ip) => addresses.has(ip))
  return concerned ? [connection] : []
}

/**
 * Of most entries this is all that has to be looked at. Values of attributes begin at multiples of 4 bytes, so addresses
 * end there as well; the same bytes may stand for something else, too.
 */
function hasWord(payload: Buffer, words: ReadonlySet<number>): boolean {
  for (let at = HEADER; at + 4 <= payload.length; at += 4) if (words.has(payload.readUInt32BE(at))) return true
  return false
}

async function deleteInTurns({ netns, signal }: Pass, connections: readonly Connection[]): Promise<number> {
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
  let deleted = 0
  for (let next = 0; next < connections.length; next += DELETIONS) {
    await setImmediate()
    signal?.throwIfAborted()
    deleted += deleteWith(socket, connections.slice(next, next + DELETIONS))
  }
  return deleted
}

function dump(netns: NetnsRef, family: Family | undefined): Message[] {
  using socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
  return socket.dump(listing(family))
}

function listing(family: Family | undefined): Request {
  return { type: GET, flags: 0, payload: header(family), text: LIST }
}

function header(family: Family | undefined): Buffer {
  return Buffer.of(family === undefined ? ALL_FAMILIES : familyNumber(family), 0, 0, 0)
}

/** ENOENT when it is gone. Without the attributes it would be for all of the table. */
function deletion({ family, protocol, original, identity }: Connection): Request {
  const { source, sourcePort, destination, destinationPort } = original
  const ends = `${endText(source, sourcePort)} to ${endText(destination, destinationPort)}`
  const text = `delete connection of protocol ${protocol} from ${ends}`
  return { type: DELETE, flags: 0, payload: Buffer.concat([header(family), identity]), text }
}

function endText(ip: Ip, port: number | undefined): string {
  return port === undefined ? ip : `${ip} port ${port}`
}

/** `undefined` for families other than IPv4 and IPv6. @throws Error when the bytes make no sense */
function parseConnection({ payload }: Message): Connection | undefined {
  const family = familyFromNumber(payload.readUInt8(0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(payload.subarray(HEADER))
  const original = decodeTuple(attributes, CTA_TUPLE_ORIG)
  const identity = [CTA_TUPLE_ORIG, CTA_ZONE].flatMap((type) => {
    const value = attributes.get(type)
    return value === undefined ? [] : [encodeAttribute(type, value)]
  })
  return {
    family,
    protocol: required(original.protocol, CTA_PROTO_NUM).readUInt8(0),
    original: flowOf(original, family),
    reply: flowOf(decodeTuple(attributes, CTA_TUPLE_REPLY), family),
    identity: Buffer.concat(identity),
  }
}

interface Tuple {
  readonly addresses: Attributes
  readonly protocol: Attributes
}

function decodeTuple(attributes: Attributes, direction: number): Tuple {
  const tuple = decodeAttributes(required(attributes, direction))
  return {
    addresses: decodeAttributes(required(tuple, CTA_TUPLE_IP)),
    protocol: decodeAttributes(required(tuple, CTA_TUPLE_PROTO)),
  }
}

function flowOf({ addresses, protocol }: Tuple, family: Family): Flow {
  const [sourcePort, destinationPort] = [protocol.get(CTA_PROTO_SRC_PORT), protocol.get(CTA_PROTO_DST_PORT)]
  return {
    source: ipFromBytes(required(addresses, CTA_IP[family].source)),
    destination: ipFromBytes(required(addresses, CTA_IP[family].destination)),
    ...(sourcePort === undefined ? {} : { sourcePort: sourcePort.readUInt16BE(0) }),
    ...(destinationPort === undefined ? {} : { destinationPort: destinationPort.readUInt16BE(0) }),
  }
}

/** What the kernel gives of every connection. */
function required(attributes: Attributes, type: number): Buffer {
  const value = attributes.get(type)
  if (value === undefined) throw new Error(`a connection of the kernel lacks its attribute ${type}`)
  return value
}
