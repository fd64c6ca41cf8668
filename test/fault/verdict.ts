/** What is wrong with a world after a death, a sentence each. Pure. */
import { cidrContains, parseCidr, parseIp } from '../../inet/address.ts'
import type { LivePod } from './pod-links.ts'
import type { AddressRow, CloudEni, World } from './world.ts'

/**
 * `leaked`: what is in the cloud, or was made there, and nobody will ever use. `unaccounted`: what the journal of a dead
 * process says nothing of. `phantom`: what the journal has and the cloud has not. `double`: an address that two pods have,
 * or that the second one has too early. `foreign`: something was done to what is not ours.
 */
export type FaultKind = 'leaked' | 'unaccounted' | 'phantom' | 'double' | 'foreign' | 'unfinished'

export interface Fault {
  readonly kind: FaultKind
  readonly what: string
}

export interface Ground {
  /** ENIs that were there before, of others. */
  readonly strangers: readonly CloudEni[]
  /** The journal had forgotten everything at the start: what is not on record is still to be found. */
  readonly forgets: boolean
  /** Calls that have been made before the node's. */
  readonly callsBefore: number
}

/** All but the strangers': nobody else makes any. */
function oursOf({ cloud }: World, { strangers }: Ground): readonly CloudEni[] {
  const others = new Set(strangers.map(({ id }) => id))
  return cloud.filter(({ id }) => !others.has(id))
}

/** What holds at every moment: the journal accounts for all that is in the cloud, and promises nothing that is not. */
export function faultsAtDeath(world: World, ground: Ground): Fault[] {
  const ours = oursOf(world, ground)
  return [
    ...ours.flatMap((eni) => unaccounted(world, eni)).filter(() => !ground.forgets || world.journal.enis.length > 0),
    ...world.journal.enis.flatMap(({ key, id, phase }) => {
      const eni = ours.find((one) => one.id === id)
      return phase === 'in-use' || phase === 'draining' ? phantoms(world, key, eni) : []
    }),
    ...doubles(world),
  ]
}

function unaccounted({ journal }: World, eni: CloudEni): Fault[] {
  const intent = journal.enis.find(({ key, phase }) => phase === 'creating' && key === eni.tags['terway.intent'])
  if (intent !== undefined) return []
  const record = journal.enis.find(({ id }) => id === eni.id)
  if (record === undefined) return [{ kind: 'unaccounted', what: `${eni.id}, ${eni.status}, is not on record` }]
  const asked = new Set(journal.assigns.filter((assign) => assign.eni === record.key).map(({ what }) => what))
  const known = new Set(journal.addresses.filter(({ eni: key }) => key === record.key).map(({ ip }) => ip))
  const prefixes = new Set(journal.prefixes.filter(({ eni: key }) => key === record.key).map(({ cidr }) => cidr))
  const lacking = [
    ...(asked.has('ipv4') ? [] : eni.ips.filter((ip) => !known.has(ip))),
    ...(asked.has('ipv6') ? [] : eni.ipv6s.filter((ip) => !known.has(ip))),
    ...(asked.has('ipv4-prefix') ? [] : eni.ipv4Prefixes.filter((cidr) => !prefixes.has(cidr))),
    ...(asked.has('ipv6-prefix') ? [] : eni.ipv6Prefixes.filter((cidr) => !prefixes.has(cidr))),
  ]
  return lacking.map((what) => ({ kind: 'unaccounted', what: `${what} of ${eni.id} is not on record` }))
}

/** An ENI that pods may be put on, and what it may give them. */
function phantoms({ journal }: World, key: string, eni: CloudEni | undefined): Fault[] {
  if (eni?.status !== 'InUse') return [{ kind: 'phantom', what: `${eni?.id ?? key} is ${eni?.status ?? 'gone'}` }]
  const promised = journal.addresses.filter((address) => address.eni === key && address.phase !== 'unassigning')
  return promised
    .filter((address) => !isAssigned(eni, address))
    .map(({ ip, phase }) => ({ kind: 'phantom', what: `${ip} is ${phase} and not assigned to ${eni.id}` }))
}

function isAssigned({ ips, ipv6s, ipv4Prefixes, ipv6Prefixes }: CloudEni, { ip, prefix }: AddressRow): boolean {
  if (prefix === undefined) return ips.includes(ip) || ipv6s.includes(ip)
  const isListed = ipv4Prefixes.includes(prefix) || ipv6Prefixes.includes(prefix)
  return isListed && cidrContains(parseCidr(prefix), parseIp(ip))
}

export interface Expectation extends Ground {
  /** ms */
  readonly coolDown: number
  /** The pods that were to be there. */
  readonly pods: readonly string[]
}

/** What holds when all is done. */
export function faultsAtRest(world: World, expected: Expectation): Fault[] {
  const ours = oursOf(world, expected)
  return [
    ...ours.flatMap((eni) => leaks(world, eni)),
    ...world.journal.enis.flatMap(({ key, id }) =>
      phantoms(
        world,
        key,
        ours.find((eni) => eni.id === id),
      ),
    ),
    ...repetitions(world, expected),
    ...doubles(world, expected.coolDown),
    ...podFaults(world, expected),
    ...foreignFaults(world, expected),
  ]
}

