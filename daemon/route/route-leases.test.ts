import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { pino } from 'pino'
import { type Cidr, type Ip, parseCidr, parseIp } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { VirtualTime } from '../../test/pool/virtual-time.ts'
import type { Conntrack } from '../pool/cool-down.ts'
import { PoolError } from '../pool/error.ts'
import { type Owner, ownerOf, type PodKey, unknownOwner } from '../pool/model.ts'
import type { Shortage } from '../pool/report/exhaustion.ts'
import { KeptReports } from '../pool/report/reports.ts'
import type { RouteAddress, RouteChange } from './allocation.ts'
import { RouteLeases } from './route-leases.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const COOL_DOWN = 30_000
const SMALL = [parseCidr('172.20.1.0/29')]
const DUAL = [...SMALL, parseCidr('fd00:0:0:1::/64')]
const PATIENT = () => new AbortController().signal
const owner = (name: string) => ownerOf(name, 'eth0')
const pod = (name: string) => `default/${name}` as PodKey

/** What outlives the daemon. */
class Node {
  readonly time = new VirtualTime()
  readonly rows = new Map<Ip, RouteAddress>()
  readonly reports = new KeptReports(log)
  readonly podRoutes = new Map<Ip, LinkName>()
  /** In order, each with when. */
  readonly forgotten: { readonly ip: Ip; readonly at: number }[] = []
  readonly #running: RouteLeases[] = []
  isDiskFull = false
  unreachable: Shortage | undefined
  kernel: Conntrack['forget'] = async () => undefined

