/** Taking addresses from an ENI: only those it has, each named once. */
import type { Cidr, Ip } from '../../inet/address.ts'
import { ApiError } from './error.ts'
import type { Taken } from './subnet.ts'

/** @throws ApiError InvalidIp.IpRepeated, InvalidIp.IpUnassigned */
export function checkAssigned(named: Taken<Ip>, had: Taken<Ip>): void {
  const items: readonly (Ip | Cidr)[] = [...named.ips, ...named.prefixes]
  const repeated = items.find((item, index) => items.indexOf(item) !== index)
  if (repeated !== undefined) throw new ApiError('InvalidIp.IpRepeated', `${repeated} is there twice.`)
  const foreign = named.ips.find((ip) => !had.ips.includes(ip)) ?? named.prefixes.find((p) => !had.prefixes.includes(p))
  if (foreign === undefined) return
  throw new ApiError('InvalidIp.IpUnassigned', `The specified IP "${foreign}" is not assigned on this ENI.`)
}
