import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { parseIp } from '../../inet/address.ts'
import type { KernelEvent } from '../../netlink/monitor.ts'
import { type Difference, type NetworkPlan, networkPlan, type RuleSpec } from '../../netlink/plan.ts'
import { VirtualTime } from '../../test/pool/virtual-time.ts'
import { type Owner, ownerOf } from '../pool/model.ts'
import type { DriftClock } from './gathering.ts'
import { Repairs } from './repairs.ts'
import type { RepairReport } from './report.ts'
import type { DriftKernel } from './restoration.ts'

/** Has rules by priority and marks by source, and counts what it is asked. */
class ModelKernel implements DriftKernel {
  readonly rules = new Set<number>()
  readonly marks = new Set<string>()
  readonly endedPods = new Set<string>()
  /** Priorities of the rules that each call was about. */
  readonly applied: number[][] = []
  /** The namespaces of pods that were entered to make something. */
  readonly entered: string[] = []
  /** How many marks each repair of them was about. */
  readonly markRepairs: number[] = []
  readings = 0
  compared = 0
  refusal: Error | undefined
  /** Refuses what comes without the pod, as when the link is gone that it hangs on. */
  needsPod = false
  /** Takes requests and does nothing. */
  isDeaf = false
  onCompare: () => void = () => undefined
  onDrain: () => void = () => undefined

  verifier(): (plan: NetworkPlan) => Difference[] {
    this.readings++
    return (plan) => {
      this.compared++
      this.onCompare()
      const { podNetns: netns } = plan
      if (netns !== undefined && this.endedPods.has(netns)) return [missing('netns', netns)]
      return [
        ...plan.rules.flatMap(({ priority }) => (this.rules.has(priority) ? [] : [missing('rule', `${priority}:`)])),
        ...plan.marks.flatMap(({ source }) => (this.marks.has(source) ? [] : [missing('mark', source)])),
      ]
    }
  }

  apply(plan: NetworkPlan): void {
    if (this.refusal !== undefined) throw this.refusal
    const priorities = plan.rules.map(({ priority }) => priority)
    this.applied.push(priorities)
    if (plan.podNetns !== undefined) this.entered.push(plan.podNetns)
    if (plan.podNetns === undefined && this.needsPod) throw new Error('no such device')
    if (!this.isDeaf) for (const priority of priorities) this.rules.add(priority)
  }

  repairMarks(plans: readonly NetworkPlan[]): void {
    if (this.refusal !== undefined) throw this.refusal
    const marks = plans.flatMap((plan) => plan.marks)
    this.markRepairs.push(marks.length)
    for (const { source } of marks) this.marks.add(source)
  }
}

const missing = (object: Difference['object'], subject: string): Difference => ({
  ...{ netns: 'host', object, subject, problem: 'missing' },
})
const rule = (priority: number): RuleSpec => ({ netns: 'host', family: 'ipv4', priority, table: 254 })
const deleted = (priority: number): KernelEvent => ({
  ...{ kind: 'rule', change: 'deleted' },
  rule: { family: 'ipv4', priority, table: 254, action: 1, special: false },
})
const owner = (i: number): Owner => ownerOf(`c${i}`, 'eth0')
const planOf = (i: number): NetworkPlan =>
  networkPlan({
    podNetns: `/run/netns/c${i}`,
    rules: [rule(i)],
    marks: [{ netns: 'host', source: parseIp(`10.0.${i >> 8}.${i & 255}`), mark: 0x10_0000 }],
  })

interface LogLine {
  readonly level: number
  readonly msg: string
  readonly differences?: readonly string[]
  readonly pod?: string
}

let time: VirtualTime
let kernel: ModelKernel
let reports: RepairReport[]
let rounds: number[]
let logged: LogLine[]

beforeEach(() => {
  time = new VirtualTime()
  kernel = new ModelKernel()
  reports = []
  rounds = []
  logged = []
})

