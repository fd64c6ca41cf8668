/** What one namespace holds, read on demand and once: many plans can be compared with the same reading. */
import type { Cidr, Family, Ip } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import { type Address, listAddresses } from './address.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { type Filter, listFilters } from './filter.ts'
import { getLink, type Link } from './link.ts'
import { listNeighbours, type Neighbour } from './neighbour.ts'
import type { NetnsRef } from './netns.ts'
import { listQdiscs, type Qdisc } from './qdisc.ts'
import { listRoutes, type Route } from './route.ts'
import { listRules, type Rule } from './rule.ts'
import type { NetlinkSocket } from './socket.ts'

/** Source marks as the kernel has them, and what is wrong with the table that they are in. */
export interface MarksFound {
  readonly problems: readonly string[]
  readonly marks: ReadonlyMap<Ip, number>
}

export interface ViewOptions {
  readonly socket: NetlinkSocket
  /** Where sysctls are read; the namespace the thread is in when absent. */
  readonly netns: NetnsRef | undefined
  /** Plans have marks on the host only. */
  readonly readMarks?: () => MarksFound
}

/** By which rules are looked up: a node can have thousands of one priority. */
type RuleSelector = Pick<Rule, 'priority' | 'source' | 'destination'>

/** Of more links the neighbours are read at once: the kernel goes through all of them whichever are asked for. */
const FEW_LINKS = 4

const keyOf = ({ priority, source, destination }: RuleSelector) => `${priority} ${source ?? ''} ${destination ?? ''}`

export class KernelView {
  readonly netns: NetnsRef | undefined
  readonly #socket: NetlinkSocket
  readonly #readMarks: () => MarksFound
  readonly #links = new Map<string, Link | undefined>()
  readonly #addresses = new Map<number, Address[]>()
  readonly #neighbours = new Map<number, Neighbour[]>()
  #allNeighbours: Map<number, Neighbour[]> | undefined
  readonly #routes = new Map<string, Map<Cidr, Route[]>>()
  readonly #rules = new Map<Family, Map<string, Rule[]>>()
  #qdiscs: Map<number, Qdisc[]> | undefined
  readonly #filters = new Map<string, Filter[]>()
  #marks: MarksFound | undefined

  constructor({ socket, netns, readMarks = () => ({ problems: [], marks: new Map() }) }: ViewOptions) {
    this.#socket = socket
    this.netns = netns
    this.#readMarks = readMarks
  }

  link(name: LinkName): Link | undefined {
    if (!this.#links.has(name)) this.#links.set(name, getLink(this.#socket, name))
    return this.#links.get(name)
  }

  /** None when the link does not exist. */
  addresses(ifindex: number): readonly Address[] {
    return once(this.#addresses, ifindex, () => emptyWithoutLink(() => listAddresses(this.#socket, { ifindex })))
  }

  /** None when the link does not exist. */
  neighbours(ifindex: number): readonly Neighbour[] {
    if (this.#neighbours.size >= FEW_LINKS && !this.#neighbours.has(ifindex)) {
      this.#allNeighbours ??= Map.groupBy(listNeighbours(this.#socket), (neighbour) => neighbour.ifindex)
      return this.#allNeighbours.get(ifindex) ?? []
    }
    return once(this.#neighbours, ifindex, () => emptyWithoutLink(() => listNeighbours(this.#socket, { ifindex })))
  }

  routes(family: Family, table: number, destination: Cidr): readonly Route[] {
    const all = once(this.#routes, `${family} ${table}`, () =>
      Map.groupBy(listRoutes(this.#socket, { family, table }), (route) => route.destination),
    )
    return all.get(destination) ?? []
  }

  rules(family: Family, selector: RuleSelector): readonly Rule[] {
    const all = once(this.#rules, family, () => Map.groupBy(listRules(this.#socket, { family }), keyOf))
    return all.get(keyOf(selector)) ?? []
  }

  /** The kernel lists those of all devices in any case. */
  qdiscs(ifindex: number): readonly Qdisc[] {
    this.#qdiscs ??= Map.groupBy(listQdiscs(this.#socket), (qdisc) => qdisc.ifindex)
    return this.#qdiscs.get(ifindex) ?? []
  }

  /** None when the link does not exist, or has no such place. */
  filters(ifindex: number, parent: number): readonly Filter[] {
    return once(this.#filters, `${ifindex} ${parent}`, () =>
      emptyWithoutLink(() => listFilters(this.#socket, { ifindex, parent })),
    )
  }

  marks(): MarksFound {
    this.#marks ??= this.#readMarks()
    return this.#marks
  }
}

function once<Key, Value>(known: Map<Key, Value>, key: Key, read: () => Value): Value {
  const value = known.get(key) ?? read()
  known.set(key, value)
  return value
}

function emptyWithoutLink<T>(list: () => T[]): T[] {
  try {
    return list()
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return []
    throw error
  }
}
