import { describe, expect, jest, test } from '@jest/globals'
import type { Cloud } from '../../cloud/cloud.ts'
import type { WholeEni } from '../../cloud/ecs/eni.ts'
import { CloudError } from '../../cloud/error.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { parseCidr } from '../../inet/address.ts'
import type { Region } from '../../simulator/region/region.ts'
import type { FaultRequest } from '../cloud/region-under-test.ts'
import { testRegion } from '../simulator/region.ts'
import { violations } from '../simulator/violations.ts'
import { faultsOf, LATE, outage } from './odds.ts'
import { type CallMoment, VirtualRegion, type VirtualRegionOptions } from './virtual-region.ts'
import { VirtualTime } from './virtual-time.ts'

/** With the latencies of the real cloud. */
const REGION = testRegion({ latencies: {} })
const INSTANCE = parseCloudId<InstanceId>('i-sim-a')
const TIMEOUT = 20_000

function createRequest(clientToken: string) {
  const vSwitchId = parseCloudId<VSwitchId>('vsw-sim-h')
  return { vSwitchId, securityGroupIds: [parseCloudId<SecurityGroupId>('sg-sim')], clientToken }
}

function started(options: Partial<VirtualRegionOptions> = {}, faults: readonly FaultRequest[] = []) {
  const time = new VirtualTime()
  const region = new VirtualRegion({ region: REGION, time, ...options })
  for (const fault of faults) region.fault(fault)
  const process = time.process()
  const begin = time.steady()
  const done = <T>(work: Promise<T>, limit = 60_000) => time.complete(work, limit)
  const secondary = () => region.cloud.enis().filter(({ type }) => type !== 'Primary')
  return { time, region, process, cloud: region.client(process), done, elapsed: () => time.steady() - begin, secondary }
}

/** As far as the API says it is in use. */
async function attached({ time, cloud, done }: ReturnType<typeof started>, token = 'token'): Promise<WholeEni> {
  const eni = await done(cloud.createEni(createRequest(token)))
  await done(cloud.attachEni(eni.id, INSTANCE))
  await time.run(REGION.latencies.attach)
  return eni
}

/** The code of the error, with its kind. */
async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'OK'
  } catch (error) {
    if (error instanceof CloudError) return `${error.code}, ${error.kind}`
    throw error
  }
}