function open(clock: DriftClock = time): Repairs {
  return new Repairs({
    ...{ kernel, clock, random: () => 0.5 },
    log: pino({ base: null }, { write: (line) => logged.push(JSON.parse(line)) }),
    drain: () => kernel.onDrain(),
    onRepair: (report) => reports.push(report),
    onCompared: (milliseconds) => rounds.push(milliseconds),
  })
}

/** Watches so many pods, whose networks are as planned. */
function watchPods(repairs: Repairs, count: number): void {
  for (let i = 1; i <= count; i++) {
    const plan = planOf(i)
    for (const { priority } of plan.rules) kernel.rules.add(priority)
    for (const { source } of plan.marks) kernel.marks.add(source)
    repairs.watch(owner(i), plan, `default/pod-${i}`)
  }
}

function take(repairs: Repairs, priority: number): void {
  kernel.rules.delete(priority)
  repairs.notice(deleted(priority))
}

describe('what the kernel tells of', () => {
  test('is put back when nothing has come for 50 ms, reported and logged', async () => {
    using repairs = open()
    watchPods(repairs, 2)
    take(repairs, 1)
    await time.run(49)
    expect(kernel.readings).toBe(0)
    await time.run(2)
    expect([kernel.applied, kernel.entered]).toEqual([[[1]], []])
    const differences = [missing('rule', '1:')]
    expect(reports).toEqual([
      { owner: owner(1), pod: 'default/pod-1', differences, outcome: 'repaired', milliseconds: 50 },
    ])
    expect(logged).toEqual([
      expect.objectContaining({
        ...{ level: 40, owner: owner(1), pod: 'default/pod-1', ms: 50, differences: ['host rule 1:: missing'] },
        msg: 'put back what somebody else had removed or changed',
      }),
    ])
  })

  test('is put back after 200 ms although more and more comes', async () => {
    using repairs = open()
    watchPods(repairs, 100)
    for (let i = 1; i <= 40; i++) {
      take(repairs, i)
      await time.run(10)
    }
    const first = reports.filter(({ milliseconds }) => milliseconds === 200)
    expect(first.map(({ owner: one }) => one)).toEqual([owner(1), owner(21)])
    await time.run(200)
    expect(reports).toHaveLength(40)
    expect(kernel.rules.size).toBe(100)
  })

  test('is no more than looked at when it is as planned after all', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    repairs.notice(deleted(1))
    await time.run(1_000)
    expect([kernel.compared, kernel.applied, reports, logged]).toEqual([1, [], [], []])
  })

  test('costs a reading for 64 plans and one to see that it has taken', async () => {
    using repairs = open()
    watchPods(repairs, 200)
    for (let i = 1; i <= 200; i++) take(repairs, i)
    await time.run(1_000)
    expect(reports).toHaveLength(200)
    expect(kernel.readings).toBe(2 * Math.ceil(200 / 64))
    expect(kernel.applied).toHaveLength(200)
  })

  test('is of the repair itself when it comes before the look that confirms it', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.onDrain = () => repairs.notice(deleted(1))
    take(repairs, 1)
    await time.run(1_000)
    expect([kernel.compared, reports.length]).toEqual([2, 1])
  })

  test('is looked at again when the confirming look is of less', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.onDrain = () => repairs.notice({ kind: 'overrun' })
    take(repairs, 1)
    await time.run(1_000)
    expect([kernel.compared, reports.length]).toEqual([3, 1])
  })

  test('is put back first where all depend on it', async () => {
    using repairs = open()
    watchPods(repairs, 100)
    repairs.watch('node', networkPlan({ rules: [rule(1000)] }))
    for (let i = 1; i <= 100; i++) take(repairs, i)
    take(repairs, 1000)
    await time.run(1_000)
    expect(kernel.applied[0]).toEqual([1000])
  })

  test('is put back with the link that it hangs on where that is gone too', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.needsPod = true
    take(repairs, 1)
    await time.run(100)
    expect(kernel.entered).toEqual(['/run/netns/c1'])
    expect(reports).toMatchObject([{ owner: owner(1), outcome: 'repaired' }])
  })

  test('is everything when events are lost', async () => {
    using repairs = open()
    watchPods(repairs, 5)
    kernel.rules.clear()
    repairs.notice({ kind: 'overrun' })
    await time.run(1_000)
    expect(kernel.rules.size).toBe(5)
  })
})

