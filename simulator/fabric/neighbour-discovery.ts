/**
 * The VPC's answer to whoever looks for an IPv6 neighbour: the router has every address that it can route.
 *
 * The kernel does that for IPv4 by itself (proxy_arp); for IPv6 it would need an entry for each address on each link,
 * and could not do it for prefixes. So questions are heard and answered here. Not for addresses of the same ENI: they
 * are the guest's affair.
 */
import type { Ipv6 } from '../../inet/address.ts'
import { SystemCallError } from '../../netlink/error.ts'
import { type Solicitation, SolicitationSocket } from '../../netlink/neighbour-solicitation.ts'
import { type Netns, openNetns } from '../../netlink/netns.ts'
import type { EniId } from '../region/ids.ts'
import { linkNames, netnsPath } from './netns.ts'
import { GATEWAY_MAC } from './plug.ts'

export interface NeighbourDiscoveryOptions {
  /** Name of the router's namespace. */
  readonly netns: string
  /** The ENIs that packets to the address go to. */
  readonly ownersOf: (ip: Ipv6) => readonly EniId[]
}

/** Milliseconds between two looks; a guest asks again after a second. */
const INTERVAL = 20
/** Questions between two breaths of the event loop: a guest may ask faster than anybody can answer. */
const MAX_PER_TURN = 64

export class NeighbourDiscovery {
  readonly #ownersOf: NeighbourDiscoveryOptions['ownersOf']
  /** Held open: it cannot go while somebody is heard in it. */
  readonly #netns: Netns
  readonly #socket: SolicitationSocket
  /** By index, which no later link gets. */
  #links: ReadonlyMap<number, string> = new Map()
  #hasLooked = false
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined

  /** @throws NetnsError, SystemCallError */
  constructor({ netns, ownersOf }: NeighbourDiscoveryOptions) {
    this.#ownersOf = ownersOf
    this.#netns = openNetns(netnsPath(netns))
    try {
      this.#socket = new SolicitationSocket(this.#netns)
    } catch (error) {
      this.#netns.close()
      throw error
    }
    this.#rest()
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#soon)
    this.#socket.close()
    this.#netns.close()
  }

  #rest(): void {
    this.#timer = setTimeout(() => this.#turn(), INTERVAL)
    this.#timer.unref()
  }

  #turn(): void {
    this.#hasLooked = false
    for (let count = 0; count < MAX_PER_TURN; count++) {
      const heard = this.#socket.receive()
      if (heard === undefined) {
        this.#rest()
        return
      }
      if (heard !== 'cut off' && this.#answers(heard)) this.#answer(heard)
    }
    this.#soon = setImmediate(() => this.#turn())
  }

  #answers(solicitation: Solicitation): boolean {
    if (solicitation.source === '::') return false
    const owners = this.#ownersOf(solicitation.target)
    if (owners.length === 0) return false
    const askers = this.#askersOf(solicitation)
    return askers.length > 0 && !owners.some((eni) => askers.includes(eni))
  }

  #askersOf({ source, ifindex }: Solicitation): readonly string[] {
    if (ifindex === 0) return this.#ownersOf(source)
    const link = this.#linkOf(ifindex)
    return link === undefined ? [] : [link]
  }

  /** Links that are new since the last look cost another one, but not for each question. */
  #linkOf(ifindex: number): string | undefined {
    if (!this.#links.has(ifindex) && !this.#hasLooked) {
      this.#links = linkNames(this.#netns)
      this.#hasLooked = true
    }
    return this.#links.get(ifindex)
  }

  #answer(solicitation: Solicitation): void {
    try {
      this.#socket.answer(solicitation, GATEWAY_MAC)
    } catch (error) {
      // The asker's link has gone since it asked.
      if (!(error instanceof SystemCallError)) throw error
    }
  }
}
