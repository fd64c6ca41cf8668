/** The result of ADD in the shape of each version of the CNI specification. */
import { type Cidr, familyOf, type Ip, type Mac } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { NetnsPath } from '../../proto/cni-environment.ts'
import { atLeast, type CniVersion } from '../../proto/cni-version.ts'

export interface AddResult {
  readonly interfaces: readonly ResultInterface[]
  readonly ips: readonly ResultIp[]
  readonly routes: readonly ResultRoute[]
  readonly dns?: ResultDns
}

export interface ResultInterface {
  readonly name: LinkName
  readonly mac: Mac
  /** Bytes. */
  readonly mtu: number
  /** The namespace of the sandbox; absent for a link of the node. */
  readonly sandbox?: NetnsPath
}

export interface ResultIp {
  readonly address: Ip
  readonly prefixLength: number
  readonly gateway?: Ip
  /** Index into `interfaces`. */
  readonly interface: number
}

export interface ResultRoute {
  readonly dst: Cidr
  readonly gw?: Ip
}

export interface ResultDns {
  readonly nameservers?: readonly Ip[]
  readonly domain?: string
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

function encodeInterface({ name, mac, mtu, sandbox }: ResultInterface, version: CniVersion): object {
  return {
    name,
    mac,
    ...(atLeast(version, '1.1.0') ? { mtu } : {}),
    ...(sandbox === undefined ? {} : { sandbox }),
  }
}

function encodeIp(ip: ResultIp, version: CniVersion): object {
  return {
    ...(atLeast(version, '1.0.0') ? {} : { version: familyOf(ip.address) === 'ipv4' ? '4' : '6' }),
    interface: ip.interface,
    address: `${ip.address}/${ip.prefixLength}`,
    ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }),
  }
}

/**
 * JSON that the plugin prints as it is. Differences between the versions (specification, "Result types"): before
 * 1.0.0 an address says its family, from 1.1.0 an interface says its MTU.
 */
export function encodeResult(result: AddResult, version: CniVersion): Uint8Array {
  const shape = {
    cniVersion: version,
    interfaces: result.interfaces.map((link) => encodeInterface(link, version)),
    ips: result.ips.map((ip) => encodeIp(ip, version)),
    routes: result.routes.map(({ dst, gw }) => (gw === undefined ? { dst } : { dst, gw })),
    dns: result.dns ?? {},
  }
  return Buffer.from(JSON.stringify(shape))
}
