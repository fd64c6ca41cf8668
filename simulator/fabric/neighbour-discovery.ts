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
  /** The ENI that packets to the address go to. */
  readonly ownerOf: (ip: Ipv6) => EniId | undefined
}

/** Milliseconds between two looks; a guest asks again after a second. */
const INTERVAL = 20

export class NeighbourDiscovery {
  readonly #ownerOf: NeighbourDiscoveryOptions['ownerOf']
  /** Held open: it cannot go while somebody is heard in it. */
  readonly #netns: Netns
  readonly #socket: SolicitationSocket
  readonly #timer: NodeJS.Timeout

  /** @throws NetnsError, SystemCallError */
  constructor({ netns, ownerOf }: NeighbourDiscoveryOptions) {
    this.#ownerOf = ownerOf
    this.#netns = openNetns(netnsPath(netns))
    try {
      this.#socket = new SolicitationSocket(this.#netns)
    } catch (error) {
      this.#netns.close()
      throw error
    }
    this.#timer = setInterval(() => this.#drain(), INTERVAL)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#socket.close()
    this.#netns.close()
  }

  #drain(): void {
    for (let heard = this.#socket.receive(); heard !== undefined; heard = this.#socket.receive()) {
      if (this.#answers(heard)) this.#answer(heard)
    }
  }

  #answers(solicitation: Solicitation): boolean {
    if (solicitation.source === '::') return false
    const owner = this.#ownerOf(solicitation.target)
    return owner !== undefined && owner !== this.#askerOf(solicitation)
  }

  #askerOf({ source, ifindex }: Solicitation): string | undefined {
    return ifindex === 0 ? this.#ownerOf(source) : linkNames(this.#netns).get(ifindex)
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
