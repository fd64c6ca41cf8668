/** What the metadata service knows of an instance, as a flat map from path to text. */
import { bitsOf, type Cidr, ipFromBytes, splitCidr } from '../../inet/address.ts'
import { addressesOf, type Eni } from '../cloud/eni.ts'
import type { Node, Region, VSwitch } from '../region/region.ts'

/** Paths are relative to `/latest/`. `enis` are those the instance has according to the service. */
export function metadataItems(region: Region, node: Node, enis: readonly Eni[]): ReadonlyMap<string, string> {
  const primary = enis.find((eni) => eni.type === 'Primary')
  const vSwitch = region.vSwitches.get(node.vSwitchId)
  const root = {
    'instance-id': node.instanceId,
    'region-id': region.id,
    'zone-id': vSwitch?.zone ?? '',
    'instance/instance-type': node.instanceType.id,
    hostname: node.name,
    'owner-account-id': region.account,
    'network-type': 'vpc',
    'vpc-id': region.vpc.id,
    'vpc-cidr-block': region.vpc.cidr,
    'vswitch-id': node.vSwitchId,
    'vswitch-cidr-block': vSwitch?.cidr ?? '',
    'private-ipv4': node.primaryIp,
    mac: primary?.mac ?? '',
  }
  const items = new Map(Object.entries(root).map(([path, text]) => [`meta-data/${path}`, text]))
  // A member is no device of the instance.
  for (const eni of enis.filter(({ type }) => type !== 'Member')) {
    for (const [item, text] of Object.entries(eniItems(region, eni))) {
      items.set(`meta-data/network/interfaces/macs/${eni.mac}/${item}`, text)
    }
  }
  return items
}

function eniItems(region: Region, eni: Eni): Readonly<Record<string, string>> {
  const vSwitch = region.vSwitches.get(eni.vSwitchId)
  return {
    'network-interface-id': eni.id,
    'vpc-id': region.vpc.id,
    'vswitch-id': eni.vSwitchId,
    'primary-ip-address': eni.primaryIp,
    'private-ipv4s': JSON.stringify(addressesOf(eni)),
    ...(vSwitch === undefined ? {} : { gateway: vSwitch.gateway, netmask: netmask(vSwitch.cidr) }),
    'vswitch-cidr-block': vSwitch?.cidr ?? '',
    'vpc-cidr-block': region.vpc.cidr,
    ...prefixItem('ipv4-prefixes', eni.ipv4Prefixes),
    ...ipv6Items(region, vSwitch, eni),
  }
}

function ipv6Items(region: Region, vSwitch: VSwitch | undefined, eni: Eni): Readonly<Record<string, string>> {
  if (region.vpc.ipv6Cidr === undefined || vSwitch?.ipv6 === undefined) return {}
  return {
    ...(eni.ipv6s.length === 0 ? {} : { ipv6s: bracketed(eni.ipv6s) }),
    ...prefixItem('ipv6-prefixes', eni.ipv6Prefixes),
    'ipv6-gateway': vSwitch.ipv6.gateway,
    'vswitch-ipv6-cidr-block': vSwitch.ipv6.cidr,
    'vpc-ipv6-cidr-blocks': bracketed([region.vpc.ipv6Cidr]),
  }
}

/** One prefix as the documentation prints it; that several look like other lists of the service is a guess. */
function prefixItem(name: string, prefixes: readonly Cidr[]): Readonly<Record<string, string>> {
  const [first, second] = prefixes
  if (first === undefined) return {}
  return { [name]: second === undefined ? first : bracketed(prefixes) }
}

/** The service's own form of a list, which is not JSON. */
function bracketed(items: readonly string[]): string {
  return `[${items.join(', ')}]`
}

/** `255.255.255.0` of a /24. */
function netmask(cidr: Cidr): string {
  const { length } = splitCidr(cidr)
  const bits = bitsOf('ipv4')
  return ipFromBytes(
    Uint8Array.from({ length: bits / 8 }, (_, i) => 256 - 2 ** (8 - Math.min(8, Math.max(0, length - 8 * i)))),
  )
}

/** The text at a path, the listing of a directory (which ends with a slash or could), or undefined. */
export function lookUp(items: ReadonlyMap<string, string>, path: string): string | undefined {
  const item = items.get(path)
  if (item !== undefined) return item
  const directory = path === '' || path.endsWith('/') ? path : `${path}/`
  const children = [...items.keys()].flatMap((key) => {
    if (!key.startsWith(directory)) return []
    const rest = key.slice(directory.length)
    const slash = rest.indexOf('/')
    return [slash < 0 ? rest : rest.slice(0, slash + 1)]
  })
  return children.length === 0 ? undefined : [...new Set(children)].join('\n')
}
