/** Somebody else with rights to the account, who changes what is not theirs. */
import type { Ipv4 } from '../../inet/address.ts'
import type { EniId } from '../../simulator/region/ids.ts'
import type { VirtualRegion } from './virtual-region.ts'
import type { VirtualTime } from './virtual-time.ts'

export class Outsider {
  readonly #region: VirtualRegion
  readonly #time: VirtualTime

  constructor(region: VirtualRegion, time: VirtualTime) {
    this.#region = region
    this.#time = time
  }

  /** Takes the ENI from its instance. @returns false when it is not in use */
  detach(id: EniId): boolean {
    return this.#region.change((cloud) => {
      const { state } = cloud.eni(id)
      if (state.status !== 'InUse') return false
      cloud.detachEni(id, state.instanceId)
      return true
    })
  }

  /** Deletes the ENI, one in use as soon as it is detached. @returns false when it is on its way somewhere */
  delete(id: EniId): boolean {
    if (this.detach(id)) {
      this.#time.after(this.#region.region.latencies.detach, () => this.#deleteIfAvailable(id))
      return true
    }
    return this.#deleteIfAvailable(id)
  }

  /** @returns false when the address is none of the ENI's secondary ones, or the ENI is on its way somewhere */
  unassign(id: EniId, ip: Ipv4): boolean {
    return this.#region.change((cloud) => {
      const { state, secondaryIps } = cloud.eni(id)
      const isSettled = state.status === 'InUse' || state.status === 'Available'
      if (!isSettled || !secondaryIps.includes(ip)) return false
      cloud.unassignIpv4(id, { ips: [ip], prefixes: [] })
      return true
    })
  }

  /** A detach that hangs, or the pool that was quicker, is the end of it. */
  #deleteIfAvailable(id: EniId): boolean {
    return this.#region.change((cloud) => {
      if (!cloud.enis().some((eni) => eni.id === id) || cloud.eni(id).state.status !== 'Available') return false
      cloud.deleteEni(id)
      return true
    })
  }
}
