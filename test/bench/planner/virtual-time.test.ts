import { expect, test } from '@jest/globals'
import { Random } from '../../e2e/random.ts'
import { type Process, Signal, VirtualTime } from './virtual-time.ts'

test('what is due runs by its moment, and within one by the order of asking', () => {
  const time = new VirtualTime()
  const random = new Random(7)
  const ran: { at: number; order: number; now: number }[] = []
  for (let order = 0; order < 500; order++) {
    const at = random.below(50)
    time.at(at, () => ran.push({ at, order, now: time.now }))
  }
  time.run(100)
  expect(ran).toEqual(ran.toSorted((a, b) => a.at - b.at || a.order - b.order))
  expect(ran).toHaveLength(500)
  expect(ran.every(({ at, now }) => at === now)).toBe(true)
  expect(time.now).toBe(100)
})

test('nothing after the end runs, and nothing is due in the past', () => {
  const time = new VirtualTime()
  let runs = 0
  time.at(10, () => runs++)
  time.at(11, () => runs++)
  time.run(10)
  expect(runs).toBe(1)
  expect(() => time.at(9, () => runs++)).toThrow(RangeError)
  expect(() => time.at(Number.NaN, () => runs++)).toThrow(RangeError)
})

test('a process sleeps, waits for a signal, and hands on what another process ends with', () => {
  const time = new VirtualTime()
  const signal = new Signal(time)
  const seen: string[] = []
  function* inner(): Process<string> {
    yield 20
    return `inner at ${time.now}`
  }
  function* outer(): Process {
    yield signal
    seen.push(`woken at ${time.now}`)
    seen.push(yield* inner())
  }
  time.start(outer())
  time.at(5, () => {
    signal.fire()
    seen.push('fired')
  })
  time.at(6, () => signal.fire())
  time.run(100)
  expect(seen).toEqual(['fired', 'woken at 5', 'inner at 25'])
})
