/** The entries of VPC route mode against the simulator's real API: what is made, left alone, refused, and at what cost. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { fastClock } from '../../cloud/clock.ts'
import { type InstanceId, parseCloudId, type RouteTableId, type VpcId, type VSwitchId } from '../../cloud/ids.ts'
import type { Route } from '../../cloud/vpc/route.ts'
import { type PoolClock, poolClock } from '../../daemon/pool/clock.ts'
import { KeptReports } from '../../daemon/pool/report/reports.ts'
import { RouteEntries, type RouteEntriesOptions } from '../../daemon/route/route-entries.ts'
import { parseCidr } from '../../inet/address.ts'
import { NO_LATENCY, testRegion } from '../simulator/region.ts'
import { RegionUnderTest } from './region-under-test.ts'

const SPEED = 50
const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const VPC = parseCloudId<VpcId>('vpc-sim')
const TABLE = parseCloudId<RouteTableId>('vtb-sim')
const CUSTOM_TABLE = parseCloudId<RouteTableId>('vtb-i')
const SYSTEM = { vpcId: VPC, routeTableId: TABLE }

interface Place {
  readonly name: string
  readonly instanceId: InstanceId
  readonly vSwitchId: VSwitchId
}
const place = (letter: string, vSwitch: string): Place => ({
  name: `node-${letter}`,
  instanceId: parseCloudId<InstanceId>(`i-sim-${letter}`),
  vSwitchId: parseCloudId<VSwitchId>(vSwitch),
})
const A = place('a', 'vsw-sim-h')
const B = place('b', 'vsw-sim-i')

/** What the daemon of a node finds again after a restart. */
class Facts extends Map<string, unknown> {
  getFact(name: string): unknown {
    return this.get(name)
  }
  putFact(name: string, value: unknown): void {
    this.set(name, value)
  }
}

let under: RegionUnderTest
let running: RouteEntries[]
beforeEach(() => {
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((entries) => entries.stop()))
  await under.stop()
})

async function region(changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  under = await RegionUnderTest.start(testRegion({ latencies: { ...NO_LATENCY, route: 1_000 }, ...changes }), SPEED)
}

function entriesOf(of: Place, cidrs: readonly string[], more: Partial<RouteEntriesOptions> = {}) {
  const reports = new KeptReports(log)
  const entries = new RouteEntries({
    ...{ cloud: under.client().cloud, nodeName: of.name, cidrs: cidrs.map(parseCidr), limit: 50, reports, log },
    facts: { instanceId: of.instanceId, vpcId: VPC, vSwitchId: of.vSwitchId },
    ...{ journal: new Facts(), clock: poolClock(fastClock(SPEED), SPEED), ...more },
  })
  running.push(entries)
  return { entries, reports }
}

/** Notes how long it sleeps. */
function watched(pauses: number[]): PoolClock {
  const clock = poolClock(fastClock(SPEED), SPEED)
  const sleep: PoolClock['sleep'] = (milliseconds, signal) => {
    pauses.push(milliseconds)
    return clock.sleep(milliseconds, signal)
  }
  return { ...clock, sleep }
}

/** Starts it and lets it look once. */
async function look(of: Place, cidrs: readonly string[], more: Partial<RouteEntriesOptions> = {}) {
  const both = entriesOf(of, cidrs, more)
  await both.entries.start()
  return both
}

async function tableOf(routeTableId = TABLE): Promise<string[]> {
  const entries = await under.client().cloud.describeRouteEntries({ routeTableId, type: 'Custom' })
  return entries.map(({ cidr, nextHopIds, name }) => `${cidr} ${nextHopIds.join()} ${name}`.trim()).sort()
}

const route = (cidr: string, { instanceId: id }: Place, name?: string): Route => ({
  ...{ cidr: parseCidr(cidr), nextHop: { type: 'Instance', id } },
  ...(name === undefined ? {} : { name }),
})

async function changes(): Promise<string[]> {
  const calls = await under.audit()
  return calls
    .filter(({ action }) => /^(Create|Delete)Route/.test(action))
    .map(({ action, code }) => `${action} ${code}`)
}

