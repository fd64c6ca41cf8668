/** Where a pod's addresses come from: the pool of ENIs, or the node's own prefixes in VPC route mode. */
import type { Ip } from '../../inet/address.ts'
import type { Addresses, EniFacts } from '../datapath/attachment.ts'
import type { AddressRequest } from '../pool/address-request.ts'
import type { EniRole, Owner } from '../pool/model.ts'

export interface PodLease {
  readonly addresses: Addresses
  /** Absent when no ENI carries the addresses. */
  readonly eni?: EniFacts
  /** Absent with the ENI. */
  readonly role?: EniRole
  /** The pod has what it had a moment ago: resolves when the kernel has forgotten what it was used for. */
  readonly forgotten?: Promise<void>
}

export interface LeaseSource {
  /**
   * A free address of each family, at once when one is there, otherwise in line. What an owner has already it gets again.
   * @throws PoolError
   */
  acquire(request: AddressRequest, signal: AbortSignal): Promise<PodLease>
  /** Cools down from now on; `keepFor` ms only the same pod gets it. An owner that has nothing is fine. */
  release(owner: Owner, keepFor: number): void
  /** Every address that somebody has. */
  held(): Iterable<{ readonly ip: Ip; readonly owner: Owner }>
}
