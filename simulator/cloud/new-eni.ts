/** What a new ENI is asked to be, and the addresses it gets. */
import { type Cidr, type Ipv4, type Ipv6, type Mac, macFromBytes } from '../../inet/address.ts'
import type { EniId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import type { Eni } from './eni.ts'
import { giveBack, type Subnet, takeIpv4, takeIpv6, type Wanted } from './subnet.ts'

export interface WantedAddresses {
  /** Undefined: any. */
  readonly primaryIp: Ipv4 | undefined
  /** Besides the primary address. */
  readonly ipv4: Wanted<Ipv4>
  readonly ipv6: Wanted<Ipv6>
}

export interface CreateEni extends WantedAddresses {
  readonly type: 'Secondary' | 'Trunk'
  readonly vSwitchId: VSwitchId
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly name: string
  readonly description: string
  readonly resourceGroupId: string
  readonly tags: ReadonlyMap<string, string>
  readonly deleteOnRelease: boolean
  readonly sourceDestCheck: boolean
  readonly trafficMode: Eni['trafficMode']
  readonly queueNumber: number | undefined
}

/** All IPv4 addresses that are wanted. */
export function withPrimary(ipv4: Wanted<Ipv4>, primaryIp: Ipv4 | undefined): Wanted<Ipv4> {
  if (primaryIp === undefined) return { ...ipv4, ipCount: ipv4.ipCount + 1 }
  return { ...ipv4, ips: [primaryIp, ...ipv4.ips] }
}

export interface EniAddresses {
  readonly primaryIp: Ipv4
  readonly secondaryIps: readonly Ipv4[]
  readonly ipv4Prefixes: readonly Cidr[]
  readonly ipv6s: readonly Ipv6[]
  readonly ipv6Prefixes: readonly Cidr[]
}

/** `free`: IPv4 addresses the vSwitch claims to have. @throws ApiError when one of them cannot be had; none is taken. */
export function takeAddresses(subnet: Subnet, wanted: WantedAddresses, free: number): EniAddresses {
  const ipv6 = takeIpv6(subnet, wanted.ipv6)
  try {
    const ipv4 = takeIpv4(subnet, withPrimary(wanted.ipv4, wanted.primaryIp), free)
    // Those with names come first: the primary one when it has a name, otherwise it is the first without one.
    const primaryAt = wanted.primaryIp === undefined ? wanted.ipv4.ips.length : 0
    const primaryIp = ipv4.ips[primaryAt]
    if (primaryIp === undefined) throw new Error(`${subnet.vSwitch.id} gave out fewer addresses than it was asked for`)
    return {
      primaryIp,
      secondaryIps: ipv4.ips.filter((ip) => ip !== primaryIp),
      ipv4Prefixes: ipv4.prefixes,
      ipv6s: ipv6.ips,
      ipv6Prefixes: ipv6.prefixes,
    }
  } catch (error) {
    giveBack(subnet.ipv6, ipv6)
    throw error
  }
}

/** Of the ENI with the number. Ids look like the cloud's and are, at 15 characters, also names of links. */
export function identityOf(number: number): { readonly id: EniId; readonly mac: Mac } {
  const id = `eni-sim${String(number).padStart(8, '0')}` as EniId
  // 00:16:3e is the prefix of all ENIs.
  return { id, mac: macFromBytes(Uint8Array.of(0, 0x16, 0x3e, number >> 16, number >> 8, number)) }
}
