import { beforeEach, expect, test } from '@jest/globals'
import { type Ip, parseIp } from '../../inet/address.ts'
import { VirtualTime } from '../../test/pool/virtual-time.ts'
import { ConntrackSweeper } from './conntrack.ts'

const [A, B, C] = ['10.0.0.1', '10.0.0.2', 'fd00::3'].map(parseIp) as [Ip, Ip, Ip]

interface Pass {
  /** ms since the test began */
  readonly at: number
  readonly ips: readonly Ip[]
}

let time: VirtualTime
let begun: number
let passes: Pass[]
/** How long a pass takes, ms. */
let takes: number
let failure: Error | undefined
let sweeper: ConntrackSweeper

beforeEach(() => {
  time = new VirtualTime()
  begun = time.steady()
  passes = []
  takes = 10
  failure = undefined
  sweeper = new ConntrackSweeper({
    clock: time,
    forget: async (ips) => {
      passes.push({ at: time.steady() - begun, ips })
      await time.sleep(takes)
      if (failure !== undefined) throw failure
      return ips.length * 3
    },
  })
})

/** Its end, ms since the test began; undefined until then. */
function watch(over: Promise<void>): () => number | string | undefined {
  let end: number | string | undefined
  over.then(
    () => {
      end = time.steady() - begun
    },
    (error: Error) => {
      end = error.message
    },
  )
  return () => end
}

test('what is asked for within 200 ms is one pass, each address once', async () => {
  const first = watch(sweeper.forget([A]))
  await time.run(199)
  const second = watch(sweeper.forget([B, A]))
  await time.run(1_000)
  expect(passes).toEqual([{ at: 200, ips: [A, B] }])
  expect([first(), second()]).toEqual([210, 210])
  expect(sweeper.forgotten).toBe(6)
})

test('nothing asked for is no pass', async () => {
  await sweeper.forget([])
  await time.run(1_000)
  expect(passes).toEqual([])
})

test('who asks during a pass is answered by the next one, even for the same address', async () => {
  takes = 100
  const first = watch(sweeper.forget([A]))
  await time.run(250)
  const second = watch(sweeper.forget([A]))
  await time.run(51)
  expect([first(), second()]).toEqual([300, undefined])
  await time.run(10_000)
  expect(passes.map(({ ips }) => ips)).toEqual([[A], [A]])
  expect(second()).toBe(5_300)
})

test.each([
  { took: 1, next: 200 + 200 },
  { took: 20, next: 200 + 1_000 },
  { took: 90, next: 200 + 4_500 },
  { took: 1_000, next: 200 + 5_000 },
  { took: 7_000, next: 200 + 7_000 },
])('after a pass of $took ms the next begins at $next', async ({ took, next }) => {
  takes = took
  void sweeper.forget([A])
  await time.run(200)
  void sweeper.forget([B])
  await time.run(20_000)
  expect(passes.map(({ at }) => at)).toEqual([200, next])
})

test('one pass at a time, and all that has gathered meanwhile is in the next', async () => {
  takes = 6_000
  const asked = [A, B, C].map((ip, index) => time.sleep(index * 2_000).then(() => sweeper.forget([ip])))
  await time.run(20_000)
  await Promise.all(asked)
  expect(passes).toEqual([
    { at: 200, ips: [A] },
    { at: 6_200, ips: [B, C] },
  ])
})

test('a pass that fails is told to all who asked, and to nobody after them', async () => {
  failure = new Error('no buffers')
  const failed = [watch(sweeper.forget([A])), watch(sweeper.forget([B]))]
  await time.run(211)
  expect(failed.map((end) => end())).toEqual(['no buffers', 'no buffers'])
  failure = undefined
  const then = watch(sweeper.forget([A]))
  await time.run(5_000)
  expect(then()).toBe(710)
  expect(sweeper.forgotten).toBe(3)
})

test.each([-3_600_000, 3_600_000])('a clock set by %i ms meanwhile does not stop it', async (jump) => {
  void sweeper.forget([A])
  await time.run(205)
  time.jump(jump)
  const next = watch(sweeper.forget([B]))
  await time.run(6_000)
  expect(next()).toBeLessThanOrEqual(5_500)
})

test('what is urgent begins at once beside everything, and is not forgotten again by what was asked for before', async () => {
  takes = 100
  const slow = watch(sweeper.forget([C]))
  await time.run(250)
  const waiting = watch(sweeper.forget([A, B]))
  const urgent = watch(sweeper.forget([A], { urgent: true }))
  await time.run(20_000)
  expect(passes.map(({ at, ips }) => ({ at, ips }))).toEqual([
    { at: 200, ips: [C] },
    { at: 250, ips: [A] },
    { at: 5_200, ips: [B] },
  ])
  expect([slow(), urgent(), waiting()]).toEqual([300, 350, 5_300])
})
