/** The single addresses of an ENI, as the journal and as the cloud has them. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import { type Cidr, familyOf, type Ip } from '../../../inet/address.ts'
import { type AddressRecord, type EniKey, isLost, type KnownEni, unknownOwner } from '../model.ts'
import { regained } from '../regained.ts'
import type { Draft } from './draft.ts'

/** An ENI on record and what the cloud says of it. */
export interface Pair {
  readonly record: KnownEni
  readonly eni: CloudEni
}

export type Owned = AddressRecord & { readonly phase: 'owned' }

export function isOwned(address: AddressRecord): address is Owned {
  return address.phase === 'owned'
}

export function isGhost(address: AddressRecord): address is Owned & { readonly lost: true } {
  return isOwned(address) && address.lost === true
}

/** Takes it out of use: what a pod has, or had a moment ago, stays on record. */
export function lose(draft: Draft, address: AddressRecord): void {
  if (isLost(address)) return
  const isKept = address.phase === 'owned' || address.phase === 'cooling'
  if (isKept) draft.change({ kind: 'put-address', address: { ...address, lost: true } })
  else draft.change({ kind: 'drop-address', ip: address.ip })
}

/** Single ones, of both families; those of prefixes are not among them. */
export function singlesOf({ ips, ipv6s }: CloudEni): readonly Ip[] {
  return [...ips, ...ipv6s]
}

export function compareAddresses(draft: Draft, pair: Pair): void {
  const listed = new Set(singlesOf(pair.eni))
  for (const address of [...draft.state.addressesOf(pair.record.key)]) {
    if (address.prefix !== undefined) continue
    if (!listed.has(address.ip)) noteGone(draft, pair, address)
    else if (draft.isSettled(address)) regain(draft, address, pair.record)
  }
  for (const ip of listed) noteStranger(draft, pair, ip)
}

/** Ghosts that are assigned after all. */
export function regainListed(draft: Draft, { record, eni }: Pair): void {
  const listed = new Set(singlesOf(eni))
  for (const address of [...draft.state.addressesOf(record.key)]) {
    if (address.prefix === undefined && listed.has(address.ip)) regain(draft, address, record)
  }
}

function regain(draft: Draft, address: AddressRecord, { id }: KnownEni): void {
  const isKept = address.phase === 'owned' || address.phase === 'cooling'
  if (!isKept || !isLost(address)) return
  draft.change(regained(address))
  if (!isOwned(address)) return
  const fields = { eni: id, ip: address.ip, owner: address.owner }
  const message = 'the cloud assigns the address of a pod again that it had not'
  draft.report({ kind: 'regained', level: 'info', message, fields })
}

/** A pod keeps the address on record, or the cloud's next answer could give it to a second one. */
function noteGone(draft: Draft, { record }: Pair, address: AddressRecord): void {
  // What is about to be given back is gone because its effect has had it so, and that one records it.
  if (address.phase === 'unassigning' || isLost(address)) return
  const { ip, since } = address
  const fields = { eni: record.id, ip }
  const suspected = 'the cloud does not name an address of an ENI; it is believed gone when that is so again'
  const isGone = draft.confirmsLoss(`gone ${record.id}/${ip}`, { message: suspected, fields }, { since, what: [ip] })
  if (!isGone) return
  lose(draft, address)
  const message = 'the cloud no longer assigns this address to the ENI; it is out of use'
  if (isOwned(address)) {
    draft.report({ kind: 'ghost', level: 'error', message, fields: { ...fields, owner: address.owner } })
    return
  }
  draft.report({ kind: 'lost', level: 'warn', message, fields })
}

function noteStranger(draft: Draft, { record }: Pair, ip: Ip): void {
  const recorded = draft.state.addresses.get(ip)
  if (recorded?.eni === record.key && recorded.prefix === undefined) return
  // Its own answer brings what an assign under way has assigned.
  const pending = draft.state.assignsOf(record.key).some(({ what }) => what === familyOf(ip))
  if (pending || !isAdoptable(draft, ip)) return
  const fields = { eni: record.id, ip }
  const message = 'the journal does not know an address of an ENI; it is taken over when it is seen again'
  // Once is not enough: the answer may be older than an unassign that has just been recorded.
  if (!draft.confirms(`stranger ${record.id}/${ip}`, { message, fields })) return
  adoptAddress(draft, { ip, eni: record.key, primary: ip === record.primaryIp })
  const adopted = 'took over an address that the journal did not know'
  draft.report({ kind: 'adopted', level: 'info', message: adopted, fields })
}

/** Where an address is. */
export interface Place {
  readonly ip: Ip
  readonly eni: EniKey
  readonly primary: boolean
  readonly prefix?: Cidr
}

/**
 * False while it is on record elsewhere: the cloud must have taken it from there first, and with its cool-down on record
 * it is no free one.
 */
export function isAdoptable({ state, world }: Draft, ip: Ip): boolean {
  const [before, now] = [world.state.addresses.get(ip), state.addresses.get(ip)]
  return (before === undefined || isOwned(before)) && (now === undefined || isGhost(now))
}

/** Free, unless a pod of this node carries it. It must be adoptable. */
export function adoptAddress(draft: Draft, place: Place): void {
  const { state, world } = draft
  const recorded = state.addresses.get(place.ip)
  if (recorded !== undefined && isOwned(recorded)) {
    const { prefix: _, ...rest } = recorded
    draft.change(regained({ ...rest, ...place }))
    return
  }
  const link = world.podRoutes.get(place.ip)
  const facts = { ...place, since: world.now }
  draft.change(
    link === undefined
      ? { kind: 'put-address', address: { ...facts, phase: 'warm' } }
      : { kind: 'put-address', address: { ...facts, phase: 'owned', owner: unknownOwner(link) } },
  )
}