describe('the typed client', () => {
  test('takes an ENI through its life in the time that the region takes', async () => {
    const all = started()
    const { time, region, cloud, done, elapsed, secondary } = all
    const { create, attach, link, assign, unassign, detach, delete: deletion } = REGION.latencies
    const eni = await attached(all)
    expect(elapsed()).toBe(create + attach)
    expect(await done(cloud.describeEnis({ ids: [eni.id] }))).toMatchObject([{ id: eni.id, status: 'InUse' }])
    await time.run(link)
    expect(secondary()).toMatchObject([{ id: eni.id, state: { status: 'InUse', linked: true } }])
    const ips = await done(cloud.assignIps(eni.id, 3, 'three'))
    expect(elapsed()).toBe(create + attach + link + assign)
    await done(cloud.unassignIps(eni.id, ips.slice(1)))
    expect(elapsed()).toBe(create + attach + link + assign + unassign)
    expect(await done(cloud.describeEni(eni.id))).toMatchObject({ ips: [eni.primaryIp, ips[0]] })
    await done(cloud.detachEni(eni.id, INSTANCE))
    await time.run(detach)
    await done(cloud.deleteEni(eni.id))
    await time.run(deletion)
    expect(await done(cloud.describeEni(eni.id))).toBeUndefined()
    expect([...region.counts].sort()).toEqual([
      ['AssignPrivateIpAddresses', 1],
      ['AttachNetworkInterface', 1],
      ['CreateNetworkInterface', 1],
      ['DeleteNetworkInterface', 1],
      ['DescribeNetworkInterfaceAttribute', 2],
      ['DescribeNetworkInterfaces', 1],
      ['DetachNetworkInterface', 1],
      ['UnassignPrivateIpAddresses', 1],
    ])
    expect(violations(region.cloud, { freeIsTrue: true })).toEqual([])
    expect(await time.step()).toBe(false)
  })

  test('waits on its own clock for what takes time', async () => {
    const { cloud, done, elapsed } = started()
    const [table] = await done(cloud.describeRouteTables({ type: 'System' }))
    if (table?.vpcId === undefined) throw new Error('the VPC has no route table')
    const target = { vpcId: table.vpcId, routeTableId: table.id }
    const route = { cidr: parseCidr('172.16.0.0/24'), nextHop: { type: 'Instance', id: INSTANCE } } as const
    const id = await done(cloud.createRouteEntry(target, route, 'token'))
    expect(elapsed()).toBeGreaterThanOrEqual(REGION.latencies.route)
    expect(await done(cloud.describeRouteEntries({ routeTableId: table.id, id }))).toMatchObject([
      { status: 'settled' },
    ])
  })

  test('reads long lists, and what is in the VPC', async () => {
    const { cloud, done } = started()
    const tokens = Array.from({ length: 30 }, (_, index) => `token-${index}`)
    await done(Promise.all(tokens.map((token) => cloud.createEni(createRequest(token)))))
    expect(await done(cloud.describeEnis({ type: 'Secondary' }))).toHaveLength(30)
    expect(await done(cloud.describeInstances({ ids: [INSTANCE] }))).toMatchObject([{ id: INSTANCE }])
    const home = parseCloudId<VSwitchId>('vsw-sim-h')
    expect(await done(cloud.describeVSwitch(home))).toMatchObject({ id: home })
  })

  test('makes one ENI with one token, and none while the first call is under way', async () => {
    const { time, cloud, done, secondary } = started()
    const first = cloud.createEni(createRequest('same'))
    await time.run(REGION.latencies.create / 2)
    expect(await done(failure(cloud.createEni(createRequest('same'))))).toBe('LastTokenProcessing, transient')
    const eni = await done(first)
    expect(await done(cloud.createEni(createRequest('same')))).toEqual(eni)
    expect(secondary()).toHaveLength(1)
  })

  test('meets the refusals of the cloud', async () => {
    const all = started()
    const { cloud, done } = all
    const { id } = await attached(all)
    const nobody = parseCloudId<EniId>('eni-sim99999999')
    expect(await done(failure(cloud.assignIps(nobody, 1, 'x')))).toBe('InvalidEniId.NotFound, not-found')
    expect(await done(failure(cloud.deleteEni(id)))).toBe('InvalidOperation.InvalidEniState, permanent')
    expect(await done(failure(cloud.assignIps(id, 49, 'y')))).toMatch(/Ipv4CountExceeded, exhausted$/)
  })

  test('is throttled by the limits of the region', async () => {
    const { cloud, done } = started({ region: testRegion({ throttle: { DescribeNetworkInterfaces: 2 } }) })
    const look = () => done(failure(cloud.describeEnis({ instanceId: INSTANCE })))
    expect([await look(), await look(), await look()]).toEqual(['OK', 'OK', 'Throttling.User, throttled'])
  })

  test('is let go when its caller has gone, and the call goes on', async () => {
    const { time, cloud, done, elapsed, secondary } = started()
    const caller = new AbortController()
    const reason = new Error('gone')
    time.after(100, () => caller.abort(reason))
    await expect(done(cloud.createEni(createRequest('a'), { signal: caller.signal }))).rejects.toBe(reason)
    expect(elapsed()).toBe(100)
    await time.run(REGION.latencies.create)
    expect(secondary()).toHaveLength(1)
    await expect(done(cloud.createEni(createRequest('b'), { signal: caller.signal }))).rejects.toBe(reason)
    expect(secondary()).toHaveLength(1)
  })
})

test('what the cloud does by itself happens at its time, also when nobody calls', async () => {
  const all = started()
  const { time, region, elapsed, secondary } = all
  await attached(all)
  expect(secondary()).toMatchObject([{ state: { linked: false } }])
  expect(await time.runUntil(() => secondary().some(({ state }) => 'linked' in state && state.linked), 60_000)).toBe(
    true,
  )
  const { create, attach, link } = REGION.latencies
  expect(elapsed()).toBe(create + attach + link)
  expect(region.cloud.changes.at(-1)).toMatchObject({ change: 'linked', at: time.steady() })
})

