/** What one answer of the cloud is worth, and what comes of trunks: the whole pool, on the simulated region in virtual time. */
import { describe, expect, test } from '@jest/globals'
import { Outsider } from '../../test/pool/outsider.ts'
import { VirtualNode } from '../../test/pool/virtual-node.ts'
import { VirtualRegion } from '../../test/pool/virtual-region.ts'
import { VirtualTime } from '../../test/pool/virtual-time.ts'
import { testRegion } from '../../test/simulator/region.ts'
import { type PoolLimits, poolLimits } from './settings.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Comparisons happen when a test asks for them. */
const NEVER = 1_000 * MINUTE
const SHARED = { maxEnis: 2, addressesPerEni: 6, minFree: 3, maxFree: 6 }
const MEMBER = { kind: 'member', maxEnis: 5, addressesPerEni: 1, minFree: 1, maxFree: 2 } as const
const LIST = 'DescribeNetworkInterfaces'

class Stage {
  readonly time = new VirtualTime()
  readonly region: VirtualRegion
  readonly node: VirtualNode
  limits: PoolLimits

  constructor(limits: Parameters<typeof poolLimits>[0], interval = NEVER) {
    const { time } = this
    this.limits = poolLimits(limits)
    this.region = new VirtualRegion({ region: testRegion({ instanceTypes: [LARGE], nodes: [NODE] }), time, seed: 1 })
    const options = { time, region: this.region, interval, limits: this.limits }
    this.node = new VirtualNode(Object.defineProperty(options, 'limits', { get: () => this.limits }))
  }

  async start(milliseconds = MINUTE): Promise<void> {
    // Ends with the daemon's life.
    void this.node.start()
    await this.time.run(milliseconds)
  }

  async restart(limits?: Parameters<typeof poolLimits>[0]): Promise<void> {
    this.node.kill()
    if (limits !== undefined) this.limits = poolLimits(limits)
    await this.start()
  }

  async pods(...names: readonly string[]): Promise<void> {
    const added = Promise.all(names.map((name) => this.node.add(name)))
    await this.time.complete(added, MINUTE)
  }

  /** Both listings of the next thorough comparison lie. */
  nextLook(effect: Readonly<Record<string, unknown>>): void {
    this.region.fault({ select: { action: LIST, times: 2 }, effect })
  }

  calls(action: string): number {
    return this.region.counts.get(action) ?? 0
  }

  phases(role = this.limits.kind as string): string[] {
    return [...this.node.pool.state.enis.values()].flatMap((eni) => (eni.role === role ? [eni.phase] : []))
  }

  get lost(): number {
    return [...this.node.pool.state.addresses.values()].filter((a) => a.phase === 'owned' && a.lost).length
  }
}

const LARGE = {
  ...{ id: 'ecs.test.large', cpuCores: 8, memoryGiB: 32, eniQuantity: 4, eniTotalQuantity: 54 },
  ...{ trunkSupported: true, ipv4PerEni: 15, ipv6PerEni: 15 },
}
const NODE = {
  ...{ name: 'node-a', instanceId: 'i-sim-a', instanceType: LARGE.id, vSwitch: 'vsw-sim-h', primaryIp: '10.0.1.10' },
}

async function serving(limits: Parameters<typeof poolLimits>[0], interval?: number): Promise<Stage> {
  const stage = new Stage(limits, interval)
  await stage.start()
  return stage
}

describe('an answer that is behind the journal', () => {
  test.each([500, 1_500, 3_000])('by %i ms makes no ghosts and attaches nothing again', async (by) => {
    const stage = await serving(SHARED)
    const names = Array.from({ length: 8 }, (_, i) => `p${i}`)
    await stage.pods(...names)
    const before = [...stage.node.pool.state.addresses.values()]
    stage.nextLook({ answer: 'stale', by })
    const { changes, findings } = await stage.time.complete(
      stage.node.pool.reconcile(stage.node.podRoutes()),
      10 * SECOND,
    )
    expect([changes, findings]).toEqual([[], []])
    expect([...stage.node.pool.state.addresses.values()].slice(0, before.length)).toEqual(before)
    stage.node.checkPods()
  })
})

