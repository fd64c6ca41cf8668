/** What the kernel says of a link. */
import { type Mac, macFromBytes } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import { decodeAttributes, readCString, readI32, readU16, readU32 } from './codec.ts'
import type { Message } from './message.ts'

/** linux/if_link.h, linux/if.h */
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_GROUP = 27
const IFLA_LINK_NETNSID = 37
/** Of some forty. */
const OF_INTEREST: ReadonlySet<number> = new Set([
  ...[IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO, IFLA_GROUP, IFLA_LINK_NETNSID],
])
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_VLAN_ID = 1
const IFLA_IPVLAN_MODE = 1
const IFF_UP = 0x1
const IFF_NOARP = 0x80
const IFF_LOWER_UP = 0x10000
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
  /** Up and with a carrier (IFF_LOWER_UP; IFF_RUNNING of a link that comes up is told later). */
  readonly running: boolean
  readonly group: number
  /** Index of the other end of a veth, or of the link a vlan or ipvlan stands on. */
  readonly peerIfindex?: number
  /** The id by which this namespace knows the one `peerIfindex` counts in; absent when it is the same namespace. */
  readonly peerNetnsId?: number
  /** Index of the bridge, bond or VRF that owns the link. */
  readonly master?: number
  /** Nobody is asked for a neighbour on it (IFF_NOARP). */
  readonly noArp?: true
  /** 802.1Q id, of a vlan. */
  readonly vlanId?: number
  /** IPVLAN_MODE_…, of an ipvlan: 0 is L2. */
  readonly ipvlanMode?: number
}

/** What kind of link it is, and what is of interest of that kind. */
function parseInfo(bytes: Buffer | undefined): Pick<Link, 'kind' | 'vlanId' | 'ipvlanMode'> {
  const info = bytes === undefined ? undefined : decodeAttributes(bytes)
  const [name, data] = [info?.get(IFLA_INFO_KIND), info?.get(IFLA_INFO_DATA)]
  if (name === undefined) return {}
  const kind = readCString(name)
  const value = (type: number) => {
    const field = data === undefined ? undefined : decodeAttributes(data).get(type)
    return field === undefined ? undefined : readU16(field)
  }
  const vlanId = kind === 'vlan' ? value(IFLA_VLAN_ID) : undefined
  const ipvlanMode = kind === 'ipvlan' ? value(IFLA_IPVLAN_MODE) : undefined
  return { kind, ...(vlanId === undefined ? {} : { vlanId }), ...(ipvlanMode === undefined ? {} : { ipvlanMode }) }
}

/** Decodes RTM_NEWLINK or RTM_DELLINK. @throws Error when the bytes are not a link message. */
export function parseLink({ payload }: Message): Link {
  const attributes = decodeAttributes(payload.subarray(HEADER), OF_INTEREST)
  const flags = readU32(payload, 8)
  const mac = attributes.get(IFLA_ADDRESS)
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
    running: (flags & IFF_LOWER_UP) !== 0,
    group: (number(IFLA_GROUP) ?? 0) >>> 0,
    ...parseInfo(attributes.get(IFLA_LINKINFO)),
    ...((flags & IFF_NOARP) === 0 ? {} : { noArp: true as const }),
    ...(mac?.length === 6 ? { mac: macFromBytes(mac) } : {}),
    ...(peerIfindex === undefined ? {} : { peerIfindex }),
    ...(peerNetnsId === undefined ? {} : { peerNetnsId }),
    ...(master === undefined ? {} : { master }),
  }
}
