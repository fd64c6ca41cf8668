import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AGEING, Line } from './line.ts'
import { PRIORITIES, type Priority } from './priority.ts'

interface Named {
  readonly name: string
  readonly priority: Priority
  readonly since: number
}

function lineOf(...waiting: [name: string, priority: Priority, since?: number][]): Line<Named> {
  const line = new Line<Named>()
  for (const [name, priority, since = 0] of waiting) line.join({ name, priority, since })
  return line
}

function order(line: Line<Named>, now: number): string[] {
  const names: string[] = []
  for (let next = line.next(now); next !== undefined; next = line.next(now)) names.push(next.name)
  return names
}

test('pods go first, then prewarming, then clean-up, each in order of arrival', () => {
  const line = lineOf(['a', 'clean-up'], ['b', 'prewarm'], ['c', 'pod'], ['d', 'clean-up'], ['e', 'pod'])
  expect(line.counts).toEqual({ pod: 2, prewarm: 1, 'clean-up': 2 })
  expect(order(line, 0)).toEqual(['c', 'e', 'b', 'a', 'd'])
  expect(line.size).toBe(0)
})

test('who waits moves up: clean-up goes before the pods that came later, after twice the time', () => {
  const arrivals = (): Line<Named> => lineOf(['clean', 'clean-up', 0], ['warm', 'prewarm', 1], ['pod', 'pod', 2])
  expect(order(arrivals(), AGEING - 1)).toEqual(['pod', 'warm', 'clean'])
  expect(order(arrivals(), AGEING + 1)).toEqual(['warm', 'pod', 'clean'])
  expect(order(arrivals(), 2 * AGEING)).toEqual(['clean', 'warm', 'pod'])
})

test('a clock set back makes nobody older or younger than new', () => {
  expect(order(lineOf(['clean', 'clean-up', 90_000], ['pod', 'pod', 90_000]), 0)).toEqual(['pod', 'clean'])
})

test('clean-up has its turn although pods never stop coming', () => {
  const line = lineOf(['clean', 'clean-up'])
  const served: string[] = []
  for (let now = 0; now <= 3 * AGEING; now += 100) {
    line.join({ name: 'pod', priority: 'pod', since: now })
    line.join({ name: 'pod', priority: 'pod', since: now })
    served.push(line.next(now)?.name ?? 'nobody')
  }
  expect(served.indexOf('clean') * 100).toBe(2 * AGEING)
})

test('everybody who stays is called once, nobody who has left', () => {
  const person = fc.record({ priority: fc.constantFrom(...PRIORITIES), since: fc.nat(60_000), leaves: fc.boolean() })
  fc.assert(
    fc.property(fc.array(person), fc.nat(120_000), (people, now) => {
      const named = people.map((one, index) => ({ ...one, name: String(index) }))
      const line = new Line<(typeof named)[number]>()
      for (const one of named) line.join(one)
      for (const one of named) if (one.leaves) line.leave(one)
      const stay = named.filter((one) => !one.leaves).map((one) => one.name)
      expect(line.size).toBe(stay.length)
      expect(order(line, now).sort()).toEqual(stay.sort())
    }),
  )
})
