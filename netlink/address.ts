/** Addresses on links. */
import { type Family, familyOf, type Ip, ipFromBytes, ipToBytes } from '../inet/address.ts'
import { decodeAttributes, encode, formatAddressMessage, MessageType, readCString, readU32 } from './codec.ts'
import { familyFromNumber, familyNumber } from './family.ts'
import { type Message, NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts'
import type { Scope } from './plan.ts'
import { formatScope, SCOPE_NUMBERS } from './scope.ts'
import type { Dumper } from './socket.ts'

/** linux/if_addr.h */
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_LABEL = 3
const IFA_FLAGS = 8
const IFA_F_TENTATIVE = 0x40
const IFA_F_PERMANENT = 0x80
const HEADER = 8

export interface AddressKey {
  readonly ifindex: number
  readonly address: Ip
  readonly prefixLength: number
}

/** An address of a link. */
export interface Address extends AddressKey {
  readonly family: Family
  /** `global`, `link`, `host`, or a number. For IPv6 the kernel derives it from the address. */
  readonly scope: string
  /** Duplicate address detection has not ended (IPv6). */
  readonly tentative: boolean
  /** No lifetime: not from DHCP or a router advertisement. */
  readonly permanent: boolean
  /** IPv4 only. */
  readonly label?: string
}

function message({ ifindex, address, prefixLength }: AddressKey, scope: Scope | undefined): Buffer {
  const bytes = Buffer.from(ipToBytes(address))
  const ipv6 = familyOf(address) === 'ipv6'
  return encode((out) =>
    formatAddressMessage(
      {
        kind: 'address',
        data: {
          family: familyNumber(familyOf(address)),
          prefixlen: prefixLength,
          index: ifindex,
          scope: SCOPE_NUMBERS[scope ?? 'global'],
        },
        attrs: {
          local: bytes,
          address: bytes,
          // The cloud hands out every address once, and a pod may use its own without waiting a second.
          ...(ipv6 ? { flags: { nodad: true } } : {}),
        },
      },
      out,
    ),
  )
}

function describe({ ifindex, address, prefixLength }: AddressKey): string {
  return `address ${address}/${prefixLength} dev ${ifindex}`
}

/** IPv6 addresses skip duplicate address detection. ENODEV when the link is gone. */
export function addAddress(spec: AddressKey & { readonly scope?: Scope }): Request {
  return {
    type: MessageType.NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    payload: message(spec, spec.scope),
    text: `add ${describe(spec)}`,
  }
}

/** EADDRNOTAVAIL when there is no such address, ENODEV when there is no such link. */
export function deleteAddress(key: AddressKey): Request {
  return { type: MessageType.DELADDR, flags: 0, payload: message(key, undefined), text: `delete ${describe(key)}` }
}

export interface AddressFilter {
  readonly family?: Family
  readonly ifindex?: number
}

/** @throws NetlinkError, `ENODEV` when the link of the filter does not exist; kernels before 4.20 list none then. */
export function listAddresses(socket: Dumper, { family, ifindex }: AddressFilter = {}): Address[] {
  const data = { family: family === undefined ? 0 : familyNumber(family), index: ifindex ?? 0 }
  return (
    socket
      .dump({
        type: MessageType.GETADDR,
        flags: 0,
        payload: encode((out) => formatAddressMessage({ kind: 'address', data, attrs: {} }, out)),
        text: `list addresses${ifindex === undefined ? '' : ` dev ${ifindex}`}`,
      })
      .flatMap((reply) => parseAddress(reply) ?? [])
      // Kernels before 4.20 list those of all links.
      .filter((address) => ifindex === undefined || address.ifindex === ifindex)
  )
}

/** Decodes RTM_NEWADDR or RTM_DELADDR; `undefined` for families other than IPv4 and IPv6. */
export function parseAddress({ payload }: Message): Address | undefined {
  const family = familyFromNumber(payload.readUInt8(0))
  const attributes = decodeAttributes(payload.subarray(HEADER))
  // On a point-to-point link IFA_ADDRESS is the other side; IFA_LOCAL, where present, is always ours.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
  if (family === undefined || bytes === undefined) return undefined
  const wide = attributes.get(IFA_FLAGS)
  const flags = wide === undefined ? payload.readUInt8(2) : readU32(wide)
  const label = attributes.get(IFA_LABEL)
  return {
    family,
    ifindex: readU32(payload, 4),
    address: ipFromBytes(bytes),
    prefixLength: payload.readUInt8(1),
    scope: formatScope(payload.readUInt8(3)),
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    permanent: (flags & IFA_F_PERMANENT) !== 0,
    ...(label === undefined ? {} : { label: readCString(label) }),
  }
}
