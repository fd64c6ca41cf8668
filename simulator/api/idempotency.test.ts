import { expect, test } from '@jest/globals'
import { ApiError } from '../cloud/error.ts'
import { Idempotency } from './idempotency.ts'

const DAY = 86_400_000

/** Counts its runs and answers with the count. */
function counter() {
  let runs = 0
  return () => ++runs
}

/** Calls that are answered at once; `pending` leaves one unanswered. */
function testTokens(capacity?: number) {
  let time = 0
  const tokens = new Idempotency<number>(() => time, capacity)
  const base = { scope: 'Create', token: 't' as string | undefined, fingerprint: 'f', run: counter() }
  const pending = (changes: Partial<typeof base> = {}) => tokens.begin({ ...base, ...changes })
  const once = (changes: Partial<typeof base> = {}) => {
    const { answer, end } = pending(changes)
    end()
    return answer
  }
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { pending, once, pass }
}

const refusal = (code: string) => expect.objectContaining({ code })

test('a repeated token gives the first answer and has no second effect', () => {
  const { once, pending } = testTokens()
  expect([once(), once()]).toEqual([1, 1])
  expect(pending()).toMatchObject({ answer: 1, replayed: true })
})

test('without a token every call is one of its own', () => {
  const { once } = testTokens()
  expect([once({ token: undefined }), once({ token: undefined }), once({ token: '' })]).toEqual([1, 2, 3])
})

test('other parameters are refused, another action is another token', () => {
  const { once } = testTokens()
  once()
  expect(() => once({ fingerprint: 'g' })).toThrow(refusal('IdempotentParameterMismatch'))
  expect(once({ scope: 'Assign' })).toBe(2)
})

test('while the first call is not answered, the second hears so', () => {
  const { once, pending } = testTokens()
  const first = pending()
  expect(() => once()).toThrow(refusal('LastTokenProcessing'))
  expect(() => once({ fingerprint: 'g' })).toThrow(refusal('IdempotentParameterMismatch'))
  first.end()
  expect(once()).toBe(1)
})

test('a call that failed leaves its token free', () => {
  const { once } = testTokens()
  const run = () => {
    throw new ApiError('InvalidVSwitchId.IpNotEnough', 'none')
  }
  expect(() => once({ run })).toThrow('none')
  expect(once()).toBe(1)
})

test('a token is remembered for a day', () => {
  const { once, pass } = testTokens()
  once()
  pass(DAY - 1)
  expect(once()).toBe(1)
  pass(1)
  expect(once()).toBe(2)
})

test('the oldest of too many tokens is forgotten', () => {
  const { once } = testTokens(2)
  expect(['a', 'b', 'c'].map((token) => once({ token }))).toEqual([1, 2, 3])
  expect([once({ token: 'c' }), once({ token: 'a' })]).toEqual([3, 4])
})

test.each(['x'.repeat(65), 'ä', 'a b'])('the token %j is refused', (token) => {
  expect(() => testTokens().once({ token })).toThrow(refusal('InvalidParameter'))
})
