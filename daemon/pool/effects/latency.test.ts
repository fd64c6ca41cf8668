import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Latency, nextPoll } from './latency.ts'

const GUESS = { from: 2_000, to: 4_000 }
const URGENT = { before: 1_000, within: 100 }

describe('what is learned', () => {
  test('the guess counts until there are real waits', () => {
    expect(new Latency(GUESS)).toMatchObject({ window: { from: 1_800, to: 4_000 }, typical: 3_000 })
  })

  test('after sixteen waits nothing of the guess is left', () => {
    const latency = new Latency(GUESS)
    for (let wait = 0; wait < 16; wait++) latency.add(10_000)
    expect(latency).toMatchObject({ window: { from: 9_000, to: 10_000 }, typical: 10_000 })
  })

  test('one wait in sixteen that is out of line moves nothing but the end', () => {
    const latency = new Latency(GUESS)
    for (let wait = 0; wait < 15; wait++) latency.add(3_000)
    latency.add(60_000)
    expect(latency).toMatchObject({ window: { from: 2_700, to: 3_000 }, typical: 3_000 })
  })

  test('a cloud that has become faster is found out: each wait is looked for earlier than the last', () => {
    const latency = new Latency(GUESS)
    // Seen only when it is looked for, though it takes 500 ms.
    for (let wait = 0; wait < 100; wait++) latency.add(Math.max(500, latency.window.from))
    expect(latency.window).toEqual({ from: 450, to: 500 })
  })
})

describe('when to look', () => {
  test.each([
    { elapsed: 0, pause: 1_000 },
    { elapsed: 1_500, pause: 500 },
    { elapsed: 2_000, pause: 100 },
    { elapsed: 3_999, pause: 100 },
    { elapsed: 4_100, pause: 100 },
    { elapsed: 5_000, pause: 500 },
    { elapsed: 10_000, pause: 2_000 },
    { elapsed: 50_000, pause: 5_000 },
    { elapsed: -3_600_000, pause: 1_000 },
  ])('after $elapsed ms in $pause ms', ({ elapsed, pause }) => {
    expect(nextPoll(elapsed, GUESS, URGENT)).toBe(pause)
  })

  test('who is not in a hurry looks first when it may be there, then once a second', () => {
    const unhurried = { before: Number.POSITIVE_INFINITY, within: 1_000 }
    expect([0, 2_000, 4_500].map((elapsed) => nextPoll(elapsed, GUESS, unhurried))).toEqual([2_000, 1_000, 1_000])
  })

  test('a wide window is looked at in twenty steps', () => {
    expect(nextPoll(1_000, { from: 1_000, to: 21_000 }, URGENT)).toBe(1_000)
  })

  test('what comes in the window is seen a step later at most, and what comes late a third of its time', () => {
    const window = fc.tuple(fc.nat(10_000), fc.nat(10_000)).map(([from, width]) => ({ from, to: from + width }))
    fc.assert(
      fc.property(window, fc.nat(60_000), (known, latency) => {
        let elapsed = 0
        while (elapsed < latency) elapsed += nextPoll(elapsed, known, URGENT)
        const step = Math.max(100, (known.to - known.from) / 20)
        const late = latency < known.from ? 1_000 : Math.max(step, (latency - known.to) / 2)
        expect(elapsed - latency).toBeLessThanOrEqual(late)
      }),
    )
  })
})
