/** Values by prefix; an address has that of the longest prefix it is in. */
import { type Cidr, cidrOf, type Family, familyOf, type Ip, splitCidr } from '../../inet/address.ts'

export class Prefixes<Value extends NonNullable<unknown>> {
  readonly #values = new Map<Cidr, Value>()
  /** Those that occur, the longest first: a lookup costs as many steps as there are lengths. */
  readonly #lengths: Readonly<Record<Family, number[]>> = { ipv4: [], ipv6: [] }

  set(cidr: Cidr, value: Value): void {
    const { length } = splitCidr(cidr)
    const lengths = this.#lengths[familyOf(cidr)]
    if (!lengths.includes(length)) lengths.push(length)
    lengths.sort((a, b) => b - a)
    this.#values.set(cidr, value)
  }

  of(ip: Ip): Value | undefined {
    for (const length of this.#lengths[familyOf(ip)]) {
      const value = this.#values.get(cidrOf(ip, length))
      if (value !== undefined) return value
    }
    return undefined
  }
}
