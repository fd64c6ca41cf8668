/**
 * The cloud's side of the API: ENIs, their addresses and their states.
 *
 * No I/O and no timers: the clock is given, and `advance` runs whatever has become due. Every method that refuses
 * throws ApiError and has changed nothing.
 */
import type { Ipv4, Ipv6 } from '../../inet/address.ts'
import type { EniId, InstanceId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import type { Node, Region } from '../region/region.ts'
import { placeFor } from './attach-rules.ts'
import { checkCarriesNone, checkPlace } from './detach-rules.ts'
import {
  type Attachment,
  addressesOf,
  type Eni,
  instanceOf,
  ipv4Slots,
  ipv6Slots,
  privateIpCount,
  trunkOf,
} from './eni.ts'
import { checkIpv4Slots, checkIpv6Slots, checkSettled, wrongState } from './eni-rules.ts'
import { ApiError } from './error.ts'
import type { Asker, CloudFaults } from './faults.ts'
import { type Change, Ledger } from './ledger.ts'
import { changesAnything, checkChanges, type EniChanges } from './modify-rules.ts'
import { type CreateEni, identityOf, takeAddresses, withPrimary } from './new-eni.ts'
import { checkEniQuota, checkSecurityGroupRoom, checkSecurityGroups } from './quotas.ts'
import { ResourceTags, sameTags, type Tags, withoutTags, withTags } from './resource-tags.ts'
import { RouteTables } from './route-tables.ts'
import {
  findSubnet,
  giveBack,
  ipv4CountOf,
  NOTHING,
  type Subnet,
  type Subnets,
  slotsOf,
  subnetOf,
  type Taken,
  takeIpv4,
  takeIpv6,
  type Wanted,
} from './subnet.ts'
import { Transitions } from './transitions.ts'
import { checkAssigned } from './unassign-rules.ts'

export interface CloudOptions {
  readonly region: Region
  /** Milliseconds since the epoch; never goes back. */
  readonly now: () => number
  /** Undefined: nothing goes wrong. */
  readonly faults?: CloudFaults
}

/** A primary ENI of the region file; nobody asked for more. */
const PRIMARY = {
  type: 'Primary',
  secondaryIps: [],
  ipv4Prefixes: [],
  ipv6Prefixes: [],
  name: '',
  description: '',
  resourceGroupId: '',
  tags: new Map(),
  deleteOnRelease: true,
  sourceDestCheck: false,
  trafficMode: 'Standard',
  queueNumber: undefined,
} as const

export class Cloud {
  readonly region: Region
  readonly routes: RouteTables
  readonly instanceTags: ResourceTags<InstanceId>
  readonly securityGroupTags: ResourceTags<SecurityGroupId>
  /** When the resources of the region file were made, milliseconds since the epoch. */
  readonly startedAt: number
  readonly #now: () => number
  readonly #faults: CloudFaults | undefined
  readonly #nodes: ReadonlyMap<InstanceId, Node>
  readonly #ledger: Ledger
  readonly #subnets: Subnets
  readonly #transitions: Transitions
  /** How many ENIs there ever were. */
  #sequence = 0

  constructor({ region, now, faults }: CloudOptions) {
    this.region = region
    this.#now = now
    this.#faults = faults
    this.#nodes = new Map(region.nodes.map((node) => [node.instanceId, node]))
    this.#subnets = new Map([...region.vSwitches.values()].map((vSwitch) => [vSwitch.id, subnetOf(vSwitch)]))
    this.#ledger = new Ledger(region.latencies.metadata)
    const gone = (eni: Eni) => this.#freeAddresses(eni)
    this.#transitions = new Transitions({ ledger: this.#ledger, latencies: region.latencies, now, faults, gone })
    this.startedAt = now()
    const time = () => this.#transitions.time
    const later = (run: () => void) => this.#transitions.later('route', run)
    this.routes = new RouteTables({ region, now: time, later, eni: (id) => this.#ledger.get(id) })
    this.instanceTags = new ResourceTags(
      region.nodes.map(({ instanceId, tags }) => [instanceId, tags]),
      time,
    )
    this.securityGroupTags = new ResourceTags(
      [...region.securityGroups.keys()].map((id) => [id, new Map()]),
      time,
    )
    for (const node of region.nodes) this.#addPrimary(node)
  }

  get changes(): readonly Change[] {
    return this.#ledger.changes
  }

  /** Grows with every change. */
  get version(): number {
    const parts = [this.#ledger, this.routes, this.instanceTags, this.securityGroupTags]
    return parts.reduce((sum, { version }) => sum + version, 0)
  }

  /** When `advance` has something to do next, milliseconds since the epoch. */
  get nextDue(): number | undefined {
    return this.#transitions.nextDue
  }

  /** Runs the transitions that are due. Call it before anything that looks at the state. */
  advance(): void {
    this.#transitions.advance()
  }

  /** In the order of creation. */
  enis(): readonly Eni[] {
    return this.#ledger.all()
  }

  /** As `enis` was at `time`, ms since the epoch; the last fifteen minutes are known. */
  enisAt(time: number): readonly Eni[] {
    return this.#ledger.allAt(time, this.#now())
  }

  /** @throws ApiError InvalidEniId.NotFound */
  eni(id: EniId): Eni {
    const eni = this.#ledger.get(id)
    if (eni === undefined) throw new ApiError('InvalidEniId.NotFound', `The ENI ${id} does not exist.`)
    return eni
  }

  /** Those on the instance, or on their way to or from it. */
  enisOf(instance: InstanceId): readonly Eni[] {
    return this.#ledger.ofInstance(instance)
  }

  /** The ENI that holds the address now, alone or in a prefix. */
  eniByIp(ip: Ipv4): Eni | undefined {
    return this.#ledger.byIp(ip)
  }

  /** What the metadata service of the instance shows, lag included. */
  metadataOf(instance: InstanceId): readonly Eni[] {
    return this.#ledger.metadataOf(instance, this.#now())
  }

  nodeOf(instance: InstanceId): Node | undefined {
    return this.#nodes.get(instance)
  }

  /** Free IPv4 addresses as the vSwitch reports them. @throws ApiError InvalidVSwitchId.NotFound */
  availableIps(vSwitch: VSwitchId, asker: Asker = 'onlooker'): number {
    return this.#reported(findSubnet(this.#subnets, vSwitch), asker)
  }

  createEni(request: CreateEni): Eni {
    const { primaryIp, ipv4, ipv6, ...properties } = request
    const { vSwitchId, securityGroupIds } = properties
    const subnet = findSubnet(this.#subnets, vSwitchId)
    const allIpv4 = withPrimary(ipv4, primaryIp)
    checkSecurityGroups(this.region, securityGroupIds)
    checkEniQuota(this.region, this.enis())
    checkIpv4Slots(slotsOf(allIpv4), undefined)
    checkIpv6Slots(slotsOf(ipv6), undefined)
    checkSecurityGroupRoom(this.region, this.enis(), { securityGroupIds, ips: ipv4CountOf(allIpv4) })
    const addresses = takeAddresses(subnet, { primaryIp, ipv4, ipv6 }, this.#reported(subnet))
    const eni: Eni = {
      ...properties,
      ...identityOf(++this.#sequence),
      ...addresses,
      zone: subnet.vSwitch.zone,
      createdAt: this.#transitions.time,
      state: { status: 'Available' },
    }
    this.#transitions.put(eni, { change: 'created', ...addressesForLog(eni) })
    return eni
  }

  /**
   * `trunkId`: the trunk that is to carry the ENI. Repeating the call for the same place is fine, and helps an attach
   * that hangs.
   */
  attachEni(id: EniId, instance: InstanceId, trunkId?: EniId): void {
    const eni = this.eni(id)
    const node = this.#instance(instance)
    if (eni.type === 'Primary') throw new ApiError('InvalidOperation.InvalidEniType', `${id} is a primary ENI.`)
    const { status } = eni.state
    const isThere = instanceOf(eni) === instance && trunkOf(eni) === trunkId
    if (isThere && status === 'InUse') return
    if (isThere && status === 'Attaching') {
      this.#transitions.repeat('attach', eni)
      return
    }
    if (status !== 'Available') throw wrongState(eni, 'Available')
    const { zone } = findSubnet(this.#subnets, node.vSwitchId).vSwitch
    const trunk = trunkId === undefined ? undefined : this.eni(trunkId)
    const place = placeFor(eni, { node, zone, attached: this.enisOf(instance), trunk })
    this.#transitions.begin('attach', eni, { status: 'Attaching', ...place })
  }

  /**
   * `trunkId`: checked when it is given. Repeating the call, and calling it for an ENI that is on no instance, is fine;
   * an attach that hangs is given up.
   */
  detachEni(id: EniId, instance: InstanceId, trunkId?: EniId): void {
    const eni = this.eni(id)
    this.#instance(instance)
    if (eni.type === 'Primary') {
      throw new ApiError('InvalidOperation.DetachPrimaryEniNotAllowed', `${id} is the primary ENI of its instance.`)
    }
    const { state } = eni
    if (state.status === 'Available') return
    if (state.status === 'Deleting') throw wrongState(eni, 'InUse')
    checkPlace(eni, state, { instance, trunkId })
    if (state.status === 'Detaching') {
      this.#transitions.repeat('detach', eni)
      return
    }
    if (state.status === 'Attaching' && !this.#transitions.isHanging(eni)) throw wrongState(eni, 'InUse')
    checkCarriesNone(eni, this.enisOf(instance))
    this.#transitions.begin('detach', eni, { ...placeOf(state), status: 'Detaching' })
  }

  /** Repeating the call is fine, and helps a deletion that hangs. */
  deleteEni(id: EniId): void {
    const eni = this.eni(id)
    if (eni.state.status === 'Deleting') {
      this.#transitions.repeat('delete', eni)
      return
    }
    if (eni.type === 'Primary') throw new ApiError('InvalidOperation.InvalidEniType', `${id} is a primary ENI.`)
    if (eni.state.status !== 'Available') throw wrongState(eni, 'Available')
    this.#transitions.begin('delete', eni, { status: 'Deleting' })
  }

  /** What is not named stays; the security groups are replaced as a whole. */
  modifyEni(id: EniId, changes: EniChanges): void {
    const eni = this.eni(id)
    const node = this.#nodeUnder(eni)
    checkChanges(eni, changes, node === undefined ? undefined : { node, attached: this.enisOf(node.instanceId) })
    if (changes.securityGroupIds !== undefined) {
      checkSecurityGroups(this.region, changes.securityGroupIds)
      const { securityGroupIds } = changes
      checkSecurityGroupRoom(this.region, this.enis(), { securityGroupIds, ips: privateIpCount(eni), instead: id })
    }
    if (changesAnything(eni, changes)) this.#transitions.put({ ...eni, ...changes }, { change: 'modified' })
  }

  /** @returns what was added. */
  assignIpv4(id: EniId, wanted: Wanted<Ipv4>): Taken<Ipv4> {
    const eni = this.eni(id)
    checkSettled(eni)
    const subnet = findSubnet(this.#subnets, eni.vSwitchId)
    checkIpv4Slots(ipv4Slots(eni) + slotsOf(wanted), this.#nodeUnder(eni))
    const { securityGroupIds } = eni
    checkSecurityGroupRoom(this.region, this.enis(), { securityGroupIds, ips: ipv4CountOf(wanted) })
    const taken = takeIpv4(subnet, wanted, this.#reported(subnet))
    const secondaryIps = [...eni.secondaryIps, ...taken.ips]
    const ipv4Prefixes = [...eni.ipv4Prefixes, ...taken.prefixes]
    this.#transitions.put({ ...eni, secondaryIps, ipv4Prefixes }, { change: 'assigned', ...taken })
    return taken
  }

  /** All or nothing; the primary address counts as not assigned, as in the cloud. */
  unassignIpv4(id: EniId, taken: Taken<Ipv4>): void {
    const eni = this.eni(id)
    checkSettled(eni)
    checkAssigned(taken, { ips: eni.secondaryIps, prefixes: eni.ipv4Prefixes })
    giveBack(findSubnet(this.#subnets, eni.vSwitchId).ipv4, taken)
    const secondaryIps = eni.secondaryIps.filter((ip) => !taken.ips.includes(ip))
    const ipv4Prefixes = eni.ipv4Prefixes.filter((prefix) => !taken.prefixes.includes(prefix))
    this.#transitions.put({ ...eni, secondaryIps, ipv4Prefixes }, { change: 'unassigned', ...taken })
  }

  /** @returns what was added. */
  assignIpv6(id: EniId, wanted: Wanted<Ipv6>): Taken<Ipv6> {
    const eni = this.eni(id)
    checkSettled(eni)
    checkIpv6Slots(ipv6Slots(eni) + slotsOf(wanted), this.#nodeUnder(eni))
    const taken = takeIpv6(findSubnet(this.#subnets, eni.vSwitchId), wanted)
    const ipv6s = [...eni.ipv6s, ...taken.ips]
    const ipv6Prefixes = [...eni.ipv6Prefixes, ...taken.prefixes]
    this.#transitions.put({ ...eni, ipv6s, ipv6Prefixes }, { change: 'assigned', ...taken })
    return taken
  }

  /** All or nothing. */
  unassignIpv6(id: EniId, taken: Taken<Ipv6>): void {
    const eni = this.eni(id)
    checkSettled(eni)
    checkAssigned(taken, { ips: eni.ipv6s, prefixes: eni.ipv6Prefixes })
    giveBack(findSubnet(this.#subnets, eni.vSwitchId).ipv6, taken)
    const ipv6s = eni.ipv6s.filter((ip) => !taken.ips.includes(ip))
    const ipv6Prefixes = eni.ipv6Prefixes.filter((prefix) => !taken.prefixes.includes(prefix))
    this.#transitions.put({ ...eni, ipv6s, ipv6Prefixes }, { change: 'unassigned', ...taken })
  }

  /** Adds the tags to every ENI, or to none. */
  tagEnis(ids: readonly EniId[], tags: ReadonlyMap<string, string>): void {
    this.#retag(ids, (eni) => withTags(eni.id, eni.tags, tags))
  }

  /** Takes the tags from every ENI, or from none. */
  untagEnis(ids: readonly EniId[], keys: readonly string[] | 'all'): void {
    this.#retag(ids, (eni) => withoutTags(eni.tags, keys))
  }

  #retag(ids: readonly EniId[], next: (eni: Eni) => Tags): void {
    const tagged = ids.flatMap((id): Eni[] => {
      const eni = this.#ledger.get(id)
      if (eni === undefined) throw new ApiError('InvalidResourceId.NotFound', `The ENI ${id} does not exist.`)
      const tags = next(eni)
      return sameTags(eni.tags, tags) ? [] : [{ ...eni, tags }]
    })
    for (const eni of tagged) this.#transitions.put(eni, { change: 'tagged' })
  }

  #instance(id: InstanceId): Node {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new ApiError('InvalidEcsId.NotFound', `The instance ${id} does not exist.`)
    return node
  }

  /** The node the ENI is on, or on its way to or from. */
  #nodeUnder(eni: Eni): Node | undefined {
    const instance = instanceOf(eni)
    return instance === undefined ? undefined : this.#instance(instance)
  }

  #reported({ vSwitch, ipv4 }: Subnet, asker: Asker = 'call'): number {
    return this.#faults?.availableIps(vSwitch, asker) ?? ipv4.available
  }

  #addPrimary({ instanceId, vSwitchId, primaryIp, primaryIpv6, securityGroupIds }: Node): void {
    const subnet = findSubnet(this.#subnets, vSwitchId)
    takeIpv4(subnet, { ...NOTHING, ips: [primaryIp] }, subnet.ipv4.available)
    const ipv6s = primaryIpv6 === undefined ? [] : [primaryIpv6]
    takeIpv6(subnet, { ...NOTHING, ips: ipv6s })
    const eni: Eni = {
      ...identityOf(++this.#sequence),
      ...PRIMARY,
      vSwitchId,
      zone: subnet.vSwitch.zone,
      primaryIp,
      ipv6s,
      securityGroupIds,
      createdAt: this.#transitions.time,
      state: { status: 'InUse', instanceId, deviceIndex: 0, linked: true },
    }
    // Even an answer that is late shows what the region began with.
    const since = Number.NEGATIVE_INFINITY
    this.#ledger.put(eni, { at: this.#transitions.time, change: 'created', ips: [primaryIp, ...ipv6s] }, since)
  }

  #freeAddresses(eni: Eni): void {
    const { ipv4, ipv6 } = findSubnet(this.#subnets, eni.vSwitchId)
    giveBack(ipv4, { ips: addressesOf(eni), prefixes: eni.ipv4Prefixes })
    giveBack(ipv6, { ips: eni.ipv6s, prefixes: eni.ipv6Prefixes })
  }
}

/** The place alone, without what else belongs to the state. */
function placeOf({ instanceId, deviceIndex, trunkId }: Attachment): Attachment {
  return { instanceId, deviceIndex, ...(trunkId === undefined ? {} : { trunkId }) }
}

/** Every address and prefix, for the log. */
function addressesForLog(eni: Eni): Pick<Change, 'ips' | 'prefixes'> {
  return { ips: [...addressesOf(eni), ...eni.ipv6s], prefixes: [...eni.ipv4Prefixes, ...eni.ipv6Prefixes] }
}
