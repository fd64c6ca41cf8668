/** Datagrams between given addresses and ports, without waiting for anything. */
import { familyOf, ipToBytes, parseIp } from '../../inet/address.ts'
import { writeU16 } from '../../netlink/codec.ts'
import * as ffi from '../../netlink/ffi.ts'
import { type NetnsRef, withNetns } from '../../netlink/netns.ts'

const SOCK_DGRAM = 2

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** One byte; nobody needs to listen. The address it comes from must be one of the namespace. */
export function sendUdp(netns: NetnsRef, from: Endpoint, to: Endpoint): void {
  const domain = familyOf(parseIp(from.ip)) === 'ipv4' ? ffi.AF_INET : ffi.AF_INET6
  const fd = withNetns(netns, () => ffi.socket({ domain, type: SOCK_DGRAM, protocol: 0 }))
  try {
    ffi.bind(fd, socketAddress(from))
    ffi.sendto(fd, Buffer.of(0), socketAddress(to))
  } finally {
    ffi.close(fd)
  }
}

/** struct sockaddr_in, struct sockaddr_in6 */
function socketAddress({ ip, port }: Endpoint): Buffer {
  const bytes = ipToBytes(parseIp(ip))
  const isIpv4 = bytes.length === 4
  const address = Buffer.alloc(isIpv4 ? 16 : 28)
  writeU16(address, isIpv4 ? ffi.AF_INET : ffi.AF_INET6, 0)
  address.writeUInt16BE(port, 2)
  address.set(bytes, isIpv4 ? 4 : 8)
  return address
}
