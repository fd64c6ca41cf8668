import { expect, test } from '@jest/globals'
import { key, poolOf, warm } from '../../test/pool/state-builder.ts'
import { changesOf } from './action-changes.ts'
import type { AssignToken } from './model.ts'

const state = poolOf({ a: { ipv4: [warm, warm], prefixes: [[]] }, b: { phase: 'creating' } })
const [primary, secondary] = [...state.addresses.values()]
const [prefix] = state.prefixes.keys()
const since = 7

test('an assignment is an intent with its token, for as many as there are to be had', () => {
  const action = { kind: 'assign', eni: key('a'), what: 'ipv4', count: 5 } as const
  const token = 't' as AssignToken
  const assign = { token, eni: 'a', what: 'ipv4', since }
  expect(changesOf(action, state, { since, token })).toEqual([{ kind: 'put-assign', assign: { ...assign, count: 5 } }])
  expect(changesOf(action, state, { since, token, count: 3 })).toMatchObject([{ assign: { count: 3 } }])
  expect(() => changesOf(action, state, { since })).toThrow('token')
})

test('addresses and prefixes that go back keep what they were; what has gone already is left out', () => {
  if (primary === undefined || secondary === undefined || prefix === undefined) throw new Error('the state is empty')
  const action = { kind: 'unassign', eni: key('a'), ips: [secondary.ip], prefixes: [prefix] } as const
  expect(changesOf(action, state, { since })).toEqual([
    { kind: 'put-address', address: { ...secondary, phase: 'unassigning', since } },
    { kind: 'put-prefix', prefix: { cidr: prefix, eni: 'a', phase: 'unassigning', since } },
  ])
  expect(changesOf(action, poolOf({}), { since })).toEqual([])
})

test.each([
  ['drain-eni', 'draining'],
  ['keep-eni', 'in-use'],
  ['release-eni', 'detaching'],
] as const)('%s makes it %s, unless it is not there yet', (kind, phase) => {
  expect(changesOf({ kind, eni: key('a') }, state, { since })).toMatchObject([{ eni: { key: 'a', phase, since } }])
  expect(changesOf({ kind, eni: key('b') }, state, { since })).toEqual([])
  expect(changesOf({ kind, eni: key('c') }, state, { since })).toEqual([])
})
