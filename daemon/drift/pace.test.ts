import { expect, test } from '@jest/globals'
import type { Difference } from '../../netlink/plan.ts'
import { ownerOf } from '../pool/model.ts'
import { Pace } from './pace.ts'

const OWNER = ownerOf('c1', 'eth0')
const route = (subject: string): Difference => ({ netns: 'host', object: 'route', subject, problem: 'missing' })

test('pauses after failures double from a second up to a minute, and end with a repair or a plan that holds', () => {
  const pace = new Pace()
  const pauses = Array.from({ length: 8 }, () => pace.failed(OWNER, 0))
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  expect(pace.notBefore(OWNER)).toBe(60_000)
  pace.held(OWNER)
  expect(pace.failed(OWNER, 100_000)).toBe(1_000)
  pace.repaired(OWNER, [route('a')], 101_000)
  expect(pace.failed(OWNER, 102_000)).toBe(1_000)
})

test('an owner that gives no trouble waits for nothing, and one that is forgotten begins anew', () => {
  const pace = new Pace()
  expect(pace.notBefore(OWNER)).toBeLessThan(0)
  pace.failed(OWNER, 0)
  pace.forget(OWNER)
  expect(pace.notBefore(OWNER)).toBeLessThan(0)
  expect(pace.failed(OWNER, 0)).toBe(1_000)
})

/** Repairs at this pace, and when a fight was told of. */
function fight(pace: Pace, { from, count, every }: { from: number; count: number; every: number }): number[] {
  return Array.from({ length: count }, (_, i) => from + i * every).filter(
    (now) => pace.repaired(OWNER, [route('a')], now).length > 0,
  )
}

test('the eleventh repair of the same object within a minute is a fight: told once a minute, repaired every 5 s', () => {
  const pace = new Pace()
  expect(fight(pace, { from: 0, count: 10, every: 100 })).toEqual([])
  expect(pace.notBefore(OWNER)).toBeLessThan(0)
  expect(pace.repaired(OWNER, [route('a'), route('b')], 1_000)).toEqual([route('a')])
  expect(pace.notBefore(OWNER)).toBe(6_000)
  expect(fight(pace, { from: 6_000, count: 24, every: 5_000 })).toEqual([61_000, 121_000])
})

test('a fight is over when the last minute has seen ten repairs or fewer', () => {
  const pace = new Pace()
  fight(pace, { from: 0, count: 11, every: 100 })
  pace.repaired(OWNER, [route('a')], 70_000)
  expect(pace.notBefore(OWNER)).toBe(6_000)
})

test('different objects of one owner are no fight', () => {
  const pace = new Pace()
  for (let i = 0; i < 50; i++) expect(pace.repaired(OWNER, [route(String(i))], i)).toEqual([])
  expect(pace.notBefore(OWNER)).toBeLessThan(0)
})
