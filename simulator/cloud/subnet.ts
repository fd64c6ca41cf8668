/** A vSwitch with its addresses, and taking some of them: all that are wanted, or none. */
import type { Cidr, Ip, Ipv4, Ipv6 } from '../../inet/address.ts'
import type { VSwitchId } from '../region/ids.ts'
import type { VSwitch } from '../region/region.ts'
import { ApiError } from './error.ts'
import { IPS_PER_PREFIX, VSwitchAddresses } from './vswitch-addresses.ts'

export interface Subnet {
  readonly vSwitch: VSwitch
  readonly ipv4: VSwitchAddresses<Ipv4>
  /** Undefined when IPv6 is off. */
  readonly ipv6: VSwitchAddresses<Ipv6> | undefined
}

/** The vSwitches by id, with their addresses. */
export type Subnets = ReadonlyMap<VSwitchId, Subnet>

/** Addresses and prefixes of one family, by name or by number. */
export interface Wanted<A extends Ip> {
  readonly ips: readonly A[]
  readonly ipCount: number
  readonly prefixes: readonly Cidr[]
  readonly prefixCount: number
}

export const NOTHING = { ips: [], ipCount: 0, prefixes: [], prefixCount: 0 } as const satisfies Wanted<Ip>

export interface Taken<A extends Ip> {
  /** Those asked for by name first. */
  readonly ips: readonly A[]
  readonly prefixes: readonly Cidr[]
}

export function subnetOf(vSwitch: VSwitch): Subnet {
  const ipv6 = vSwitch.ipv6 === undefined ? undefined : new VSwitchAddresses<Ipv6>(vSwitch.ipv6.cidr)
  return { vSwitch, ipv4: new VSwitchAddresses<Ipv4>(vSwitch.cidr), ipv6 }
}

export function findSubnet(subnets: Subnets, id: VSwitchId): Subnet {
  const subnet = subnets.get(id)
  if (subnet === undefined) throw new ApiError('InvalidVSwitchId.NotFound', `The vSwitch ${id} does not exist.`)
  return subnet
}

/** What an ENI may have so many of: a prefix counts as one. */
export function slotsOf(wanted: Wanted<Ip>): number {
  return wanted.ips.length + wanted.ipCount + wanted.prefixes.length + wanted.prefixCount
}

/** Single IPv4 addresses, those inside the prefixes included. */
export function ipv4CountOf({ ips, ipCount, prefixes, prefixCount }: Wanted<Ipv4>): number {
  return ips.length + ipCount + (prefixes.length + prefixCount) * IPS_PER_PREFIX
}

/** `free`: what the vSwitch claims to have, which a fault may make too much or too little. */
export function takeIpv4({ ipv4, vSwitch }: Subnet, wanted: Wanted<Ipv4>, free: number): Taken<Ipv4> {
  const asked = ipv4CountOf(wanted)
  if (asked > free) throw notEnough(vSwitch, `${asked} addresses are asked for, ${free} are free`)
  return take(ipv4, vSwitch, wanted)
}

/** @throws ApiError InvalidVSwitch.Ipv6NotTurnOn when something is wanted and the vSwitch has no IPv6. */
export function takeIpv6({ ipv6, vSwitch }: Subnet, wanted: Wanted<Ipv6>): Taken<Ipv6> {
  if (slotsOf(wanted) === 0) return { ips: [], prefixes: [] }
  if (ipv6 === undefined) throw new ApiError('InvalidVSwitch.Ipv6NotTurnOn', `IPv6 is off in ${vSwitch.id}.`)
  return take(ipv6, vSwitch, wanted)
}

export function giveBack<A extends Ip>(pool: VSwitchAddresses<A> | undefined, { ips, prefixes }: Taken<A>): void {
  for (const ip of ips) pool?.free(ip)
  for (const prefix of prefixes) pool?.freePrefix(prefix)
}

/** The named ones first: a nameless address must be none of them. */
function take<A extends Ip>(pool: VSwitchAddresses<A>, vSwitch: VSwitch, wanted: Wanted<A>): Taken<A> {
  const ips: A[] = []
  const prefixes: Cidr[] = []
  const add = (ip: A | undefined) => {
    if (ip === undefined) throw notEnough(vSwitch, 'no address is free')
    pool.take(ip)
    ips.push(ip)
  }
  const addPrefix = (prefix: Cidr | undefined) => {
    if (prefix === undefined) throw notEnough(vSwitch, 'no prefix is free')
    pool.takePrefix(prefix)
    prefixes.push(prefix)
  }
  checkNamed(pool, wanted)
  try {
    for (const prefix of wanted.prefixes) addPrefix(prefix)
    for (const ip of wanted.ips) {
      if (!pool.isFree(ip)) throw assigned(ip)
      add(ip)
    }
    for (let i = 0; i < wanted.ipCount; i++) add(pool.lowestFree())
    for (let i = 0; i < wanted.prefixCount; i++) addPrefix(pool.lowestFreePrefix())
  } catch (error) {
    giveBack(pool, { ips, prefixes })
    throw error
  }
  return { ips, prefixes }
}

function checkNamed<A extends Ip>(pool: VSwitchAddresses<A>, { ips, prefixes }: Wanted<A>): void {
  const all: readonly (Ip | Cidr)[] = [...ips, ...prefixes]
  const repeated = all.find((item, index) => all.indexOf(item) !== index)
  if (repeated !== undefined) throw new ApiError('InvalidIp.IpRepeated', `${repeated} is asked for twice.`)
  const unusable = ips.find((ip) => !pool.isUsable(ip)) ?? prefixes.find((prefix) => !pool.isUsablePrefix(prefix))
  if (unusable !== undefined) {
    throw new ApiError('InvalidVSwitchId.IpInvalid', `${unusable} cannot be used in the CIDR block ${pool.cidr}.`)
  }
  const used = ips.find((ip) => !pool.isFree(ip)) ?? prefixes.find((prefix) => !pool.isFreePrefix(prefix))
  if (used !== undefined) throw assigned(used)
}

function assigned(what: Ip | Cidr): ApiError {
  return new ApiError('InvalidIp.IpAssigned', `${what} is assigned already, or a part of it is.`)
}

function notEnough(vSwitch: VSwitch, why: string): ApiError {
  return new ApiError('InvalidVSwitchId.IpNotEnough', `The vSwitch ${vSwitch.id} has not enough addresses: ${why}.`)
}
