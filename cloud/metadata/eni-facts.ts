/** What the service tells of one ENI. */
import {
  AddressError,
  type Cidr,
  type Family,
  familyOf,
  type Ipv4,
  type Ipv6,
  type Mac,
  parseCidr,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../inet/address.ts'
import { type EniId, parseCloudId, type VpcId, type VSwitchId } from '../ids.ts'

/** All of it may be behind the API by seconds; member ENIs are not known to the service. */
export interface EniFacts {
  readonly mac: Mac
  readonly id: EniId
  readonly vpcId: VpcId
  readonly vSwitchId: VSwitchId
  readonly primaryIp: Ipv4
  /** The primary one among them. */
  readonly ipv4s: readonly Ipv4[]
  readonly ipv6s: readonly Ipv6[]
  readonly ipv4Prefixes: readonly Cidr[]
  readonly ipv6Prefixes: readonly Cidr[]
  readonly gateway: Ipv4
  readonly ipv6Gateway: Ipv6 | undefined
  readonly vSwitchCidr: Cidr
  readonly vSwitchIpv6Cidr: Cidr | undefined
  readonly vpcCidr: Cidr
}

/** The reader of items below the ENI's directory; `optional` gives undefined for an item that is not there. */
export interface EniReader {
  item<T>(name: string, parse: (text: string) => T): Promise<T>
  optional<T>(name: string, parse: (text: string) => T): Promise<T | undefined>
}

export async function readEniFacts(mac: Mac, { item, optional }: EniReader): Promise<EniFacts> {
  const list = async <T>(name: string, parse: (text: string) => T): Promise<readonly T[]> =>
    (await optional(name, listOf(parse))) ?? []
  const [id, vpcId, vSwitchId, primaryIp, gateway, vSwitchCidr, vpcCidr] = await Promise.all([
    item('network-interface-id', parseCloudId<EniId>),
    item('vpc-id', parseCloudId<VpcId>),
    item('vswitch-id', parseCloudId<VSwitchId>),
    item('primary-ip-address', parseIpv4),
    item('gateway', parseIpv4),
    item('vswitch-cidr-block', cidrOf('ipv4')),
    item('vpc-cidr-block', cidrOf('ipv4')),
  ])
  const [ipv4s, ipv6s, ipv4Prefixes, ipv6Prefixes, ipv6Gateway, vSwitchIpv6Cidr] = await Promise.all([
    item('private-ipv4s', listOf(parseIpv4)),
    list('ipv6s', parseIpv6),
    list('ipv4-prefixes', cidrOf('ipv4')),
    list('ipv6-prefixes', cidrOf('ipv6')),
    optional('ipv6-gateway', parseIpv6),
    optional('vswitch-ipv6-cidr-block', cidrOf('ipv6')),
  ])
  const addresses = { primaryIp, ipv4s, ipv6s, ipv4Prefixes, ipv6Prefixes }
  return { mac, id, vpcId, vSwitchId, ...addresses, gateway, ipv6Gateway, vSwitchCidr, vSwitchIpv6Cidr, vpcCidr }
}

/** A directory: one name per line, with a slash at its end. */
export function parseMacs(text: string): readonly Mac[] {
  return text === '' ? [] : text.split('\n').map((line) => parseMac(line.trim().replace(/\/$/, '')))
}

/**
 * The service writes lists in two ways: IPv4 addresses as JSON (`["10.0.0.1","10.0.0.2"]`), IPv6 addresses without the
 * quotes (`[fd00::1, fd00::2]`). A single prefix stands alone.
 */
export function listOf<T>(parse: (text: string) => T): (text: string) => readonly T[] {
  return (text) => {
    const inner = /^\[(.*)\]$/s.exec(text)?.[1] ?? text
    return inner.trim() === '' ? [] : inner.split(',').map((word) => parse(word.trim().replace(/^"(.*)"$/, '$1')))
  }
}

function cidrOf(family: Family): (text: string) => Cidr {
  return (text) => {
    const cidr = parseCidr(text)
    if (familyOf(cidr) !== family) throw new AddressError(`not of ${family}: ${JSON.stringify(text)}`)
    return cidr
  }
}
