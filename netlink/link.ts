/** Links: requests that make, change, find and delete them. For kinds besides veth see link-kinds.ts. */
import { type Mac, macToBytes } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import { encode, encodeAttribute, formatLinkMessage, MessageType, u32 } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { type Link, parseLink } from './link-message.ts'
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts'
import type { Netns } from './netns.ts'
import type { NetlinkSocket } from './socket.ts'

export { type Link, parseLink } from './link-message.ts'

/** linux/if_link.h, linux/veth.h */
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const VETH_INFO_PEER = 1
/** RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: statistics are most of a link's 1.5 kB. */
const SKIP_STATS = u32(1 << 3)

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
  /** Moves the link, which closes it; `name` in the same change is its name there. */
  readonly netns?: Netns
  /** With `netns`: its index there, EBUSY when that is taken. Kernels before 5.13 choose it themselves. */
  readonly ifindex?: number
  /** False: nobody is asked for a neighbour on it (IFF_NOARP). */
  readonly arp?: boolean
}

/** As iproute2 writes it. */
export function describeChange(change: LinkChange): string {
  const words: string[] = []
  const { up, arp, netns, ...values } = change
  if (up !== undefined) words.push(up ? 'up' : 'down')
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) words.push(`${key} ${value}`)
  }
  if (arp !== undefined) words.push(`arp ${arp ? 'on' : 'off'}`)
  if (netns !== undefined) words.push(`netns ${netns.path}`)
  return words.join(' ')
}

/** Any change of one link, in one message. ENODEV when it is gone. */
export function setLink(ifindex: number, change: LinkChange): Request {
  const { up, mtu, mac, name, group, master, netns, ifindex: newIfindex, arp } = change
  const attrs = {
    ...(name === undefined ? {} : { ifname: name }),
    ...(mac === undefined ? {} : { address: Buffer.from(macToBytes(mac)) }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(group === undefined ? {} : { group }),
    ...(master === undefined ? {} : { master }),
    ...(netns === undefined ? {} : { netNsFd: netns.fd }),
    ...(newIfindex === undefined ? {} : { newIfindex }),
  }
  const flags = {
    flags: { ...(up === true ? { up } : {}), ...(arp === false ? ({ noarp: true } as const) : {}) },
    change: {
      ...(up === undefined ? {} : ({ up: true } as const)),
      ...(arp === undefined ? {} : ({ noarp: true } as const)),
    },
  }
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
/**
 * The link arrives down, without addresses, routes and qdiscs; EEXIST when its name is taken there. The kernel renames
 * after it has moved, so that a name that is taken can leave the link there under its old one.
 */
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
