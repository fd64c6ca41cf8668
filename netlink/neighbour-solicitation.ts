/** Hearing who looks for an IPv6 neighbour, and answering in the name of others (RFC 4861, sections 4.3 and 4.4). */
import { type Ipv6, ipFromBytes, ipToBytes, type Mac, macToBytes } from '../inet/address.ts'
import { readU32, u32 } from './codec.ts'
import * as ffi from './ffi.ts'
import { type NetnsRef, withNetns } from './netns.ts'

/** linux/in.h, linux/in6.h, linux/icmpv6.h */
const IPPROTO_IPV6 = 41
const IPPROTO_ICMPV6 = 58
const IPV6_UNICAST_HOPS = 16
const ICMPV6_FILTER = 1
/** ICMPv6 types */
const NEIGHBOUR_SOLICITATION = 135
const NEIGHBOUR_ADVERTISEMENT = 136
/** Who gets a message with fewer hops left throws it away: it may have come from elsewhere. */
const HOPS = 255
/** Asked for, and to be believed before what was known. */
const SOLICITED_OVERRIDE = 0x60
const TARGET_LINK_ADDRESS = 2
/** struct sockaddr_in6: family, port, flow, address, scope */
const SOCKADDR = { length: 28, address: 8, scope: 24 }
/** ICMPv6 header, target; options follow. */
const TARGET = 8
const HEADER = 24

export interface Solicitation {
  readonly target: Ipv6
  /** `::` when the asker looks whether the address is free for itself. */
  readonly source: Ipv6
  /** The link it came by; 0 unless the source is a link-local address. */
  readonly ifindex: number
  /** The asker as the kernel names it. */
  readonly asker: Buffer
}

/** Those that the namespace gets, not only those for itself. It does not wait for any. */
export class SolicitationSocket implements Disposable {
  readonly #fd: number
  readonly #message = Buffer.alloc(HEADER)
  #open = true

  /** @throws NetnsError, SystemCallError */
  constructor(netns: NetnsRef) {
    this.#fd = withNetns(netns, () =>
      ffi.socket({ domain: ffi.AF_INET6, type: ffi.SOCK_RAW, protocol: IPPROTO_ICMPV6 }),
    )
    try {
      ffi.setsockopt(this.#fd, { level: IPPROTO_ICMPV6, name: ICMPV6_FILTER, value: onlySolicitations() })
      ffi.setsockopt(this.#fd, { level: IPPROTO_IPV6, name: IPV6_UNICAST_HOPS, value: u32(HOPS) })
    } catch (error) {
      ffi.close(this.#fd)
      throw error
    }
  }

  /** The next one, unless its sender has cut it off; undefined when there is none. @throws SystemCallError */
  receive(): Solicitation | 'cut off' | undefined {
    const asker = Buffer.alloc(SOCKADDR.length)
    const length = ffi.recvfrom(this.#fd, this.#message, { from: asker, flags: ffi.MSG_DONTWAIT })
    if (length === undefined) return undefined
    if (length < HEADER) return 'cut off'
    return {
      target: ipFromBytes(this.#message.subarray(TARGET, HEADER)) as Ipv6,
      source: ipFromBytes(asker.subarray(SOCKADDR.address, SOCKADDR.scope)) as Ipv6,
      ifindex: readU32(asker, SOCKADDR.scope),
      asker,
    }
  }

  /** Tells the asker that the target has the MAC address. @throws SystemCallError when the asker cannot be reached. */
  answer({ target, asker }: Solicitation, mac: Mac): void {
    // The kernel fills in the checksum.
    const header = Buffer.of(NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, SOLICITED_OVERRIDE, 0, 0, 0)
    const option = Buffer.of(TARGET_LINK_ADDRESS, 1, ...macToBytes(mac))
    ffi.sendto(this.#fd, Buffer.concat([header, ipToBytes(target), option]), asker)
  }

  close(): void {
    if (this.#open) ffi.close(this.#fd)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** struct icmp6_filter: one bit a type in 32-bit words; a set bit keeps the type out. */
function onlySolicitations(): Buffer {
  const filter = Buffer.alloc(32, 0xff)
  const word = Math.floor(NEIGHBOUR_SOLICITATION / 32) * 4
  u32(~(1 << (NEIGHBOUR_SOLICITATION % 32))).copy(filter, word)
  return filter
}
