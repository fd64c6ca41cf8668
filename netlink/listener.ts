/** Listening inside a namespace: `net.Server.listen` binds too late for that, a socket made here is bound at once. */
import { ipToBytes, parseIpv4 } from '../inet/address.ts'
import { u32, writeU16 } from './codec.ts'
import * as ffi from './ffi.ts'
import { type NetnsRef, withNetns } from './netns.ts'

export interface ListenOptions {
  /** IPv4 address in the namespace; `0.0.0.0` for all. */
  readonly host: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** Waiting connections; 511, as Node's own default. */
  readonly backlog?: number
}

/**
 * @returns a listening descriptor for `server.listen({ fd })`, which then owns it.
 * @throws NetnsError, AddressError, or SystemCallError (`EADDRINUSE`, `EADDRNOTAVAIL`).
 */
export function listenTcpInNetns(netns: NetnsRef, { host, port, backlog = 511 }: ListenOptions): number {
  const address = Buffer.alloc(16) // struct sockaddr_in
  writeU16(address, ffi.AF_INET, 0)
  address.writeUInt16BE(port, 2)
  address.set(ipToBytes(parseIpv4(host)), 4)
  const fd = withNetns(netns, () => ffi.socket({ domain: ffi.AF_INET, type: ffi.SOCK_STREAM, protocol: 0 }))
  try {
    const on = u32(1)
    ffi.setsockopt(fd, { level: ffi.SOL_SOCKET, name: ffi.SO_REUSEADDR, value: on })
    ffi.bind(fd, address)
    ffi.listen(fd, backlog)
    return fd
  } catch (error) {
    ffi.close(fd)
    throw error
  }
}
