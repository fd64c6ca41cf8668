/** The comparison over random records and random answers of the cloud, also such as no cloud would give. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CloudEni } from '../../../cloud/ecs.ts'
import { type Cidr, familyOf, type Ip, type Ipv4, type Ipv6 } from '../../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../../inet/link-name.ts'
import {
  type AddressRecord,
  type AssignToken,
  type Change,
  type EniKey,
  type EniRole,
  isLost,
  type KnownEni,
  type KnownEniPhase,
  type Owner,
} from '../model.ts'
import { type Reconciliation, reconcile } from '../reconcile.ts'
import type { PoolKind } from '../settings.ts'
import { PoolTables } from '../tables.ts'
import type { World } from './world.ts'
import {
  addressRecord,
  cloudEni,
  eniRecord,
  HERE,
  ids,
  inPrefix,
  ip,
  ip6,
  MINUTE,
  NOW,
  OTHER,
  PREFIX6,
  prefix,
  worldOf,
} from './world-under-test.ts'

const RUNS = 1_000
const INDEXES = [0, 1, 2, 3] as const
const ENI_IDS = [...INDEXES, 4, 5].map((index) => `eni-${index}`)
const SINGLES: readonly Ip[] = [...[1, 2, 3, 4, 5, 6].map(ip), ...[1, 2, 3].map(ip6)]
const IPV4_PREFIXES = [prefix(0), prefix(1)]
const keyOf = (index: number) => `k${index}` as EniKey
const OWNERSHIP: World['ownership'] = {
  ...{ instanceId: HERE, clusterId: 'c-1', tagFilter: {} },
  blockedTags: [{ key: 'excluded', value: 'true' }],
}

const PHASES: readonly KnownEniPhase[] = ['attaching', 'in-use', 'draining', 'detaching', 'deleting', 'lost']
const ROLES: readonly EniRole[] = ['shared', 'exclusive', 'member', 'trunk']

const someEni = fc.record({
  phase: fc.constantFrom(...PHASES, 'absent' as const),
  role: fc.constantFrom(...ROLES),
  vlan: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
  since: fc.constantFrom(0, NOW - 1, NOW + 1),
  assigning: fc.option(fc.constantFrom('ipv4', 'ipv6', 'ipv4-prefix', 'ipv6-prefix'), { nil: undefined }),
})
const somePhase = fc.constantFrom('warm', 'owned', 'ghost', 'cooling', 'unassigning')
const somePlace = fc.record({ on: fc.constantFrom(...INDEXES, undefined), phase: somePhase })
const someAddresses = fc.tuple(...SINGLES.map(() => somePlace))
const somePrefix = fc.record({
  on: fc.constantFrom(...INDEXES, undefined),
  state: fc.constantFrom('active', 'unassigning', 'lost'),
  phases: fc.array(somePhase, { minLength: 16, maxLength: 16 }),
})
const somePrefixes = fc.tuple(somePrefix, somePrefix)

type SomePhase = 'warm' | 'owned' | 'ghost' | 'cooling' | 'unassigning'

function phaseOf(phase: SomePhase, address: Ip) {
  if (phase === 'cooling') return { phase, until: NOW + MINUTE } as const
  if (phase === 'warm' || phase === 'unassigning') return { phase } as const
  const owner = `c-${address}/eth0` as Owner
  return phase === 'ghost' ? ({ phase: 'owned', owner, lost: true } as const) : ({ phase: 'owned', owner } as const)
}

/** What can be on an ENI: of a lost one there are ghosts only, and one that goes carries no pod. */
function allowed(eni: KnownEni, phase: SomePhase): SomePhase {
  if (eni.phase === 'lost') return 'ghost'
  const goes = eni.phase === 'detaching' || eni.phase === 'deleting'
  return goes && phase === 'owned' ? 'warm' : phase
}

const someState = fc
  .record({ enis: fc.tuple(someEni, someEni, someEni, someEni), addresses: someAddresses, prefixes: somePrefixes })
  .map(({ enis, addresses, prefixes }) => {
    const state = new PoolTables()
    for (const [index, { phase, role, vlan, since, assigning }] of enis.entries()) {
      if (phase === 'absent') continue
      const facts = { key: keyOf(index), id: ids(`eni-${index}`), phase, role, since }
      state.apply([{ kind: 'put-eni', eni: eniRecord({ ...facts, ...(vlan === undefined ? {} : { vlanId: vlan }) }) }])
      if (assigning === undefined) continue
      const assign = { token: `t${index}` as AssignToken, eni: keyOf(index), what: assigning, count: 1, since }
      state.apply([{ kind: 'put-assign', assign }])
    }
    const eniAt = (on: number | undefined) => {
      const eni = on === undefined ? undefined : state.enis.get(keyOf(on))
      return eni?.phase === 'creating' ? undefined : eni
    }
    for (const [index, { on, phase }] of addresses.entries()) {
      const [eni, address] = [eniAt(on), SINGLES[index]]
      if (eni === undefined || address === undefined) continue
      const as = phaseOf(allowed(eni, phase), address)
      state.apply([{ kind: 'put-address', address: addressRecord(address, as, { eni: eni.key }) }])
    }
    for (const [index, { on, state: is, phases }] of prefixes.entries()) {
      const eni = eniAt(on)
      if (eni !== undefined) state.apply(prefixChanges(eni, { index, is, phases }))
    }
    return state
  })

