import { expect, test } from '@jest/globals'
import type { InstanceId } from '../region/ids.ts'
import { MetadataTokens } from './tokens.ts'

const [A, B] = ['i-a', 'i-b'] as InstanceId[] as [InstanceId, InstanceId]

function testTokens(capacity: number) {
  const tokens = new MetadataTokens(capacity)
  const issue = (instance: InstanceId, now = 0, ttl = '60') => tokens.issue(instance, { ttl, now }) ?? ''
  const valid = (instance: InstanceId, text: string, now = 0) => tokens.isValid(text, { instance, now })
  return { issue, valid }
}

test('one too many costs the instance its oldest, and another one nothing', () => {
  const { issue, valid } = testTokens(2)
  const other = issue(B)
  const [first, second, third] = [issue(A), issue(A), issue(A)]
  expect([first, second, third].map((text) => valid(A, text))).toEqual([false, true, true])
  expect(valid(B, other)).toBe(true)
})

test('those that expired make room', () => {
  const { issue, valid } = testTokens(2)
  const [old, long] = [issue(A, 0, '1'), issue(A, 0, '60')]
  const last = issue(A, 1000)
  expect([old, long, last].map((text) => valid(A, text, 1000))).toEqual([false, true, true])
})

test('one that expired behind a longer life is worth nothing', () => {
  const { issue, valid } = testTokens(9)
  const [long, short] = [issue(A, 0, '60'), issue(A, 0, '1')]
  issue(A, 1000)
  expect([long, short].map((text) => valid(A, text, 1000))).toEqual([true, false])
})
