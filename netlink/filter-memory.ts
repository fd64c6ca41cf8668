/**
 * What was last seen of qdiscs and filters on devices that many plans share. To find one filter among those of a
 * thousand pods, or the qdiscs of one device of as many, the kernel would have to list all; with its handle, which the
 * kernel chose, it is asked for alone.
 *
 * A handle that no longer leads to what it did is noticed. That somebody else added or replaced something is not: see
 * `forget`.
 */
import {
  type Filter,
  type FilterPlace,
  filterParent,
  findFilter,
  getFilter,
  listFilters,
  matchOf,
  parseFilter,
  wantedMatch,
} from './filter.ts'
import type { Message } from './message.ts'
import type { FilterSpec } from './plan.ts'
import { listQdiscs, type Qdisc } from './qdisc.ts'
import type { NetlinkSocket } from './socket.ts'

/** Where filters are listed together. */
type Place = Pick<Filter, 'ifindex' | 'parent' | 'priority'>

const keyOf = ({ ifindex, parent, priority }: Place): string => `${ifindex} ${parent} ${priority}`

function placeOf(spec: FilterSpec, place: FilterPlace): Place {
  return { ifindex: place.ifindex, parent: filterParent(spec, place), priority: spec.priority }
}

export class FilterMemory {
  readonly #socket: NetlinkSocket
  readonly #qdiscs = new Map<number, readonly Qdisc[]>()
  /** By place, then by what they match. */
  readonly #filters = new Map<string, Map<string, readonly Filter[]>>()

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Of one device. @throws NetlinkError */
  qdiscs(ifindex: number): readonly Qdisc[] {
    const found = this.#qdiscs.get(ifindex) ?? listQdiscs(this.#socket, { ifindex })
    this.#qdiscs.set(ifindex, found)
    return found
  }

  /** They were changed. */
  forgetQdiscs(ifindex: number): void {
    this.#qdiscs.delete(ifindex)
  }

  /** All that `findFilter` could find, in the order in which packets meet them, as they are now. @throws NetlinkError */
  find(spec: FilterSpec, place: FilterPlace): readonly Filter[] {
    const where = placeOf(spec, place)
    const match = wantedMatch(spec)
    const remembered = (this.#filters.get(keyOf(where)) ?? this.#read(where)).get(match) ?? []
    const now = remembered.flatMap((filter) => getFilter(this.#socket, filter) ?? [])
    const same = now.filter((filter) => findFilter(spec, place, [filter]) !== undefined)
    return same.length === remembered.length ? same : (this.#read(where).get(match) ?? [])
  }

  /** A filter was added; `told` is the kernel's echo. */
  added(spec: FilterSpec, place: FilterPlace, told: readonly Message[]): void {
    const key = keyOf(placeOf(spec, place))
    const [filter] = told.flatMap((message) => parseFilter(message) ?? [])
    if (filter === undefined) this.#filters.delete(key)
    else this.#keep(key, matchOf(filter), (known) => [...known, filter])
  }

  removed(filter: Filter): void {
    this.#keep(keyOf(filter), matchOf(filter), (known) => known.filter(({ handle }) => handle !== filter.handle))
  }

  #keep(key: string, match: string, change: (known: readonly Filter[]) => readonly Filter[]): void {
    const place = this.#filters.get(key)
    const left = change(place?.get(match) ?? [])
    if (left.length > 0) place?.set(match, left)
    else place?.delete(match)
  }

  /** After this everything is looked up again. @returns whether there was anything to forget. */
  forget(): boolean {
    const knew = this.#qdiscs.size > 0 || this.#filters.size > 0
    this.#qdiscs.clear()
    this.#filters.clear()
    return knew
  }

  #read(place: Place): Map<string, readonly Filter[]> {
    const plain = listFilters(this.#socket, place).filter(({ special }) => !special)
    const known = new Map<string, readonly Filter[]>(Map.groupBy(plain, matchOf))
    this.#filters.set(keyOf(place), known)
    return known
  }
}