function leaks(world: World, eni: CloudEni): Fault[] {
  const { journal } = world
  const state = eni.status === 'InUse' ? [] : [{ kind: 'unfinished' as const, what: `${eni.id} is ${eni.status}` }]
  const pending = [
    ...journal.enis.flatMap(({ key, phase }) => (phase === 'in-use' ? [] : [`ENI ${key} is ${phase}`])),
    ...journal.assigns.map(({ what }) => `an assignment of ${what} is pending`),
    ...[...journal.addresses, ...journal.prefixes].flatMap(({ phase }) => (phase === 'unassigning' ? [phase] : [])),
  ]
  return [
    ...state,
    ...pending.map((what): Fault => ({ kind: 'unfinished', what })),
    ...unaccounted(world, eni).map(({ what }): Fault => ({ kind: 'leaked', what })),
  ]
}

/** An ENI that was asked for once was made twice. */
function repetitions({ calls }: World, { callsBefore }: Expectation): Fault[] {
  const made = new Map<string, number>()
  for (const { action, effect, parameters } of calls.slice(callsBefore)) {
    if (action !== 'CreateNetworkInterface' || !effect) continue
    const intent = intentOf(parameters)
    made.set(intent, (made.get(intent) ?? 0) + 1)
  }
  return [...made].flatMap(([intent, count]): Fault[] =>
    count === 1 ? [] : [{ kind: 'leaked', what: `${count} ENIs were made for the intent ${intent}` }],
  )
}

/** From `Tag.3.Key=terway.intent` to `Tag.3.Value`. */
function intentOf(parameters: Readonly<Record<string, string>>): string {
  const [name = ''] = Object.entries(parameters).find(([, value]) => value === 'terway.intent') ?? []
  return parameters[name.replace(/Key$/, 'Value')] ?? 'unknown'
}

interface Tenancy {
  readonly pod: string
  readonly from: number
  readonly to: number
}

/** By what the pods' links have been told. */
function doubles({ pods }: World, coolDown = 0): Fault[] {
  const tenancies = new Map<string, Tenancy[]>()
  for (const [index, event] of pods.entries()) {
    if (event.what !== 'up') continue
    const end = pods.slice(index).find((later) => later.what === 'down' && later.pod === event.pod)
    const to = end?.what === 'down' ? end.at : Number.POSITIVE_INFINITY
    for (const ip of event.ips) {
      tenancies.set(ip, [...(tenancies.get(ip) ?? []), { pod: event.pod, from: event.at, to }])
    }
  }
  return [...tenancies].flatMap(([ip, all]) => all.flatMap((tenancy, i) => tooEarly(ip, all[i - 1], tenancy, coolDown)))
}

function tooEarly(ip: string, before: Tenancy | undefined, tenancy: Tenancy, coolDown: number): Fault[] {
  if (before === undefined || (before.pod === tenancy.pod && before.to <= tenancy.from)) return []
  const gap = tenancy.from - before.to
  if (gap >= coolDown) return []
  const when = gap < 0 ? 'at the same time as' : `${Math.round(gap)} ms after`
  return [{ kind: 'double', what: `${ip}: ${tenancy.pod} ${when} ${before.pod}` }]
}

/** Each pod has what the journal says that it has, and nobody else has anything. */
function podFaults({ pods, journal }: World, { pods: wanted }: Expectation): Fault[] {
  const live = new Map<string, LivePod>()
  for (const event of pods) {
    if (event.what === 'up') live.set(event.pod, event)
    if (event.what === 'down') live.delete(event.pod)
  }
  const held = new Map<string, string>([...live.values()].flatMap(({ pod, ips }) => ips.map((ip) => [ip, pod])))
  const owned = new Set(journal.addresses.flatMap(({ ip, phase }) => (phase === 'owned' ? [ip] : [])))
  return [
    ...wanted.filter((pod) => !live.has(pod)).map((pod): Fault => ({ kind: 'unfinished', what: `${pod} is missing` })),
    ...[...live.keys()]
      .filter((pod) => !wanted.includes(pod))
      .map((pod): Fault => ({ kind: 'unfinished', what: `${pod} is still there` })),
    ...[...held]
      .filter(([ip]) => !owned.has(ip))
      .map(([ip, pod]): Fault => ({ kind: 'double', what: `${pod} has ${ip}, which is free on record` })),
    ...[...owned]
      .filter((ip) => !held.has(ip))
      .map((ip): Fault => ({ kind: 'leaked', what: `${ip} is given away and no pod has it` })),
  ]
}

function foreignFaults({ cloud, calls }: World, { strangers, callsBefore }: Expectation): Fault[] {
  return strangers.flatMap((before): Fault[] => {
    const now = cloud.find(({ id }) => id === before.id)
    const [then, since] = [before, now].map((eni) => JSON.stringify(eni))
    const changed = then === since ? [] : [{ kind: 'foreign' as const, what: `${before.id} was ${then}, is ${since}` }]
    const named = calls.slice(callsBefore).filter(({ action, parameters }) => {
      return !action.startsWith('Describe') && Object.values(parameters).includes(before.id)
    })
    return [...changed, ...named.map(({ action }): Fault => ({ kind: 'foreign', what: `${action} of ${before.id}` }))]
  })
}
