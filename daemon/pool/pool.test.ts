/** The pool against the simulator's real API, through the real SDK core; only the node's links are made up. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { type Cloud, createCloud } from '../../cloud/cloud.ts'
import { CloudError } from '../../cloud/error.ts'
import {
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import { createTransport, type FinishedCall } from '../../cloud/transport.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { Ipv4 } from '../../inet/address.ts'
import { parseRegion } from '../../simulator/region/parse.ts'
import { type Simulator, startSimulator } from '../../simulator/simulator.ts'
import { MADE_UP_LINKS } from '../../test/pool/made-up-links.ts'
import { Journal } from '../store/journal.ts'
import { REAL_POOL_CLOCK } from './clock.ts'
import { ANSWER_LAG } from './effects/state-watch.ts'
import type { EniLinks } from './effects.ts'
import { PoolError } from './error.ts'
import { type Change, ownerOf } from './model.ts'
import { KEEP_FOR, type Lease, Pool } from './pool.ts'
import { type PoolLimits, poolLimits } from './settings.ts'

const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'two-nodes.yaml')
const HERE = parseCloudId<InstanceId>('i-sim-a')
const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
const VPC = parseCloudId<VpcId>('vpc-sim')
const ZONE = parseCloudId<ZoneId>('cn-sim-h')
const GROUP = parseCloudId<SecurityGroupId>('sg-sim')
/** ecs.g7.xlarge: four ENIs, one of them the node's, fifteen addresses each. */
const LIMITS = poolLimits({ maxEnis: 3, addressesPerEni: 15, minFree: 5, maxFree: 10 })
const COOL_DOWN = 30_000
/** Of the work that the crash tests interrupt: three for the ENI, two for each assign, one for an address given or taken. */
const WRITES = 17
const log = pino({ level: process.env.TEST_LOG ?? 'silent' })

let directory: string
let simulator: Simulator
let ecs: Cloud
let journal: Journal
let running: Pick<Pool, 'stop'>[]
let finished: FinishedCall[]
/** ms by which the pool's clock is ahead. */
let ahead: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'terway-pool-'))
  const region = parseRegion(readFileSync(REGION, 'utf8'), REGION)
  simulator = await startSimulator({ region, fabricPrefix: undefined, listen: { host: '127.0.0.1', port: 0 }, log })
  const host = simulator.ready.api.replace('http://', '')
  ecs = createCloud(
    createTransport({
      ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-sim' },
      credential: async () => ({ accessKeyId: 'LTAIsim', accessKeySecret: 'sim-secret' }),
      // The SDK keeps a timer of this length for each call, which would keep the test process.
      attemptTimeout: 500,
      onCall: (call) => finished.push(call),
    }),
  )
  finished = []
  journal = new Journal(directory)
  running = []
  ahead = 0
})

afterEach(async () => {
  await Promise.all(running.map((pool) => pool.stop()))
  journal.close()
  await simulator.stop()
  rmSync(directory, { recursive: true, force: true })
})

interface Crash {
  /** Writes until the process "dies": from then on nothing is recorded and nothing is done. */
  writes: number
}

interface StartOptions {
  readonly limits?: Partial<PoolLimits>
  readonly crash?: Crash
  readonly cloud?: Cloud
  readonly links?: EniLinks
  readonly linkTimeout?: number
  readonly allowed?: readonly VSwitchId[]
}

/** A pool as the daemon starts it: on what the journal has. */
async function start(options: StartOptions = {}): Promise<Pool> {
  const now = () => Date.now() + ahead
  const clock = { ...REAL_POOL_CLOCK, now, sleep: pause }
  const { crash, cloud = ecs, links = MADE_UP_LINKS, linkTimeout = 1_000, allowed = [VSWITCH] } = options
  const commitPool = (changes: readonly Change[]) => {
    if (changes.length === 0) return
    if (crash !== undefined && crash.writes-- <= 0) throw new Error('the process is dead')
    journal.commitPool(changes)
  }
  const pool = new Pool({
    ...{ state: journal.loadPool(), journal: { commitPool }, cloud, links, linkTimeout, clock, log, instanceId: HERE },
    conntrack: { forget: async () => undefined },
    ...{
      vSwitches: new VSwitches({ cloud, allowed, now, vpcId: VPC, zone: ZONE }),
      limits: { ...LIMITS, ...options.limits },
    },
    ...{ securityGroupIds: [GROUP], tags: { team: 'net' }, coolDown: COOL_DOWN },
  })
  running.push(pool)
  await pool.reconcile(new Map())
  await pool.bringUp()
  pool.start()
  return pool
}

