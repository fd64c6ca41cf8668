/**
 * Random calls of the client while random things go wrong: what it was told adds up to what there is. Every call is
 * repeated, with the token it had, until it has an answer that counts, as the pool does.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import type { CreateEni } from '../../cloud/ecs/eni-actions.ts'
import { CloudError, isCloudError } from '../../cloud/error.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import type { Ipv4 } from '../../inet/address.ts'
import { testRegion } from '../simulator/region.ts'
import { type Client, type FaultRequest, RegionUnderTest } from './region-under-test.ts'

/** Seconds of the region in a real one: pauses after a throttled answer are seconds. */
const SPEED = 30
const NODE = parseCloudId<InstanceId>('i-sim-a')
const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
/** Usable addresses of the vSwitch less that of the node. */
const FREE = 252 - 1
/** ecs.g7.xlarge: addresses of an attached ENI, and secondary ENIs. */
const IPS_PER_ENI = 15
const SECONDARY_ENIS = 3

const STATE = z.object({
  vSwitches: z.array(z.object({ id: z.string(), availableIps: z.int() })),
  enis: z.array(
    z.object({ id: z.string(), status: z.string(), ips: z.array(z.string()), instanceId: z.string().optional() }),
  ),
})

let under: RegionUnderTest
let client: Client

beforeAll(async () => {
  const latencies = { create: 30, attach: 60, detach: 60, delete: 60, assign: 30, unassign: 30, metadata: 0, link: 0 }
  under = await RegionUnderTest.start(testRegion({ latencies }), SPEED)
  const rateLimit = { eniCreateQps: 1e4, eniDeleteQps: 1e4, ipAssignQps: 1e4, ipUnassignQps: 1e4 }
  client = under.client({ attemptTimeout: 150 * SPEED, callTimeout: 60_000, rateLimit })
})
afterAll(async () => {
  await under.stop()
})

type Step =
  | { readonly kind: 'create'; readonly secondaryIps: number }
  | { readonly kind: 'attach' | 'detach' | 'delete'; readonly eni: number }
  | { readonly kind: 'assign' | 'unassign'; readonly eni: number; readonly count: number }

const eni = fc.nat(5)
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('create'), secondaryIps: fc.nat(4) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('attach', 'detach', 'delete'), eni }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('assign', 'unassign'), eni, count: fc.integer({ min: 1, max: 9 }) }),
  },
)
const EFFECT: fc.Arbitrary<FaultRequest['effect']> = fc.constantFrom<FaultRequest['effect'][]>(
  { error: 'InternalError' },
  { error: 'Operation.Conflict', status: 403 },
  { error: 'Throttling.User', status: 400, retryAfter: 5 },
  { timeout: 'after' },
  { timeout: 'before' },
  { reset: 'after' },
  { answer: 'html', status: 502, when: 'after' },
  { answer: 'truncated' },
)

/** What the client was told: its ENIs, and their addresses. */
type Belief = Map<EniId, Set<Ipv4>>

/** Repeats while there is hope. What the API refuses for good is no news: it changes nothing. */
async function done<T>(call: () => Promise<T>): Promise<T | undefined> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (isCloudError(error, 'throttled', 'transient')) continue
      if (error instanceof CloudError) return undefined
      throw error
    }
  }
}

async function create(belief: Belief, secondaryIps: number): Promise<void> {
  const wanted: CreateEni = {
    ...{ vSwitchId: VSWITCH, securityGroupIds: [parseCloudId<SecurityGroupId>('sg-sim')], secondaryIps },
    clientToken: randomUUID(),
  }
  const made = await done(() => client.cloud.createEni(wanted))
  if (made !== undefined) belief.set(made.id, new Set(made.ips))
}

async function take(belief: Belief, step: Step): Promise<void> {
  if (step.kind === 'create') return await create(belief, step.secondaryIps)
  const [id, ips] = [...belief][step.eni] ?? []
  if (id === undefined || ips === undefined) return
  switch (step.kind) {
    case 'attach':
      await done(() => client.cloud.attachEni(id, NODE))
      return
    case 'detach':
      await done(() => client.cloud.detachEni(id, NODE))
      return
    case 'delete':
      if (await succeeds(() => client.cloud.deleteEni(id))) belief.delete(id)
      return
    case 'assign':
      return await assign(id, ips, step.count)
    case 'unassign':
      return await unassign(id, ips, step.count)
  }
}

async function succeeds(call: () => Promise<void>): Promise<boolean> {
  const answer = await done(async () => {
    await call()
    return true
  })
  return answer === true
}

async function assign(id: EniId, ips: Set<Ipv4>, count: number): Promise<void> {
  const token = randomUUID()
  for (const ip of (await done(() => client.cloud.assignIps(id, count, token))) ?? []) ips.add(ip)
}

/** The first is the primary address, which the API keeps. */
async function unassign(id: EniId, ips: Set<Ipv4>, count: number): Promise<void> {
  const leaving = [...ips].slice(1, 1 + count)
  if (leaving.length === 0 || !(await succeeds(() => client.cloud.unassignIps(id, leaving)))) return
  for (const ip of leaving) ips.delete(ip)
}

async function readState(): Promise<z.infer<typeof STATE>> {
  return STATE.parse(await (await fetch(`${under.url}/state`)).json())
}

async function settled(): Promise<z.infer<typeof STATE>> {
  for (;;) {
    const state = await readState()
    if (state.enis.every(({ status }) => status === 'Available' || status === 'InUse')) return state
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function expectToAddUp(belief: Belief, { enis, vSwitches }: z.infer<typeof STATE>): void {
  const secondary = enis.filter(({ id }) => id !== 'eni-sim00000001' && id !== 'eni-sim00000002')
  const there = new Map(secondary.map(({ id, ips }) => [id, [...ips].sort()]))
  expect(there).toEqual(new Map([...belief].map(([id, ips]) => [String(id), [...ips].map(String).sort()])))
  const ips = enis.flatMap((one) => one.ips)
  expect(new Set(ips).size).toBe(ips.length)
  const used = secondary.reduce((sum, one) => sum + one.ips.length, 0)
  expect(vSwitches.find(({ id }) => id === VSWITCH)?.availableIps).toBe(FREE - used)
  const attached = secondary.filter(({ instanceId }) => instanceId !== undefined)
  expect(attached.length).toBeLessThanOrEqual(SECONDARY_ENIS)
  for (const one of attached) expect(one.ips.length).toBeLessThanOrEqual(IPS_PER_ENI)
}

async function clear(belief: Belief): Promise<void> {
  await under.clearFaults()
  for (const id of belief.keys()) await done(() => client.cloud.detachEni(id, NODE))
  await settled()
  for (const id of belief.keys()) await client.cloud.deleteEni(id)
  expect((await settled()).enis).toHaveLength(2)
}

test('whatever is called and whatever goes wrong', async () => {
  const history = fc.array(fc.record({ step: STEP, fault: fc.option(EFFECT, { freq: 3 }) }), {
    minLength: 5,
    maxLength: 25,
  })
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const belief: Belief = new Map()
      for (const { step, fault } of steps) {
        if (fault !== null) await under.fault({ select: { times: 1 }, effect: fault })
        await take(belief, step)
      }
      await under.clearFaults()
      expectToAddUp(belief, await settled())
      await clear(belief)
    }),
    { numRuns: 25 },
  )
}, 120_000)
