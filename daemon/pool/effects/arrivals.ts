/** What the cloud has just assigned to an ENI, as changes of the records. Pure. */
import { addressAt, type Cidr, familyOf, type Ip } from '../../../inet/address.ts'
import { type AddressRecord, type Change, type EniKey, isLost, type PrefixRecord } from '../model.ts'
import { regained } from '../regained.ts'
import { PREFIX_SIZE } from '../settings.ts'
import type { PoolState } from '../tables.ts'

export interface Arrival {
  readonly eni: EniKey
  readonly primaryIp?: Ip
  /** Single addresses of either family, the primary one included. */
  readonly ips: readonly Ip[]
  readonly prefixes: readonly Cidr[]
}

export function arrivals(state: PoolState, { eni, primaryIp, ips, prefixes }: Arrival, now: number): Change[] {
  const single = ips.map((ip): Place => ({ ip, eni, primary: ip === primaryIp }))
  const inPrefixes = prefixes.flatMap((prefix) =>
    addressesIn(state, prefix).map((ip): Place => ({ ip, eni, primary: false, prefix })),
  )
  return [
    ...prefixes.flatMap((cidr) => arrivedPrefix(state.prefixes.get(cidr), { cidr, eni, since: now })),
    ...[...single, ...inPrefixes].flatMap((place) => arrived(state.addresses.get(place.ip), place, now)),
  ]
}

/** Where an address is now. */
type Place = Pick<AddressRecord, 'ip' | 'eni' | 'primary' | 'prefix'>

/** A /28 is written out; of a /80 there are those that pods were given. */
function addressesIn(state: PoolState, prefix: Cidr): readonly Ip[] {
  if (familyOf(prefix) === 'ipv4') {
    return Array.from({ length: PREFIX_SIZE }, (_, offset) => addressAt(prefix, BigInt(offset)))
  }
  const known = state.prefixes.get(prefix)
  if (known === undefined) return []
  return [...state.addressesOf(known.eni)].flatMap(({ ip, prefix: of }) => (of === prefix ? [ip] : []))
}

/** What a repeated call names again stays as it is, in use or cooling or on its way back. */
function arrivedPrefix(known: PrefixRecord | undefined, fresh: Omit<PrefixRecord, 'phase'>): Change[] {
  if (known?.eni === fresh.eni && known.phase !== 'lost') return []
  return [{ kind: 'put-prefix', prefix: { ...fresh, phase: 'active' } }]
}

/** What is on record elsewhere has left there, or it could not be assigned here: it moves. */
function arrived(known: AddressRecord | undefined, place: Place, now: number): Change[] {
  if (known?.eni === place.eni && !isLost(known)) return []
  if (known?.phase === 'owned') return [regained({ ...outOfPrefix(known), ...place })]
  // Its last pod's connections are as old here as where it was.
  if (known?.phase === 'cooling') return [regained({ ...outOfPrefix(known), ...place })]
  return [{ kind: 'put-address', address: { ...place, phase: 'warm', since: now } }]
}

function outOfPrefix<Known extends AddressRecord>({ prefix: _, ...rest }: Known): Omit<Known, 'prefix'> {
  return rest
}
