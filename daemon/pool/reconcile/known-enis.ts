/** ENIs on record, and what the cloud says of them. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import type { InstanceId } from '../../../cloud/ids.ts'
import type { KnownEni } from '../model.ts'
import { mayCarryMembers } from '../trunk.ts'
import { compareAddresses, isGhost, isOwned, lose, type Pair, regainListed } from './addresses.ts'
import type { Draft, Finding } from './draft.ts'
import { takenBy } from './ownership.ts'
import { comparePrefixes, losePrefix } from './prefixes.ts'
import type { Suspicion } from './world.ts'

/** @param eni undefined when the answer lacks it */
export function compareEni(draft: Draft, record: KnownEni, eni: CloudEni | undefined): void {
  if (!draft.isSettled(record)) return
  if (eni === undefined) noteMissing(draft, record)
  // Of one that is not understood nothing is known but that it is there.
  else if (eni.status !== 'Unknown') comparePresent(draft, { record, eni })
}

function noteMissing(draft: Draft, record: KnownEni): void {
  const fields = { eni: record.id }
  const message = 'the cloud does not name an ENI of this node; it is believed gone when that is so again'
  if (record.phase !== 'lost' && !confirmsLoss(draft, `missing ${record.id}`, { record, message, fields })) return
  putOutOfUse(draft, record, 'the cloud no longer has an ENI of this node; its addresses are out of use')
}

interface Loss extends Pick<Finding, 'message' | 'fields'> {
  readonly record: KnownEni
}

/** Of an ENI in use; what another one has is given to nobody in any case. */
function confirmsLoss(draft: Draft, suspicion: Suspicion, { record, ...told }: Loss): boolean {
  const { key, phase, since } = record
  const isUsed = phase === 'in-use' || phase === 'draining'
  const [addresses, prefixes] = [draft.state.addressesOf(key), draft.state.prefixesOf(key)]
  const what = isUsed ? [...[...addresses].map(({ ip }) => ip), ...prefixes.map(({ cidr }) => cidr)] : []
  return draft.confirmsLoss(suspicion, told, { since, what })
}

function comparePresent(draft: Draft, pair: Pair): void {
  const { record, eni } = pair
  const { instanceId } = draft.world.ownership
  const owner = takenBy(eni, draft.world.ownership)
  if (owner !== undefined) noteTaken(draft, pair, owner)
  else if (eni.instanceId !== undefined && eni.instanceId !== instanceId) {
    noteElsewhere(draft, record, eni.instanceId)
  } else if (record.phase === 'lost') {
    if (eni.status !== 'Deleting') attachAgain(draft, pair, 'an ENI that was lost is there again; attaching it')
  } else if (record.phase === 'in-use' || record.phase === 'draining') {
    compareInUse(draft, pair)
  }
}

function noteElsewhere(draft: Draft, record: KnownEni, where: InstanceId): void {
  const fields = { eni: record.id, instance: where }
  const message = 'an ENI of this node is attached to another one; it is believed lost when that is so again'
  if (record.phase !== 'lost' && !confirmsLoss(draft, `elsewhere ${record.id}`, { record, message, fields })) return
  putOutOfUse(draft, record, `an ENI of this node is attached to ${where}; its addresses are out of use here`)
}

/** Somebody has tagged it as theirs: pods that are on it keep what they have, and nothing is done to it any more. */
function noteTaken(draft: Draft, { record, eni }: Pair, why: string): void {
  const fields = { eni: record.id, why }
  const message = 'an ENI of this node is tagged as somebody else’s; it is left to them when that is so again'
  if (record.phase !== 'lost' && !draft.confirms(`taken ${record.id}`, { message, fields })) return
  putOutOfUse(draft, record, `an ENI of this node is left to somebody else: ${why}`)
  if (eni.instanceId === draft.world.ownership.instanceId) draft.foreign.push({ id: eni.id, type: eni.type, why })
}

