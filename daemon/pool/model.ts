/**
 * What the pool knows: the ENIs of this node and their addresses, each in exactly one phase. Records are values; a
 * change of the pool is a list of `Change`, committed to the journal and to memory together.
 */
import type { CreateEni } from '../../cloud/ecs.ts'
import type { EniId, VSwitchId } from '../../cloud/ids.ts'
import type { Cidr, Ipv4, Mac } from '../../inet/address.ts'

declare const brand: unique symbol
/** Names an ENI before the cloud has: also the client token and a tag of its creation. */
export type EniKey = string & { readonly [brand]: 'EniKey' }
/** Client token of one AssignPrivateIpAddresses. */
export type AssignToken = string & { readonly [brand]: 'AssignToken' }
/** Who holds an address: `<container id>/<ifname>`, or `unknown/<host link>` for a pod found only in the kernel. */
export type Owner = string & { readonly [brand]: 'Owner' }

export function ownerOf(containerId: string, ifname: string): Owner {
  return `${containerId}/${ifname}` as Owner
}

const UNKNOWN = 'unknown/'
/** Holder of an address that a link of this node carries although the journal does not know the pod. */
export function unknownOwner(hostLink: string): Owner {
  return `${UNKNOWN}${hostLink}` as Owner
}

/** The host link of an owner that is known only by it. */
export function unknownOwnersLink(owner: Owner): string | undefined {
  return owner.startsWith(UNKNOWN) ? owner.slice(UNKNOWN.length) : undefined
}

/**
 * Phases of an ENI that the cloud has given an id. `lost`: the cloud no longer has it on this node although pods still
 * hold its addresses; it is kept until they end, so that nobody else is given what they carry.
 */
export type KnownEniPhase = 'attaching' | 'in-use' | 'detaching' | 'deleting' | 'lost'

export interface CreatingEni {
  readonly phase: 'creating'
  readonly key: EniKey
  readonly vSwitchId: VSwitchId
  /** Of the vSwitch; recorded so that a start needs no answer of the cloud to program the ENI. */
  readonly cidr: Cidr
  /** Kept as sent: a repeated call must have the same parameters to be recognised by its token. */
  readonly request: CreateEni & { readonly secondaryIps: number }
  readonly since: number
}

export interface KnownEni {
  readonly phase: KnownEniPhase
  readonly key: EniKey
  readonly vSwitchId: VSwitchId
  readonly cidr: Cidr
  readonly id: EniId
  readonly mac: Mac
  readonly primaryIp: Ipv4
  readonly since: number
}

export type EniRecord = CreatingEni | KnownEni

export type AddressPhase =
  | { readonly phase: 'warm' }
  /** `lost`: the cloud no longer assigns it; kept so that it is not given to a second pod, dropped when its pod ends. */
  | { readonly phase: 'owned'; readonly owner: Owner; readonly lost?: true }
  /** Not to be given away before `until`, ms since the epoch. */
  | { readonly phase: 'cooling'; readonly until: number }
  | { readonly phase: 'unassigning' }

export type AddressRecord = {
  readonly ip: Ipv4
  readonly eni: EniKey
  /** The ENI's first address: it lives and dies with the ENI. */
  readonly primary: boolean
  readonly since: number
} & AddressPhase

/** An AssignPrivateIpAddresses that was decided and whose answer is not recorded yet. */
export interface AssignRecord {
  readonly token: AssignToken
  readonly eni: EniKey
  readonly count: number
  readonly since: number
}

export interface PoolState {
  readonly enis: ReadonlyMap<EniKey, EniRecord>
  readonly addresses: ReadonlyMap<Ipv4, AddressRecord>
  readonly assigns: ReadonlyMap<AssignToken, AssignRecord>
}

export type Change =
  | { readonly kind: 'put-eni'; readonly eni: EniRecord }
  /** Its addresses and assigns go with it. */
  | { readonly kind: 'drop-eni'; readonly key: EniKey }
  | { readonly kind: 'put-address'; readonly address: AddressRecord }
  | { readonly kind: 'drop-address'; readonly ip: Ipv4 }
  | { readonly kind: 'put-assign'; readonly assign: AssignRecord }
  | { readonly kind: 'drop-assign'; readonly token: AssignToken }

/** The state as its one owner holds it. */
export class PoolTables implements PoolState {
  readonly enis = new Map<EniKey, EniRecord>()
  readonly addresses = new Map<Ipv4, AddressRecord>()
  readonly assigns = new Map<AssignToken, AssignRecord>()

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#applyOne(change)
  }

  #applyOne(change: Change): void {
    switch (change.kind) {
      case 'put-eni':
        this.enis.set(change.eni.key, change.eni)
        return
      case 'drop-eni':
        this.#dropEni(change.key)
        return
      case 'put-address':
        this.addresses.set(change.address.ip, change.address)
        return
      case 'drop-address':
        this.addresses.delete(change.ip)
        return
      case 'put-assign':
        this.assigns.set(change.assign.token, change.assign)
        return
      case 'drop-assign':
        this.assigns.delete(change.token)
        return
    }
  }

  #dropEni(key: EniKey): void {
    this.enis.delete(key)
    for (const { ip, eni } of this.addresses.values()) if (eni === key) this.addresses.delete(ip)
    for (const { token, eni } of this.assigns.values()) if (eni === key) this.assigns.delete(token)
  }
}

export function addressesOf(state: PoolState, key: EniKey): AddressRecord[] {
  return [...state.addresses.values()].filter((address) => address.eni === key)
}

export function assignsOf(state: PoolState, key: EniKey): AssignRecord[] {
  return [...state.assigns.values()].filter((assign) => assign.eni === key)
}
