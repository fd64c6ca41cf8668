import { expect, test } from '@jest/globals'
import { ApiError } from '../cloud/error.ts'
import { pageByNumber, pageByToken } from './paging.ts'
import { Parameters } from './parameters.ts'

const LIMITS = { min: 1, max: 5, default: 2 }
const items = (...ids: string[]) => ids.map((id) => ({ id }))
const parameters = (values: Readonly<Record<string, string>>) => new Parameters(new Map(Object.entries(values)))

test('pages follow each other and the last one has no token', () => {
  const all = items('a', 'b', 'c', 'd')
  const first = pageByToken(all, parameters({}), LIMITS)
  expect(first.items).toEqual(items('a', 'b'))
  const second = pageByToken(all, parameters({ NextToken: first.nextToken }), LIMITS)
  expect(second).toEqual({ items: items('c', 'd'), nextToken: '' })
})

test('what is removed and added between two pages does not shift the second one', () => {
  const first = pageByToken(items('a', 'b', 'c'), parameters({}), LIMITS)
  const second = pageByToken(items('b', 'c', 'd'), parameters({ NextToken: first.nextToken }), LIMITS)
  expect(second.items).toEqual(items('c', 'd'))
})

test.each([{ MaxResults: '6' }, { MaxResults: '0' }, { NextToken: 'bm9uc2Vuc2U' }])('%j is refused', (values) => {
  expect(() => pageByToken(items('a'), parameters(values), LIMITS)).toThrow(ApiError)
})

test('numbered pages count from one', () => {
  const page = pageByNumber(items('a', 'b', 'c'), parameters({ PageNumber: '2', PageSize: '2' }), LIMITS)
  expect(page).toEqual({ items: items('c'), number: 2, size: 2 })
})
