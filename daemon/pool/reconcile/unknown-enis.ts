/** ENIs of ours that are not on record: taken over, or removed. */
import { isWhole, type WholeEni } from '../../../cloud/ecs/eni.ts'
import type { CloudEni } from '../../../cloud/ecs.ts'
import { type Cidr, cidrContains, type Ip } from '../../../inet/address.ts'
import type { EniRole, KnownEniPhase } from '../model.ts'
import type { PoolKind } from '../settings.ts'
import { adoptAddress, isAdoptable, isOwned, singlesOf } from './addresses.ts'
import type { Draft } from './draft.ts'
import { adoptPrefix, isAdoptablePrefix, prefixesOf } from './prefixes.ts'

/** What comes of an ENI that nobody on this node knows. */
export function considerUnknown(draft: Draft, eni: CloudEni): void {
  // Nothing follows from what is not understood.
  if (eni.status === 'Unknown') return
  if (isWhole(eni)) considerWhole(draft, eni)
  else considerStray(draft, eni)
}

function considerWhole(draft: Draft, eni: WholeEni): void {
  const cidr = draft.world.cidrs.get(eni.vSwitchId)
  // Without it there is no record of an ENI.
  if (cidr === undefined) return
  const cidr6 = draft.world.cidrs6.get(eni.vSwitchId)
  const found = { eni, cidrs: { cidr, ...(cidr6 === undefined ? {} : { cidr6 }) } }
  if (eni.status === 'InUse' || eni.status === 'Attaching') considerAttached(draft, found)
  else if (carriesPods(draft, eni)) considerDetached(draft, found)
  else considerOrphan(draft, found)
}

interface Found {
  readonly eni: WholeEni
  /** Of its vSwitch. */
  readonly cidrs: { readonly cidr: Cidr; readonly cidr6?: Cidr }
}

function considerAttached(draft: Draft, found: Found): void {
  const { eni } = found
  // Attached to whom, the answer does not say.
  if (eni.instanceId === undefined) return
  const fields = fieldsOf(eni)
  const message = 'the journal does not know an attached ENI of ours; it is taken over when it is seen again'
  if (!draft.world.fresh && !draft.confirms(`unknown ${eni.id}`, { message, fields })) return
  record(draft, found, 'attaching')
  const adopted = 'took over an ENI that the journal did not know'
  draft.report({ kind: 'adopted', level: 'info', message: adopted, fields })
}

/** Pods that the journal does not know either are on it: it is brought back, not removed. */
function considerDetached(draft: Draft, found: Found): void {
  const fields = fieldsOf(found.eni)
  const message = 'the journal does not know a detached ENI that pods need; it is attached when it is seen again'
  if (!draft.confirms(`unknown ${found.eni.id}`, { message, fields })) return
  record(draft, found, 'attaching')
  const adopted = 'took over a detached ENI whose addresses pods carry; attaching it'
  draft.report({ kind: 'adopted', level: 'warn', message: adopted, fields })
}

function considerOrphan(draft: Draft, found: Found): void {
  const { id, status } = found.eni
  const fields = fieldsOf(found.eni)
  const message = 'an ENI was left behind by this node; it is removed when it still is at another look'
  if (!draft.confirms(`unknown ${id}`, { message, fields }, draft.world.orphanTtl)) return
  record(draft, found, status === 'Detaching' ? 'detaching' : 'deleting')
  draft.report({ kind: 'released', level: 'info', message: 'removing an ENI left behind by this node', fields })
}

/** It is being made, or could not be made. Nothing of it can be recorded, so it is deleted by its id alone. */
function considerStray(draft: Draft, eni: CloudEni): void {
  // Of one that is attached or on its way somewhere a later answer tells more.
  if (!['Creating', 'CreateFailed', 'Available'].includes(eni.status) || eni.instanceId !== undefined) return
  const fields = fieldsOf(eni)
  const message = 'an ENI of this node lacks what an ENI has; it is deleted when it still does at another look'
  if (!draft.confirms(`unknown ${eni.id}`, { message, fields }, draft.world.orphanTtl)) return
  draft.strays.push(eni.id)
  draft.report({ kind: 'stray', level: 'warn', message: 'deleting an ENI that was never whole', fields })
}

function fieldsOf({ id, status, ips }: CloudEni) {
  return { eni: id, status, ip: ips.join(',') }
}

/** By the kernel's word or the journal's. */
function carriesPods({ world, state }: Draft, eni: CloudEni): boolean {
  const held = [...state.addresses.values()].flatMap((address) => (isOwned(address) ? [address.ip] : []))
  const carried = new Set<Ip>([...world.podRoutes.keys(), ...held])
  const inPrefix = (cidr: Cidr) => [...carried].some((ip) => cidrContains(cidr, ip))
  return singlesOf(eni).some((ip) => carried.has(ip)) || prefixesOf(eni).some(inPrefix)
}

function record(draft: Draft, { eni, cidrs }: Found, phase: KnownEniPhase): void {
  const { newKey, kind, now } = draft.world
  const [key, role] = [newKey(), roleOf(eni, kind)]
  const { id, mac, vSwitchId, primaryIp, vlanId } = eni
  const vlan = role === 'member' && vlanId !== undefined ? { vlanId } : {}
  const facts = { key, role, vSwitchId, ...cidrs, id, mac, primaryIp, ...vlan }
  draft.change({ kind: 'put-eni', eni: { ...facts, phase, since: now } })
  // What is on record elsewhere follows when the journal has learnt that it has left it.
  for (const prefix of prefixesOf(eni)) if (isAdoptablePrefix(draft, prefix)) adoptPrefix(draft, key, prefix)
  for (const ip of singlesOf(eni)) {
    if (isAdoptable(draft, ip)) adoptAddress(draft, { ip, eni: key, primary: ip === primaryIp })
  }
}

/** What it was made for, as far as it shows; of another mode than the pool's it will be emptied and given back. */
function roleOf(eni: CloudEni, kind: PoolKind): EniRole {
  if (eni.type === 'Trunk') return 'trunk'
  if (eni.type === 'Member') return 'member'
  // No trunk carries it.
  if (kind === 'member') return 'shared'
  const isShared = eni.ips.length > 1 || eni.ipv6s.length > 1 || prefixesOf(eni).length > 0
  return isShared ? 'shared' : kind
}
