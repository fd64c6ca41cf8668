/** What one namespace holds, read on demand and once: many plans can be compared with the same reading. */
import type { Family } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import { type Address, listAddresses } from './address.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { getLink, type Link } from './link.ts'
import { listNeighbours, type Neighbour } from './neighbour.ts'
import type { NetnsRef } from './netns.ts'
import { listRoutes, type Route } from './route.ts'
import { listRules, type Rule } from './rule.ts'
import type { NetlinkSocket } from './socket.ts'

export class KernelView {
  /** Where sysctls are read; the namespace the thread is in when absent. */
  readonly netns: NetnsRef | undefined
  readonly #socket: NetlinkSocket
  readonly #links = new Map<string, Link | undefined>()
  readonly #addresses = new Map<number, Address[]>()
  readonly #neighbours = new Map<number, Neighbour[]>()
  readonly #routes = new Map<string, Route[]>()
  readonly #rules = new Map<Family, Rule[]>()

  constructor(socket: NetlinkSocket, netns: NetnsRef | undefined) {
    this.#socket = socket
    this.netns = netns
  }

  link(name: LinkName): Link | undefined {
    return once(this.#links, name, () => getLink(this.#socket, name))
  }

  /** None when the link does not exist. */
  addresses(ifindex: number): Address[] {
    return once(this.#addresses, ifindex, () => emptyWithoutLink(() => listAddresses(this.#socket, { ifindex })))
  }

  /** None when the link does not exist. */
  neighbours(ifindex: number): Neighbour[] {
    return once(this.#neighbours, ifindex, () => emptyWithoutLink(() => listNeighbours(this.#socket, { ifindex })))
  }

  routes(family: Family, table: number): Route[] {
    return once(this.#routes, `${family} ${table}`, () => listRoutes(this.#socket, { family, table }))
  }

  rules(family: Family): Rule[] {
    return once(this.#rules, family, () => listRules(this.#socket, { family }))
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
