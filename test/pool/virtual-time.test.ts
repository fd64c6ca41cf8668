import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Timers } from './timers.ts'
import { VirtualTime } from './virtual-time.ts'

/** Sleepers that note when they woke. */
function noted(time: VirtualTime) {
  const start = time.steady()
  const notes: (readonly [string, number])[] = []
  return { notes, note: (name: string) => void notes.push([name, time.steady() - start]) }
}

test('timers come in the order they are due, equal ones in the order they were set, unwanted ones never', () => {
  const set = fc.record({ at: fc.integer({ min: 0, max: 20 }), wanted: fc.boolean() })
  const take = fc.constant('take' as const)
  fc.assert(
    fc.property(fc.array(fc.oneof(set, take)), (steps) => {
      const timers = new Timers()
      const model: { at: number; index: number }[] = []
      steps.forEach((step, index) => {
        if (step !== 'take') {
          timers.add({ at: step.at, fire: () => undefined, isWanted: () => step.wanted })
          if (step.wanted) model.push({ at: step.at, index })
          model.sort((a, b) => a.at - b.at || a.index - b.index)
        } else {
          expect(timers.takeDue(Number.POSITIVE_INFINITY)?.at).toBe(model.shift()?.at)
        }
        expect(timers.nextAt).toBe(model[0]?.at)
      })
    }),
  )
})

test('equal timers keep their order in a heap of any size', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }), (times) => {
      const timers = new Timers()
      const fired: number[] = []
      times.forEach((at, index) => {
        timers.add({ at, fire: () => fired.push(index), isWanted: () => true })
      })
      for (let next = timers.takeDue(3); next !== undefined; next = timers.takeDue(3)) next.fire()
      const indexes = times.map((_, index) => index)
      expect(fired).toEqual(indexes.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b))
    }),
  )
})

describe('time', () => {
  test('goes from timer to timer, and all that follows from one is done before the next', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    const work = async () => {
      await time.sleep(10)
      for (let i = 0; i < 1_000; i++) await Promise.resolve()
      note('a thousand continuations')
      await time.sleep(86_400_000)
      note('a day')
    }
    const done = work()
    time.after(10, () => note('set later for the same time'))
    time.after(11, () => note('a moment later'))
    await time.run(86_400_010)
    await done
    expect(notes).toEqual([
      ['a thousand continuations', 10],
      ['set later for the same time', 10],
      ['a moment later', 11],
      ['a day', 86_400_010],
    ])
  })

  test('after 0 ms comes after all that is due at this moment', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    for (const name of ['one', 'two', 'three']) {
      time.after(5, () => {
        note(name)
        if (name === 'one') time.after(0, () => note('then'))
      })
    }
    await time.run(5)
    expect(notes.map(([name]) => name)).toEqual(['one', 'two', 'three', 'then'])
  })

  test('passes as far as it is told, and stops where a condition holds', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    for (const at of [10, 20, 30]) time.after(at, () => note(String(at)))
    await time.run(15)
    expect([notes.length, time.steady() - Date.UTC(2024, 7, 30, 12)]).toEqual([1, 15])
    expect(await time.runUntil(() => notes.length === 2, 1_000)).toBe(true)
    expect(notes.at(-1)).toEqual(['20', 20])
    expect(await time.runUntil(() => notes.length === 4, 1_000)).toBe(false)
    expect([notes.length, time.steady() - Date.UTC(2024, 7, 30, 12)]).toEqual([3, 1_020])
  })

  test('goes step by step until nobody waits', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    const work = async () => {
      await time.sleep(0.2)
      note('first')
      await time.sleep(1)
      note('second')
    }
    const done = work()
    expect([await time.step(), notes.length]).toEqual([true, 1])
    expect([await time.step(), await time.step()]).toEqual([true, false])
    await done
    // Whole milliseconds, rounded up: no sleep ends early.
    expect(notes.map(([, at]) => at)).toEqual([1, 2])
  })

  test('a cancelled timer and an aborted sleep leave nothing', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    const stop = new AbortController()
    const reason = new Error('stopped')
    const sleep = time.sleep(100, stop.signal)
    time.after(50, () => note('never'))()
    time.after(10, () => stop.abort(reason))
    await expect(time.complete(sleep, 1_000)).rejects.toBe(reason)
    await expect(time.sleep(1, stop.signal)).rejects.toBe(reason)
    expect([await time.step(), notes.length]).toEqual([false, 0])
    const other = new AbortController()
    await time.complete(time.sleep(1, other.signal), 1)
    expect(getEventListeners(other.signal, 'abort')).toEqual([])
  })

  test('has an end for what does not end', async () => {
    const time = new VirtualTime()
    await expect(time.complete(Promise.withResolvers().promise, 1_000)).rejects.toThrow('not done within 1000 ms')
    expect(() => time.after(Number.NaN, () => undefined)).toThrow(RangeError)
  })

  test('what a callback throws ends the run, and time can go on', async () => {
    const time = new VirtualTime()
    const { notes, note } = noted(time)
    time.after(1, () => {
      throw new Error('a defect')
    })
    time.after(2, () => note('later'))
    await expect(time.run(10)).rejects.toThrow('a defect')
    await time.run(1)
    expect(notes).toEqual([['later', 2]])
  })

  test('is driven by one only', async () => {
    const time = new VirtualTime()
    const first = time.run(10)
    await expect(time.run(10)).rejects.toThrow('running already')
    await first
  })

  test("the machine's clock is set, and no sleep notices", async () => {
    const time = new VirtualTime()
    const process = time.process()
    const before = [time.now(), time.steady()]
    const sleep = process.sleep(100)
    time.jump(-3_600_000)
    await time.complete(sleep, 100)
    expect([time.now(), time.steady()]).toEqual([(before[0] ?? 0) - 3_599_900, (before[1] ?? 0) + 100])
    expect(process.now()).toBe(time.now())
  })
})

describe('a process', () => {
  test('does what it wants to do while it lives', async () => {
    const time = new VirtualTime()
    const process = time.process()
    const { notes, note } = noted(time)
    const failure = new Error('no')
    process.after(5, () => note('timer'))
    await time.complete(
      process.sleep(7).then(() => note('slept')),
      10,
    )
    expect(notes).toEqual([
      ['timer', 5],
      ['slept', 7],
    ])
    expect(await process.hear(Promise.resolve('answer'))).toBe('answer')
    await expect(process.hear(Promise.reject(failure))).rejects.toBe(failure)
  })

  test('killed, it waits for ever, and others do not', async () => {
    const time = new VirtualTime()
    const [victim, other] = [time.process(), time.process()]
    const { notes, note } = noted(time)
    const stop = new AbortController()
    const answer = Promise.withResolvers<void>()
    const refusal = Promise.withResolvers<void>()
    const told = (name: string, work: Promise<unknown>) => {
      work.then(
        () => note(name),
        () => note(`${name} failed`),
      )
    }
    victim.after(10, () => note('timer'))
    told('sleep', victim.sleep(10))
    told('aborted sleep', victim.sleep(20, stop.signal))
    told('answer', victim.hear(answer.promise))
    told('refusal', victim.hear(refusal.promise))
    other.after(10, () => note('the other'))
    time.after(5, () => victim.kill())
    time.after(6, () => {
      stop.abort(new Error('stopped'))
      answer.resolve()
      refusal.reject(new Error('refused'))
      told('sleep of a dead process', victim.sleep(1))
    })
    await time.run(100)
    expect(notes).toEqual([['the other', 10]])
    expect([victim.alive, other.alive, await time.step()]).toEqual([false, true, false])
  })
})
