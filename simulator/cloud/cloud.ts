/**
 * The cloud's side of the API: ENIs, their addresses and their states.
 *
 * No I/O and no timers: the clock is given, and `advance` runs whatever has become due. Every method that refuses
 * throws ApiError and has changed nothing.
 */
import { type Ipv4, type Mac, macFromBytes } from '../../inet/address.ts'
import type { EniId, InstanceId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import type { Node, Region } from '../region/region.ts'
import { type AddressRequest, checkNamed, checkRoom, namedIps, takeRequested, unnamedIps } from './address-request.ts'
import { addressesOf, type Eni, type EniState, instanceOf, withState } from './eni.ts'
import { checkFits, checkReadyForIps, freeDeviceIndex, tooManyIps, withTags, wrongState } from './eni-rules.ts'
import { ApiError } from './error.ts'
import { type Change, Ledger } from './ledger.ts'
import { checkSecurityGroups, findInstance, findSubnet, type Subnets } from './lookup.ts'
import { Schedule } from './schedule.ts'
import { VSwitchAddresses } from './vswitch-addresses.ts'

export interface CloudOptions {
  readonly region: Region
  /** Milliseconds since the epoch; never goes back. */
  readonly now: () => number
}

export interface CreateEni {
  readonly vSwitchId: VSwitchId
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly primaryIp?: Ipv4
  readonly secondary: AddressRequest
  readonly name: string
  readonly description: string
  readonly tags: ReadonlyMap<string, string>
  readonly deleteOnRelease: boolean
}

/** Addresses of an ENI that is on no instance, the primary included (ECS documentation). */
const IPS_WHEN_AVAILABLE = 50

export class Cloud {
  readonly region: Region
  readonly #now: () => number
  readonly #ledger: Ledger
  readonly #subnets: Subnets
  readonly #schedule = new Schedule()
  #sequence = 0
  /** Time of the transition that is running: it may run late, but it happens at its time. */
  #runningAt: number | undefined

  constructor({ region, now }: CloudOptions) {
    this.region = region
    this.#now = now
    const vSwitches = [...region.vSwitches.values()]
    this.#subnets = new Map(vSwitches.map((v) => [v.id, { vSwitch: v, pool: new VSwitchAddresses(v.cidr) }]))
    this.#ledger = new Ledger(region.latencies.metadata)
    for (const node of region.nodes) this.#addPrimary(node)
  }

  get changes(): readonly Change[] {
    return this.#ledger.changes
  }

  /** Grows with every change. */
  get version(): number {
    return this.#ledger.version
  }

  /** When `advance` has something to do next, milliseconds since the epoch. */
  get nextDue(): number | undefined {
    return this.#schedule.nextDue
  }

  /** Runs the transitions that are due. Call it before anything that looks at the state. */
  advance(): void {
    for (;;) {
      const due = this.#schedule.takeDue(this.#now())
      if (due === undefined) return
      this.#runningAt = due.at
      due.run()
      this.#runningAt = undefined
    }
  }

  /** In the order of creation. */
  enis(): readonly Eni[] {
    return this.#ledger.all()
  }

  /** @throws ApiError InvalidEniId.NotFound */
  eni(id: EniId): Eni {
    const eni = this.#ledger.get(id)
    if (eni === undefined) throw new ApiError('InvalidEniId.NotFound', `The ENI ${id} does not exist.`)
    return eni
  }

  enisOf(instance: InstanceId): readonly Eni[] {
    return this.#ledger.ofInstance(instance)
  }

  /** The ENI that holds the address now. */
  eniByIp(ip: Ipv4): Eni | undefined {
    return this.#ledger.byIp(ip)
  }

  /** What the metadata service of the instance shows, lag included. */
  metadataOf(instance: InstanceId): readonly Eni[] {
    return this.#ledger.metadataOf(instance, this.#now())
  }

  nodeOf(instance: InstanceId): Node | undefined {
    return this.region.nodes.find((node) => node.instanceId === instance)
  }

  availableIps(vSwitch: VSwitchId): number {
    return findSubnet(this.#subnets, vSwitch).pool.available
  }

  createEni(request: CreateEni): Eni {
    const subnet = findSubnet(this.#subnets, request.vSwitchId)
    checkSecurityGroups(this.region, request.securityGroupIds)
    const { pool, vSwitch } = subnet
    const named = [...(request.primaryIp === undefined ? [] : [request.primaryIp]), ...namedIps(request.secondary)]
    checkNamed(named, subnet)
    const unnamed = (request.primaryIp === undefined ? 1 : 0) + unnamedIps(request.secondary)
    checkRoom(named.length + unnamed, subnet)
    // The named ones first: a nameless primary must not take one of them.
    if (request.primaryIp !== undefined) pool.take(request.primaryIp)
    const byName = 'ips' in request.secondary ? takeRequested(request.secondary, pool) : []
    const primaryIp = request.primaryIp ?? pool.takeLowest()
    const eni: Eni = {
      ...this.#nextIdentity(),
      type: 'Secondary',
      vSwitchId: vSwitch.id,
      zone: vSwitch.zone,
      primaryIp,
      secondaryIps: 'ips' in request.secondary ? byName : takeRequested(request.secondary, pool),
      securityGroupIds: request.securityGroupIds,
      name: request.name,
      description: request.description,
      tags: request.tags,
      deleteOnRelease: request.deleteOnRelease,
      createdAt: this.#time(),
      state: { status: 'Available' },
    }
    this.#put(eni, { change: 'created', ips: addressesOf(eni) })
    return eni
  }

  /** Repeating the call for the same instance is fine. */
  attachEni(id: EniId, instance: InstanceId): void {
    const eni = this.eni(id)
    const node = findInstance(this.region, instance)
    if (eni.type === 'Primary') throw new ApiError('InvalidOperation.InvalidEniType', `${id} is a primary ENI.`)
    const { status } = eni.state
    if ((status === 'Attaching' || status === 'InUse') && instanceOf(eni) === instance) return
    if (status !== 'Available') throw wrongState(eni, 'Available')
    const attached = this.enisOf(instance)
    checkFits(eni, { node, zone: findSubnet(this.#subnets, node.vSwitchId).vSwitch.zone, attached })
    this.#move(eni, { status: 'Attaching', instanceId: instance, deviceIndex: freeDeviceIndex(attached) })
    this.#later('attach', () => this.#finishAttach(id))
  }

  /** Repeating the call, and calling it for an ENI that is on no instance, is fine. */
  detachEni(id: EniId, instance: InstanceId): void {
    const eni = this.eni(id)
    findInstance(this.region, instance)
    if (eni.type === 'Primary') {
      throw new ApiError('InvalidOperation.DetachPrimaryEniNotAllowed', `${id} is the primary ENI of its instance.`)
    }
    const on = instanceOf(eni)
    if (on !== undefined && on !== instance) {
      throw new ApiError('InvalidParameter.Conflict', `${id} is on ${on}, not on ${instance}.`)
    }
    if (eni.state.status === 'Available' || eni.state.status === 'Detaching') return
    if (eni.state.status !== 'InUse') throw wrongState(eni, 'InUse')
    this.#move(eni, { status: 'Detaching', instanceId: instance, deviceIndex: eni.state.deviceIndex })
    this.#later('detach', () => this.#move(this.eni(id), { status: 'Available' }))
  }

  /** Repeating the call is fine. */
  deleteEni(id: EniId): void {
    const eni = this.eni(id)
    if (eni.state.status === 'Deleting') return
    if (eni.type === 'Primary') throw new ApiError('InvalidOperation.InvalidEniType', `${id} is a primary ENI.`)
    if (eni.state.status !== 'Available') throw wrongState(eni, 'Available')
    this.#move(eni, { status: 'Deleting' })
    this.#later('delete', () => this.#forget(id))
  }

  /** @returns the addresses that were added. */
  assignIps(id: EniId, request: AddressRequest): readonly Ipv4[] {
    const eni = this.eni(id)
    checkReadyForIps(eni)
    const subnet = findSubnet(this.#subnets, eni.vSwitchId)
    const named = namedIps(request)
    const asked = named.length + unnamedIps(request)
    const limit = this.#ipLimit(eni)
    if (addressesOf(eni).length + asked > limit) throw tooManyIps(eni, { limit, asked })
    checkNamed(named, subnet)
    checkRoom(asked, subnet)
    const ips = takeRequested(request, subnet.pool)
    this.#put({ ...eni, secondaryIps: [...eni.secondaryIps, ...ips] }, { change: 'assigned', ips })
    return ips
  }

  /** All or nothing; the primary address counts as not assigned, as in the cloud. */
  unassignIps(id: EniId, ips: readonly Ipv4[]): void {
    const eni = this.eni(id)
    checkReadyForIps(eni)
    const foreign = ips.find((ip) => !eni.secondaryIps.includes(ip))
    if (foreign !== undefined) {
      throw new ApiError('InvalidIp.IpUnassigned', `The IP ${foreign} is not a secondary address of ${id}.`)
    }
    const { pool } = findSubnet(this.#subnets, eni.vSwitchId)
    for (const ip of ips) pool.free(ip)
    const secondaryIps = eni.secondaryIps.filter((ip) => !ips.includes(ip))
    this.#put({ ...eni, secondaryIps }, { change: 'unassigned', ips })
  }

  /** Adds the tags to every ENI, or to none. */
  tagEnis(ids: readonly EniId[], tags: ReadonlyMap<string, string>): void {
    const tagged = ids.map((id): Eni => {
      const eni = this.#ledger.get(id)
      if (eni === undefined) throw new ApiError('InvalidResourceId.NotFound', `The ENI ${id} does not exist.`)
      return withTags(eni, tags)
    })
    for (const eni of tagged) this.#put(eni, { change: 'tagged' })
  }

  #time(): number {
    return this.#runningAt ?? this.#now()
  }

  #addPrimary(node: Node): void {
    const { vSwitch, pool } = findSubnet(this.#subnets, node.vSwitchId)
    pool.take(node.primaryIp)
    const eni: Eni = {
      ...this.#nextIdentity(),
      type: 'Primary',
      vSwitchId: vSwitch.id,
      zone: vSwitch.zone,
      primaryIp: node.primaryIp,
      secondaryIps: [],
      securityGroupIds: node.securityGroupIds,
      name: '',
      description: '',
      tags: new Map(),
      deleteOnRelease: true,
      createdAt: this.#time(),
      state: { status: 'InUse', instanceId: node.instanceId, deviceIndex: 0, linked: true },
    }
    this.#put(eni, { change: 'created', ips: [eni.primaryIp] })
  }

  #finishAttach(id: EniId): void {
    const eni = this.eni(id)
    if (eni.state.status !== 'Attaching') throw new Error(`${id} is ${eni.state.status} when its attach ends`)
    const inUse: EniState = { ...eni.state, status: 'InUse', linked: false }
    this.#move(eni, inUse)
    this.#later('link', () => this.#link(id, inUse))
  }

  /** Unless it was detached meanwhile; it may even be on its next attachment. */
  #link(id: EniId, attachment: EniState): void {
    const eni = this.#ledger.get(id)
    if (eni?.state !== attachment || attachment.status !== 'InUse') return
    this.#put(withState(eni, { ...attachment, linked: true }), { change: 'linked' })
  }

  #forget(id: EniId): void {
    const eni = this.eni(id)
    this.#ledger.remove(id, { at: this.#time(), change: 'gone' })
    const { pool } = findSubnet(this.#subnets, eni.vSwitchId)
    for (const ip of addressesOf(eni)) pool.free(ip)
  }

  #move(eni: Eni, state: EniState): void {
    this.#put(withState(eni, state), { change: state.status })
  }

  #put(eni: Eni, change: Pick<Change, 'change' | 'ips'>): void {
    this.#ledger.put(eni, { at: this.#time(), ...change })
  }

  #later(what: 'attach' | 'detach' | 'delete' | 'link', run: () => void): void {
    this.#schedule.add(this.#time() + this.region.latencies[what], run)
  }

  /** Ids look like the cloud's and are, at 15 characters, also names of links. */
  #nextIdentity(): { id: EniId; mac: Mac } {
    const number = ++this.#sequence
    const id = `eni-sim${String(number).padStart(8, '0')}` as EniId
    // 00:16:3e is the prefix of all ENIs.
    return { id, mac: macFromBytes(Uint8Array.of(0, 0x16, 0x3e, number >> 16, number >> 8, number)) }
  }

  #ipLimit(eni: Eni): number {
    const instance = instanceOf(eni)
    return instance === undefined ? IPS_WHEN_AVAILABLE : findInstance(this.region, instance).instanceType.ipv4PerEni
  }
}