describe('a process that is killed', () => {
  test('hears no answer, and what it asked for is done', async () => {
    const { time, region, process, cloud, secondary } = started()
    let answers = 0
    const count = () => {
      answers += 1
    }
    cloud.createEni(createRequest('one')).then(count, count)
    time.after(REGION.latencies.create / 2, () => process.kill())
    await time.run(60_000)
    expect([answers, secondary().length, region.counts.get('CreateNetworkInterface')]).toEqual([0, 1, 1])
    cloud.createEni(createRequest('two')).then(count, count)
    await time.run(60_000)
    expect([answers, secondary().length, region.counts.get('CreateNetworkInterface')]).toEqual([0, 1, 1])
  })

  test.each(['arrived', 'answered'] as const)('may die when a call has just %s', async (moment) => {
    const observe = (now: CallMoment) => {
      if (now.call.action === 'AttachNetworkInterface' && now.moment === moment) now.process.kill()
    }
    const all = started({ observe })
    const { time, region, cloud, done, secondary } = all
    const { id } = await done(cloud.createEni(createRequest('one')))
    let answers = 0
    const count = () => {
      answers += 1
    }
    cloud.attachEni(id, INSTANCE).then(count, count)
    await time.run(60_000)
    expect([answers, region.counts.get('AttachNetworkInterface')]).toEqual([0, 1])
    expect(secondary()).toMatchObject([{ state: { status: 'InUse' } }])
  })

  /** Whether a creation arrives whose process dies while it is on its way. */
  async function arrives(seed: number): Promise<boolean> {
    const { time, process, cloud, secondary } = started({ seed, transit: 100 })
    const killed = () => undefined
    cloud.createEni(createRequest('one')).then(killed, killed)
    time.after(0, () => process.kill())
    await time.run(60_000)
    return secondary().length === 1
  }

  test('has what was on its way done or not, by the seed', async () => {
    const seeds = Array.from({ length: 40 }, (_, seed) => seed)
    const run = () => Promise.all(seeds.map(arrives))
    const first = await run()
    expect(await run()).toEqual(first)
    const arrived = first.filter(Boolean).length
    expect([arrived > 0, arrived < seeds.length]).toEqual([true, true])
  })

  test('may have things done after its successor has looked', async () => {
    const { time, region, process, cloud, done, secondary } = started({}, faultsOf({ arrivesLate: 1 }))
    const never = () => undefined
    cloud.createEni(createRequest('one')).then(never, never)
    time.after(10, () => process.kill())
    await time.run(10)
    region.clearFaults()
    const successor = region.client(time.process())
    expect(await done(successor.describeEnis({ type: 'Secondary' }))).toEqual([])
    expect(secondary()).toEqual([])
    await time.run(LATE)
    expect(secondary()).toHaveLength(1)
  })
})

