/** What would be wrong with a simulated cloud: it must be one that could exist, whatever was asked of it. */
import { type Cidr, cidrContains, type Ip, splitCidr } from '../../inet/address.ts'
import type { Cloud } from '../../simulator/cloud/cloud.ts'
import {
  addressesOf,
  type Eni,
  instanceOf,
  ipv4Slots,
  ipv6Slots,
  privateIpCount,
  trunkOf,
} from '../../simulator/cloud/eni.ts'
import { isReserved } from '../../simulator/cloud/vswitch-addresses.ts'
import type { Node, VSwitch } from '../../simulator/region/region.ts'

/** Empty: nothing is wrong. `freeIsTrue`: no fault makes the vSwitches lie about what they have. */
export function violations(cloud: Cloud, { freeIsTrue }: { readonly freeIsTrue: boolean }): readonly string[] {
  const enis = cloud.enis()
  return [
    ...[...cloud.region.vSwitches.values()].flatMap((vSwitch) => inVSwitch(vSwitch, enis)),
    ...(freeIsTrue ? [...cloud.region.vSwitches.values()].flatMap((vSwitch) => freeCount(cloud, vSwitch)) : []),
    ...cloud.region.nodes.flatMap((node) => onNode(node, cloud.enisOf(node.instanceId))),
    ...enis.flatMap((eni) => alone(cloud, eni)),
    ...ofAccount(cloud),
  ]
}

function sameAs(expected: readonly Eni[], found: readonly Eni[]): boolean {
  return expected.length === found.length && expected.every((eni, index) => eni === found[index])
}

/** Of one vSwitch: no address is there twice, alone or in a prefix, and all of them are usable. */
function inVSwitch({ id, cidr, ipv6 }: VSwitch, enis: readonly Eni[]): readonly string[] {
  const here = enis.filter((eni) => eni.vSwitchId === id)
  const v4 = { ips: here.flatMap(addressesOf), prefixes: here.flatMap((eni) => eni.ipv4Prefixes) }
  const v6 = { ips: here.flatMap((eni) => eni.ipv6s), prefixes: here.flatMap((eni) => eni.ipv6Prefixes) }
  if (ipv6 === undefined)
    return [...inBlock(cidr, v4), ...[...v6.ips, ...v6.prefixes].map((what) => `${what} without IPv6`)]
  return [...inBlock(cidr, v4), ...inBlock(ipv6.cidr, v6)]
}

function inBlock(cidr: Cidr, { ips, prefixes }: { ips: readonly Ip[]; prefixes: readonly Cidr[] }): readonly string[] {
  const all: readonly string[] = [...ips, ...prefixes]
  const outside = [...ips, ...prefixes.map((prefix) => splitCidr(prefix).network)].filter(
    (ip) => !cidrContains(cidr, ip) || isReserved(cidr, ip),
  )
  return [
    ...all.filter((item, index) => all.indexOf(item) !== index).map((item) => `${item} is there twice`),
    ...ips.filter((ip) => prefixes.some((prefix) => cidrContains(prefix, ip))).map((ip) => `${ip} is in a prefix`),
    ...outside.map((ip) => `${ip} is not for ENIs in ${cidr}`),
  ]
}

function freeCount(cloud: Cloud, { id, cidr }: VSwitch): readonly string[] {
  const used = cloud
    .enis()
    .filter((eni) => eni.vSwitchId === id)
    .reduce((sum, eni) => sum + privateIpCount(eni), 0)
  const free = 2 ** (32 - splitCidr(cidr).length) - 4 - used
  return cloud.availableIps(id) === free ? [] : [`${id} says ${cloud.availableIps(id)} are free, but it is ${free}`]
}

