/** The prefixes of an ENI, as the journal and as the cloud has them. Their addresses come and go with them. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import { addressAt, type Cidr, cidrContains, familyOf, type Ip } from '../../../inet/address.ts'
import type { AddressRecord, EniKey, PrefixRecord } from '../model.ts'
import { PREFIX_SIZE } from '../settings.ts'
import { adoptAddress, isAdoptable, isOwned, lose, type Pair } from './addresses.ts'
import type { Draft } from './draft.ts'

export function prefixesOf({ ipv4Prefixes, ipv6Prefixes }: CloudEni): readonly Cidr[] {
  return [...ipv4Prefixes, ...ipv6Prefixes]
}

export function comparePrefixes(draft: Draft, pair: Pair): void {
  const listed = new Set(prefixesOf(pair.eni))
  for (const prefix of draft.state.prefixesOf(pair.record.key)) {
    if (prefix.phase === 'active' && !listed.has(prefix.cidr)) noteGone(draft, pair, prefix)
  }
  for (const cidr of listed) noteStranger(draft, pair, cidr)
}

/** Ghosts of a prefix are regained with it, not one by one: it is whole, or it is lost. */
function noteGone(draft: Draft, { record }: Pair, prefix: PrefixRecord): void {
  const { cidr, since } = prefix
  const what = [cidr, ...addressesOf(draft, prefix).map(({ ip }) => ip)]
  const suspected = 'the cloud does not name a prefix of an ENI; it is believed gone when that is so again'
  const told = { message: suspected, fields: { eni: record.id, prefix: cidr } }
  if (!draft.confirmsLoss(`gone ${record.id}/${cidr}`, told, { since, what })) return
  const cutOff = losePrefix(draft, prefix)
  const message = 'the cloud no longer assigns this prefix to the ENI; its addresses are out of use'
  draft.report({
    ...(cutOff.length > 0 ? { kind: 'ghost', level: 'error' } : { kind: 'lost', level: 'warn' }),
    message,
    fields: { eni: record.id, prefix: cidr, podsCutOff: cutOff.join(',') },
  })
}

/** Keeps what pods have of it. @returns their addresses */
export function losePrefix(draft: Draft, prefix: PrefixRecord): readonly Ip[] {
  const addresses = addressesOf(draft, prefix)
  const held = addresses.filter(isOwned)
  for (const address of addresses) lose(draft, address)
  if (held.length === 0) draft.change({ kind: 'drop-prefix', cidr: prefix.cidr })
  else if (prefix.phase !== 'lost') draft.change({ kind: 'put-prefix', prefix: lostSince(prefix, draft.world.now) })
  return held.map(({ ip }) => ip)
}

function lostSince(prefix: PrefixRecord, since: number): PrefixRecord {
  return { ...prefix, phase: 'lost', since }
}

function addressesOf({ state }: Draft, { cidr, eni }: Pick<PrefixRecord, 'cidr' | 'eni'>): readonly AddressRecord[] {
  return [...state.addressesOf(eni)].filter(({ prefix }) => prefix === cidr)
}

function noteStranger(draft: Draft, { record }: Pair, cidr: Cidr): void {
  const recorded = draft.state.prefixes.get(cidr)
  if (recorded?.eni === record.key && recorded.phase !== 'lost') return
  const pending = draft.state.assignsOf(record.key).some(({ what }) => what === `${familyOf(cidr)}-prefix`)
  if (pending || !isAdoptablePrefix(draft, cidr)) return
  const fields = { eni: record.id, prefix: cidr }
  const message = 'the journal does not know a prefix of an ENI; it is taken over when it is seen again'
  if (!draft.confirms(`stranger ${record.id}/${cidr}`, { message, fields })) return
  adoptPrefix(draft, record.key, cidr)
  draft.report(
    recorded === undefined
      ? { kind: 'adopted', level: 'info', message: 'took over a prefix that the journal did not know', fields }
      : { kind: 'regained', level: 'info', message: 'the cloud assigns a prefix again that it had not', fields },
  )
}

/** False while it or an address of it is on record elsewhere. */
export function isAdoptablePrefix(draft: Draft, cidr: Cidr): boolean {
  const recorded = draft.state.prefixes.get(cidr)
  if (recorded !== undefined && recorded.phase !== 'lost') return false
  return addressesIn(draft, cidr).every((ip) => isAdoptable(draft, ip))
}

/** It must be adoptable. */
export function adoptPrefix(draft: Draft, eni: EniKey, cidr: Cidr): void {
  const ips = addressesIn(draft, cidr)
  draft.change({ kind: 'put-prefix', prefix: { cidr, eni, since: draft.world.now, phase: 'active' } })
  for (const ip of ips) adoptAddress(draft, { ip, eni, primary: false, prefix: cidr })
}

/** A /28 has all of them on record; of a /80 those that pods have. */
function addressesIn({ state, world }: Draft, cidr: Cidr): readonly Ip[] {
  if (familyOf(cidr) === 'ipv4') return Array.from({ length: PREFIX_SIZE }, (_, i) => addressAt(cidr, BigInt(i)))
  const held = [...state.addresses.values()].flatMap(({ ip, prefix }) => (prefix === cidr ? [ip] : []))
  const carried = [...world.podRoutes.keys()].filter((ip) => cidrContains(cidr, ip))
  return [...new Set([...held, ...carried])]
}
