/** Who is served when there is too little: the real pool in virtual time. */
import { expect, test } from '@jest/globals'
import { type PoolLimits, poolLimits } from '../../daemon/pool/settings.ts'
import { testRegion } from '../simulator/region.ts'
import { type LivePod, VirtualNode } from './virtual-node.ts'
import { VirtualRegion } from './virtual-region.ts'
import { VirtualTime } from './virtual-time.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const TINY = { maxEnis: 1, addressesPerEni: 4, minFree: 0, maxFree: 4 }

interface Outcome {
  pod?: LivePod | undefined
  error?: unknown
}

function world(limits: Partial<PoolLimits> & typeof TINY, onForget: () => void = () => undefined) {
  const time = new VirtualTime()
  const region = new VirtualRegion({ region: testRegion(), time })
  const node = new VirtualNode({ time, region, limits: poolLimits(limits), onForget })
  node.start().catch((error: unknown) => {
    throw error
  })
  const add = (name: string, options: { uid?: string; keeps?: boolean } = {}): Outcome => {
    const outcome: Outcome = {}
    node.add(name, options).then(
      (pod) => {
        outcome.pod = pod
      },
      (error: unknown) => {
        outcome.error = error
      },
    )
    return outcome
  }
  return { time, region, node, add }
}

test.each([
  ['in another sandbox', { uid: 'u0' }, 0],
  ['made again with an address that it keeps', { keeps: true }, 5 * MINUTE],
])('a pod %s has its address again at once, although another one waits on a full node', async (_, how, keep) => {
  const { time, node, add } = world(TINY)
  await time.run(20 * SECOND)
  const first = add('web-0', how)
  for (const name of ['a', 'b', 'c']) add(name)
  await time.run(30 * SECOND)
  node.remove('web-0', keep)
  await time.run(100)
  const stranger = add('stranger')
  await time.run(100)
  const again = add('web-0', how)
  await time.run(SECOND)
  expect(again.pod?.ips).toEqual(first.pod?.ips)
  expect(first.pod?.ips).toHaveLength(1)
  // Nothing else can come within the time that it would wait.
  expect(stranger).toMatchObject({ error: { reason: 'pool-exhausted' } })
})

test('addresses whose connections cannot be forgotten keep no pod from others', async () => {
  let refuses = false
  const limits = { maxEnis: 3, addressesPerEni: 10, minFree: 2, maxFree: 5 }
  const { time, node, add } = world(limits, () => {
    if (refuses) throw new Error('the kernel refuses')
  })
  await time.run(20 * SECOND)
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) add(name)
  await time.run(MINUTE)
  refuses = true
  for (const name of names) node.remove(name)
  await time.run(MINUTE)
  const later = ['f', 'g', 'h', 'i', 'j', 'k'].map((name) => add(name))
  await time.run(20 * SECOND)
  expect(later.filter(({ pod }) => pod === undefined)).toEqual([])
})

test.each(['fixed', 'adaptive'] as const)(
  'after an outage the %s pool is what it was before',
  async (strategy) => {
    const { time, region, node, add } = world({ maxEnis: 7, addressesPerEni: 30, minFree: 5, maxFree: 100, strategy })
    await time.run(20 * SECOND)
    let pods = 0
    const churn = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const name = `pod-${++pods}`
        add(name)
        time.after(MINUTE, () => node.remove(name))
        await time.run(10 * SECOND)
      }
    }
    await churn(60)
    const before = node.pool.aim?.ceiling ?? 0
    region.fault({ effect: { error: 'ServiceUnavailable', status: 503 } })
    for (let i = 0; i < 20; i++) add(`burst-${i}`)
    time.after(20 * MINUTE, () => {
      for (let i = 0; i < 20; i++) node.remove(`burst-${i}`)
    })
    await time.run(15 * MINUTE)
    region.clearFaults()
    await churn(3 * 360)
    expect(node.pool.aim?.ceiling).toBeLessThanOrEqual(before + 5)
    expect([...node.pool.state.addresses.values()].filter(({ phase }) => phase === 'warm').length).toBeLessThan(30)
  },
  60_000,
)