/** Addresses that pods have, or had a moment ago, stay on record with the ENI, also once it is lost; the rest is forgotten. */
function putOutOfUse(draft: Draft, record: KnownEni, message: string): void {
  const { key, id } = record
  const addresses = [...draft.state.addressesOf(key)]
  const cutOff = addresses.filter((address) => isOwned(address) && !isGhost(address)).map(({ ip }) => ip)
  const isNews = record.phase !== 'lost' && (record.phase !== 'deleting' || cutOff.length > 0)
  if (addresses.some((address) => isOwned(address) || address.phase === 'cooling')) keepGhosts(draft, record)
  else draft.change({ kind: 'drop-eni', key })
  if (!isNews) return
  draft.report({
    ...(cutOff.length > 0 ? { kind: 'ghost', level: 'error' } : { kind: 'lost', level: 'warn' }),
    message,
    fields: { eni: id, podsCutOff: cutOff.join(',') },
  })
}

function keepGhosts(draft: Draft, record: KnownEni): void {
  const { state, world } = draft
  const { key, phase } = record
  // One that is being deleted has its end before it whatever it carries.
  if (phase !== 'lost' && phase !== 'deleting') {
    draft.change({ kind: 'put-eni', eni: { ...record, phase: 'lost', since: world.now } })
  }
  for (const { token } of state.assignsOf(key)) draft.change({ kind: 'drop-assign', token })
  for (const prefix of state.prefixesOf(key)) losePrefix(draft, prefix)
  for (const address of [...state.addressesOf(key)]) lose(draft, address)
}

function compareInUse(draft: Draft, { eni, record: recorded }: Pair): void {
  const record = withIpv6(draft, recorded)
  const pair = { record, eni }
  if (!isAttached(pair)) {
    noteDetached(draft, pair)
    return
  }
  if (record.phase === 'in-use' && isToGo(draft, record)) drain(draft, record)
  comparePrefixes(draft, pair)
  compareAddresses(draft, pair)
}

/** Of an earlier version's record, or of a vSwitch that had no IPv6 when the ENI was made. */
function withIpv6(draft: Draft, record: KnownEni): KnownEni {
  const cidr6 = draft.world.cidrs6.get(record.vSwitchId)
  if (record.cidr6 !== undefined || cidr6 === undefined) return record
  const learnt = { ...record, cidr6 }
  draft.change({ kind: 'put-eni', eni: learnt })
  return learnt
}

/** One that was to go when its pods have, and has none, does not come back for that. */
function noteDetached(draft: Draft, pair: Pair): void {
  const { record, eni } = pair
  const fields = { eni: record.id, status: eni.status }
  const suspected = 'an ENI of this node is not attached although it should be; it is attached when that is so again'
  if (!confirmsLoss(draft, `detached ${record.id}`, { record, message: suspected, fields })) return
  if (record.phase === 'in-use' || [...draft.state.addressesOf(record.key)].some(isOwned)) {
    attachAgain(draft, pair, 'an ENI of this node is not attached although it should be; attaching it again')
    return
  }
  draft.change({ kind: 'put-eni', eni: { ...record, phase: 'detaching', since: draft.world.now } })
  const message = 'an ENI that no pod is on any more is not attached; removing it'
  draft.report({ kind: 'released', level: 'info', message, fields })
}

/** A member is attached when its trunk carries it, with the VLAN that the node knows it by. */
function isAttached({ record, eni }: Pair): boolean {
  if (eni.status !== 'InUse') return false
  return record.role !== 'member' || (eni.trunkId !== undefined && eni.vlanId === record.vlanId)
}

/** Somebody detached it, or it has come back: pods get nothing from it until it is attached. */
function attachAgain(draft: Draft, pair: Pair, message: string): void {
  const { record, eni } = pair
  draft.change({ kind: 'put-eni', eni: { ...record, phase: 'attaching', since: draft.world.now } })
  regainListed(draft, pair)
  const found: Finding['fields'] = { eni: record.id, status: eni.status }
  draft.report({ kind: 'reattached', level: 'error', message, fields: found })
}

/** Of another mode. A trunk is there for members only, and goes after the last of them. */
function isToGo({ world: { kind }, state }: Draft, record: KnownEni): boolean {
  if (record.role === 'trunk') return kind !== 'member' && !mayCarryMembers(state, record)
  return record.role !== kind
}

function drain(draft: Draft, record: KnownEni): void {
  draft.change({ kind: 'put-eni', eni: { ...record, phase: 'draining', since: draft.world.now } })
  const message = 'an ENI of another mode than the configured one; no pod is put on it, and it goes when it has none'
  draft.report({ kind: 'released', level: 'info', message, fields: { eni: record.id, role: record.role } })
}
