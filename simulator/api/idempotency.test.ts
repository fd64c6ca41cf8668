import { expect, test } from '@jest/globals'
import { ApiError } from '../cloud/error.ts'
import { Idempotency } from './idempotency.ts'

/** Counts its runs and answers with the count. */
function counter() {
  let runs = 0
  return () => ++runs
}

test('a repeated token gives the first answer and has no second effect', () => {
  const idempotency = new Idempotency<number>()
  const call = { scope: 'k Create', token: 't', fingerprint: 'f', run: counter() }
  expect([idempotency.once(call), idempotency.once(call)]).toEqual([1, 1])
})

test('without a token every call is one of its own', () => {
  const idempotency = new Idempotency<number>()
  const call = { scope: 'k Create', token: undefined, fingerprint: 'f', run: counter() }
  expect([idempotency.once(call), idempotency.once(call)]).toEqual([1, 2])
})

test('other parameters are refused, another action or key is another token', () => {
  const idempotency = new Idempotency<number>()
  const call = { scope: 'k Create', token: 't', fingerprint: 'f', run: counter() }
  idempotency.once(call)
  expect(() => idempotency.once({ ...call, fingerprint: 'g' })).toThrow(
    expect.objectContaining({ code: 'IdempotentParameterMismatch' }),
  )
  expect(idempotency.once({ ...call, scope: 'k Assign' })).toBe(2)
})

test('a call that failed leaves its token free', () => {
  const idempotency = new Idempotency<number>()
  const call = { scope: 'k Create', token: 't', fingerprint: 'f' }
  const fail = () => {
    throw new ApiError('InvalidVSwitchId.IpNotEnough', 'none')
  }
  expect(() => idempotency.once({ ...call, run: fail })).toThrow('none')
  expect(idempotency.once({ ...call, run: counter() })).toBe(1)
})

test.each(['x'.repeat(65), 'ä', 'a b'])('the token %j is refused', (token) => {
  const idempotency = new Idempotency<number>()
  expect(() => idempotency.once({ scope: 's', token, fingerprint: 'f', run: counter() })).toThrow(
    expect.objectContaining({ code: 'InvalidParameter' }),
  )
})
