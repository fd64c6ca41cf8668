/** Asking for addresses of a vSwitch, by name or by number. */
import type { Ipv4 } from '../../inet/address.ts'
import { ApiError } from './error.ts'
import type { Subnet } from './lookup.ts'
import type { VSwitchAddresses } from './vswitch-addresses.ts'

export type AddressRequest = { readonly ips: readonly Ipv4[] } | { readonly count: number }

export function namedIps(request: AddressRequest): readonly Ipv4[] {
  return 'ips' in request ? request.ips : []
}

export function unnamedIps(request: AddressRequest): number {
  return 'count' in request ? request.count : 0
}

/** Takes them out of the vSwitch. The caller has checked the request. */
export function takeRequested(request: AddressRequest, pool: VSwitchAddresses): readonly Ipv4[] {
  for (const ip of namedIps(request)) pool.take(ip)
  return 'ips' in request ? request.ips : Array.from({ length: request.count }, () => pool.takeLowest())
}

export function checkNamed(ips: readonly Ipv4[], { pool, vSwitch }: Subnet): void {
  for (const [index, ip] of ips.entries()) {
    if (ips.indexOf(ip) !== index) throw new ApiError('InvalidIp.IpRepeated', `The IP ${ip} is asked for twice.`)
    if (!pool.isUsable(ip)) {
      const message = `The IP ${ip} cannot be used in ${vSwitch.id} (${vSwitch.cidr}).`
      throw new ApiError('InvalidVSwitchId.IpInvalid', message)
    }
    if (pool.isUsed(ip)) throw new ApiError('InvalidIp.IpAssigned', `The IP ${ip} is assigned already.`)
  }
}

export function checkRoom(asked: number, { pool, vSwitch }: Subnet): void {
  if (asked <= pool.available) return
  const message = `The vSwitch ${vSwitch.id} has not enough addresses: ${asked} asked for, ${pool.available} free.`
  throw new ApiError('InvalidVSwitchId.IpNotEnough', message)
}
