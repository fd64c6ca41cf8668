/** What must be true when nothing has gone wrong for a while: demand is served, and journal and cloud say the same. */
import type { AddressRecord, EniRecord, KnownEni, PrefixRecord } from '../../../daemon/pool/model.ts'
import { type PoolLimits, PREFIX_SIZE } from '../../../daemon/pool/settings.ts'
import type { PoolState } from '../../../daemon/pool/tables.ts'
import { type Family, familyOf } from '../../../inet/address.ts'
import { addressesOf, type Eni, instanceOf, ipv4Slots, ipv6Slots, trunkOf } from '../../../simulator/cloud/eni.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { VirtualRegion } from '../virtual-region.ts'
import type { Kubelet } from './kubelet.ts'
import type { Neighbours } from './neighbours.ts'

export interface Settlement {
  readonly region: VirtualRegion
  readonly node: VirtualNode
  readonly neighbours: Neighbours
  readonly kubelet: Kubelet
  readonly limits: PoolLimits
}

/** Everything that is not as it should be; empty when all is. */
export function unsettled(world: Settlement): readonly string[] {
  return [...effects(world), ...enis(world), ...owners(world), ...demand(world), ...watermarks(world)]
}

/** Whether something more could be had for pods, as far as the cloud and the limits go. */
export function canGrow(world: Settlement): boolean {
  return hasNewEni(world) || inUse(world).some((eni) => hasRoom(world, eni))
}

function effects(world: Settlement): string[] {
  const { enis, assigns, cooling, addresses, prefixes } = world.node.pool.state
  const stuck = [...assigns.values()].filter(({ eni }) => {
    const record = enis.get(eni)
    return record === undefined || record.phase === 'creating' || !needsPlace(world, record)
  })
  const leaving = [...addresses.values(), ...prefixes.values()].filter(({ phase }) => phase === 'unassigning')
  return [
    ...stuck.map(({ eni, what, count }) => `${count} ${what} of ${eni} are still asked for`),
    ...[...cooling.keys()].map((ip) => `${ip} still cools down`),
    ...leaving.map((one) => `${'ip' in one ? one.ip : one.cidr} is still given back`),
  ]
}

/** I4, both ways. */
function enis(world: Settlement): string[] {
  const { node, neighbours } = world
  const { state } = node.pool
  const there = new Map(neighbours.ours.map((eni) => [String(eni.id), eni]))
  const known = new Set([...state.enis.values()].flatMap((eni) => (eni.phase === 'creating' ? [] : [String(eni.id)])))
  const leaked = [...there.values()].filter(({ id }) => !known.has(id))
  return [
    ...leaked.map(({ id, state: { status } }) => `I4: ${id} is ${status} and not on record`),
    ...[...state.enis.values()].flatMap((eni) => {
      if (eni.phase === 'creating') return [`${eni.key} is still creating`]
      return needsPlace(world, eni) ? [] : wrongWith(state, eni, there.get(eni.id))
    }),
  ]
}

/** An ENI is asked for again and again, since pods need it. */
export function waitsForPlace(world: Settlement): boolean {
  const { enis } = world.node.pool.state
  return [...enis.values()].some((eni) => eni.phase !== 'creating' && needsPlace(world, eni))
}

/** Pods have addresses of it, somebody has detached it, and another one has taken its place; or the trunk has none. */
function needsPlace(world: Settlement, { key, phase }: KnownEni): boolean {
  const carries = [...world.node.pool.state.addressesOf(key)].some((address) => address.phase === 'owned')
  return phase === 'attaching' && (carries || world.limits.kind === 'member') && isFull(world)
}

/** The instance has no place for another ENI of the pool's kind. */
function isFull({ region: { cloud, region }, limits }: Settlement): boolean {
  const [instance] = region.nodes
  if (instance === undefined) return true
  const { eniQuantity, eniTotalQuantity } = instance.instanceType
  const attached = cloud.enisOf(instance.instanceId)
  const members = attached.filter((eni) => trunkOf(eni) !== undefined).length
  const hasTrunk = attached.some(({ type }) => type === 'Trunk')
  if (limits.kind === 'member' && hasTrunk) return members >= eniTotalQuantity - eniQuantity
  return attached.length - members >= eniQuantity
}