/** The pause before a second look is skipped. */
async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (milliseconds === ANSWER_LAG) ahead += milliseconds
  else await REAL_POOL_CLOCK.sleep(milliseconds, signal)
}

/** When all that is on record is older than an answer can be. */
async function reconcileLater(pool: Pool): Promise<void> {
  ahead += ANSWER_LAG + 1
  await pool.reconcile(new Map())
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const phases = (pool: Pool, phase: string) => [...pool.state.addresses.values()].filter((a) => a.phase === phase)
const ourEnis = () => ecs.describeEnis({ tags: { creator: 'terway' } })
const acquire = (pool: Pool, name: string, signal = new AbortController().signal): Promise<Lease> =>
  pool.acquire({ owner: ownerOf(name, 'eth0') }, signal)

function ipv4Of({ ipv4 }: Lease): Ipv4 {
  if (ipv4 === undefined) throw new Error('there is no IPv4 address')
  return ipv4
}

async function calls(action: string): Promise<number> {
  const { calls: entries } = (await (await fetch(`${simulator.ready.api}/audit`)).json()) as {
    calls: { action: string }[]
  }
  return entries.filter((entry) => entry.action === action).length
}

describe('giving addresses', () => {
  test('fills to its watermark by one ENI with its addresses in one call', async () => {
    const pool = await start()
    await until(() => phases(pool, 'warm').length === 5 && [...pool.state.enis.values()][0]?.phase === 'in-use')
    expect(await calls('CreateNetworkInterface')).toBe(1)
    expect(await calls('AssignPrivateIpAddresses')).toBe(0)
    const [eni] = await ourEnis()
    expect(eni?.tags.get('terway.node')).toBe(HERE)
    expect(eni?.tags.get('team')).toBe('net')
  })

  test('a burst on an empty node is served by several ENIs at once, each address once', async () => {
    const pool = await start()
    const leases = await Promise.all(Array.from({ length: 40 }, (_, i) => acquire(pool, `c${i}`)))
    expect(new Set(leases.map(({ ipv4 }) => ipv4)).size).toBe(40)
    const assigned = (await ourEnis()).filter((eni) => eni.status === 'InUse').flatMap((eni) => eni.ips)
    for (const { ipv4 } of leases) expect(assigned).toContain(ipv4)
  })

  test('a full node turns away at once, with the limit in words, and serves again when an address cools down', async () => {
    const pool = await start({ limits: { maxEnis: 1, addressesPerEni: 3 } })
    for (const name of ['a', 'b', 'c']) await acquire(pool, name)
    await expect(acquire(pool, 'd')).rejects.toThrow(PoolError)
    await expect(acquire(pool, 'd')).rejects.toThrow(/all 3 pod addresses of this node are in use/)
    pool.release(ownerOf('a', 'eth0'))
    const waiting = acquire(pool, 'd')
    expect(pool.waiting).toBe(1)
    ahead = COOL_DOWN + 1
    pool.start()
    expect((await waiting).ipv4).toBeDefined()
  })

  test('who goes away while waiting leaves the line', async () => {
    const pool = await start({ limits: { maxEnis: 1, addressesPerEni: 1 } })
    await acquire(pool, 'a')
    pool.release(ownerOf('a', 'eth0'))
    const leaving = new AbortController()
    const waiting = acquire(pool, 'b', leaving.signal)
    leaving.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    expect(pool.waiting).toBe(0)
  })
})

describe('taking back', () => {
  test('an address cools down before its next use, also over a restart', async () => {
    const pool = await start({ limits: { maxEnis: 1, addressesPerEni: 1 } })
    const ip = ipv4Of(await acquire(pool, 'a'))
    pool.release(ownerOf('a', 'eth0'))
    pool.release(ownerOf('a', 'eth0'))
    await pool.stop()
    const next = await start({ limits: { maxEnis: 1, addressesPerEni: 1 } })
    expect(next.state.addresses.get(ip)?.phase).toBe('cooling')
    ahead = COOL_DOWN - 1_000
    next.start()
    expect(next.state.addresses.get(ip)?.phase).toBe('cooling')
    ahead = COOL_DOWN + 1_000
    next.start()
    await until(() => next.state.addresses.get(ip)?.phase === 'warm')
  })

  test('a clock that is set back prolongs no cool-down beyond its length', async () => {
    ahead = 3_600_000
    const pool = await start({ limits: { maxEnis: 1, addressesPerEni: 1 } })
    const ip = ipv4Of(await acquire(pool, 'a'))
    pool.release(ownerOf('a', 'eth0'))
    ahead = 0
    pool.start()
    // Of a pod that keeps its address nobody knows that it does not: it waits as long as one of those.
    ahead = KEEP_FOR + 1_000
    pool.start()
    await until(() => pool.state.addresses.get(ip)?.phase === 'warm')
  })

  test('above the upper watermark addresses and whole ENIs go back', async () => {
    const pool = await start()
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`)
    await Promise.all(names.map((name) => acquire(pool, name)))
    for (const name of names) pool.release(ownerOf(name, 'eth0'))
    ahead = COOL_DOWN + 1
    pool.start()
    await until(() => phases(pool, 'cooling').length === 0)
    // Giving back is done in portions, some minutes apart.
    const later = setInterval(() => {
      ahead += 130_000
      pool.start()
    }, 100)
    running.push({ stop: async () => clearInterval(later) })
    const assigned = async () => (await ourEnis()).flatMap((eni) => eni.ips)
    await until(async () => (await assigned()).length <= LIMITS.maxFree && pool.state.addresses.size <= LIMITS.maxFree)
    expect((await assigned()).sort()).toEqual([...pool.state.addresses.keys()].sort())
    expect(phases(pool, 'warm').length).toBeGreaterThanOrEqual(LIMITS.minFree)
  })
})

describe('a crash', () => {
  /** As many free addresses as are asked for, and no more on the way up. */
  const EXACT = { maxFree: LIMITS.minFree }

  /** What is in the cloud with our tags is in the journal, address by address. */
  async function expectNothingLeaked(pool: Pool): Promise<void> {
    const settled = () =>
      [...pool.state.enis.values()].every((eni) => eni.phase === 'in-use') && pool.state.assigns.size === 0
    await until(() => settled() && phases(pool, 'warm').length >= LIMITS.minFree)
    const cloud = (await ourEnis())
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((eni) => ({ id: eni.id, status: eni.status, ips: [...eni.ips].sort() }))
    const known = [...pool.state.enis.values()].map((eni) => ({
      id: eni.phase === 'creating' ? undefined : eni.id,
      status: 'InUse',
      ips: [...pool.state.addresses.values()].flatMap((a) => (a.eni === eni.key ? [a.ip] : [])).sort(),
    }))
    expect(cloud).toEqual(known.sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1)))
  }

  /** Four pods make it create an ENI, five more make it assign; the journal is written at each step of both. */
  async function work(pool: Pool): Promise<void> {
    await Promise.all(Array.from({ length: 4 }, (_, i) => acquire(pool, `a${i}`)))
    pool.release(ownerOf('a0', 'eth0'))
    await Promise.all(Array.from({ length: 5 }, (_, i) => acquire(pool, `b${i}`)))
    await until(() => phases(pool, 'warm').length >= LIMITS.minFree)
  }

  test('the work takes as many journal writes as are enumerated below', async () => {
    const crash = { writes: 1_000 }
    await work(await start({ crash, limits: EXACT }))
    expect(1_000 - crash.writes).toBe(WRITES)
  })

  test.each(Array.from({ length: WRITES }, (_, i) => i))(
    'after %i journal writes nothing is lost or made twice',
    async (writes) => {
      const crash = { writes }
      const dying = await start({ crash, limits: EXACT })
      const pods = work(dying).catch(() => undefined)
      await until(() => crash.writes < 0)
      // What was sent before the death still has its effect.
      await new Promise((resolve) => setTimeout(resolve, 100))
      await dying.stop()
      await Promise.race([pods, new Promise((resolve) => setTimeout(resolve, 100))])
      await expectNothingLeaked(await start({ limits: EXACT }))
      expect(await ourEnis()).toHaveLength(1)
    },
  )

  test('an answer that never came: the repeated creation gives the same ENI', async () => {
    let lost = 0
    const deaf: Cloud = {
      ...ecs,
      createEni: async (request, options) => {
        await ecs.createEni(request, options)
        lost++
        throw new Error('the answer was lost')
      },
    }
    const dying = await start({ cloud: deaf })
    await until(() => lost === 1)
    await dying.stop()
    await expectNothingLeaked(await start({ limits: EXACT }))
    expect(await ourEnis()).toHaveLength(1)
  })
})

describe('what others do to our ENIs', () => {
  test('one that was detached gives nothing until it is attached again', async () => {
    const pool = await start()
    await until(() => [...pool.state.enis.values()][0]?.phase === 'in-use')
    const [eni] = await ourEnis()
    if (eni === undefined) throw new Error('no ENI')
    await ecs.detachEni(eni.id, HERE)
    await until(async () => (await ourEnis())[0]?.status === 'Available')
    await reconcileLater(pool)
    expect(pool.readyEni([...pool.state.enis.keys()][0] ?? ('' as never))).toBeUndefined()
    const ip = ipv4Of(await acquire(pool, 'a'))
    expect((await ourEnis()).find((found) => found.ips.includes(ip))?.status).toBe('InUse')
  })

  test('one that was deleted is replaced, and what its pod carries is given to nobody', async () => {
    const pool = await start()
    const ip = ipv4Of(await acquire(pool, 'a'))
    const [eni] = await ourEnis()
    if (eni === undefined) throw new Error('no ENI')
    await ecs.detachEni(eni.id, HERE)
    await until(async () => (await ourEnis())[0]?.status === 'Available')
    await ecs.deleteEni(eni.id)
    await until(async () => (await ecs.describeEnis({ ids: [eni.id] })).length === 0)
    await reconcileLater(pool)
    expect(pool.state.addresses.get(ip)).toMatchObject({ phase: 'owned', lost: true })
    // The lowest free address of the vSwitch is given next, so the new ENI has the one that the pod still carries.
    const others = await Promise.all(['b', 'c', 'd'].map((name) => acquire(pool, name)))
    expect((await ourEnis()).flatMap((found) => found.ips)).toContain(ip)
    expect(others.map((lease) => lease.ipv4)).not.toContain(ip)
    pool.release(ownerOf('a', 'eth0'))
    await until(() => [...pool.state.enis.values()].every((record) => record.phase === 'in-use'))
  })
})

describe('while the cloud does not know who asks', () => {
  let secret: string
  let cloud: Cloud

  beforeEach(() => {
    secret = 'sim-secret'
    const host = simulator.ready.api.replace('http://', '')
    cloud = createCloud(
      createTransport({
        ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-sim', attemptTimeout: 500 },
        credential: async () => ({ accessKeyId: 'LTAIsim', accessKeySecret: secret }),
      }),
    )
  })

  /** The key is good again, and every pause is over. */
  function comeBack(pool: Pool): void {
    secret = 'sim-secret'
    ahead += 61_000
    pool.start()
  }

  test('an ENI that a pod uses and that is to be attached again stays, and is attached when it does', async () => {
    const pool = await start({ cloud })
    const ip = ipv4Of(await acquire(pool, 'a'))
    const [eni] = await ourEnis()
    if (eni === undefined) throw new Error('no ENI')
    await ecs.detachEni(eni.id, HERE)
    await until(async () => (await ourEnis())[0]?.status === 'Available')
    secret = 'wrong'
    const list: Cloud['describeEnis'] = (filter) => ecs.describeEnis(filter)
    Object.assign(cloud, { describeEnis: list })
    await reconcileLater(pool)
    await until(() => pool.problems.join().includes('SignatureDoesNotMatch'))
    expect([...pool.state.enis.values()].map((record) => record.phase)).toEqual(['attaching'])
    comeBack(pool)
    await until(async () => (await ourEnis()).find((found) => found.id === eni.id)?.status === 'InUse')
    expect(pool.state.addresses.get(ip)).toMatchObject({ phase: 'owned' })
    expect(await calls('DeleteNetworkInterface')).toBe(0)
    expect(await calls('DetachNetworkInterface')).toBe(1)
  })

  test('one that is made for later stays too, and who waits is told the reason at once', async () => {
    const made: Cloud = {
      ...cloud,
      createEni: async (request, options) => {
        const eni = await cloud.createEni(request, options)
        secret = 'wrong'
        return eni
      },
    }
    const pool = await start({ cloud: made })
    await until(() => pool.problems.join().includes('SignatureDoesNotMatch'))
    await expect(acquire(pool, 'a')).rejects.toThrow(/SignatureDoesNotMatch/)
    comeBack(pool)
    await until(() => [...pool.state.enis.values()].every((eni) => eni.phase === 'in-use'))
    expect((await acquire(pool, 'b')).ipv4).toBeDefined()
    expect(await ourEnis()).toHaveLength(1)
    expect(await calls('DeleteNetworkInterface')).toBe(0)
  })
})

test('a clock that is set back for weeks neither stops the pool nor makes it spin', async () => {
  let refuse = true
  const cloud: Cloud = {
    ...ecs,
    createEni: async (request, options) => {
      if (!refuse) return await ecs.createEni(request, options)
      throw new CloudError('no', { action: 'CreateNetworkInterface', code: 'MaxEniCountExceeded' })
    },
  }
  ahead = 40 * 86_400_000
  const pool = await start({ cloud })
  await until(() => pool.problems.length > 0)
  refuse = false
  ahead = 0
  const before = process.listenerCount('warning')
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.name)
  process.on('warning', listen)
  pool.start()
  expect((await acquire(pool, 'a')).ipv4).toBeDefined()
  process.off('warning', listen)
  expect(process.listenerCount('warning')).toBe(before)
  expect(warnings).not.toContain('TimeoutOverflowWarning')
})

test('an ENI whose link never appears does not keep pods from another one', async () => {
  const broken = new Set<string>()
  const links: EniLinks = {
    ...MADE_UP_LINKS,
    find: (mac) => {
      if (broken.size === 0) broken.add(mac)
      return broken.has(mac) ? undefined : MADE_UP_LINKS.find(mac)
    },
  }
  const pool = await start({ links, linkTimeout: 100 })
  const { eni } = await acquire(pool, 'a')
  expect(broken.has(eni.mac)).toBe(false)
})

test('a full journal ends nothing: what cannot be recorded is tried again', async () => {
  const crash = { writes: 1 }
  const cloud: Cloud = {
    ...ecs,
    createEni: async () => {
      throw new CloudError('no', { action: 'CreateNetworkInterface', code: 'MaxEniCountExceeded' })
    },
  }
  // The second write would give the creation up; it fails inside the handling of the failure.
  const pool = await start({ crash, cloud })
  await until(() => crash.writes < 0)
  expect(pool.problems.join()).toContain('MaxEniCountExceeded')
})

test('a full vSwitch is left for the next one at once', async () => {
  const empty = new Set<string>([VSWITCH])
  const other = parseCloudId<VSwitchId>('vsw-sim-i')
  const cloud: Cloud = {
    ...ecs,
    // As if the other zone's vSwitch were in this one.
    describeVSwitches: async () =>
      (await ecs.describeVSwitches({ ids: [VSWITCH, other] })).map((vSwitch) => ({ ...vSwitch, zoneId: ZONE })),
    createEni: async (request, options) => {
      if (!empty.has(request.vSwitchId)) return await ecs.createEni({ ...request, vSwitchId: VSWITCH }, options)
      throw new CloudError('empty', { action: 'CreateNetworkInterface', code: 'InvalidVSwitchId.IpNotEnough' })
    },
  }
  const pool = await start({ cloud, allowed: [VSWITCH, other] })
  expect((await acquire(pool, 'a')).ipv4).toBeDefined()
})

test('a node whose vSwitches are full says so, looks again after a while and then serves', async () => {
  let full = true
  const cloud: Cloud = {
    ...ecs,
    describeVSwitches: async (filter) => {
      const listed = await ecs.describeVSwitches(filter)
      return listed.map((vSwitch) => ({ ...vSwitch, ...(full ? { availableIps: 0 } : {}) }))
    },
  }
  const pool = await start({ cloud })
  await expect(acquire(pool, 'a')).rejects.toThrow(/no free address in vsw-sim-h/)
  full = false
  ahead = 700_000
  expect(await calls('CreateNetworkInterface')).toBe(0)
  pool.start()
  await until(() => phases(pool, 'warm').length >= LIMITS.minFree)
  expect(pool.problems).toEqual([])
})

describe('who goes first in the request budget', () => {
  /** Priorities that calls of the action had. */
  const priorities = (action: string) => [
    ...new Set(finished.flatMap((call) => (call.action === action ? [call.priority] : []))),
  ]

  test('filling up gives way to everything that a pod waits for', async () => {
    const pool = await start()
    await until(() => phases(pool, 'warm').length === 5 && [...pool.state.enis.values()][0]?.phase === 'in-use')
    expect(priorities('CreateNetworkInterface')).toEqual(['prewarm'])
    expect(priorities('AttachNetworkInterface')).toEqual(['prewarm'])
  })

  test('a pod that waits for an ENI', async () => {
    const pool = await start({ limits: { minFree: 0 } })
    await acquire(pool, 'a')
    expect(priorities('CreateNetworkInterface')).toEqual(['pod'])
    expect(priorities('AttachNetworkInterface')).toEqual(['pod'])
    await acquire(pool, 'b')
    expect(priorities('AssignPrivateIpAddresses')).toEqual(['pod'])
  })

  test('giving back goes last', async () => {
    const pool = await start({ limits: { minFree: 0, maxFree: 0, maxEnis: 1, addressesPerEni: 3 } })
    for (const name of ['a', 'b']) await acquire(pool, name)
    pool.release(ownerOf('b', 'eth0'))
    ahead = 5 * COOL_DOWN
    pool.start()
    await until(() => pool.state.addresses.size === 1)
    pool.release(ownerOf('a', 'eth0'))
    ahead = 10 * COOL_DOWN
    pool.start()
    await until(() => pool.state.enis.size === 0)
    for (const action of ['UnassignPrivateIpAddresses', 'DetachNetworkInterface', 'DeleteNetworkInterface']) {
      expect(priorities(action)).toEqual(['clean-up'])
    }
  })
})

test('an ENI of somebody else is not touched', async () => {
  const foreign = await ecs.createEni({
    ...{ vSwitchId: VSWITCH, securityGroupIds: [GROUP], secondaryIps: 2, name: 'foreign', clientToken: 'f' },
    tags: { creator: 'somebody' },
  })
  await ecs.attachEni(foreign.id, HERE)
  await until(async () => (await ecs.describeEnis({ ids: [foreign.id] }))[0]?.status === 'InUse')
  const pool = await start()
  await until(() => phases(pool, 'warm').length >= 5)
  expect([...pool.state.addresses.keys()].some((ip) => foreign.ips.some((one) => one === ip))).toBe(false)
  expect((await ecs.describeEnis({ ids: [foreign.id] }))[0]).toMatchObject({ status: 'InUse', ips: foreign.ips })
})

test('a wrong key stops growth, is said in words and is not asked again and again', async () => {
  const refused = createCloud(
    createTransport({
      ...{
        endpoints: { ecs: simulator.ready.api.slice(7), vpc: simulator.ready.api.slice(7) },
        scheme: 'http',
        regionId: 'cn-sim',
      },
      credential: async () => ({ accessKeyId: 'LTAIsim', accessKeySecret: 'wrong' }),
      attemptTimeout: 500,
    }),
  )
  const cloud: Cloud = { ...ecs, createEni: refused.createEni }
  const pool = await start({ cloud })
  await expect(acquire(pool, 'a')).rejects.toThrow(/SignatureDoesNotMatch/)
  await expect(acquire(pool, 'b')).rejects.toThrow(/CreateNetworkInterface failed/)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await calls('CreateNetworkInterface')).toBeLessThanOrEqual(2)
  expect(pool.problems.join()).toContain('SignatureDoesNotMatch')
})