interface SomePrefix {
  readonly index: number
  readonly is: 'active' | 'unassigning' | 'lost'
  readonly phases: readonly SomePhase[]
}

function prefixChanges(eni: KnownEni, { index, is, phases }: SomePrefix): Change[] {
  const phase = eni.phase === 'lost' ? 'lost' : is
  const cidr = prefix(index)
  const addresses = phases.flatMap((wanted, offset): AddressRecord[] => {
    const address = inPrefix(index, offset)
    const facts = { eni: eni.key, prefix: cidr }
    if (phase === 'unassigning') return [addressRecord(address, { phase: 'unassigning' }, facts)]
    if (phase === 'lost') return wanted === 'ghost' ? [addressRecord(address, phaseOf('ghost', address), facts)] : []
    const as = wanted === 'ghost' || wanted === 'unassigning' ? 'warm' : allowed(eni, wanted)
    return [addressRecord(address, phaseOf(as, address), facts)]
  })
  return [
    { kind: 'put-prefix', prefix: { cidr, eni: eni.key, since: 0, phase } },
    ...addresses.map((address): Change => ({ kind: 'put-address', address })),
  ]
}

const SOME_TAGS: readonly (readonly [string, string])[][] = [
  [['creator', 'terway']],
  [
    ['creator', 'terway'],
    ['terway.node', HERE],
  ],
  [
    ['creator', 'terway'],
    ['terway.node', HERE],
    ['ack.aliyun.com', 'c-2'],
  ],
  [
    ['creator', 'terway'],
    ['terway.node', HERE],
    ['excluded', 'true'],
  ],
  [['creator', 'someone']],
  [],
]

const someCloudEni = (id: string) =>
  fc
    .record({
      type: fc.constantFrom('Secondary', 'Trunk', 'Member', 'Primary', 'Unknown'),
      status: fc.constantFrom(
        'InUse',
        'InUse',
        'InUse',
        'Available',
        'Attaching',
        'Detaching',
        'Deleting',
        'CreateFailed',
        'Unknown',
      ),
      instanceId: fc.constantFrom(HERE, HERE, HERE, OTHER, undefined),
      tags: fc.constantFrom(...SOME_TAGS, ...SOME_TAGS.slice(0, 2)),
      whole: fc.boolean(),
      trunk: fc.boolean(),
      vlan: fc.constantFrom(1, 2, undefined),
      ips: fc.subarray([...SINGLES]),
      prefixes: fc.subarray([...IPV4_PREFIXES]),
      wide: fc.boolean(),
    })
    .map(({ instanceId, tags, whole, trunk, vlan, ips, prefixes, wide, ...fields }): CloudEni => {
      const { mac, primaryIp: _, instanceId: __, ...rest } = cloudEni(id, fields)
      const v4 = ips.filter((address): address is Ipv4 => familyOf(address) === 'ipv4')
      return {
        ...rest,
        ...(whole && mac !== undefined ? { mac, primaryIp: v4[0] ?? ip(9) } : {}),
        ...(instanceId === undefined ? {} : { instanceId }),
        ...(trunk ? { trunkId: ids('eni-t') } : {}),
        ...(vlan === undefined ? {} : { vlanId: vlan }),
        ...{ tags: new Map(tags), ips: v4, ipv4Prefixes: prefixes, ipv6Prefixes: wide ? [PREFIX6] : [] },
        ipv6s: ips.filter((address): address is Ipv6 => familyOf(address) === 'ipv6'),
      }
    })

const someCloud = fc
  .tuple(...ENI_IDS.map((id) => fc.option(someCloudEni(id), { nil: undefined })))
  .map((enis) => enis.filter((eni) => eni !== undefined))

const someRoutes = fc
  .subarray([...SINGLES, inPrefix(0, 3), inPrefix(1, 0)])
  .map((ips): ReadonlyMap<Ip, LinkName> => new Map(ips.map((address, i) => [address, parseLinkName(`cali${i}`)])))