test('an owner can be looked at on demand, as far as it is watched', async () => {
  using repairs = open()
  watchPods(repairs, 2)
  for (const priority of [1, 2]) kernel.rules.delete(priority)
  repairs.look(owner(1))
  repairs.look(owner(3))
  await time.run(1_000)
  expect([kernel.applied, reports.map(({ owner: one }) => one)]).toEqual([[[1]], [owner(1)]])
})

describe('nothing is put back', () => {
  test('of a pod that is being removed, also between two looks', async () => {
    using repairs = open()
    watchPods(repairs, 3)
    for (const i of [1, 2, 3]) take(repairs, i)
    repairs.forget(owner(1))
    kernel.onCompare = () => repairs.forget(owner(3))
    await time.run(1_000)
    expect(kernel.applied).toEqual([[2]])
    expect(reports.map((report) => report.owner)).toEqual([owner(2)])
  })

  test('of a pod whose sandbox has ended, and nobody is told', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.endedPods.add('/run/netns/c1')
    repairs.compareAll()
    await time.run(1_000)
    expect([kernel.compared, kernel.applied, reports, logged]).toEqual([1, [], [], []])
  })

  test('once it is stopped', async () => {
    const repairs = open()
    watchPods(repairs, 1)
    take(repairs, 1)
    repairs[Symbol.dispose]()
    await time.run(3_600_000)
    expect(kernel.readings).toBe(0)
  })
})

describe('a repair that fails', () => {
  /** The times of the reports from now on, in seconds. */
  async function secondsOfReports(milliseconds: number): Promise<number[]> {
    const began = time.steady()
    const seconds: number[] = []
    for (let at = 0; at < milliseconds; at += 50) {
      const before = reports.length
      await time.run(50)
      for (let i = before; i < reports.length; i++) seconds.push(Math.round((time.steady() - began) / 1_000))
    }
    return seconds
  }

  test('is tried again after 1 s, 2 s, 4 s …, at most a minute apart, and says why each time', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.refusal = new Error('no buffer space')
    take(repairs, 1)
    expect(await secondsOfReports(200_000)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
    expect(new Set(reports.map(({ outcome }) => outcome))).toEqual(new Set(['failed']))
    expect(reports[0]?.error).toBe(kernel.refusal)
    expect(new Set(logged.map(({ level }) => level))).toEqual(new Set([50]))
    kernel.refusal = undefined
    await time.run(60_000)
    expect(reports.at(-1)?.outcome).toBe('repaired')
    expect(kernel.rules.has(1)).toBe(true)
  })

  test('is not tried sooner because the kernel tells of more', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.refusal = new Error('no buffer space')
    take(repairs, 1)
    await time.run(100)
    for (let i = 0; i < 80; i++) {
      repairs.notice(deleted(1))
      await time.run(10)
    }
    expect(reports).toHaveLength(1)
  })

  test('is one that the kernel took and that has changed nothing', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.isDeaf = true
    take(repairs, 1)
    await time.run(60)
    expect(reports).toEqual([
      expect.objectContaining({ outcome: 'failed', error: expect.objectContaining({ name: 'StillDifferentError' }) }),
    ])
  })

  test('keeps no other plan from being repaired', async () => {
    using repairs = open()
    watchPods(repairs, 2)
    kernel.refusal = new Error('no buffer space')
    take(repairs, 1)
    await time.run(100)
    kernel.refusal = undefined
    take(repairs, 2)
    await time.run(100)
    expect(reports.at(-1)).toMatchObject({ owner: owner(2), outcome: 'repaired' })
  })
})