  start(prefixes: readonly Cidr[] = SMALL): RouteLeases {
    const leases = new RouteLeases({
      ...{ prefixes, coolDown: COOL_DOWN, clock: this.time, log, reports: this.reports },
      ...{ podRoutes: () => this.podRoutes, unreachable: () => this.unreachable },
      journal: { loadRouteAddresses: () => [...this.rows.values()], commitRouteAddresses: (all) => this.#commit(all) },
      conntrack: {
        forget: async (ips, how) => {
          await this.kernel(ips, how)
          this.forgotten.push(...ips.map((ip) => ({ ip, at: this.time.now() })))
        },
      },
    })
    this.#running.push(leases)
    return leases
  }

  stop(): void {
    for (const leases of this.#running.splice(0)) leases.stop()
  }

  #commit(changes: readonly RouteChange[]): void {
    if (this.isDiskFull) throw new Error('no space left on device')
    for (const change of changes) {
      if (change.kind === 'drop-address') this.rows.delete(change.ip)
      else this.rows.set(change.address.ip, change.address)
    }
  }
}

let node: Node
beforeEach(() => {
  node = new Node()
})
afterEach(() => node.stop())

async function give(leases: RouteLeases, name: string, more: object = {}): Promise<readonly (string | undefined)[]> {
  const { addresses } = await leases.acquire({ owner: owner(name), pod: pod(name), ...more }, PATIENT())
  return [addresses.ipv4, addresses.ipv6]
}

const errorOf = (given: Promise<unknown>): Promise<PoolError> =>
  given.then(
    () => Promise.reject(new Error('it was given')),
    (error: unknown) => (error instanceof PoolError ? error : Promise.reject(error)),
  )

test('an address is on record before it is given, and given back when there is no room for the record', async () => {
  const leases = node.start()
  node.isDiskFull = true
  await expect(give(leases, 'a')).rejects.toThrow('no space left')
  expect([...leases.held()]).toEqual([])
  node.isDiskFull = false
  expect(await give(leases, 'a')).toEqual(['172.20.1.2', undefined])
  expect(node.rows.get(parseIp('172.20.1.2'))).toMatchObject({ phase: 'owned', owner: owner('a'), pod: 'default/a' })
})

test('a pod waits for what cools down, in line', async () => {
  const leases = node.start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await give(leases, name)
  leases.release(owner('b'), 0)
  leases.release(owner('d'), 0)
  const waiting = ['f', 'g'].map((name) => give(leases, name))
  expect(leases.waiting).toBe(2)
  expect(await node.time.runUntil(() => leases.waiting === 0, COOL_DOWN - 1)).toBe(false)
  expect(await node.time.runUntil(() => leases.waiting === 0, 1)).toBe(true)
  expect(await Promise.all(waiting)).toEqual([
    ['172.20.1.3', undefined],
    ['172.20.1.5', undefined],
  ])
})

test('a pod is turned away at once when all are in use, with a way out', async () => {
  const leases = node.start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await give(leases, name)
  const error = await errorOf(give(leases, 'f'))
  expect(error).toMatchObject({ reason: 'pool-exhausted', advice: expect.stringContaining('larger pod CIDRs') })
  expect(error.message).toContain('all 5 pod addresses of 172.20.1.0/29')
  expect(node.reports.events.latest).toEqual([
    expect.objectContaining({ reason: 'AllocIPFailed', pod: 'default/f', message: error.message }),
  ])
})

test('a pod that nothing comes for in time is told so, and leaves the line', async () => {
  const leases = node.start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await give(leases, name)
  leases.release(owner('a'), 300_000)
  const controller = new AbortController()
  const failed = errorOf(leases.acquire({ owner: owner('f') }, controller.signal))
  controller.abort(new DOMException('the time is up', 'TimeoutError'))
  expect((await failed).reason).toBe('pool-timeout')
  expect(leases.waiting).toBe(0)
})

test('a caller that goes away takes nothing', async () => {
  const leases = node.start()
  await expect(leases.acquire({ owner: owner('a') }, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  expect([...leases.held()]).toEqual([])
})

test('who waits when the daemon ends is turned away', async () => {
  const leases = node.start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await give(leases, name)
  leases.release(owner('a'), 0)
  const failed = errorOf(give(leases, 'f'))
  leases.stop()
  expect((await failed).reason).toBe('cancelled')
})

test('nothing is given that no other node would find', async () => {
  const leases = node.start()
  await give(leases, 'a')
  node.unreachable = { resource: 'quota', key: 'k', limit: 'the table is full', advice: 'make room' }
  expect(await errorOf(give(leases, 'b'))).toMatchObject({ reason: 'cloud-refused', message: 'the table is full' })
  expect([...leases.held()].map(({ owner: who }) => who)).toEqual([owner('a')])
  node.unreachable = undefined
  expect(await give(leases, 'b')).toEqual(['172.20.1.3', undefined])
})

test('an address that a link carries is nobody else’s although the journal is new, until the link has gone', async () => {
  const link = parseLinkName('cali0123456789a')
  node.podRoutes.set(parseIp('172.20.1.2'), link)
  const leases = node.start()
  expect(await give(leases, 'a')).toEqual(['172.20.1.3', undefined])
  expect([...leases.held()]).toContainEqual(expect.objectContaining({ ip: '172.20.1.2', owner: unknownOwner(link) }))
  leases.release(unknownOwner(link), 0)
  expect(leases.places).toEqual({ total: 5, allocated: 1, cooling: 1, ready: 3 })
})

describe('connections', () => {
  test('are forgotten when a pod ends and again before its address is given away', async () => {
    const leases = node.start()
    await give(leases, 'a')
    const released = node.time.now()
    leases.release(owner('a'), 0)
    await node.time.run(COOL_DOWN)
    expect(node.forgotten).toEqual([
      { ip: '172.20.1.2', at: released },
      { ip: '172.20.1.2', at: released + COOL_DOWN },
    ])
    expect(node.rows.get(parseIp('172.20.1.2'))).toMatchObject({ phase: 'free', pod: 'default/a' })
  })

  test('that the kernel does not forget keep the address back for five minutes more', async () => {
    const leases = node.start()
    for (const name of ['a', 'b', 'c', 'd', 'e']) await give(leases, name)
    node.kernel = () => Promise.reject(new Error('busy'))
    leases.release(owner('a'), 0)
    const waiting = give(leases, 'f')
    expect(await node.time.runUntil(() => leases.waiting === 0, COOL_DOWN + 299_000)).toBe(false)
    expect(await node.time.runUntil(() => leases.waiting === 0, 7_000)).toBe(true)
    expect(await waiting).toEqual(['172.20.1.2', undefined])
  })

  test('of the last sandbox are forgotten before the same pod goes on with its address', async () => {
    const leases = node.start()
    await give(leases, 'a', { podUid: 'u1' })
    leases.release(owner('a'), 0)
    const begun = Promise.withResolvers<void>()
    const hold = Promise.withResolvers<void>()
    node.kernel = (_, how) => {
      if (how?.urgent !== true) return Promise.resolve()
      begun.resolve()
      return hold.promise
    }
    let isGiven = false
    const again = leases.acquire({ owner: owner('b'), pod: pod('a'), podUid: 'u1' }, PATIENT()).then((lease) => {
      isGiven = true
      return lease
    })
    await begun.promise
    expect(isGiven).toBe(false)
    hold.resolve()
    expect(await again).toEqual({ addresses: { ipv4: '172.20.1.2' } })
  })
})

interface Ended {
  readonly at: number
  readonly until: number
  readonly pod: string
  readonly uid: string
}

type Step =
  | { readonly kind: 'add'; readonly pod: string; readonly uid: string; readonly keeps: boolean }
  | { readonly kind: 'del'; readonly index: number; readonly keepFor: number }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'restart' }

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      pod: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      uid: fc.constantFrom('u1', 'u2'),
      keeps: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('del' as const),
      index: fc.nat(9),
      keepFor: fc.constantFrom(0, 0, 60_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.nat(45_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

/** Plays the kubelet, and knows what must never be. */
class Kubelet {
  readonly #node = new Node()
  readonly #prefixes: readonly Cidr[]
  readonly #living = new Map<Owner, { readonly pod: string; readonly uid: string; readonly ips: readonly Ip[] }>()
  readonly #ended = new Map<Ip, Ended>()
  #leases: RouteLeases
  #sandboxes = 0

  constructor(prefixes: readonly Cidr[]) {
    this.#prefixes = prefixes
    this.#leases = this.#node.start(prefixes)
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.kind === 'add') await this.#add(step)
      if (step.kind === 'del') this.#del(step)
      if (step.kind === 'pass') await this.#node.time.run(step.milliseconds)
      if (step.kind === 'restart') this.#restart()
      this.#check()
    }
    this.#node.stop()
  }

  async #add({ pod: name, uid, keeps }: Extract<Step, { kind: 'add' }>): Promise<void> {
    this.#sandboxes += 1
    const sandbox = owner(`s${this.#sandboxes}`)
    const controller = new AbortController()
    const request = { owner: sandbox, pod: pod(name), podUid: uid, keeps }
    const given = this.#leases.acquire(request, controller.signal).then(
      ({ addresses }) => Object.values(addresses) as Ip[],
      () => undefined,
    )
    // One that has to wait goes away.
    await this.#node.time.run(0)
    controller.abort(new Error('the kubelet does not wait'))
    const ips = await given
    if (ips === undefined) return
    expect(ips).toHaveLength(this.#prefixes.length)
    for (const ip of ips) this.#mayHave(ip, { name, uid, keeps })
    this.#living.set(sandbox, { pod: name, uid, ips })
  }

  #mayHave(ip: Ip, { name, uid, keeps }: { name: string; uid: string; keeps: boolean }): void {
    const now = this.#node.time.now()
    expect([...this.#living.values()].flatMap(({ ips }) => ips)).not.toContain(ip)
    const before = this.#ended.get(ip)
    if (before === undefined) return
    const isTheirs = before.pod === name && (keeps || before.uid === uid)
    if (!isTheirs) expect(now).toBeGreaterThanOrEqual(before.until)
    expect(this.#node.forgotten.some((one) => one.ip === ip && one.at >= (isTheirs ? before.at : before.until))).toBe(
      true,
    )
  }

  #del({ index, keepFor }: Extract<Step, { kind: 'del' }>): void {
    const [sandbox, ended] = [...this.#living][index] ?? []
    if (sandbox === undefined || ended === undefined) return
    this.#living.delete(sandbox)
    const at = this.#node.time.now()
    for (const ip of ended.ips) this.#ended.set(ip, { ...ended, at, until: at + Math.max(COOL_DOWN, keepFor) })
    this.#leases.release(sandbox, keepFor)
    this.#leases.release(sandbox, keepFor)
  }

  #restart(): void {
    this.#node.stop()
    const before = new Map(this.#leases.addresses)
    this.#leases = this.#node.start(this.#prefixes)
    expect(this.#leases.addresses).toEqual(before)
  }

  /** What is recorded is what is; nobody's address is lost. */
  #check(): void {
    const held = [...this.#leases.held()].map(({ ip, owner: who }) => `${ip} ${who}`)
    const living = [...this.#living].flatMap(([who, { ips }]) => ips.map((ip) => `${ip} ${who}`))
    expect(held.sort()).toEqual(living.sort())
    expect(new Map(this.#leases.addresses)).toEqual(this.#node.rows)
  }
}

test.each([
  ['one family', SMALL],
  ['both families', DUAL],
])('no history gives an address to two pods, or too soon to another one: %s', async (_, prefixes) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), (steps) => new Kubelet(prefixes).play(steps)),
    { numRuns: 400 },
  )
})
