/** Requests that make links of the kinds that stand on another link, or by themselves. For a veth see link.ts. */
import type { LinkName } from '../inet/link-name.ts'
import { encode, encodeAttribute, formatLinkMessage, MessageType, u16, u32 } from './codec.ts'
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts'
import type { Netns } from './netns.ts'

/** linux/if_link.h */
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_VLAN_ID = 1
const IFLA_IPVLAN_MODE = 1
export const IPVLAN_MODE_L2 = 0

interface Addition {
  /** Free where the request is sent and where the link is born; EEXIST or EBUSY when it is not. */
  readonly name: LinkName
  readonly ifindex: number
  /** Bytes; the parent's when absent. */
  readonly mtu?: number
  /** Where the link is born: the socket's namespace when absent. It must stay open until the request is sent. */
  readonly netns?: Netns
}

export interface StackedAddition extends Addition {
  /** Index of the link it stands on, in the socket's namespace. ENODEV when there is none. */
  readonly parent: number
}

interface Kind {
  readonly kind: string
  readonly text: string
  readonly parent?: number
  readonly data?: Buffer
}

function addLink({ name, ifindex, mtu, netns }: Addition, { kind, text, parent, data }: Kind): Request {
  const linkinfo = Buffer.concat([
    encodeAttribute(IFLA_INFO_KIND, Buffer.from(kind)),
    ...(data === undefined ? [] : [encodeAttribute(IFLA_INFO_DATA, data)]),
  ])
  const attrs = {
    ifname: name,
    ...(mtu === undefined ? {} : { mtu }),
    ...(parent === undefined ? {} : { link: u32(parent) }),
    ...(netns === undefined ? {} : { netNsFd: netns.fd }),
    linkinfo,
  }
  return {
    type: MessageType.NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: encode((out) => formatLinkMessage({ kind: 'link', data: { index: ifindex }, attrs }, out)),
    text: `add link ${name} ${text}${netns === undefined ? '' : ` netns ${netns.path}`}`,
  }
}

/** Mode L2. EBUSY when the parent has links of another kind on it (macvlan, a bridge). */
export function addIpvlan({ parent, ...link }: StackedAddition): Request {
  const data = encodeAttribute(IFLA_IPVLAN_MODE, u16(IPVLAN_MODE_L2))
  return addLink(link, { kind: 'ipvlan', text: `link ${parent} type ipvlan mode l2`, parent, data })
}

/** 802.1Q. EEXIST also when the id is taken on the parent, by a link in whatever namespace. */
export function addVlan({ parent, vlanId, ...link }: StackedAddition & { readonly vlanId: number }): Request {
  const data = encodeAttribute(IFLA_VLAN_ID, u16(vlanId))
  return addLink(link, { kind: 'vlan', text: `link ${parent} type vlan id ${vlanId}`, parent, data })
}

export function addIfb(link: Addition): Request {
  return addLink(link, { kind: 'ifb', text: 'type ifb' })
}
