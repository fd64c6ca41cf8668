/** The pool of ENIs as pods see it. */
import { cidrContains, type Ip } from '../../inet/address.ts'
import type { EniFacts } from '../datapath/attachment.ts'
import type { ReadyEni } from '../pool/effects.ts'
import type { Pool } from '../pool/pool.ts'
import type { EniDirectory } from './context.ts'
import type { LeaseSource, PodLease } from './leases.ts'

interface Links {
  factsOf(eni: ReadyEni): EniFacts
}

export function poolLeases(pool: Pool, links: Links): LeaseSource {
  return {
    async acquire(request, signal): Promise<PodLease> {
      const { eni, forgotten, ...addresses } = await pool.acquire(request, signal)
      const lease = { addresses, eni: links.factsOf(eni), role: eni.role }
      return forgotten === undefined ? lease : { ...lease, forgotten }
    },
    release: (owner, keepFor) => pool.release(owner, keepFor),
    *held() {
      for (const address of pool.state.addresses.values()) {
        if (address.phase === 'owned') yield { ip: address.ip, owner: address.owner }
      }
    },
  }
}

export function poolEnis(pool: Pool, links: Links): Omit<EniDirectory, 'plans'> {
  return {
    eniOf(ip: Ip) {
      const address = pool.state.addresses.get(ip)
      const eni = address === undefined ? undefined : pool.readyEni(address.eni)
      return eni === undefined ? undefined : links.factsOf(eni)
    },
    // A prefix of IPv6 has only those of its addresses on record that have been given away.
    isOfPods(ip: Ip) {
      const { enis, addresses, prefixes } = pool.state
      const address = addresses.get(ip)
      // A trunk's own are given to nobody.
      if (address !== undefined) return enis.get(address.eni)?.role !== 'trunk'
      return [...prefixes.keys()].some((prefix) => cidrContains(prefix, ip))
    },
    missed: (id) => pool.distrust(id),
  }
}
