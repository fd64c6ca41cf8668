import { expect, test } from '@jest/globals'
import { KeyedLock } from './keyed-lock.ts'

test('tasks of one key run one after another, in order, also after a failure; other keys do not wait', async () => {
  const lock = new KeyedLock()
  const seen: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lock.run('a', async () => {
    seen.push('a1 begins')
    await gate.promise
    seen.push('a1 ends')
    throw new Error('a1 failed')
  })
  const second = lock.run('a', async () => void seen.push('a2'))
  await lock.run('b', async () => void seen.push('b'))
  expect(seen).toEqual(['a1 begins', 'b'])
  expect([lock.isHeld('a'), lock.isHeld('b')]).toEqual([true, false])
  gate.resolve()
  await expect(first).rejects.toThrow('a1 failed')
  await second
  expect(seen).toEqual(['a1 begins', 'b', 'a1 ends', 'a2'])
  expect(lock.isHeld('a')).toBe(false)
})
