import { expect, test } from '@jest/globals'
import { CloudError } from '../error.ts'
import { nextWait } from './retry.ts'

const errorOf = (code: string, retryAfter?: number) =>
  new CloudError('no', { action: 'TagResources', code, ...(retryAfter === undefined ? {} : { retryAfter }) })

test('the wait is random below a ceiling that doubles up to 5 s', () => {
  const longest = [1, 2, 3, 4, 5, 50].map((attempt) => nextWait(errorOf('InternalError'), attempt, () => 1))
  expect(longest).toEqual([400, 800, 1_600, 3_200, 5_000, 5_000])
  expect(nextWait(errorOf('InternalError'), 3, () => 0.25)).toBe(400)
  expect(nextWait(errorOf('Network'), 9, () => 0)).toBe(0)
})

test('what the answer asks for comes first, as long as it is no more than the API’s minute', () => {
  expect(nextWait(errorOf('Throttling', 3_000), 1, () => 0.5)).toBe(3_200)
  expect(nextWait(errorOf('Throttling', 86_400_000), 1, () => 0)).toBe(60_000)
})

test.each([
  ['an error that stays', errorOf('Forbidden.RAM')],
  ['a limit', errorOf('InvalidVSwitchId.IpNotEnough')],
  ['what is gone', errorOf('InvalidEniId.NotFound')],
  ['a burnt token', errorOf('IdempotentFailed')],
  ['what is not the cloud’s', new Error('bug')],
  ['the reason of a signal', 'gone'],
])('%s is not repeated', (_, error) => {
  expect(nextWait(error, 1, () => 0)).toBeUndefined()
})
