/** A router advertisement (RFC 4861, section 4.2) by which whoever believes it gets an address and a default route. */
import { readFileSync } from 'node:fs'
import { ipToBytes, parseIpv6 } from '../../inet/address.ts'
import { u32, writeU16, writeU32 } from '../../netlink/codec.ts'
import { SystemCallError } from '../../netlink/error.ts'
import * as ffi from '../../netlink/ffi.ts'
import { type Netns, withNetns } from '../../netlink/netns.ts'
import { ipJson } from '../kernel/namespaces.ts'

/** linux/in.h, linux/in6.h, linux/icmpv6.h */
const IPPROTO_IPV6 = 41
const IPPROTO_ICMPV6 = 58
const IPV6_MULTICAST_HOPS = 18
/** With fewer hops left it is nobody's. */
const HOPS = 255
/** struct sockaddr_in6: family, port, flow, address, scope */
const SOCKADDR = { length: 28, address: 8, scope: 24 }
const ALL_NODES = parseIpv6('ff02::1')
const PREFIX = '2001:db8:bad:1::'

/** s */
const LIFETIME = 1800

function advertisement(): Buffer {
  const header = Buffer.alloc(16)
  header.set([134, 0, 0, 0, 64]) // type, code, the kernel's checksum, hops
  header.writeUInt16BE(LIFETIME, 6)
  const information = Buffer.alloc(32)
  information.set([3, 4, 64, 0xc0]) // prefix information in 4 units of 8 bytes: /64, on the link, to make addresses of
  information.writeUInt32BE(LIFETIME, 4)
  information.writeUInt32BE(LIFETIME, 8)
  information.set(ipToBytes(parseIpv6(PREFIX)), 16)
  return Buffer.concat([header, information])
}

/** To everybody on the link, from its link-local address; not sent as long as it has none. */
export function advertise(from: Netns, link: string): void {
  const to = Buffer.alloc(SOCKADDR.length)
  writeU16(to, ffi.AF_INET6, 0)
  to.set(ipToBytes(ALL_NODES), SOCKADDR.address)
  writeU32(to, Number(ipJson(from, 'link', 'show', link)[0]?.ifindex), SOCKADDR.scope)
  const fd = withNetns(from, () => ffi.socket({ domain: ffi.AF_INET6, type: ffi.SOCK_RAW, protocol: IPPROTO_ICMPV6 }))
  try {
    ffi.setsockopt(fd, { level: IPPROTO_IPV6, name: IPV6_MULTICAST_HOPS, value: u32(HOPS) })
    ffi.sendto(fd, advertisement(), to)
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== 'EADDRNOTAVAIL') throw error
  } finally {
    ffi.close(fd)
  }
}

/** How many have arrived in the namespace, believed or not. */
export function advertisementsIn(netns: Netns): number {
  const text = withNetns(netns, () => readFileSync('/proc/net/snmp6', 'utf8'))
  return Number(/^Icmp6InRouterAdvertisements\s+(\d+)/m.exec(text)?.[1])
}