describe('faults', () => {
  const create = ({ cloud, done }: ReturnType<typeof started>) => done(failure(cloud.createEni(createRequest('token'))))

  /** What the client sees, when, and how many ENIs there are then. */
  test.each<[string, FaultRequest[], string, number, number]>([
    ['refused', faultsOf({ refused: 1 }), 'InternalError, transient', 0, 0],
    ['a lost answer', faultsOf({ answerLost: 1 }), 'Network, transient', REGION.latencies.create, 1],
    ['silence', faultsOf({ silence: 1 }), 'Timeout, transient', TIMEOUT, 1],
    ['a late arrival', faultsOf({ arrivesLate: 1 }), 'OK', LATE + REGION.latencies.create, 1],
    ['a late answer', faultsOf({ answeredLate: 1 }), 'OK', LATE + REGION.latencies.create, 1],
    ['throttled', faultsOf({ throttled: 1 }), 'Throttling.User, throttled', 0, 0],
    ['an empty id', faultsOf({ emptyId: 1 }), 'BadAnswer, transient', 0, 0],
    ['half an answer', [{ effect: { answer: 'truncated' } }], 'BadAnswer, transient', REGION.latencies.create, 1],
    ["a proxy's page", [{ effect: { answer: 'html' } }], 'BadAnswer, transient', 0, 0],
    ['an outage', [outage(1_000)], 'Network, transient', 0, 0],
    ['nothing likely', faultsOf({ refused: 0 }), 'OK', REGION.latencies.create, 1],
  ])('%s', async (_, faults, code, milliseconds, enis) => {
    const all = started({}, faults)
    expect([await create(all), all.elapsed(), all.secondary().length]).toEqual([code, milliseconds, enis])
  })

  test('an outage ends', async () => {
    const all = started({}, [outage(1_000)])
    await all.time.run(999)
    expect(await create(all)).toBe('Network, transient')
    await all.time.run(1)
    expect(await create(all)).toBe('OK')
  })

  test.each([
    ['fails', { attachFails: 1 }, 'Available'],
    ['hangs', { attachHangs: 1 }, 'Attaching'],
  ])('an attach %s', async (_, odds, status) => {
    const all = started({}, faultsOf(odds))
    await attached(all)
    await all.time.run(60_000)
    expect(all.secondary()).toMatchObject([{ state: { status } }])
  })

  test('a detach and a deletion hang until they are asked for again', async () => {
    const all = started({}, faultsOf({ detachHangs: 1, deleteHangs: 1 }))
    const { time, region, cloud, done, secondary } = all
    const { id } = await attached(all)
    const twice = async (ask: () => Promise<void>, status: string) => {
      await done(ask())
      await time.run(60_000)
      expect(secondary()).toMatchObject([{ state: { status } }])
      region.clearFaults()
      await done(ask())
      await time.run(60_000)
    }
    await twice(() => cloud.detachEni(id, INSTANCE), 'Detaching')
    expect(secondary()).toMatchObject([{ state: { status: 'Available' } }])
    for (const fault of faultsOf({ deleteHangs: 1 })) region.fault(fault)
    await twice(() => cloud.deleteEni(id), 'Deleting')
    expect(secondary()).toEqual([])
  })

  test('a list is old, or lacks something', async () => {
    const all = started()
    const { region, cloud, done } = all
    await attached(all)
    const look = async () => (await done(cloud.describeEnis({ type: 'Secondary' }))).map(({ status }) => status)
    for (const [odds, expected] of [
      [{ staleList: 1 }, []],
      [{ incompleteList: 1 }, []],
      [{}, ['InUse']],
    ] as const) {
      region.clearFaults()
      for (const fault of faultsOf(odds)) region.fault(fault)
      expect(await look()).toEqual(expected)
    }
  })
})

/** A hundred calls with all kinds of trouble, as the audit has them. */
async function troubled(seed: number, transit: number) {
  const half = { refused: 0.1, answerLost: 0.1, silence: 0.05, answeredLate: 0.1, staleList: 0.2, attachHangs: 0.3 }
  const { time, region, cloud, done } = started({ seed, transit }, faultsOf(half))
  const work = async (worker: number, client: Cloud) => {
    for (let turn = 0; turn < 10; turn++) {
      await failure(client.createEni(createRequest(`${worker}-${turn}`)))
      await failure(client.describeEnis({ instanceId: INSTANCE }))
    }
  }
  await done(Promise.all([0, 1, 2, 3, 4].map((worker) => work(worker, cloud))), 3_600_000)
  const calls = region.answered.map(({ requestId, ...call }) => call)
  return { calls, changes: region.cloud.changes, end: time.steady() }
}

test.each([0, 50])(
  'the same seed makes the same history, another one another (transit up to %i ms)',
  async (transit) => {
    const first = await troubled(1, transit)
    expect(first.calls).toHaveLength(100)
    expect(new Set(first.calls.map(({ code }) => code)).size).toBeGreaterThan(1)
    expect(await troubled(1, transit)).toEqual(first)
    expect((await troubled(2, transit)).calls).not.toEqual(first.calls)
  },
)

test('a defect of the simulator ends the run', async () => {
  const { time, region, cloud } = started()
  const cause = new Error('a defect')
  jest.spyOn(region.cloud, 'advance').mockImplementation(() => {
    throw cause
  })
  const answer = failure(cloud.describeEnis({ instanceId: INSTANCE }))
  await expect(time.run(0)).rejects.toMatchObject({ message: 'the simulated cloud has failed', cause })
  expect(await answer).toBe('InternalError, transient')
})

test('a region without an access key cannot be called', () => {
  const region: Region = { ...REGION, accessKeys: new Map() }
  expect(() => new VirtualRegion({ region, time: new VirtualTime() })).toThrow('access key')
})
