import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseCniArgs } from './args.ts'

const PAIRS = [
  'IgnoreUnknown=1',
  'K8S_POD_NAMESPACE=default',
  'K8S_POD_NAME=web-0.example',
  'K8S_POD_INFRA_CONTAINER_ID=3f4e',
  'K8S_POD_UID=0f4c0b3e-6a3b-4b56-9c33-000000000001',
]

test('the order of the pairs does not matter', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(PAIRS, { minLength: PAIRS.length }), (pairs) => {
      expect(parseCniArgs(pairs.join(';'))).toEqual({
        namespace: 'default',
        name: 'web-0.example',
        uid: '0f4c0b3e-6a3b-4b56-9c33-000000000001',
      })
    }),
  )
})

test('unknown keys are ignored, empty pairs too, and a value may hold "="', () => {
  const args = 'K8S_POD_NAME=a;;LABELS=x=y;K8S_POD_NAMESPACE=b;'
  expect(parseCniArgs(args)).toEqual({ namespace: 'b', name: 'a', uid: undefined })
})

test.each(['K8S_POD_NAME', '=x', 'K8S_POD_NAME=a;nonsense'])('%j is not made of pairs: code 6', (text) => {
  expect(() => parseCniArgs(text)).toThrow(
    expect.objectContaining({ code: 6, message: expect.stringMatching(/^args-malformed: CNI_ARGS: /) }),
  )
})

test.each([
  ['', 'missing K8S_POD_NAMESPACE, K8S_POD_NAME'],
  ['K8S_POD_NAME=a;K8S_POD_NAMESPACE=', 'missing K8S_POD_NAMESPACE'],
  ['K8S_POD_NAME=../a;K8S_POD_NAMESPACE=b', 'K8S_POD_NAME "../a" is not a name'],
  ['K8S_POD_NAME=a..b;K8S_POD_NAMESPACE=b', 'K8S_POD_NAME "a..b" is not a name'],
  ['K8S_POD_NAME=a b;K8S_POD_NAMESPACE=b', 'K8S_POD_NAME "a b" is not a name'],
  [`K8S_POD_NAME=${'a'.repeat(254)};K8S_POD_NAMESPACE=b`, `K8S_POD_NAME "${'a'.repeat(64)}" is not a name`],
  ['K8S_POD_NAME=a;K8S_POD_NAMESPACE=b.c', 'K8S_POD_NAMESPACE "b.c" is not a name'],
  ['K8S_POD_NAME=a;K8S_POD_NAMESPACE=B', 'K8S_POD_NAMESPACE "B" is not a name'],
  ['K8S_POD_NAME=a;K8S_POD_NAMESPACE=b;K8S_POD_UID=../x', 'K8S_POD_UID "../x" is not an id'],
  ['K8S_POD_NAME=a;K8S_POD_NAMESPACE=b;K8S_POD_NAME=c', 'K8S_POD_NAME is given twice and differs'],
])('%j: code 4', (text, problem) => {
  expect(() => parseCniArgs(text)).toThrow(
    expect.objectContaining({ code: 4, message: `args-invalid: CNI_ARGS: ${problem}` }),
  )
})

test('a pair given twice with one value is one pair', () => {
  expect(parseCniArgs('K8S_POD_NAME=a;K8S_POD_NAMESPACE=b;K8S_POD_NAME=a').name).toBe('a')
})
