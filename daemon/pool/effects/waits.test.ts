/** What waiting for the cloud adds to its own latency, and how many looks it takes. */
import { describe, expect, test } from '@jest/globals'
import type { InstanceId as SimulatedInstanceId } from '../../../simulator/region/ids.ts'
import { EffectBench, HERE, LATENCIES } from '../../../test/pool/effect-bench.ts'
import { Outsider } from '../../../test/pool/outsider.ts'
import type { EniKey } from '../model.ts'

/** Another node in the same zone. */
const ELSEWHERE = 'i-sim-rdma' as SimulatedInstanceId

/** ms from the change in the cloud until the record says so. */
function added(bench: EffectBench, key: EniKey, change: string): number {
  const { id, since } = bench.known(key)
  const made = bench.region.cloud.changes.findLast((other) => String(other.eni) === id && other.change === change)
  if (made === undefined) throw new Error(`${id} was never ${change}`)
  return since - made.at
}

const looks = (bench: EffectBench) => bench.calls().DescribeNetworkInterfaces ?? 0

describe('an ENI with a link', () => {
  test.each([
    { attach: 1_000, link: 0, most: 1 },
    { attach: 3_000, link: 1_300, most: 1 },
    { attach: 4_000, link: 3_000, most: 1 },
    // Far from what was guessed: once a second from when it should have been there.
    { attach: 9_000, link: 1_000, most: 6 },
  ])('attached after $attach ms, its link $link ms later: $most looks', async ({ attach, link, most }) => {
    const bench = new EffectBench({ region: { latencies: { ...LATENCIES, attach, link } } })
    const key = bench.create('shared')
    await bench.settle()
    expect(added(bench, key, 'linked')).toBeLessThanOrEqual(100)
    expect(looks(bench)).toBe(most)
  })

  test('is used although the list is seconds behind', async () => {
    const bench = new EffectBench()
    bench.region.fault({
      select: { action: 'DescribeNetworkInterfaces', for: 8_000 },
      effect: { answer: 'stale', by: 2_000 },
    })
    const key = bench.create('shared')
    await bench.settle()
    expect(bench.phaseOf(key)).toBe('in-use')
    expect(added(bench, key, 'linked')).toBeLessThanOrEqual(2_000)
    expect(bench.calls()).toMatchObject({ AttachNetworkInterface: 1 })
  })
})

describe('members', () => {
  async function membersAt(member: number, count: number) {
    const bench = new EffectBench({ region: { latencies: { ...LATENCIES, member } } })
    bench.create('trunk')
    await bench.settle()
    const waits: { added: number; looks: number }[] = []
    for (let n = 0; n < count; n++) {
      looks(bench)
      const key = bench.create('member')
      await bench.untilReady(key)
      await bench.settle()
      waits.push({ added: added(bench, key, 'InUse'), looks: looks(bench) })
      bench.rephase(key, 'detaching')
      await bench.settle()
    }
    return waits
  }

  test('the first is seen within 100 ms when the cloud takes as long as it is known to', async () => {
    const [first] = await membersAt(1_600, 1)
    expect(first?.added).toBeLessThanOrEqual(100)
    expect(first?.looks).toBeLessThanOrEqual(9)
  })

  test.each([300, 1_600, 5_000])(
    'at %i ms each is seen within 100 ms and with few looks once that is learned',
    async (member) => {
      const waits = await membersAt(member, 24)
      const learned = waits.slice(-4)
      expect(Math.max(...learned.map((wait) => wait.added))).toBeLessThanOrEqual(100)
      expect(Math.max(...learned.map((wait) => wait.looks))).toBeLessThanOrEqual(member < 1_000 ? 5 : 11)
    },
  )

  test('an attach is not asked for again because the list is seconds behind', async () => {
    const bench = new EffectBench()
    bench.create('trunk')
    await bench.settle()
    bench.calls()
    const stale = {
      select: { action: 'DescribeNetworkInterfaces', for: 8_000 },
      effect: { answer: 'stale', by: 2_000 },
    }
    bench.region.fault(stale)
    bench.create('member')
    await bench.settle()
    expect(bench.calls()).toMatchObject({ CreateNetworkInterface: 1, AttachNetworkInterface: 1 })
  })

  test('ten at once take no more looks than one', async () => {
    const bench = new EffectBench()
    bench.create('trunk')
    await bench.settle()
    looks(bench)
    bench.create('member')
    await bench.settle()
    const one = looks(bench)
    const keys = Array.from({ length: 10 }, () => bench.create('member'))
    await bench.settle()
    expect(keys.map((key) => bench.phaseOf(key))).toEqual(keys.map(() => 'in-use'))
    expect(looks(bench)).toBeLessThanOrEqual(one)
  })
})