const someWorld = fc
  .record({
    state: someState,
    cloud: someCloud,
    kind: fc.constantFrom<PoolKind>('shared', 'exclusive', 'member'),
    podRoutes: someRoutes,
    orphanTtl: fc.constantFrom(0, 3 * MINUTE),
  })
  .map((part) => worldOf({ ...part, ownership: OWNERSHIP }))

/** Said again, in other words than those of the program. */
function isOurs(eni: CloudEni): boolean {
  const tag = (key: string) => eni.tags.get(key)
  const taken = tag('excluded') === 'true' || (tag('ack.aliyun.com') ?? 'c-1') !== 'c-1'
  const near = eni.instanceId === HERE || (eni.instanceId === undefined && tag('terway.node') === HERE)
  return ['Secondary', 'Trunk', 'Member'].includes(eni.type) && tag('creator') === 'terway' && near && !taken
}

function isSomebodyElses(eni: CloudEni): boolean {
  const creator = eni.tags.get('creator')
  const elsewhere = eni.instanceId !== undefined && eni.instanceId !== HERE
  return elsewhere || eni.tags.get('excluded') === 'true' || creator === 'someone' || eni.tags.has('ack.aliyun.com')
}

function is(eni: CloudEni | undefined, what: (eni: CloudEni) => boolean): boolean {
  return eni !== undefined && what(eni)
}

interface Step {
  readonly world: World
  readonly result: Reconciliation
  readonly before: PoolTables
  readonly after: PoolTables
}

/** So many comparisons with the same answer, each after the last one has been committed. */
function history(world: World, rounds: number): Step[] {
  const state = PoolTables.of(world.state)
  const steps: Step[] = []
  let suspicions = world.suspicions
  for (let round = 0; round < rounds; round++) {
    const now = NOW + round * 2 * MINUTE
    const asked = { ...world, state, suspicions, now, settledBefore: now }
    const before = PoolTables.of(state)
    const result = reconcile(asked)
    state.check(result.changes)
    state.apply(result.changes)
    suspicions = result.suspicions
    steps.push({ world: { ...asked, state: before }, result, before, after: PoolTables.of(state) })
    bringUp(state, world.cloud)
  }
  return steps
}

/** What the effects would have done: what is to be attached and is, is in use. */
function bringUp(state: PoolTables, cloud: readonly CloudEni[]): void {
  for (const eni of [...state.enis.values()]) {
    const found = eni.phase === 'attaching' ? cloud.find(({ id }) => id === eni.id) : undefined
    if (eni.phase !== 'attaching' || found?.status !== 'InUse') continue
    if (eni.role === 'member' && (found.trunkId === undefined || found.vlanId === undefined)) continue
    const vlan = found.vlanId === undefined ? {} : { vlanId: found.vlanId }
    state.apply([{ kind: 'put-eni', eni: { ...eni, ...vlan, phase: 'in-use' } }])
  }
}

function holds(property: (steps: readonly Step[]) => void, rounds = 4): void {
  fc.assert(
    fc.property(someWorld, (world) => property(history(world, rounds))),
    { numRuns: RUNS },
  )
}

test('every change is a legal one, and the copy that the comparison works on is what the pool will have', () => {
  // `history` commits as the pool does, which throws.
  holds((steps) => expect(steps).toHaveLength(4))
})

test('what is not ours is in no record that was not there, and in none that acts', () => {
  holds((steps) => {
    for (const { world, result, before } of steps) {
      const found = (id: string) => world.cloud.find((eni) => eni.id === id)
      const known = result.changes.flatMap((change) => {
        return change.kind === 'put-eni' && change.eni.phase !== 'creating' ? [change.eni] : []
      })
      const added = known.filter(({ key }) => !before.enis.has(key))
      const acting = known.filter(({ phase }) => phase !== 'lost')
      const taken = [...result.strays, ...added.map(({ id }) => id)]
      expect(taken.filter((id) => !is(found(id), isOurs))).toEqual([])
      expect(acting.filter(({ id }) => is(found(id), isSomebodyElses))).toEqual([])
    }
  })
})

test('what a pod has stays its pod’s', () => {
  holds((steps) => {
    for (const { before, after } of steps) {
      for (const address of before.addresses.values()) {
        if (address.phase !== 'owned') continue
        expect(after.addresses.get(address.ip)).toMatchObject({ phase: 'owned', owner: address.owner })
      }
    }
  })
})

test('what a pod carries is never free, and what cools down goes on to do so', () => {
  holds((steps) => {
    for (const { world, before, after } of steps) {
      for (const { ip: address, phase } of after.addresses.values()) {
        if (!before.addresses.has(address) && world.podRoutes.has(address)) expect(phase).toBe('owned')
      }
      for (const address of before.cooling.values()) {
        // Assigned or not: it may become a ghost meanwhile, or be one no more.
        const lost = expect.anything()
        expect({ ...after.addresses.get(address.ip), lost }).toEqual({ ...address, lost })
      }
    }
  })
})