test('a fight with another program goes on at a repair every 5 s and is told once a minute', async () => {
  using repairs = open()
  watchPods(repairs, 1)
  // The other program undoes each repair within 100 ms.
  for (let elapsed = 0; elapsed < 130_000; elapsed += 100) {
    if (kernel.rules.has(1)) take(repairs, 1)
    await time.run(100)
  }
  const fights = logged.filter(({ msg }) => msg.startsWith('another program keeps undoing this'))
  expect(fights.map(({ level, differences }) => [level, differences])).toEqual([
    [50, ['host rule 1:: missing']],
    [50, ['host rule 1:: missing']],
    [50, ['host rule 1:: missing']],
  ])
  // Eleven at once, then one every five seconds.
  expect(reports.length).toBeGreaterThan(11 + 22)
  expect(reports.length).toBeLessThan(11 + 28)
})

describe('marks', () => {
  test('of all pods are put back together, and reported for each', async () => {
    using repairs = open()
    watchPods(repairs, 300)
    kernel.marks.clear()
    repairs.noticeMarks()
    await time.run(100)
    expect(kernel.markRepairs).toEqual([300])
    expect([kernel.readings, kernel.applied]).toEqual([2, []])
    expect(reports).toHaveLength(300)
    expect(reports[0]?.differences).toEqual([missing('mark', '10.0.0.1')])
  })

  test('that cannot be put back are a failure of each pod that lacks its own', async () => {
    using repairs = open()
    watchPods(repairs, 3)
    kernel.marks.delete('10.0.0.2')
    kernel.refusal = new Error('nf_tables is gone')
    repairs.noticeMarks()
    await time.run(100)
    expect(reports).toEqual([expect.objectContaining({ owner: owner(2), outcome: 'failed', error: kernel.refusal })])
  })

  test('are put back beside rules of the same pod', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.marks.clear()
    repairs.noticeMarks()
    take(repairs, 1)
    await time.run(100)
    expect([kernel.rules.size, kernel.marks.size]).toEqual([1, 1])
    expect(reports).toHaveLength(1)
    expect(reports[0]?.differences.map(({ object }) => object)).toEqual(['rule', 'mark'])
  })
})

describe('the comparison of everything', () => {
  test('comes every 5 to 6 minutes, and finds what the kernel tells nothing of', async () => {
    using repairs = open()
    watchPods(repairs, 100)
    await time.run(329_000)
    expect(kernel.compared).toBe(0)
    kernel.rules.delete(7)
    await time.run(2_000)
    expect(reports).toMatchObject([{ owner: owner(7), outcome: 'repaired', milliseconds: 0 }])
    expect(rounds).toHaveLength(1)
    await time.run(330_000)
    expect(rounds).toHaveLength(2)
  })

  test('waits for what is more urgent', async () => {
    using repairs = open()
    watchPods(repairs, 300)
    const order: string[] = []
    kernel.onCompare = () => order.push('regular')
    repairs.compareAll()
    // Between its first batch and the next.
    expect(kernel.compared).toBe(64)
    take(repairs, 300)
    await time.run(1_000)
    expect(reports.map((report) => report.owner)).toEqual([owner(300)])
    expect(rounds).toHaveLength(1)
  })

  test('leaves out what is waiting after a failure', async () => {
    using repairs = open()
    watchPods(repairs, 1)
    kernel.refusal = new Error('no buffer space')
    take(repairs, 1)
    await time.run(100)
    const { compared } = kernel
    repairs.compareAll()
    await time.run(100)
    expect(kernel.compared).toBe(compared)
  })
})

test('the event loop has its turn after 4 ms of work', async () => {
  let now = 0
  let sinceTurn = 0
  let longest = 0
  const clock: DriftClock = {
    steady: () => now,
    after: (milliseconds, callback) => {
      if (milliseconds > 0) return () => undefined
      longest = Math.max(longest, sinceTurn)
      sinceTurn = 0
      setImmediate(callback)
      return () => undefined
    },
  }
  kernel.onCompare = () => {
    now += 2
    sinceTurn += 2
  }
  using repairs = open(clock)
  watchPods(repairs, 300)
  kernel.rules.clear()
  repairs.compareAll()
  while (rounds.length === 0) await turn()
  expect(reports).toHaveLength(300)
  expect(longest).toBe(4)
})
