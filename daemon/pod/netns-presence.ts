/** Whether the sandbox of an endpoint is still there. */
import { isNetnsGone, NetnsError } from '../../netlink/error.ts'
import { openNetns } from '../../netlink/netns.ts'
import type { Endpoint } from '../store/endpoint.ts'

/**
 * - `there`: the namespace on record is at its path
 * - `gone`: nothing is at the path, or another namespace
 * - `unknown`: it could not be looked at, for a reason that says nothing about the pod (no descriptors left, no
 *   permission)
 */
export type Presence = 'there' | 'gone' | 'unknown'

export function presenceOf({ netns, netnsId }: Pick<Endpoint, 'netns' | 'netnsId'>): Presence {
  try {
    using handle = openNetns(netns)
    return handle.identity === netnsId ? 'there' : 'gone'
  } catch (error) {
    if (isNetnsGone(error)) return 'gone'
    if (error instanceof NetnsError) return 'unknown'
    throw error
  }
}

/**
 * True when the pod has ended for certain: the path alone may only be hidden from this process, for example by a mount
 * that does not reach its container. With the namespace dies its end of the veth, and the host's end with that.
 */
export function hasEnded(
  endpoint: Endpoint,
  linkExists: (name: NonNullable<Endpoint['hostLink']>) => boolean,
): boolean {
  if (presenceOf(endpoint) !== 'gone') return false
  return endpoint.hostLink === undefined || !linkExists(endpoint.hostLink)
}