/** Of one instance: quotas of its type, and every device and VLAN number once. */
function onNode({ instanceId, instanceType }: Node, attached: readonly Eni[]): readonly string[] {
  const { eniQuantity, eniTotalQuantity, eriQuantity } = instanceType
  const members = attached.filter((eni) => eni.type === 'Member')
  const places = attached.map((eni) => ('deviceIndex' in eni.state ? `${trunkOf(eni)} ${eni.state.deviceIndex}` : ''))
  const most: readonly (readonly [string, number, number])[] = [
    ['ENIs', attached.length - members.length, eniQuantity],
    ['members', members.length, eniTotalQuantity - eniQuantity],
    ['eRDMA interfaces', attached.filter((eni) => eni.trafficMode === 'HighPerformance').length, eriQuantity],
    ['IPv4 addresses on an ENI', Math.max(...attached.map(ipv4Slots)), instanceType.ipv4PerEni],
    ['queues in all', queuesOfAll(attached, instanceType.queuesPerEni), eniQuantity * instanceType.queuesPerEni],
    ['IPv6 addresses on an ENI', Math.max(...attached.map(ipv6Slots)), instanceType.ipv6PerEni],
    ['queues on an ENI', Math.max(...attached.map((eni) => eni.queueNumber ?? 0)), instanceType.queuesPerEni],
  ]
  return [
    ...most
      .filter(([, has, limit]) => has > limit)
      .map(([what, has, limit]) => `${instanceId}: ${has} ${what} of ${limit}`),
    ...places
      .filter((place, index) => places.indexOf(place) !== index)
      .map((place) => `${instanceId}: two ENIs at ${place}`),
  ]
}

/** A member has those of its trunk unless it asked for its own. */
function queuesOfAll(attached: readonly Eni[], perEni: number): number {
  return attached.map((eni) => eni.queueNumber ?? (eni.type === 'Member' ? 0 : perEni)).reduce((a, b) => a + b, 0)
}

/** Of one ENI: its type, its place and its limits while it is on no instance. */
function alone(cloud: Cloud, eni: Eni): readonly string[] {
  const found: string[] = []
  const trunkId = trunkOf(eni)
  if ((eni.type === 'Member') !== (trunkId !== undefined)) found.push(`${eni.id} is ${eni.type} on ${trunkId}`)
  if (trunkId !== undefined) {
    const trunk = cloud.enis().find(({ id }) => id === trunkId)
    if (trunk?.type !== 'Trunk' || trunk.state.status !== 'InUse' || instanceOf(trunk) !== instanceOf(eni)) {
      found.push(`${eni.id} is on ${trunkId}, which is ${trunk?.type} ${trunk?.state.status}`)
    }
  }
  if (instanceOf(eni) === undefined && (ipv4Slots(eni) > 50 || ipv6Slots(eni) > 10))
    found.push(`${eni.id} has too much`)
  if (eni.secondaryIps.includes(eni.primaryIp)) found.push(`${eni.id} has its primary address as a secondary one`)
  return found
}

/** Quotas of the account, and what is remembered of now. */
function ofAccount(cloud: Cloud): readonly string[] {
  const { quotas, securityGroups } = cloud.region
  const found: string[] = []
  if (cloud.enis().length > quotas.enis) found.push(`${cloud.enis().length} ENIs of ${quotas.enis}`)
  for (const { id, type } of securityGroups.values()) {
    const members = cloud.enis().filter((eni) => eni.securityGroupIds.includes(id))
    const ips = members.reduce((sum, eni) => sum + privateIpCount(eni), 0)
    if (ips > quotas.securityGroupIps[type]) found.push(`${ips} addresses in ${id}`)
  }
  const tooMany = cloud.enis().filter((eni) => eni.securityGroupIds.length > quotas.securityGroupsPerEni)
  found.push(...tooMany.map((eni) => `${eni.id} is in ${eni.securityGroupIds.length} groups`))
  if (!sameAs(cloud.enis(), cloud.enisAt(Number.POSITIVE_INFINITY))) found.push('the history ends with other ENIs')
  return found
}
