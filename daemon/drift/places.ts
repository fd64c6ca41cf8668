/** Where objects of the host stand: the key that tells one from all others of its kind, of a plan as of an event. */
import type { EniId } from '../../cloud/ids.ts'
import type { Cidr, Ip } from '../../inet/address.ts'
import type { RuleAddition } from '../../netlink/rule.ts'
import type { Owner } from '../pool/model.ts'

/** For whom a plan is: an endpoint, an ENI, or the node itself. */
export type PlanOwner = Owner | EniId | 'node'

/** An endpoint may stand at the same place as another: both plans want the object. A plan has one object at a place. */
export class Places<Spec> {
  readonly #specs = new Map<string, Map<PlanOwner, Spec>>()

  put(place: string, owner: PlanOwner, spec: Spec): void {
    const owners = this.#specs.get(place)
    if (owners === undefined) this.#specs.set(place, new Map([[owner, spec]]))
    else owners.set(owner, spec)
  }

  take(place: string, owner: PlanOwner): void {
    const owners = this.#specs.get(place)
    if (owners?.delete(owner) === true && owners.size === 0) this.#specs.delete(place)
  }

  at(place: string): ReadonlyMap<PlanOwner, Spec> {
    return this.#specs.get(place) ?? NOBODY
  }
}

const NOBODY = new Map<PlanOwner, never>()

/** The kernel changes no rule, it has it or not: a rule is its own place. */
export function placeOfRule(rule: RuleAddition): string {
  const { family, priority, source, destination, inputDevice, outputDevice, mark, table } = rule
  return [family, priority, source, destination, inputDevice, outputDevice, mark?.value, mark?.mask, table].join(' ')
}

/** The destination has a family. */
export const placeOfRoute = ({ table, destination }: { readonly table: number; readonly destination: Cidr }): string =>
  `${table} ${destination}`

/** Of an address or a neighbour. */
export const placeOnLink = (ifindex: number, address: Ip): string => `${ifindex} ${address}`

export const placeOfLink = (ifindex: number): string => String(ifindex)