function wrongWith(state: PoolState, record: KnownEni, eni: Eni | undefined): string[] {
  const { id, phase, key } = record
  const carries = [...state.addressesOf(key)].some((address) => address.phase === 'owned')
  if (phase === 'lost') return carries && eni === undefined ? [] : [`${id} is lost, and ${eni?.state.status ?? 'gone'}`]
  const mayStay = phase === 'in-use' || (phase === 'draining' && carries)
  if (!mayStay) return [`${id} is still ${phase}`]
  if (eni?.state.status !== 'InUse') return [`${id} is ${phase} and ${eni?.state.status ?? 'gone'}`]
  return [...wrongAddresses(state, record, eni), ...wrongPrefixes(state, record, eni)]
}

function wrongAddresses(state: PoolState, { id, key }: KnownEni, eni: Eni): string[] {
  const assigned = new Set([...addressesOf(eni), ...eni.ipv6s].map(String))
  const single = [...state.addressesOf(key)].filter(({ prefix }) => prefix === undefined)
  const recorded = new Set(single.filter((address) => !isGhost(address)).map(({ ip }) => String(ip)))
  const ghosts = single.filter((address) => isGhost(address) && assigned.has(address.ip))
  return [
    ...differences(recorded, assigned, `of ${id}`),
    ...ghosts.map(({ ip }) => `${ip} of ${id} is assigned and believed lost`),
  ]
}

function wrongPrefixes(state: PoolState, { id, key }: KnownEni, eni: Eni): string[] {
  const assigned = new Set([...eni.ipv4Prefixes, ...eni.ipv6Prefixes].map(String))
  const active = state.prefixesOf(key).filter(({ phase }) => phase !== 'lost')
  return differences(new Set(active.map(({ cidr }) => String(cidr))), assigned, `of ${id}`)
}

function differences(recorded: ReadonlySet<string>, assigned: ReadonlySet<string>, where: string): string[] {
  return [
    ...[...recorded].filter((one) => !assigned.has(one)).map((one) => `${one} ${where} is on record and not assigned`),
    ...[...assigned].filter((one) => !recorded.has(one)).map((one) => `${one} ${where} is assigned and not on record`),
  ]
}

function isGhost(address: AddressRecord): boolean {
  return address.phase === 'owned' && address.lost === true
}

/** What the journal says pods have is what they have. */
function owners({ node }: Settlement): string[] {
  const { state } = node.pool
  const held = [...state.addresses.values()].flatMap((one) => (one.phase === 'owned' ? [`${one.owner} ${one.ip}`] : []))
  const carried = [...node.pods.values()].flatMap(({ owner, ips }) => ips.map((ip) => `${owner} ${ip}`))
  return [
    ...held.filter((one) => !carried.includes(one)).map((one) => `on record for a pod that has ended: ${one}`),
    ...carried.filter((one) => !held.includes(one)).map((one) => `not on record: ${one}`),
  ]
}

function demand(world: Settlement): string[] {
  const { unserved } = world.kubelet
  return unserved.length > 0 && canGrow(world) ? [`${unserved.join()} have no network`] : []
}

/** Free addresses lie between the floor and the ceiling, unless there is no way to have more or fewer. */
function watermarks(world: Settlement): string[] {
  const { limits, kubelet } = world
  const free = inUse(world).reduce((sum, eni) => sum + freeOf(world, eni), 0)
  const [family = 'ipv4'] = limits.families
  const owned = inUse(world).reduce((sum, { key }) => sum + world.node.pool.state.tally(key, family).owned, 0)
  const floor = Math.min(limits.maxFree, Math.max(limits.minFree, Math.ceil(limits.reserve * owned)))
  const isLow = limits.strategy === 'fixed' && free < floor && kubelet.unserved.length === 0 && canGrow(world)
  const isHigh = free > limits.maxFree && canShrink(world, free - limits.maxFree)
  return [
    ...(isLow ? [`${free} addresses are free, and ${floor} should be`] : []),
    ...(isHigh ? [`${free} addresses are free, and more than ${limits.maxFree} should not be`] : []),
  ]
}