test('one answer alone takes nothing over and removes nothing that is not on record', () => {
  holds(([first]) => {
    if (first === undefined) throw new Error('no comparison')
    const { result, before } = first
    expect(result.strays).toEqual([])
    for (const change of result.changes) {
      if (change.kind === 'put-eni') expect(before.enis.has(change.eni.key)).toBe(true)
      if (change.kind === 'put-address') expect(before.addresses.has(change.address.ip)).toBe(true)
      if (change.kind === 'put-prefix') expect(before.prefixes.has(change.prefix.cidr)).toBe(true)
    }
  }, 1)
})

test('one answer alone takes nothing away from what the journal has', () => {
  holds(([first]) => {
    if (first === undefined) throw new Error('no comparison')
    const { before, after } = first
    for (const eni of before.enis.values()) {
      if (eni.phase === 'lost') continue
      const drained = eni.phase === 'in-use' ? ['in-use', 'draining'] : [eni.phase]
      expect(drained).toContain(after.enis.get(eni.key)?.phase)
    }
    const kept = [...before.addresses.values()].filter(({ eni }) => before.enis.get(eni)?.phase !== 'lost')
    expect(kept.filter((address) => isLost(after.addresses.get(address.ip) ?? GONE) && !isLost(address))).toEqual([])
    const prefixes = [...before.prefixes.values()].filter(({ eni }) => before.enis.get(eni)?.phase !== 'lost')
    expect(prefixes.map(({ cidr }) => after.prefixes.get(cidr)?.phase)).toEqual(prefixes.map(({ phase }) => phase))
  }, 1)
})

test('what one answer lacks is doubted', () => {
  holds(([first]) => {
    if (first === undefined) throw new Error('no comparison')
    const { world, result, before } = first
    const isJudged = ({ eni: key }: AddressRecord) => {
      const eni = before.enis.get(key)
      const found = world.cloud.find(({ id }) => eni?.phase !== 'creating' && id === eni?.id)
      return eni !== undefined && eni.since <= world.settledBefore && !is(found, isSomebodyElses)
    }
    const free = freeInVain(first).filter(isJudged)
    expect(free.filter(({ ip: address }) => !result.doubted.has(address))).toEqual([])
  }, 1)
})

test('of a start without a journal the first answer takes over, and removes nothing', () => {
  fc.assert(
    fc.property(someWorld, (world) => {
      const { changes, strays } = reconcile({ ...world, state: new PoolTables(), fresh: true })
      const phases = changes.flatMap((change) => (change.kind === 'put-eni' ? [change.eni.phase] : []))
      const attached = world.cloud.filter(
        (eni) => isOurs(eni) && eni.mac && eni.instanceId && (eni.status === 'InUse' || eni.status === 'Attaching'),
      )
      expect(phases).toEqual(attached.map(() => 'attaching'))
      expect(strays).toEqual([])
    }),
    { numRuns: RUNS },
  )
})

test('it comes to an end, and then nothing is free that the cloud does not assign', () => {
  holds((steps) => {
    const [beforeLast, last] = steps.slice(-2)
    if (beforeLast === undefined || last === undefined) throw new Error('no comparison')
    expect([...beforeLast.result.changes, ...last.result.changes]).toEqual([])
    expect(freeInVain(last)).toEqual([])
  }, 12)
})

/** Addresses of attached ENIs that could be given away, now or soon, although the cloud does not assign them. */
function freeInVain({ world, after }: Step): AddressRecord[] {
  const attached = [...after.enis.values()].flatMap((eni) => {
    if (eni.phase !== 'in-use' && eni.phase !== 'draining') return []
    const found = world.cloud.find(({ id, status }) => id === eni.id && status === 'InUse')
    return found === undefined ? [] : [{ key: eni.key, found }]
  })
  return attached.flatMap(({ key, found }) =>
    [...after.addressesOf(key)].filter((a) => isFree(a) && !isAssigned(found, a)),
  )
}

function isAssigned(eni: CloudEni, { ip: address, prefix: of }: AddressRecord): boolean {
  const [singles, prefixes]: [readonly Ip[], readonly Cidr[]] = [
    [...eni.ips, ...eni.ipv6s],
    [...eni.ipv4Prefixes, ...eni.ipv6Prefixes],
  ]
  return of === undefined ? singles.includes(address) : prefixes.includes(of)
}

/** What is on record no more counts as lost. */
const GONE: AddressRecord = addressRecord(ip(9), { phase: 'owned', owner: 'nobody' as Owner, lost: true })

/** Now, or when it has cooled down. */
function isFree(address: AddressRecord): boolean {
  return address.phase === 'warm' || (address.phase === 'cooling' && !address.lost)
}