test('giving an ENI back is not looked at more often than once a second', async () => {
  const bench = new EffectBench()
  const key = bench.create('shared')
  await bench.settle()
  bench.calls()
  bench.rephase(key, 'detaching')
  await bench.settle()
  // Detached after 2.7 s: looked at from 1.8 s on. Gone after 1.4 s: looked at from 0.9 s on.
  expect(bench.calls()).toEqual({ DetachNetworkInterface: 1, DeleteNetworkInterface: 1, DescribeNetworkInterfaces: 4 })
})

test('an ENI whose place a pod waits for is seen to be gone within 100 ms', async () => {
  const bench = new EffectBench({ priority: 'pod' })
  const key = bench.create('shared')
  await bench.settle()
  bench.rephase(key, 'detaching')
  const took = await bench.settle()
  expect(took - LATENCIES.detach - LATENCIES.delete).toBeLessThanOrEqual(200)
})

describe('what goes wrong', () => {
  test('an attach that fails in the cloud is asked for again', async () => {
    const bench = new EffectBench()
    bench.region.fault({ select: { times: 2 }, effect: { attach: 'fail' } })
    const key = bench.create('shared')
    await bench.settle()
    expect(bench.phaseOf(key)).toBe('in-use')
    expect(bench.calls()).toMatchObject({ CreateNetworkInterface: 1, AttachNetworkInterface: 3 })
  })

  test('one that fails again and again is given up, and the ENI goes', async () => {
    const bench = new EffectBench({ attachAttempts: 3 })
    bench.region.fault({ effect: { attach: 'fail' } })
    bench.create('shared')
    await bench.settle()
    expect(bench.gaveUp).toEqual([expect.stringMatching(/^attaching: .* is Available although it was attached/)])
    expect(bench.calls()).toMatchObject({ AttachNetworkInterface: 3, DeleteNetworkInterface: 1 })
    expect(bench.actual()).toEqual([])
  })

  test.each(['attach', 'detach', 'delete'])('a hanging %s goes on when it is asked for again', async (step) => {
    const bench = new EffectBench()
    bench.region.fault({ select: { times: 1 }, effect: { [step]: 'hang' } })
    const key = bench.create('shared')
    await bench.settle()
    bench.rephase(key, 'detaching')
    await bench.settle()
    expect([bench.tables.enis.size, bench.actual(), bench.gaveUp]).toEqual([0, [], []])
  })

  test('a list that lacks an ENI once is not believed', async () => {
    const bench = new EffectBench()
    bench.region.fault({ select: { action: 'DescribeNetworkInterfaces', nth: 1 }, effect: { answer: 'missing' } })
    const key = bench.create('shared')
    await bench.settle()
    expect(added(bench, key, 'linked')).toBeLessThanOrEqual(200)
    expect(bench.calls()).toMatchObject({ AttachNetworkInterface: 1, DescribeNetworkInterfaces: 2 })
  })

  test('an API that does not answer is asked again', async () => {
    const bench = new EffectBench()
    bench.region.fault({ select: { for: 300_000 }, effect: { reset: 'before' } })
    const key = bench.create('shared')
    await bench.settle()
    expect(bench.phaseOf(key)).toBe('in-use')
    bench.region.fault({ select: { for: 300_000 }, effect: { reset: 'before' } })
    bench.rephase(key, 'detaching')
    await bench.settle()
    expect([bench.tables.enis.size, bench.actual()]).toEqual([0, []])
  })

  test('an ENI that somebody deletes as soon as it is detached is gone', async () => {
    const bench = new EffectBench()
    const key = bench.create('shared')
    await bench.settle()
    new Outsider(bench.region, bench.time).delete(bench.eni(key).id)
    bench.rephase(key, 'detaching')
    await bench.settle()
    expect([bench.tables.enis.size, bench.gaveUp]).toEqual([0, []])
  })

  test('an ENI that somebody has attached elsewhere is left there', async () => {
    const bench = new EffectBench()
    const key = bench.create('shared')
    await bench.settle()
    const { id } = bench.eni(key)
    bench.region.change((cloud) => cloud.detachEni(id, HERE as string as SimulatedInstanceId))
    await bench.time.run(LATENCIES.detach)
    bench.region.change((cloud) => cloud.attachEni(id, ELSEWHERE))
    await bench.time.run(LATENCIES.attach)
    bench.calls()
    bench.rephase(key, 'attaching')
    await bench.time.run(30_000)
    expect(Object.keys(bench.calls())).toEqual(['DescribeNetworkInterfaces'])
    expect(bench.runner.problems).toEqual([expect.stringContaining('is InUse although it was attached')])
  })

  test('stopped, it waits for nothing any more', async () => {
    const bench = new EffectBench()
    bench.create('shared')
    await bench.time.run(2_000)
    bench.stop()
    await bench.time.complete(bench.runner.settled(), 1)
    expect(bench.runner.problems).toEqual([])
  })
})
