/** What requests for qdiscs and for filters have in common: struct tcmsg, handles and the first attributes. */
import {
  type Attributes,
  cString,
  decodeAttributes,
  encodeAttribute,
  readCString,
  readI32,
  readU32,
  writeU32,
} from './codec.ts'
import type { Message, Request } from './message.ts'

/** linux/rtnetlink.h */
const TCA_KIND = 1
const TCA_OPTIONS = 2
export const TCA_CHAIN = 11
/** struct tcmsg: family and padding, ifindex, handle, parent, info */
const HEADER = 20

/** linux/pkt_sched.h: where a qdisc hangs on its device. */
export const TC_H_ROOT = 0xffff_ffff
export const TC_H_CLSACT = 0xffff_fff1
/** TC_H_MIN_INGRESS and TC_H_MIN_EGRESS of clsact: where its filters hang. */
export const CLSACT_PARENTS = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const
/** `ffff:`, the only handle clsact can have. */
export const CLSACT_HANDLE = 0xffff_0000
/** `1:`, of the root qdiscs made here. */
export const ROOT_HANDLE = 0x0001_0000

export const majorOf = (handle: number): number => (handle & 0xffff_0000) >>> 0
export const minorOf = (handle: number): number => handle & 0xffff

/** `1:`, `1:2`, as iproute2 writes it. */
export function formatHandle(handle: number): string {
  const minor = minorOf(handle)
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

/** One qdisc or filter of a device, in a request. */
export interface TcObject {
  readonly ifindex: number
  /** The kernel chooses, or finds it by the rest, when absent. */
  readonly handle?: number
  readonly parent?: number
  /** Of filters: priority and protocol. */
  readonly info?: number
  readonly kind?: string
  /** What its kind makes of it: a struct, or attributes. */
  readonly options?: Buffer
  /** Further attributes. */
  readonly attributes?: Buffer
}

export function tcRequest(request: Pick<Request, 'type' | 'flags' | 'text'>, object: TcObject): Request {
  const { ifindex, handle = 0, parent = 0, info = 0, kind, options, attributes } = object
  const header = Buffer.alloc(HEADER)
  for (const [index, value] of [ifindex, handle, parent, info].entries()) writeU32(header, value, 4 + 4 * index)
  const parts = [
    header,
    ...(kind === undefined ? [] : [encodeAttribute(TCA_KIND, cString(kind))]),
    ...(options === undefined ? [] : [encodeAttribute(TCA_OPTIONS, options)]),
    ...(attributes === undefined ? [] : [attributes]),
  ]
  return { ...request, payload: Buffer.concat(parts) }
}

/** One qdisc or filter, as the kernel tells of it. */
export interface TcFound {
  readonly ifindex: number
  readonly handle: number
  readonly parent: number
  readonly info: number
  readonly kind: string
  /** Empty when the kind has nothing to say. */
  readonly options: Buffer
  readonly attributes: Attributes
}

const NOTHING = Buffer.alloc(0)

/** The device of a message, before the rest is looked at. */
export const ifindexOf = ({ payload }: Message): number => readI32(payload, 4)

/** @throws Error when the bytes are not a message of traffic control. */
export function decodeTc({ payload }: Message): TcFound {
  const attributes = decodeAttributes(payload.subarray(HEADER))
  return {
    ifindex: readI32(payload, 4),
    handle: readU32(payload, 8),
    parent: readU32(payload, 12),
    info: readU32(payload, 16),
    kind: readCString(attributes.get(TCA_KIND) ?? NOTHING),
    options: attributes.get(TCA_OPTIONS) ?? NOTHING,
    attributes,
  }
}
