/** Which addresses of one CIDR block of a vSwitch are in use, one by one or as prefixes of ENIs. */
import {
  addressAt,
  bitsOf,
  type Cidr,
  cidrContains,
  cidrOf,
  cidrSize,
  type Family,
  familyOf,
  type Ip,
  type Ipv4,
  ipToBytes,
  splitCidr,
} from '../../inet/address.ts'

/** The cloud keeps the first address and the last three (IPv6: nine) of every vSwitch for itself (VPC documentation). */
const RESERVED_FIRST = 1n
const RESERVED_LAST: Readonly<Record<Family, bigint>> = { ipv4: 3n, ipv6: 9n }

/** Length of a prefix of an ENI (ECS documentation, "Prefixes"). */
export const PREFIX_LENGTH: Readonly<Record<Family, number>> = { ipv4: 28, ipv6: 80 }
/** Addresses in an IPv4 prefix. */
export const IPS_PER_PREFIX = 16

function numberOf(ip: Ip): bigint {
  return ipToBytes(ip).reduce((value, byte) => value * 256n + BigInt(byte), 0n)
}

function offsetIn(cidr: Cidr, ip: Ip): bigint {
  return numberOf(ip) - numberOf(splitCidr(cidr).network)
}

/** First offset of the addresses at the end that are never given out. */
function endOf(cidr: Cidr): bigint {
  return cidrSize(cidr) - RESERVED_LAST[familyOf(cidr)]
}

/** `ip` is inside `cidr`. */
export function isReserved(cidr: Cidr, ip: Ip): boolean {
  const offset = offsetIn(cidr, ip)
  return offset < RESERVED_FIRST || offset >= endOf(cidr)
}

/**
 * The lowest free address is given out first: an address that was returned comes back at once, which is the hardest a
 * cloud can be on clients that are slow to forget it. The same goes for prefixes.
 */
export class VSwitchAddresses<A extends Ip = Ipv4> {
  readonly cidr: Cidr
  readonly #end: bigint
  readonly #prefixLength: number
  /** Host bits of a prefix. */
  readonly #shift: bigint
  /** Offsets in the CIDR block. */
  readonly #used = new Set<bigint>()
  /** Numbers of blocks as large as a prefix. */
  readonly #prefixes = new Set<bigint>()
  /** Single addresses in use, by block. */
  readonly #usedIn = new Map<bigint, number>()
  /** Nothing below is free. */
  #lowest = RESERVED_FIRST
  /** The first block holds the first address, which is the cloud's. */
  #lowestBlock = 1n

  constructor(cidr: Cidr) {
    const family = familyOf(cidr)
    this.cidr = cidr
    this.#end = endOf(cidr)
    this.#prefixLength = PREFIX_LENGTH[family]
    this.#shift = BigInt(bitsOf(family) - this.#prefixLength)
  }

  /** Single addresses that can be given out. For IPv6 a number that no caller comes near. */
  get available(): number {
    const taken = BigInt(this.#used.size) + (BigInt(this.#prefixes.size) << this.#shift)
    return Number(this.#end - RESERVED_FIRST - taken)
  }

  /** An address that can be assigned: inside the vSwitch and not one of the cloud's own. */
  isUsable(ip: A): boolean {
    return cidrContains(this.cidr, ip) && !isReserved(this.cidr, ip)
  }

  /** A prefix that can be assigned: of the right length, inside the vSwitch, without an address of the cloud's own. */
  isUsablePrefix(prefix: Cidr): boolean {
    return (
      familyOf(prefix) === familyOf(this.cidr) &&
      splitCidr(prefix).length === this.#prefixLength &&
      [0n, -1n].every((offset) => this.isUsable(addressAt(prefix, offset) as A))
    )
  }

  /** Neither in use nor inside a prefix that is. */
  isFree(ip: A): boolean {
    return this.#isFree(offsetIn(this.cidr, ip))
  }

  isFreePrefix(prefix: Cidr): boolean {
    return this.#isFreeBlock(this.#blockOf(prefix))
  }

  lowestFree(): A | undefined {
    for (let offset = this.#lowest; offset < this.#end; offset++) {
      if (!this.#isFree(offset)) continue
      this.#lowest = offset
      return addressAt(this.cidr, offset) as A
    }
    return undefined
  }

  lowestFreePrefix(): Cidr | undefined {
    for (let block = this.#lowestBlock; (block + 1n) << this.#shift <= this.#end; block++) {
      if (!this.#isFreeBlock(block)) continue
      this.#lowestBlock = block
      return cidrOf(addressAt(this.cidr, block << this.#shift), this.#prefixLength)
    }
    return undefined
  }

  /** The caller has checked that it is usable and free. */
  take(ip: A): void {
    const offset = offsetIn(this.cidr, ip)
    if (!this.isUsable(ip) || !this.#isFree(offset)) throw new Error(`${ip} of ${this.cidr} cannot be taken`)
    this.#used.add(offset)
    this.#count(offset >> this.#shift, 1)
  }

  /** The caller has checked that it is usable and free. */
  takePrefix(prefix: Cidr): void {
    const block = this.#blockOf(prefix)
    if (!this.isUsablePrefix(prefix) || !this.#isFreeBlock(block)) {
      throw new Error(`${prefix} of ${this.cidr} cannot be taken`)
    }
    this.#prefixes.add(block)
  }

  free(ip: A): void {
    const offset = offsetIn(this.cidr, ip)
    if (!this.#used.delete(offset)) throw new Error(`${ip} of ${this.cidr} is not in use`)
    this.#count(offset >> this.#shift, -1)
    this.#reopen(offset, offset >> this.#shift)
  }

  freePrefix(prefix: Cidr): void {
    const block = this.#blockOf(prefix)
    if (!this.#prefixes.delete(block)) throw new Error(`${prefix} of ${this.cidr} is not in use`)
    this.#reopen(block << this.#shift, block)
  }

  #blockOf(prefix: Cidr): bigint {
    return offsetIn(this.cidr, splitCidr(prefix).network) >> this.#shift
  }

  #isFree(offset: bigint): boolean {
    return !this.#used.has(offset) && !this.#prefixes.has(offset >> this.#shift)
  }

  #isFreeBlock(block: bigint): boolean {
    return !this.#prefixes.has(block) && !this.#usedIn.has(block)
  }

  #count(block: bigint, change: number): void {
    const used = (this.#usedIn.get(block) ?? 0) + change
    if (used === 0) this.#usedIn.delete(block)
    else this.#usedIn.set(block, used)
  }

  #reopen(offset: bigint, block: bigint): void {
    if (offset < this.#lowest) this.#lowest = offset
    if (block > 0n && block < this.#lowestBlock) this.#lowestBlock = block
  }
}
