/** The pool in the words of the Inspect service. Pure. */
import { type Family, familyOf } from '../../inet/address.ts'
import type { Address } from '../../proto/generated/terway/inspect/v1/Address.ts'
import type { Condition } from '../../proto/generated/terway/inspect/v1/Condition.ts'
import type { Eni } from '../../proto/generated/terway/inspect/v1/Eni.ts'
import type { Event } from '../../proto/generated/terway/inspect/v1/Event.ts'
import type { Pool as PoolMessage } from '../../proto/generated/terway/inspect/v1/Pool.ts'
import type { Prefix } from '../../proto/generated/terway/inspect/v1/Prefix.ts'
import type { Aim } from '../pool/aim.ts'
import type { ReadyEni } from '../pool/effects.ts'
import {
  type AddressRecord,
  type EniKey,
  type EniRecord,
  type Owner,
  ownerOf,
  type PrefixRecord,
} from '../pool/model.ts'
import type { LoggedEvent } from '../pool/report/events.ts'
import { placesOf } from '../pool/report/places.ts'
import type { NodeCondition } from '../pool/report/sufficiency.ts'
import { capacityOf, type PoolLimits } from '../pool/settings.ts'
import type { PoolState } from '../pool/tables.ts'
import type { Endpoint } from '../store/endpoint.ts'

/** Of the pool what is shown. */
export interface PoolView {
  readonly state: PoolState
  readonly limits: PoolLimits
  /** ADDs that wait for an address. */
  readonly waiting: number
  /** Undefined before it has decided for the first time. */
  readonly aim: Pick<Aim, 'fill'> | undefined
  readyEni(key: EniKey): ReadyEni | undefined
}

/** Addresses are counted in pods: those of one family. */
export function showPool({ state, limits, waiting, aim }: PoolView): PoolMessage {
  const [family = 'ipv4'] = limits.families
  const inUse = [...state.enis.values()].filter(({ phase, role }) => phase === 'in-use' && role === limits.kind)
  const tallies = inUse.map(({ key }) => state.tally(key, family))
  const sum = (phase: 'warm' | 'owned' | 'cooling') => tallies.reduce((total, tally) => total + tally[phase], 0)
  return {
    total: sum('warm') + sum('owned') + sum('cooling'),
    allocated: sum('owned'),
    available: placesOf(state, limits).ready,
    cooling: sum('cooling'),
    capacity: capacityOf(limits),
    min: limits.minFree,
    max: limits.maxFree,
    waiting,
    families: [...limits.families],
    kind: limits.kind,
    strategy: limits.strategy,
    target: aim?.fill ?? 0,
    warmEnis: inUse.filter(({ key }) => limits.families.every((of) => state.tally(key, of).owned === 0)).length,
  }
}

export function showEnis(pool: PoolView, endpoints: readonly Endpoint[]): Eni[] {
  const byOwner = new Map(endpoints.map((endpoint) => [ownerOf(endpoint.containerId, endpoint.ifname), endpoint]))
  return [...pool.state.enis.values()].map((eni) => showEni(pool, eni, byOwner))
}

type EndpointsByOwner = ReadonlyMap<Owner, Endpoint>

function showEni(pool: PoolView, eni: EniRecord, endpoints: EndpointsByOwner): Eni {
  const addresses = [...pool.state.addressesOf(eni.key)]
  const ready = pool.readyEni(eni.key)
  const common: Eni = {
    role: eni.role,
    vswitchId: eni.vSwitchId,
    vswitchCidr: eni.cidr,
    phase: eni.phase,
    capacity: pool.limits.addressesPerEni,
    link: ready?.link ?? '',
    ifindex: ready?.ifindex ?? 0,
    gateway: ready?.gateway ?? '',
    prefixes: pool.state.prefixesOf(eni.key).map((prefix) => showPrefix(prefix, addresses)),
    addresses: addresses.map((address) => showAddress(address, endpoints)),
  }
  if (eni.phase === 'creating') return common
  const { id, mac, primaryIp, vlanId = 0, failure = '' } = eni
  return { ...common, id, mac, primaryIp, vlanId, failure }
}

function showPrefix({ cidr, phase }: PrefixRecord, addresses: readonly AddressRecord[]): Prefix {
  const of = addresses.filter(({ prefix }) => prefix === cidr)
  const count = (wanted: AddressRecord['phase']) => of.filter((address) => address.phase === wanted).length
  return { cidr, phase, used: count('owned'), free: count('warm') }
}

function showAddress(address: AddressRecord, endpoints: EndpointsByOwner): Address {
  const { ip, primary, phase } = address
  const family: Family = familyOf(ip)
  const shown = { ip, primary, phase, family }
  if (address.phase === 'cooling') return { ...shown, pod: address.pod ?? '', coolingUntil: address.until }
  if (address.phase !== 'owned') return shown
  const owner = endpoints.get(address.owner)
  const lost = address.lost === true
  if (owner === undefined) return { ...shown, lost, pod: address.pod ?? address.owner }
  return { ...shown, lost, pod: `${owner.namespace}/${owner.pod}`, containerId: owner.containerId }
}

export function showEvent({ time, level, reason, message, count, pod, eni }: LoggedEvent): Event {
  const subject = pod ?? eni
  return { time, level, reason, count, message: subject === undefined ? message : `${subject}: ${message}` }
}

export function showCondition({ type, status, reason, message, since }: NodeCondition): Condition {
  return { type, status, reason, message, since }
}
