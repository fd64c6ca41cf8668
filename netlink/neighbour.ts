/** Neighbours: which MAC address answers for an IP address on a link. */
import {
  type Family,
  familyOf,
  type Ip,
  ipFromBytes,
  ipToBytes,
  type Mac,
  macFromBytes,
  macToBytes,
} from '../inet/address.ts'
import {
  decodeAttributes,
  encode,
  encodeAttribute,
  formatNeighborMessage,
  MessageType,
  readU16,
  readU32,
  u32,
} from './codec.ts'
import { familyFromNumber, familyNumber } from './family.ts'
import { type Message, NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts'
import type { Dumper } from './socket.ts'

/** linux/neighbour.h */
const NDA_DST = 1
const NDA_LLADDR = 2
const NDA_IFINDEX = 8
const STATES = new Map([
  [0x00, 'none'],
  [0x01, 'incomplete'],
  [0x02, 'reachable'],
  [0x04, 'stale'],
  [0x08, 'delay'],
  [0x10, 'probe'],
  [0x20, 'failed'],
  [0x40, 'noarp'],
  [0x80, 'permanent'],
])
const HEADER = 12

export interface NeighbourKey {
  readonly ifindex: number
  readonly address: Ip
}

/** A neighbour of the kernel. */
export interface Neighbour extends NeighbourKey {
  readonly family: Family
  /** `permanent`, `reachable`, `stale`, …, or a number. */
  readonly state: string
  /** Absent while it is being looked for. */
  readonly mac?: Mac
}

function message({ ifindex, address }: NeighbourKey, mac: Mac | undefined): Buffer {
  const data = { family: familyNumber(familyOf(address)), ifindex, state: { permanent: true } as const }
  const attrs = {
    dst: Buffer.from(ipToBytes(address)),
    ...(mac === undefined ? {} : { lladdr: Buffer.from(macToBytes(mac)) }),
  }
  return encode((out) => formatNeighborMessage({ kind: 'neighbor', data, attrs }, out))
}

/** A permanent neighbour (NUD_PERMANENT); replaces what is known of the address. ENODEV when the link is gone. */
export function addNeighbour(spec: NeighbourKey & { readonly mac: Mac }): Request {
  return {
    type: MessageType.NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    payload: message(spec, spec.mac),
    text: `add neighbour ${spec.address} lladdr ${spec.mac} dev ${spec.ifindex}`,
  }
}

/** ENOENT when there is no such neighbour, ENODEV when there is no such link. */
export function deleteNeighbour(key: NeighbourKey): Request {
  return {
    type: MessageType.DELNEIGH,
    flags: 0,
    payload: message(key, undefined),
    text: `delete neighbour ${key.address} dev ${key.ifindex}`,
  }
}

export interface NeighbourFilter {
  readonly family?: Family
  readonly ifindex?: number
}

/** @throws NetlinkError, `ENODEV` when the link of the filter does not exist; kernels before 4.20 list none then. */
export function listNeighbours(socket: Dumper, { family, ifindex }: NeighbourFilter = {}): Neighbour[] {
  const data = { family: family === undefined ? 0 : familyNumber(family) }
  const header = encode((out) => formatNeighborMessage({ kind: 'neighbor', data, attrs: {} }, out))
  // A strict dump takes the index as an attribute, not in the header.
  const filter = ifindex === undefined ? Buffer.alloc(0) : encodeAttribute(NDA_IFINDEX, u32(ifindex))
  return (
    socket
      .dump({
        type: MessageType.GETNEIGH,
        flags: 0,
        payload: Buffer.concat([header, filter]),
        text: `list neighbours${ifindex === undefined ? '' : ` dev ${ifindex}`}`,
      })
      .flatMap((reply) => parseNeighbour(reply) ?? [])
      // Kernels before 4.20 may list those of all links.
      .filter((neighbour) => ifindex === undefined || neighbour.ifindex === ifindex)
  )
}

/** Decodes RTM_NEWNEIGH or RTM_DELNEIGH; `undefined` for bridge entries and other families. */
export function parseNeighbour({ payload }: Message): Neighbour | undefined {
  const family = familyFromNumber(payload.readUInt8(0))
  const attributes = decodeAttributes(payload.subarray(HEADER))
  const address = attributes.get(NDA_DST)
  if (family === undefined || address === undefined) return undefined
  const mac = attributes.get(NDA_LLADDR)
  const state = readU16(payload, 8)
  return {
    family,
    ifindex: readU32(payload, 4),
    address: ipFromBytes(address),
    state: STATES.get(state) ?? String(state),
    ...(mac?.length === 6 ? { mac: macFromBytes(mac) } : {}),
  }
}