describe('an ENI that one answer lacks', () => {
  test('gives nothing until another one has it, a few seconds later', async () => {
    const stage = await serving(SHARED)
    await stage.pods('a')
    await stage.time.run(10 * SECOND)
    stage.nextLook({ answer: 'missing' })
    const { node, time } = stage
    const looked = node.pool.reconcile(node.podRoutes())
    await time.run(SECOND)
    const waiting = node.add('b')
    await time.run(SECOND)
    expect(node.pods.has('b')).toBe(false)
    expect(node.pool.waiting).toBe(1)
    stage.region.clearFaults()
    const { findings } = await time.complete(looked, 5 * SECOND)
    await time.complete(waiting, SECOND)
    expect(node.pods.has('b')).toBe(true)
    expect(findings).toEqual([])
    expect([stage.phases(), stage.lost]).toEqual([['in-use'], 0])
  })

  test('is given up when the second one lacks it, too', async () => {
    const stage = await serving(SHARED)
    await stage.pods('a')
    await stage.time.run(10 * SECOND)
    const [eni] = stage.node.enis()
    if (eni === undefined) throw new Error('no ENI')
    stage.node.noteTakenEni(eni.id)
    new Outsider(stage.region, stage.time).delete(eni.id)
    await stage.time.run(20 * SECOND)
    const reconciled = stage.node.pool.reconcile(stage.node.podRoutes())
    const { findings } = await stage.time.complete(reconciled, 10 * SECOND)
    expect(findings.map(({ kind }) => kind)).toEqual(['ghost'])
    expect(stage.phases()[0]).toBe('lost')
  })

  test('does not cost a start with a journal anything: it looks again before it serves', async () => {
    const stage = await serving(SHARED)
    await stage.pods('a', 'b')
    stage.nextLook({ answer: 'missing' })
    stage.node.kill()
    const lists = stage.calls(LIST)
    await stage.start(4_500)
    expect(stage.node.serves).toBe(true)
    expect(stage.calls(LIST) - lists).toBe(3)
    expect([stage.phases(), stage.lost]).toEqual([['in-use'], 0])
  })
})

test('what a comparison adopts it does not ask for again, ENI by ENI', async () => {
  const stage = await serving({ ...SHARED, maxEnis: 3 })
  await stage.pods(...Array.from({ length: 14 }, (_, i) => `p${i}`))
  await stage.time.run(MINUTE)
  expect(stage.phases()).toEqual(['in-use', 'in-use', 'in-use'])
  stage.node.powerOff()
  const lists = stage.calls(LIST)
  await stage.start()
  expect(stage.phases()).toEqual(['in-use', 'in-use', 'in-use'])
  expect(stage.calls(LIST) - lists).toBe(2)
})

describe('a trunk', () => {
  test('stays for a member with a pod while the mode is another one, and serves when it is back', async () => {
    const stage = await serving(MEMBER)
    await stage.pods('a')
    await stage.restart(SHARED)
    expect([stage.phases('member'), stage.phases('trunk')]).toEqual([['draining'], ['in-use']])
    await stage.restart(MEMBER)
    await stage.pods('b')
    expect(stage.phases('trunk')).toEqual(['in-use'])
    stage.node.checkPods()
  })

  test('goes after the last member, and comes again with the mode', async () => {
    const stage = await serving(MEMBER, 2 * MINUTE)
    await stage.pods('a')
    await stage.restart(SHARED)
    stage.node.remove('a')
    await stage.time.run(10 * MINUTE)
    expect([stage.phases('member'), stage.phases('trunk')]).toEqual([[], []])
    await stage.restart(MEMBER)
    await stage.pods('b')
    expect(stage.phases('trunk')).toEqual(['in-use'])
  })

  test('that can never be attached does not fill the node with members', async () => {
    const stage = new Stage({ ...MEMBER, maxEnis: 20 })
    const error = 'OperationDenied.InvalidTrunk'
    stage.region.fault({ select: { action: 'AttachNetworkInterface' }, effect: { error, status: 403 } })
    await stage.start()
    for (let i = 0; i < 10; i++) {
      const stop = new AbortController()
      stage.time.after(30 * SECOND, () => stop.abort(new Error('time is up')))
      const added = stage.node.add(`p${i}`, { signal: stop.signal }).catch(() => undefined)
      await stage.time.complete(added, MINUTE)
    }
    // One for each pod that waits at a time, and those that are to be free.
    expect(stage.phases('member').length).toBeLessThanOrEqual(1 + MEMBER.maxFree)
    expect(stage.node.pool.problems.join()).toContain(error)
    stage.region.clearFaults()
    await stage.time.run(5 * MINUTE)
    await stage.pods('z')
    expect(stage.phases('trunk')).toEqual(['in-use'])
  })
})
