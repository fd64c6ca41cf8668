/** Pages of a listing, as a region that changes meanwhile gives them. */
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { ScriptedTransport } from '../test/transport/scripted-transport.ts'
import { CloudError } from './error.ts'
import {
  LEFT_OUT,
  listByNumber,
  listByToken,
  type NumberedListing,
  numberedPage,
  type TokenListing,
  tokenPage,
} from './listing.ts'

interface Thing {
  readonly id: string
  readonly at: number
}
const THING = z.object({ id: z.string(), at: z.number() })
const idOf = ({ id }: Thing) => id
const TOKENS: TokenListing<Thing> = {
  ...{ service: 'ecs', action: 'DescribeInstances', pageSize: { MaxResults: 2 }, idOf },
  ...{ page: tokenPage('Things', 'Thing'), item: THING },
}
const NUMBERS: NumberedListing<Thing> = {
  ...{ service: 'vpc', action: 'DescribeInstances', idOf },
  ...{ page: numberedPage('Things', 'Thing'), item: THING },
}

const things = (...ids: string[]) => ({ Things: { Thing: ids.map((id, at) => ({ id, at })) } })
const expired = (code = 'InvalidParameter') => new CloudError('the token has expired', { action: 'x', code })
const names = (found: readonly Thing[]) => found.map(({ id }) => id)

describe('by token', () => {
  const list = (scripted: ScriptedTransport) => listByToken(scripted.transport, TOKENS, { A: 'a' }, undefined)

  test('all pages with the same parameters, until the token is empty', async () => {
    const scripted = new ScriptedTransport([
      { ...things('a', 'b'), NextToken: 'T1' },
      { ...things('c'), NextToken: '' },
    ])
    expect(names(await list(scripted))).toEqual(['a', 'b', 'c'])
    expect(scripted.sent).toEqual([
      ['DescribeInstances', { A: 'a', MaxResults: '2' }],
      ['DescribeInstances', { A: 'a', MaxResults: '2', NextToken: 'T1' }],
    ])
  })

  test.each([
    ['absent', {}],
    ['null', { NextToken: null }],
  ])('the last page is also one whose token is %s', async (_, token) => {
    expect(names(await list(new ScriptedTransport([{ ...things('a'), ...token }])))).toEqual(['a'])
  })

  test('a page in the middle may be empty', async () => {
    const script = [{ ...things(), NextToken: 'T1' }, { Things: {}, NextToken: 'T2' }, things('a')]
    expect(names(await list(new ScriptedTransport(script)))).toEqual(['a'])
  })

  test('what is named twice is there once, as it was named last', async () => {
    const script = [{ ...things('a', 'b'), NextToken: 'T1' }, things('b', 'c')]
    expect(await list(new ScriptedTransport(script))).toEqual([
      { id: 'a', at: 0 },
      { id: 'b', at: 0 },
      { id: 'c', at: 1 },
    ])
  })

  test.each(['InvalidParameter', 'InvalidNextToken', 'InvalidParameter.TokenExpired', 'NextToken.NotFound'])(
    'a token that has expired (%s) starts the listing anew, and what is gone since then is gone',
    async (code) => {
      const script = [
        { ...things('a', 'b'), NextToken: 'T1' },
        expired(code),
        { ...things('b'), NextToken: 'T2' },
        things('c'),
      ]
      const scripted = new ScriptedTransport(script)
      expect(names(await list(scripted))).toEqual(['b', 'c'])
      expect(scripted.sent.map(([, { NextToken }]) => NextToken)).toEqual([undefined, 'T1', undefined, 'T2'])
    },
  )

  test('tokens that always expire end it with the error of the API', async () => {
    const scripted = new ScriptedTransport((_, call) =>
      call % 2 === 0 ? { ...things('a'), NextToken: 'T' } : expired(),
    )
    await expect(list(scripted)).rejects.toMatchObject({ code: 'InvalidParameter' })
    expect(scripted.sent).toHaveLength(8)
  })

  test.each([
    ['on the first page, where it is about the parameters', [expired()]],
    ['that is about something else', [{ ...things('a'), NextToken: 'T' }, expired('Forbidden.RAM')]],
    ['that passes', [{ ...things('a'), NextToken: 'T' }, expired('ServiceUnavailable')]],
  ])('an error %s is not a token that has expired', async (_, script) => {
    const scripted = new ScriptedTransport(script)
    await expect(list(scripted)).rejects.toBe(script.at(-1))
    expect(scripted.sent).toHaveLength(script.length)
  })

  test('a page that names itself as the next one does not go round for ever', async () => {
    const scripted = new ScriptedTransport(() => ({ ...things('a'), NextToken: 'T' }))
    await expect(list(scripted)).rejects.toMatchObject({ code: 'BadAnswer' })
    expect(scripted.sent).toHaveLength(2)
  })
})

describe('by number', () => {
  const list = (scripted: ScriptedTransport) => listByNumber(scripted.transport, NUMBERS, { A: 'a' }, undefined)
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => `id${from + i}`)

  test('pages of 50 until all are there, without one that must be empty', async () => {
    const scripted = new ScriptedTransport([
      { ...things(...ids(0, 50)), TotalCount: 100 },
      { ...things(...ids(50, 50)), TotalCount: 100 },
    ])
    expect(names(await list(scripted))).toEqual(ids(0, 100))
    expect(scripted.sent).toEqual([
      ['DescribeInstances', { A: 'a', PageNumber: '1', PageSize: '50' }],
      ['DescribeInstances', { A: 'a', PageNumber: '2', PageSize: '50' }],
    ])
  })

  test('ends although the total is never reached', async () => {
    const scripted = new ScriptedTransport((_, call) => ({
      ...things(...(call === 0 ? ids(0, 50) : [])),
      TotalCount: 999,
    }))
    expect(await list(scripted)).toHaveLength(50)
    expect(scripted.sent).toHaveLength(2)
  })

  test('what has moved to the next page meanwhile is there once', async () => {
    const script = [
      { ...things(...ids(0, 50)), TotalCount: 51 },
      { ...things('id49', 'id50'), TotalCount: 52 },
    ]
    expect(names(await list(new ScriptedTransport(script)))).toEqual(ids(0, 51))
  })
})

describe('an item that is not understood', () => {
  const odd = { Things: { Thing: [{ id: 'a', at: 0 }, { id: 'b' }, { id: 'c', at: 2 }] }, TotalCount: 3 }

  test('makes the answer a wrong one', async () => {
    const { transport } = new ScriptedTransport(() => odd)
    const badAnswer = { code: 'BadAnswer', kind: 'transient' }
    await expect(listByToken(transport, TOKENS, {}, undefined)).rejects.toMatchObject(badAnswer)
    await expect(listByNumber(transport, NUMBERS, {}, undefined)).rejects.toMatchObject(badAnswer)
  })

  test('is left out of a list of everybody’s items, and does not end its paging', async () => {
    const { transport } = new ScriptedTransport(() => odd)
    expect(names(await listByToken(transport, { ...TOKENS, instead: LEFT_OUT }, {}, undefined))).toEqual(['a', 'c'])
    const pages = new ScriptedTransport([
      { Things: { Thing: [{}] }, TotalCount: 51 },
      { ...things('z'), TotalCount: 51 },
    ])
    const numbered = await listByNumber(pages.transport, { ...NUMBERS, instead: LEFT_OUT }, {}, undefined)
    expect(names(numbered)).toEqual(['z'])
  })
})
