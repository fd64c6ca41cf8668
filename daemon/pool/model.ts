/**
 * What the pool knows: the ENIs of this node, their prefixes and addresses, each in exactly one phase. Records are
 * values; a change of the pool is a list of `Change`, committed to the journal and to memory together.
 */
import type { CreateEni } from '../../cloud/ecs.ts'
import type { EniId, VSwitchId } from '../../cloud/ids.ts'
import type { Cidr, Ip, Ipv4, Mac } from '../../inet/address.ts'
import type { PoolKind } from './settings.ts'

declare const brand: unique symbol
/** Names an ENI before the cloud has: also the client token and a tag of its creation. */
export type EniKey = string & { readonly [brand]: 'EniKey' }
/** Client token of one assignment. */
export type AssignToken = string & { readonly [brand]: 'AssignToken' }
/** Who holds an address: `<container id>/<ifname>`, or `unknown/<host link>` for a pod found only in the kernel. */
export type Owner = string & { readonly [brand]: 'Owner' }
/** `<namespace>/<name>[/<ifname>]`: what stays the same when a pod is made again. */
export type PodKey = string & { readonly [brand]: 'PodKey' }

export function ownerOf(containerId: string, ifname: string): Owner {
  return `${containerId}/${ifname}` as Owner
}

/** The interface is part of it where it is not the pod's first one. */
export function podKeyOf(pod: { readonly namespace: string; readonly pod: string }, ifname: string): PodKey {
  return `${pod.namespace}/${pod.pod}${ifname === 'eth0' ? '' : `/${ifname}`}` as PodKey
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

/** What an ENI is for. A trunk carries members; its own addresses are given to no pod. */
export type EniRole = PoolKind | 'trunk'

/**
 * Phases of an ENI that the cloud has given an id. `draining`: nothing is given from it any more, and it goes when its
 * pods have. `lost`: the cloud no longer has it on this node although pods still hold its addresses; it is kept until
 * they end, so that nobody else is given what they carry.
 */
export type KnownEniPhase = 'attaching' | 'in-use' | 'draining' | 'detaching' | 'deleting' | 'lost'

interface EniBase {
  readonly key: EniKey
  readonly role: EniRole
  readonly vSwitchId: VSwitchId
  /** Of the vSwitch; recorded so that a start needs no answer of the cloud to program the ENI. */
  readonly cidr: Cidr
  /** Of the vSwitch, where it has IPv6. Earlier versions have not recorded it: the next comparison does. */
  readonly cidr6?: Cidr
  /** ms since the epoch, of the phase */
  readonly since: number
}

export interface CreatingEni extends EniBase {
  readonly phase: 'creating'
  /** Kept as sent: a repeated call must have the same parameters to be recognised by its token. */
  readonly request: CreateEni & NewAddresses
}

/** What an ENI is created with beside its primary address. */
export interface NewAddresses {
  readonly secondaryIps: number
  readonly ipv6s?: number
  readonly ipv4Prefixes?: number
  readonly ipv6Prefixes?: number
}

export interface KnownEni extends EniBase {
  readonly phase: KnownEniPhase
  readonly id: EniId
  readonly mac: Mac
  readonly primaryIp: Ipv4
  /** Of a member that is attached: 802.1Q id on the trunk. */
  readonly vlanId?: number
  /** Why it is given back although it would be of use, in words for the operator. */
  readonly failure?: string
}

export type EniRecord = CreatingEni | KnownEni

export type AddressPhase =
  | { readonly phase: 'warm' }
  /**
   * `lost`: a ghost, which the cloud no longer assigns; kept so that it is not given to a second pod.
   */
  | { readonly phase: 'owned'; readonly owner: Owner; readonly lost?: true }
  /**
   * Not to be given away before `until`, ms since the epoch. `lost`: nor then, because the cloud no longer assigns it; on
   * record because the cloud may assign it anew before.
   */
  | { readonly phase: 'cooling'; readonly until: number; readonly lost?: true }
  | { readonly phase: 'unassigning' }

export interface AddressFacts {
  readonly ip: Ip
  readonly eni: EniKey
  /** The ENI's first address: it lives and dies with the ENI. */
  readonly primary: boolean
  /** ms since the epoch, of the phase */
  readonly since: number
  /** The prefix that it is one of: it comes and goes with it. */
  readonly prefix?: Cidr
  /** Who has it, or had it last. */
  readonly pod?: PodKey
  /** The one of that name: another sandbox of it is still the same pod. */
  readonly podUid?: string
}

export type AddressRecord = AddressFacts & AddressPhase

/** On record although the cloud does not assign it. */
export function isLost(address: AddressRecord): boolean {
  return (address.phase === 'owned' || address.phase === 'cooling') && address.lost === true
}

/** Without the phase, for another one to be put in its place. */
export function factsOf({ ip, eni, primary, since, prefix, pod, podUid }: AddressFacts): AddressFacts {
  return {
    ...{ ip, eni, primary, since },
    ...(prefix === undefined ? {} : { prefix }),
    ...(pod === undefined ? {} : { pod }),
    ...(podUid === undefined ? {} : { podUid }),
  }
}

/** A /28 has all its addresses on record; of a /80 those that have ever been given away. */
export interface PrefixRecord {
  readonly cidr: Cidr
  readonly eni: EniKey
  readonly since: number
  /** `lost`: the cloud no longer assigns it, and a pod still holds an address of it. */
  readonly phase: 'active' | 'unassigning' | 'lost'
}

/** What one call assigns. */
export type AssignKind = 'ipv4' | 'ipv6' | 'ipv4-prefix' | 'ipv6-prefix'

/** An assignment that was decided and whose answer is not recorded yet. */
export interface AssignRecord {
  readonly token: AssignToken
  readonly eni: EniKey
  readonly what: AssignKind
  readonly count: number
  readonly since: number
}

export type Change =
  | { readonly kind: 'put-eni'; readonly eni: EniRecord }
  /** Its addresses, prefixes and assigns go with it. */
  | { readonly kind: 'drop-eni'; readonly key: EniKey }
  | { readonly kind: 'put-address'; readonly address: AddressRecord }
  | { readonly kind: 'drop-address'; readonly ip: Ip }
  | { readonly kind: 'put-prefix'; readonly prefix: PrefixRecord }
  /** By itself: its addresses have changes of their own. */
  | { readonly kind: 'drop-prefix'; readonly cidr: Cidr }
  | { readonly kind: 'put-assign'; readonly assign: AssignRecord }
  | { readonly kind: 'drop-assign'; readonly token: AssignToken }