/** ENIs that pods are given addresses of. */
function inUse({ node: { pool }, limits }: Settlement): readonly KnownEni[] {
  return [...pool.state.enis.values()].filter((eni): eni is KnownEni => {
    return eni.phase === 'in-use' && eni.role === limits.kind
  })
}

function freeOf({ node, limits }: Settlement, { key }: EniRecord): number {
  return Math.min(...limits.families.map((family) => freeOfFamily(node.pool.state, key, family)))
}

function freeOfFamily(state: PoolState, key: KnownEni['key'], family: Family): number {
  const isBlock = state.prefixesOf(key).some(({ cidr, phase }) => familyOf(cidr) === 'ipv6' && phase === 'active')
  if (family === 'ipv6' && isBlock) return Number.POSITIVE_INFINITY
  return [...state.addressesOf(key)].filter(({ phase, ip }) => phase === 'warm' && familyOf(ip) === family).length
}

function hasNewEni(world: Settlement): boolean {
  const { limits, neighbours, node } = world
  const ours = [...node.pool.state.enis.values()].filter(({ phase, role }) => phase !== 'lost' && role !== 'trunk')
  return ours.length + neighbours.foreign < limits.maxEnis && !isFull(world) && hasAddresses(world)
}

/** In some vSwitch of the node's zone; prefixes need blocks that nobody can count from here, so many are asked for. */
function hasAddresses({ region, limits }: Settlement): boolean {
  const enough = limits.unit === 'prefix' ? 4 * PREFIX_SIZE : 1
  return [...region.region.vSwitches.keys()].some((id) => region.cloud.availableIps(id) >= enough)
}

function hasRoom({ region, limits }: Settlement, { id }: KnownEni): boolean {
  const eni = region.cloud.enis().find((one) => String(one.id) === String(id))
  if (limits.kind !== 'shared' || eni === undefined || instanceOf(eni) === undefined) return false
  const places = limits.families.map((family) => {
    return limits.addressesPerEni - (family === 'ipv4' ? ipv4Slots(eni) : ipv6Slots(eni))
  })
  const enough = limits.unit === 'prefix' ? 4 * PREFIX_SIZE : 1
  return Math.min(...places) > 0 && region.cloud.availableIps(eni.vSwitchId) >= enough
}

function canShrink(world: Settlement, surplus: number): boolean {
  const { limits, node } = world
  const { state } = node.pool
  const all = inUse(world)
  return all.some((eni) => {
    const addresses = [...state.addressesOf(eni.key)]
    const isUnused = addresses.every(({ phase }) => phase === 'warm')
    const mayGo =
      all.length > limits.minEnis &&
      !needsPrefixes(world, eni) &&
      !(limits.strategy === 'adaptive' && limits.kind === 'shared')
    if (isUnused && freeOf(world, eni) <= surplus && mayGo) return true
    if (limits.kind !== 'shared') return false
    if (limits.unit === 'prefix') return surplus >= PREFIX_SIZE && hasSparePrefix(world, addresses)
    return limits.families.every((family) =>
      addresses.some(({ phase, primary, ip }) => phase === 'warm' && !primary && familyOf(ip) === family),
    )
  })
}

function needsPrefixes({ node: { pool }, limits }: Settlement, { key }: KnownEni): boolean {
  const [all, ofEni] = [activePrefixes([...pool.state.prefixes.values()]), activePrefixes(pool.state.prefixesOf(key))]
  return ofEni.length > 0 && all.length - ofEni.length < limits.minPrefixes
}

function activePrefixes(prefixes: readonly PrefixRecord[]): readonly PrefixRecord[] {
  return prefixes.filter(({ cidr, phase }) => phase === 'active' && familyOf(cidr) === 'ipv4')
}

function hasSparePrefix({ node, limits }: Settlement, addresses: readonly AddressRecord[]): boolean {
  const all = activePrefixes([...node.pool.state.prefixes.values()])
  if (all.length <= limits.minPrefixes) return false
  return all.some(({ cidr }) => {
    const ofIt = addresses.filter(({ prefix }) => prefix === cidr)
    return ofIt.length > 0 && ofIt.every(({ phase }) => phase === 'warm')
  })
}
