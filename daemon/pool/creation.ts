/** With what an ENI is asked for. Pure. */
import { MAX_IN_ONE_CALL, MAX_SECONDARY_AT_CREATION } from './growth.ts'
import type { EniRole, NewAddresses } from './model.ts'
import { type PoolLimits, PREFIX_SIZE } from './settings.ts'

export interface Creation {
  readonly role: EniRole
  /** Pods it is to serve as soon as it is there. */
  readonly pods: number
  readonly limits: Pick<PoolLimits, 'families' | 'unit'>
}

/** As much as one call allows; the rest is assigned when it is attached. */
export function newAddresses({ role, pods, limits }: Creation): NewAddresses {
  if (role === 'trunk') return { secondaryIps: 0 }
  const [ipv4, ipv6] = [limits.families.includes('ipv4'), limits.families.includes('ipv6')]
  if (role !== 'shared') return { secondaryIps: 0, ...(ipv6 ? { ipv6s: 1 } : {}) }
  if (limits.unit === 'prefix') {
    // The primary address serves the first pod.
    const ipv4Prefixes = ipv4 ? Math.min(MAX_IN_ONE_CALL, Math.ceil((pods - 1) / PREFIX_SIZE)) : 0
    return { secondaryIps: 0, ipv4Prefixes, ...(ipv6 ? { ipv6Prefixes: 1 } : {}) }
  }
  const secondaryIps = ipv4 ? Math.min(MAX_SECONDARY_AT_CREATION, pods - 1) : 0
  return { secondaryIps, ...(ipv6 ? { ipv6s: Math.min(MAX_IN_ONE_CALL, pods) } : {}) }
}

/** IPv4 addresses of the vSwitch that it takes. */
export function ipv4Taken({ secondaryIps, ipv4Prefixes = 0 }: NewAddresses): number {
  return 1 + secondaryIps + ipv4Prefixes * PREFIX_SIZE
}

/** The same with so many addresses of the vSwitch left: less is better than nothing, the rest comes from the next one. */
export function reducedTo(wanted: NewAddresses, left: number): NewAddresses {
  if (ipv4Taken(wanted) <= left) return wanted
  const { ipv4Prefixes, ...rest } = wanted
  const secondaryIps = Math.max(0, Math.min(wanted.secondaryIps, left - 1))
  if (ipv4Prefixes === undefined) return { ...rest, secondaryIps }
  return { ...rest, secondaryIps, ipv4Prefixes: Math.max(0, Math.floor((left - 1) / PREFIX_SIZE)) }
}
