/** MAC addresses of the links that are made for a pod. */
import { createHash } from 'node:crypto'
import { type Mac, macFromBytes } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'

export interface PodMacs {
  readonly host: Mac
  readonly pod: Mac
}

/**
 * Of both ends of a veth. Fixed, and set when the link is made, so that systemd's MACAddressPolicy has no reason to
 * change them and a permanent neighbour stays true. Locally administered unicast (IEEE 802: bit 1 of the first byte set,
 * bit 0 clear).
 */
export function podMacs(containerId: string, ifname: LinkName): PodMacs {
  const mac = (end: string) => {
    const bytes = createHash('sha256').update(`${containerId}/${ifname}/${end}`).digest().subarray(0, 6)
    bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02
    return macFromBytes(bytes)
  }
  return { host: mac('host'), pod: mac('pod') }
}
