/**
 * IP addresses, prefixes and MAC addresses as branded values.
 *
 * Every text that names an address is parsed once, where it enters the program; inside, the canonical text is the
 * value, so it can be a map key, a database column and a log field without conversion. IPv4 is dotted decimal without
 * leading zeros; IPv6 follows RFC 5952; MAC addresses are lower case with colons.
 */

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type Ipv4 = Branded<'Ipv4'>
export type Ipv6 = Branded<'Ipv6'>
export type Ip = Ipv4 | Ipv6
/** A network with all host bits zero, `10.0.0.0/24` or `fd00::/64`. */
export type Cidr = Branded<'Cidr'>
export type Mac = Branded<'Mac'>
export type Family = 'ipv4' | 'ipv6'

/** The text is not an address, prefix or MAC address of the kind that was asked for. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

function ipv4Bytes(text: string): Uint8Array | undefined {
  const match = IPV4.exec(text)
  if (match === null) return undefined
  const octets = match.slice(1).map(Number)
  return octets.every((octet) => octet <= 255) ? Uint8Array.from(octets) : undefined
}

function hextets(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const tail = index === parts.length - 1 ? ipv4Bytes(part) : undefined
      if (tail === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = tail
      groups.push((a << 8) | b, (c << 8) | d)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16))
    } else {
      return undefined
    }
  }
  return groups
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = hextets(halves[0] ?? '')
  const tail = halves.length === 2 ? hextets(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // "::" stands for at least one group (RFC 4291 §2.2); without it all eight must be there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function formatIpv6(bytes: Uint8Array): Ipv6 {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  let best = { start: -1, length: 1 } // RFC 5952 §4.2.2: a single zero group is not shortened
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = (list: number[]) => list.map((group) => group.toString(16)).join(':')
  const text =
    best.start < 0 ? hex(groups) : `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`
  return text as Ipv6
}

/** Bytes in network order: 4 for IPv4, 16 for IPv6. */
export function ipToBytes(ip: Ip): Uint8Array {
  const bytes = ipv4Bytes(ip) ?? ipv6Bytes(ip)
  if (bytes === undefined) throw new AddressError(`not an IP address: ${JSON.stringify(ip)}`)
  return bytes
}

/** @throws AddressError unless there are 4 or 16 bytes. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return bytes.join('.') as Ipv4
  if (bytes.length === 16) return formatIpv6(bytes)
  throw new AddressError(`an IP address has 4 or 16 bytes, not ${bytes.length}`)
}

/** @throws AddressError when the text is neither IPv4 nor IPv6. Zones (`fe80::1%eth0`) are not accepted. */
export function parseIp(text: string): Ip {
  const bytes = ipv4Bytes(text) ?? ipv6Bytes(text)
  if (bytes === undefined) throw new AddressError(`not an IP address: ${JSON.stringify(text)}`)
  return ipFromBytes(bytes)
}

/** @throws AddressError when the text is not IPv4. */
export function parseIpv4(text: string): Ipv4 {
  const bytes = ipv4Bytes(text)
  if (bytes === undefined) throw new AddressError(`not an IPv4 address: ${JSON.stringify(text)}`)
  return ipFromBytes(bytes) as Ipv4
}

/** @throws AddressError when the text is not IPv6. */
export function parseIpv6(text: string): Ipv6 {
  const ip = parseIp(text)
  if (familyOf(ip) !== 'ipv6') throw new AddressError(`not an IPv6 address: ${JSON.stringify(text)}`)
  return ip as Ipv6
}

export function familyOf(address: Ip | Cidr): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/** Bits of an address of the family: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 'ipv4' ? 32 : 128
}

function toBigInt(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

function fromBigInt(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn))
}

/** The network and prefix length of a prefix. */
export function splitCidr(cidr: Cidr): { readonly network: Ip; readonly length: number } {
  const slash = cidr.indexOf('/')
  return { network: cidr.slice(0, slash) as Ip, length: Number(cidr.slice(slash + 1)) }
}

/** `10.0.0.7/24` becomes `10.0.0.0/24`. @throws AddressError when it is not an address, a slash and a length. */
export function parseCidr(text: string): Cidr {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  if (match === null) throw new AddressError(`not a prefix like 10.0.0.0/24: ${JSON.stringify(text)}`)
  return cidrOf(parseIp(match[1] ?? ''), Number(match[2]))
}

/** The network of `length` bits that holds the address. @throws AddressError when the length does not fit the family. */
export function cidrOf(ip: Ip, length: number): Cidr {
  const bytes = ipToBytes(ip)
  const bits = bytes.length * 8
  if (!Number.isInteger(length) || length < 0 || length > bits) {
    throw new AddressError(`prefix length of ${ip} must be 0 to ${bits}, not ${length}`)
  }
  const host = BigInt(bits - length)
  const network = (toBigInt(bytes) >> host) << host
  return `${ipFromBytes(fromBigInt(network, bytes.length))}/${length}` as Cidr
}

/** The address as a prefix of its own: `/32` or `/128`. */
export function hostCidr(ip: Ip): Cidr {
  return `${ip}/${bitsOf(familyOf(ip))}` as Cidr
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  return familyOf(cidr) === familyOf(ip) && cidrOf(ip, splitCidr(cidr).length) === cidr
}

/** Number of addresses in the prefix, network and broadcast included. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(bitsOf(familyOf(cidr)) - splitCidr(cidr).length)
}

/**
 * The address at an offset; a negative offset counts from the end (-1 is the last address).
 * @throws AddressError when the offset is outside the prefix.
 */
export function addressAt(cidr: Cidr, offset: bigint): Ip {
  const size = cidrSize(cidr)
  const index = offset < 0n ? size + offset : offset
  if (index < 0n || index >= size) throw new AddressError(`${cidr} has no address at offset ${offset}`)
  const bytes = ipToBytes(splitCidr(cidr).network)
  return ipFromBytes(fromBigInt(toBigInt(bytes) + index, bytes.length))
}

/**
 * Gateway of a vSwitch, as the VPC documentation fixes it: for IPv4 the third address from the end (10.0.8.0/21 →
 * 10.0.15.253), for IPv6 the ninth (…:ffff:ffff:ffff:fff7). @throws AddressError for prefixes with fewer addresses.
 */
export function vSwitchGateway(cidr: Cidr): Ip {
  return addressAt(cidr, familyOf(cidr) === 'ipv4' ? -3n : -9n)
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

/** @throws AddressError unless the text is six bytes in hex, separated by colons or hyphens. */
export function parseMac(text: string): Mac {
  const canonical = text.toLowerCase().replaceAll('-', ':')
  if (!MAC.test(canonical)) throw new AddressError(`not a MAC address: ${JSON.stringify(text)}`)
  return canonical as Mac
}

export function macToBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16))
}

export function macFromBytes(bytes: Uint8Array): Mac {
  return parseMac(
    Buffer.from(bytes)
      .toString('hex')
      .replace(/..(?=.)/g, '$&:'),
  )
}
