/** Which addresses of a vSwitch are in use. */
import { addressAt, type Cidr, cidrContains, cidrSize, type Ipv4, parseIpv4 } from '../../inet/address.ts'

/** The cloud keeps the first and the last three addresses of every vSwitch for itself (VPC documentation). */
const RESERVED_FIRST = 1n
const RESERVED_LAST = 3n

export function isReserved(cidr: Cidr, ip: Ipv4): boolean {
  return [0n, -1n, -2n, -3n].some((offset) => addressAt(cidr, offset) === ip)
}

/**
 * The lowest free address is given out first: an address that was returned comes back at once, which is the hardest a
 * cloud can be on clients that are slow to forget it.
 */
export class VSwitchAddresses {
  readonly cidr: Cidr
  readonly #used = new Set<Ipv4>()
  /** Everything below is in use. */
  #lowest = RESERVED_FIRST

  constructor(cidr: Cidr) {
    this.cidr = cidr
  }

  get available(): number {
    return Number(cidrSize(this.cidr) - RESERVED_FIRST - RESERVED_LAST) - this.#used.size
  }

  isUsed(ip: Ipv4): boolean {
    return this.#used.has(ip)
  }

  /** An address that can be assigned: inside the vSwitch and not one of the cloud's own. */
  isUsable(ip: Ipv4): boolean {
    return cidrContains(this.cidr, ip) && !isReserved(this.cidr, ip)
  }

  take(ip: Ipv4): void {
    if (this.#used.has(ip) || !this.isUsable(ip)) throw new Error(`${ip} of ${this.cidr} cannot be taken`)
    this.#used.add(ip)
  }

  /** The caller has checked `available`. */
  takeLowest(): Ipv4 {
    for (let offset = this.#lowest; offset < cidrSize(this.cidr) - RESERVED_LAST; offset++) {
      const ip = parseIpv4(addressAt(this.cidr, offset))
      if (this.#used.has(ip)) continue
      this.#used.add(ip)
      this.#lowest = offset + 1n
      return ip
    }
    throw new Error(`${this.cidr} has no free address`)
  }

  free(ip: Ipv4): void {
    this.#used.delete(ip)
    this.#lowest = RESERVED_FIRST
  }
}
