/** Links: requests that make, change and delete them, and what the kernel says of them. */
import { type Mac, macFromBytes, macToBytes } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import {
  decodeAttributes,
  encode,
  encodeAttribute,
  formatLinkMessage,
  MessageType,
  readCString,
  readI32,
  readU32,
  u32,
} from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { type Message, NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts'
import type { Netns } from './netns.ts'
import type { NetlinkSocket } from './socket.ts'

/** linux/if_link.h, linux/veth.h, linux/if.h */
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_GROUP = 27
const IFLA_LINK_NETNSID = 37
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const VETH_INFO_PEER = 1
const IFF_UP = 0x1
const IFF_RUNNING = 0x40
/** RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: statistics are most of a link's 1.5 kB. */
const SKIP_STATS = u32(1 << 3)
const HEADER = 16

/** One link of a namespace. */
export interface Link {
  readonly ifindex: number
  readonly name: LinkName
  /** `veth`, `vlan`, …; absent for hardware and `lo`. */
  readonly kind?: string
  /** Absent for links without an Ethernet address. `lo` has 00:00:00:00:00:00. */
  readonly mac?: Mac
  /** Bytes. */
  readonly mtu: number
  /** Administratively up. */
  readonly up: boolean
  /** Up and with a carrier. */
  readonly running: boolean
  readonly group: number
  /** Index of the other end of a veth, or of the link a vlan or ipvlan stands on. */
  readonly peerIfindex?: number
  /** The id by which this namespace knows the one `peerIfindex` counts in; absent when it is the same namespace. */
  readonly peerNetnsId?: number
  /** Index of the bridge, bond or VRF that owns the link. */
  readonly master?: number
}

export interface LinkEnd {
  readonly name: LinkName
  /** The kernel chooses when absent; EEXIST or EBUSY when it is taken. */
  readonly ifindex?: number
  readonly mac?: Mac
  readonly mtu?: number
}

export interface VethAddition extends LinkEnd {
  /** Whether this end comes up at once. The peer cannot (ENOTCONN): bring it up in its own namespace. */
  readonly up?: boolean
  readonly peer: LinkEnd & {
    /** Where the peer is born; beside this end when absent. It must stay open until the request is sent. */
    readonly netns?: Netns
  }
}

/** The attributes a LinkEnd becomes. */
function endAttributes(end: LinkEnd) {
  return {
    ifname: end.name,
    ...(end.mac === undefined ? {} : { address: Buffer.from(macToBytes(end.mac)) }),
    ...(end.mtu === undefined ? {} : { mtu: end.mtu }),
  }
}

/** EEXIST when a name or an index is taken on either side: then nothing was made. */
export function addVeth({ up = false, peer, ...end }: VethAddition): Request {
  const peerAttributes = { ...endAttributes(peer), ...(peer.netns === undefined ? {} : { netNsFd: peer.netns.fd }) }
  const peerMessage = encode((out) =>
    formatLinkMessage({ kind: 'link', data: { index: peer.ifindex ?? 0 }, attrs: peerAttributes }, out),
  )
  const linkinfo = Buffer.concat([
    encodeAttribute(IFLA_INFO_KIND, Buffer.from('veth')),
    encodeAttribute(IFLA_INFO_DATA, encodeAttribute(VETH_INFO_PEER, peerMessage)),
  ])
  return {
    type: MessageType.NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: encode((out) =>
      formatLinkMessage(
        {
          kind: 'link',
          data: { index: end.ifindex ?? 0, ...(up ? { flags: { up: true }, change: { up: true } } : {}) },
          attrs: { ...endAttributes(end), linkinfo },
        },
        out,
      ),
    ),
    text: `add link ${end.name} type veth peer ${peer.name}${peer.netns === undefined ? '' : ` netns ${peer.netns.path}`}`,
  }
}

export interface LinkChange {
  readonly up?: boolean
  /** Bytes. */
  readonly mtu?: number
  readonly mac?: Mac
  /** Only while the link is down on kernels before 6.2. */
  readonly name?: LinkName
  readonly group?: number
  readonly master?: number
  /** Moves the link; `name` in the same change is its name there. */
  readonly netns?: Netns
}

function describeChange(change: LinkChange): string {
  const words: string[] = []
  for (const [key, value] of Object.entries(change)) {
    if (key === 'up') words.push(value ? 'up' : 'down')
    else if (value !== undefined) words.push(`${key} ${key === 'netns' ? change.netns?.path : value}`)
  }
  return words.join(' ')
}

/** Any change of one link, in one message. ENODEV when it is gone. */
export function setLink(ifindex: number, change: LinkChange): Request {
  const { up, mtu, mac, name, group, master, netns } = change
  const attrs = {
    ...(name === undefined ? {} : { ifname: name }),
    ...(mac === undefined ? {} : { address: Buffer.from(macToBytes(mac)) }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(group === undefined ? {} : { group }),
    ...(master === undefined ? {} : { master }),
    ...(netns === undefined ? {} : { netNsFd: netns.fd }),
  }
  const flags = up === undefined ? {} : { flags: up ? ({ up: true } as const) : {}, change: { up: true } as const }
  return {
    type: MessageType.SETLINK,
    flags: 0,
    payload: encode((out) => formatLinkMessage({ kind: 'link', data: { index: ifindex, ...flags }, attrs }, out)),
    text: `set link ${ifindex} ${describeChange(change)}`,
  }
}

export const setLinkUp = (ifindex: number): Request => setLink(ifindex, { up: true })
export const setLinkDown = (ifindex: number): Request => setLink(ifindex, { up: false })
export const setLinkMtu = (ifindex: number, mtu: number): Request => setLink(ifindex, { mtu })
export const setLinkMac = (ifindex: number, mac: Mac): Request => setLink(ifindex, { mac })
export const setLinkGroup = (ifindex: number, group: number): Request => setLink(ifindex, { group })
export const renameLink = (ifindex: number, name: LinkName): Request => setLink(ifindex, { name })
/** The link arrives down, without addresses and routes; EEXIST when its name is taken there. */
export const moveLink = (ifindex: number, netns: Netns, name?: LinkName): Request =>
  setLink(ifindex, { netns, ...(name === undefined ? {} : { name }) })

/** Takes 20 to 40 ms in the kernel (RCU), with the other end of a veth. ENODEV when it is gone. */
export function deleteLink(ifindex: number): Request {
  return {
    type: MessageType.DELLINK,
    flags: 0,
    payload: encode((out) => formatLinkMessage({ kind: 'link', data: { index: ifindex }, attrs: {} }, out)),
    text: `delete link ${ifindex}`,
  }
}

/** All links of a group at about the price of one. ENODEV when there is none; EPERM for group 0. */
export function deleteLinkGroup(group: number): Request {
  return {
    type: MessageType.DELLINK,
    flags: 0,
    payload: encode((out) => formatLinkMessage({ kind: 'link', data: {}, attrs: { group } }, out)),
    text: `delete links of group ${group}`,
  }
}

/** By index or name. */
function getLinkRequest(which: number | LinkName): Request {
  const index = typeof which === 'number' ? which : 0
  const name = typeof which === 'number' ? {} : { ifname: which }
  return {
    type: MessageType.GETLINK,
    flags: 0,
    payload: encode((out) =>
      formatLinkMessage({ kind: 'link', data: { index }, attrs: { ...name, extMask: SKIP_STATS } }, out),
    ),
    text: `get link ${which}`,
  }
}

/** @throws NetlinkError; a link that does not exist is `undefined`. */
export function getLink(socket: NetlinkSocket, which: number | LinkName): Link | undefined {
  try {
    const [message] = socket.get(getLinkRequest(which))
    return message === undefined ? undefined : parseLink(message)
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return undefined
    throw error
  }
}

/** All links of the socket's namespace. @throws NetlinkError */
export function listLinks(socket: NetlinkSocket): Link[] {
  return socket.dump({ ...getLinkRequest(0), text: 'list links' }).map(parseLink)
}

/** Decodes RTM_NEWLINK or RTM_DELLINK. @throws Error when the bytes are not a link message. */
export function parseLink({ payload }: Message): Link {
  const attributes = decodeAttributes(payload.subarray(HEADER))
  const flags = readU32(payload, 8)
  const mac = attributes.get(IFLA_ADDRESS)
  const info = attributes.get(IFLA_LINKINFO)
  const kind = info === undefined ? undefined : decodeAttributes(info).get(IFLA_INFO_KIND)
  const number = (type: number) => {
    const bytes = attributes.get(type)
    return bytes === undefined ? undefined : readI32(bytes)
  }
  const peerIfindex = number(IFLA_LINK)
  const peerNetnsId = number(IFLA_LINK_NETNSID)
  const master = number(IFLA_MASTER)
  return {
    ifindex: readI32(payload, 4),
    // The kernel checked the name when the link was made.
    name: readCString(attributes.get(IFLA_IFNAME) ?? Buffer.alloc(0)) as LinkName,
    mtu: number(IFLA_MTU) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    group: (number(IFLA_GROUP) ?? 0) >>> 0,
    ...(kind === undefined ? {} : { kind: readCString(kind) }),
    ...(mac?.length === 6 ? { mac: macFromBytes(mac) } : {}),
    ...(peerIfindex === undefined ? {} : { peerIfindex }),
    ...(peerNetnsId === undefined ? {} : { peerNetnsId }),
    ...(master === undefined ? {} : { master }),
  }
}