describe('a missing entry', () => {
  test('is made, told of once, and found by every later start', async () => {
    await region()
    const { entries, reports } = await look(A, ['172.20.1.0/24'])
    expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-a terway-node-a'])
    expect([entries.problems, entries.unreachable]).toEqual([[], undefined])
    expect(reports.events.latest.map(({ reason, level }) => [reason, level])).toEqual([['RouteEntryCreated', 'normal']])
    const again = await look(A, ['172.20.1.0/24'])
    expect([again.entries.unreachable, again.reports.events.latest]).toEqual([undefined, []])
    expect(await changes()).toEqual(['CreateRouteEntries OK'])
  })

  test('of both families is made with one change of the VPC', async () => {
    await region({
      vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' },
      vSwitches: [
        { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24', ipv6Cidr: '2001:db8:0:1a01::/64' },
        { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' },
      ],
    })
    await look(A, ['172.20.1.0/24', 'fd00:0:0:1::/64'])
    expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-a terway-node-a', 'fd00:0:0:1::/64 i-sim-a terway-node-a'])
    expect(await changes()).toEqual(['CreateRouteEntries OK'])
  })

  test('goes into the table that the vSwitch of the node uses, or into those that are named', async () => {
    const routeTables = [{ id: 'vtb-i', vSwitches: ['vsw-sim-i'] }]
    await region({ vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', routeTables } })
    await look(A, ['172.20.1.0/24'])
    await look(B, ['172.20.2.0/24'])
    expect([await tableOf(), await tableOf(CUSTOM_TABLE)]).toEqual([
      ['172.20.1.0/24 i-sim-a terway-node-a'],
      ['172.20.2.0/24 i-sim-b terway-node-b'],
    ])
    await look(B, ['172.20.2.0/24'], { tables: [TABLE, CUSTOM_TABLE] })
    expect(await tableOf()).toHaveLength(2)
  })

  test('is made again when somebody has deleted it', async () => {
    await region()
    const { reports } = await look(A, ['172.20.1.0/24'], { clock: poolClock(fastClock(1_000), 1_000) })
    const { cloud } = under.client()
    await cloud.deleteRouteEntries(SYSTEM, [route('172.20.1.0/24', A)])
    while (reports.events.totals.get('RouteEntryCreated') !== 2) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-a terway-node-a'])
  })
})

test('a start in the middle of what the last one has begun ends it', async () => {
  await region()
  const killed = entriesOf(A, ['172.20.1.0/24'])
  void killed.entries.start()
  while ((await changes()).length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await killed.entries.stop()
  expect((await look(A, ['172.20.1.0/24'])).entries.unreachable).toBeUndefined()
  expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-a terway-node-a'])
})

test('nodes that start together all get theirs, although the VPC makes one change at a time', async () => {
  await region({ throttle: {} })
  const nodes = [A, B, A, B, A, B]
  const looks = await Promise.all(nodes.map((of, index) => look(of, [`172.20.${index}.0/24`])))
  expect(looks.map(({ entries }) => entries.unreachable)).toEqual(nodes.map(() => undefined))
  expect(await tableOf()).toHaveLength(nodes.length)
  expect(await changes()).toContain('CreateRouteEntries TaskConflict')
})

describe('what others have made', () => {
  test('stays, and the operator is told of both', async () => {
    await region()
    const { cloud } = under.client()
    await cloud.createRouteEntries(SYSTEM, [route('172.20.1.0/24', B, 'by-hand')])
    const { entries, reports } = await look(A, ['172.20.1.0/24'])
    expect(entries.problems).toEqual([expect.stringMatching(/vtb-sim leads 172\.20\.1\.0\/24 to i-sim-b.*by-hand/)])
    expect(entries.unreachable?.limit).toMatch(/^the VPC does not lead 172\.20\.1\.0\/24 to this node: /)
    expect(reports.events.latest).toEqual([expect.objectContaining({ reason: 'RouteEntryFailed', level: 'warning' })])
    expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-b by-hand'])
    expect(await changes()).toEqual(['CreateRouteEntries OK'])
  })

  test("stays also when it is another Terway's whose instance is there", async () => {
    await region()
    await look(B, ['172.20.1.0/24'])
    const { entries } = await look(A, ['172.20.1.0/24'])
    expect(entries.problems).toEqual([expect.stringContaining('i-sim-b')])
    expect(await tableOf()).toEqual(['172.20.1.0/24 i-sim-b terway-node-b'])
  })

  test.each([
    ['gives way when the instance of that Terway is gone', [A.instanceId], 'i-sim-a'],
    ['stays when nobody may be asked for instances', [], 'i-sim-b'],
  ])('%s', async (_, listed, hop) => {
    await region()
    await look(B, ['172.20.1.0/24'])
    const { cloud } = under.client()
    // Instances of the simulator are always there.
    const describeInstances: typeof cloud.describeInstances = async (filter) =>
      (await cloud.describeInstances(filter)).filter(({ id }) => listed.includes(id))
    await look(A, ['172.20.1.0/24'], { cloud: { ...cloud, describeInstances } })
    expect((await tableOf()).map((line) => line.split(' ')[1])).toEqual([hop])
  })
})

test('a prefix inside a vSwitch is not asked for', async () => {
  await region()
  const { entries } = await look(A, ['10.0.1.0/26'])
  expect(entries.problems).toEqual([expect.stringMatching(/10\.0\.1\.0\/26.*10\.0\.1\.0\/24.*vSwitch/)])
  expect(await changes()).toEqual([])
})

describe('a table of 50 entries', () => {
  const fill = async (count: number) => {
    const { cloud } = under.client()
    const routes = Array.from({ length: count }, (_, index) => route(`192.168.${index}.0/24`, B))
    await cloud.createRouteEntries(SYSTEM, routes)
  }

  test.each([
    [38, 0],
    [39, 1],
    [49, 1],
  ])('that held %i tells of how few are left: %i', async (count, warnings) => {
    await region()
    await fill(count)
    const { entries, reports } = await look(A, ['172.20.1.0/24'])
    expect(entries.unreachable).toBeUndefined()
    expect(entries.problems).toHaveLength(warnings)
    expect(reports.events.totals.get('RouteTableFilling') ?? 0).toBe(warnings)
    if (warnings > 0) expect(entries.problems[0]).toContain(`vtb-sim has ${count + 1} custom entries of 50`)
  })

  test('that is full is told of before the API refuses', async () => {
    await region()
    await fill(50)
    const { entries } = await look(A, ['172.20.1.0/24'])
    expect(entries.unreachable).toMatchObject({
      resource: 'quota',
      advice: expect.stringContaining('route_table_limit'),
    })
    expect(await changes()).toEqual(['CreateRouteEntries OK'])
  })

  test('whose real quota is lower refuses once, not in a loop', async () => {
    await region({ quotas: { routeEntries: 3 } })
    await fill(3)
    const pauses: number[] = []
    const { entries } = await look(A, ['172.20.1.0/24'], { clock: watched(pauses) })
    expect(entries.unreachable).toMatchObject({ resource: 'quota', key: 'QuotaExceeded' })
    expect(pauses[0]).toBeGreaterThanOrEqual(300_000)
    expect((await changes()).length).toBe(2)
  })
})

describe('a cloud that does not answer', () => {
  test('leaves a node as it was seen last', async () => {
    await region()
    const journal = new Facts()
    await look(A, ['172.20.1.0/24'], { journal })
    await under.fault({ select: { action: 'DescribeRouteTableList' }, effect: { error: 'Forbidden.RAM', status: 403 } })
    const { entries } = await look(A, ['172.20.1.0/24'], { journal })
    expect(entries.unreachable).toBeUndefined()
    expect((await look(A, ['172.20.7.0/24'], { journal })).entries.unreachable).toMatchObject({
      resource: 'permission',
      advice: expect.stringContaining('RAM policy'),
    })
  })

  test('is asked again, less and less often', async () => {
    await region()
    await under.fault({
      select: { action: 'DescribeRouteTableList', times: 4 },
      effect: { error: 'Forbidden.RAM', status: 403 },
    })
    const pauses: number[] = []
    const { entries, reports } = await look(A, ['172.20.1.0/24'], { clock: watched(pauses), random: () => 0 })
    expect(entries.unreachable).toMatchObject({ resource: 'permission' })
    while (reports.events.totals.get('RouteEntryCreated') !== 1) await new Promise((resolve) => setTimeout(resolve, 10))
    expect([entries.unreachable, entries.problems]).toEqual([undefined, []])
    expect(reports.events.totals.get('RouteEntryFailed')).toBe(4)
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 300_000])
  })
})
