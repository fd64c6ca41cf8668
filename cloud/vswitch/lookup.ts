/**
 * Asks for vSwitches in as few calls as possible. The API takes one id in a call, or lists a zone of a VPC: who asks
 * for one vSwitch gets a call of its own, several asked for at the same moment come from one listing, since the zone of
 * a VPC rarely has more vSwitches than the 50 of a page. What the listing does not name is asked for by id: it lies in
 * another zone or VPC, or does not exist.
 */
import type { Priority } from '../budget/priority.ts'
import type { VpcId, VSwitchId, ZoneId } from '../ids.ts'
import type { VSwitch, VSwitchActions } from '../vpc/vswitch-actions.ts'

export interface LookupPlace {
  readonly cloud: Pick<VSwitchActions, 'describeVSwitches'>
  readonly vpcId: VpcId
  readonly zone: ZoneId
}

export class VSwitchLookup {
  readonly #place: LookupPlace
  /** The call that is about to be made, for all that is asked for until then. */
  #next: { readonly ids: Set<VSwitchId>; readonly found: Promise<ReadonlyMap<VSwitchId, VSwitch>> } | undefined

  constructor(place: LookupPlace) {
    this.#place = place
  }

  /** @returns undefined when there is none. @throws CloudError */
  async get(id: VSwitchId, priority: Priority): Promise<VSwitch | undefined> {
    return (await this.#join(id, priority)).get(id)
  }

  #join(id: VSwitchId, priority: Priority): Promise<ReadonlyMap<VSwitchId, VSwitch>> {
    if (this.#next === undefined) {
      const ids = new Set<VSwitchId>()
      // Everything that is asked for in this turn of the event loop belongs to the call.
      const found = Promise.resolve().then(() => {
        this.#next = undefined
        return this.#ask([...ids], priority)
      })
      this.#next = { ids, found }
    }
    this.#next.ids.add(id)
    return this.#next.found
  }

  async #ask(ids: readonly VSwitchId[], priority: Priority): Promise<ReadonlyMap<VSwitchId, VSwitch>> {
    const { cloud, vpcId, zone } = this.#place
    const listed = ids.length > 1 ? await cloud.describeVSwitches({ vpcId, zoneId: zone }, { priority }) : []
    const unlisted = ids.filter((id) => !listed.some((vSwitch) => vSwitch.id === id))
    const single = unlisted.length > 0 ? await cloud.describeVSwitches({ ids: unlisted }, { priority }) : []
    return new Map([...listed, ...single].map((vSwitch) => [vSwitch.id, vSwitch]))
  }
}
