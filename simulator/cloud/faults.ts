/** What can be made to go wrong inside the cloud; the cloud asks, whoever injects faults answers. */
import type { VSwitch } from '../region/region.ts'
import type { Eni } from './eni.ts'

/** Steps of an ENI that end some time after the call that started them. */
export type TransitionKind = 'attach' | 'detach' | 'delete'

/**
 * `hang`: the ENI stays Attaching, Detaching or Deleting until the call is repeated or, of an attach, until it is
 * detached. `fail`: an attach goes back to Available; the others have no way back and hang.
 */
export type TransitionFault = 'hang' | 'fail'

/** `call`: a call needs to know, and a fault that answers has acted; `onlooker`: somebody only looks at the state. */
export type Asker = 'call' | 'onlooker'

export interface CloudFaults {
  /** Asked once each time a transition is due; undefined: it ends as it should. */
  transition(kind: TransitionKind, eni: Eni): TransitionFault | undefined
  /** The number of free IPv4 addresses the vSwitch claims to have; undefined: the true one. */
  availableIps(vSwitch: VSwitch, asker: Asker): number | undefined
}
