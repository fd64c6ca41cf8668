/**
 * What the daemon makes of a cloud in trouble. Whatever goes wrong while pods ask for addresses: each gets one of its
 * own, the pool ends up with what the cloud has and nothing more, and it did not ask over and over again.
 */
import { afterEach, expect, test } from '@jest/globals'
import { poolLimits } from '../../daemon/pool/settings.ts'
import { testRegion } from '../simulator/region.ts'
import { assigned, PoolUnderTest } from './pool-under-test.ts'
import { type AuditEntry, type FaultRequest, RegionUnderTest } from './region-under-test.ts'

/** Seconds of the region in a real one: the pool waits up to a minute for an ENI. */
const SPEED = 20
const LIMITS = poolLimits({ maxEnis: 2, addressesPerEni: 5, minFree: 2, maxFree: 4 })
const PODS = 6
/**
 * Calls of either run without a fault: a look at what there is, two ENIs made and attached, or detached and deleted, the
 * looks meanwhile. Five of them change something. With a fault they may be some more; a loop would be dozens.
 */
const QUIET = 13
const QUIET_CHANGES = 5

let under: RegionUnderTest
let running: PoolUnderTest | undefined

afterEach(async () => {
  await running?.stop()
  running = undefined
  await under.stop()
})

const on = (action: string, effect: FaultRequest['effect'], times = 2): FaultRequest => ({
  select: { action, times },
  effect,
})

function expectNoLoop(calls: readonly AuditEntry[]): void {
  expect(calls.length).toBeLessThan(4 * QUIET)
  expect(calls.filter((call) => !call.action.startsWith('Describe')).length).toBeLessThan(4 * QUIET_CHANGES)
}

async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + 45_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test.each<[string, readonly FaultRequest[]]>([
  ['nothing at all', []],
  ['creations that fail', [on('CreateNetworkInterface', { error: 'InternalError' })]],
  ['creations whose answers are lost', [on('CreateNetworkInterface', { timeout: 'after' })]],
  ['creations that never arrive', [on('CreateNetworkInterface', { timeout: 'before' })]],
  ['creations cut off after the effect', [on('CreateNetworkInterface', { reset: 'after' })]],
  ['creations that name no ENI', [on('CreateNetworkInterface', { answer: 'empty-id' })]],
  ['creations that answer late', [on('CreateNetworkInterface', { delay: 5_000 })]],
  [
    'half of everything throttled',
    [{ select: { probability: 0.5, for: 30_000 }, effect: { error: 'Throttling.User' } }],
  ],
  ['the attach throttled for a minute', [on('AttachNetworkInterface', { throttle: 30_000 }, 1)]],
  ['attaches that fall back', [{ select: { times: 2 }, effect: { attach: 'fail' } }]],
  ['attaches that hang', [{ select: { times: 1 }, effect: { attach: 'hang' } }]],
  ['attaches whose answers are lost', [on('AttachNetworkInterface', { timeout: 'after' })]],
  ['a list without the ENI', [on('DescribeNetworkInterfaces', { answer: 'missing' }, 3)]],
  ['a list as it was', [{ select: { after: 2, times: 3 }, effect: { answer: 'stale', by: 3_000 } }]],
  ["a proxy's page in place of lists", [on('DescribeNetworkInterfaces', { answer: 'html', status: 502 }, 3)]],
  ['half of an answer', [on('DescribeNetworkInterfaces', { answer: 'truncated' }, 3)]],
  ['assigned addresses whose answer is lost', [on('AssignPrivateIpAddresses', { timeout: 'after' })]],
  ['vSwitches that cannot be looked up', [on('DescribeVSwitches', { error: 'ServiceUnavailable', status: 503 })]],
])(
  '%s',
  async (_, faults) => {
    under = await RegionUnderTest.start(testRegion({ latencies: FAST }), SPEED)
    const client = under.client({ attemptTimeout: 10_000 })
    for (const fault of faults) await under.fault(fault)
    running = await PoolUnderTest.start(under, client, LIMITS)
    const { pool } = running
    const one = running
    const leases = await Promise.all(Array.from({ length: PODS }, (_unused, i) => one.acquire(`pod-${i}`)))
    expect(new Set(leases.map((lease) => lease.ipv4)).size).toBe(PODS)
    await until(() => one.isSettled(LIMITS.minFree), `settled, ${pool.problems.join()}`)

    await under.clearFaults()
    const enis = await client.cloud.describeEnis({ tags: { creator: 'terway' } })
    expect(assigned(enis)).toEqual(running.known())
    expect(enis.map((eni) => eni.status)).toEqual(Array(enis.length).fill('InUse'))
    const usable = enis.flatMap((eni) => eni.ips)
    for (const lease of leases) expect(usable).toContain(lease.ipv4)
    expect(enis.length).toBeLessThanOrEqual(LIMITS.maxEnis)
    const calls = await under.audit()
    // An attach that hangs is looked at until it is given up.
    expect(calls.length).toBeLessThan(5 * QUIET)
  },
  60_000,
)

test.each<[string, readonly FaultRequest[]]>([
  ['nothing at all', []],
  ['detaches that hang', [{ select: { times: 1 }, effect: { detach: 'hang' } }]],
  ['detaches whose answers are lost', [on('DetachNetworkInterface', { timeout: 'after' })]],
  ['deletes that hang', [{ select: { times: 1 }, effect: { delete: 'hang' } }]],
  ['deletes that fail', [on('DeleteNetworkInterface', { error: 'InternalError' })]],
  ['deletes whose answers are lost', [on('DeleteNetworkInterface', { reset: 'after' })]],
  ['lists without the ENI', [on('DescribeNetworkInterfaces', { answer: 'missing' }, 3)]],
  [
    'half of everything throttled',
    [{ select: { probability: 0.5, for: 30_000 }, effect: { error: 'Throttling.User' } }],
  ],
])(
  'giving everything back, with %s',
  async (_, faults) => {
    under = await RegionUnderTest.start(testRegion({ latencies: FAST }), SPEED)
    const client = under.client({ attemptTimeout: 10_000 })
    running = await PoolUnderTest.start(under, client, { ...LIMITS, minFree: 0, maxFree: 0 })
    const { pool } = running
    const one = running
    const names = Array.from({ length: PODS }, (_unused, i) => `pod-${i}`)
    await Promise.all(names.map((name) => one.acquire(name)))
    for (const fault of faults) await under.fault(fault)
    const before = (await under.audit()).length
    for (const name of names) pool.release(PoolUnderTest.owner(name))

    await until(async () => (await under.enis()).length === 0 && pool.state.enis.size === 0, 'all given back')
    expect(pool.state.addresses.size).toBe(0)
    expectNoLoop((await under.audit()).slice(before))
  },
  60_000,
)

/** Milliseconds of the region; with the speed, tenths of that. */
const FAST = {
  create: 300,
  attach: 1_000,
  detach: 1_000,
  delete: 500,
  assign: 300,
  unassign: 300,
  metadata: 0,
  link: 0,
}
