import { expect, test } from '@jest/globals'
import { openPageToken, sealPageToken } from './page-token.ts'

const LIFE = 15 * 60_000
const QUERY = { RegionId: 'cn-sim', VSwitchId: 'vsw-a', MaxResults: '10' }

function listing(query: Readonly<Record<string, string>>, now = 0, action = 'DescribeNetworkInterfaces') {
  return { action, now, query: new Map(Object.entries(query)) }
}

function codeOf(run: () => unknown): unknown {
  try {
    run()
    return 'OK'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

test('a token goes on where the page ended, whatever the size of the next one', () => {
  const token = sealPageToken('inner', listing(QUERY))
  const opened = openPageToken(listing({ ...QUERY, MaxResults: '20', NextToken: token }, LIFE - 1))
  expect(Object.fromEntries(opened)).toEqual({ ...QUERY, MaxResults: '20', NextToken: 'inner' })
})

test('without a token nothing is changed', () => {
  const first = listing({ ...QUERY, NextToken: '' })
  expect(openPageToken(first)).toBe(first.query)
})

test.each([
  ['it expired', (token: string) => listing({ ...QUERY, NextToken: token }, LIFE)],
  ['the filter is another', (token: string) => listing({ ...QUERY, VSwitchId: 'vsw-b', NextToken: token })],
  ['the filter is gone', (token: string) => listing({ RegionId: 'cn-sim', NextToken: token })],
  ['the action is another', (token: string) => listing({ ...QUERY, NextToken: token }, 0, 'DescribeInstances')],
  ['it was cut', (token: string) => listing({ ...QUERY, NextToken: token.slice(0, 10) })],
  ['it is none', () => listing({ ...QUERY, NextToken: 'nonsense' })],
])('a token is refused when %s', (_, later) => {
  const token = sealPageToken('inner', listing(QUERY))
  expect(codeOf(() => openPageToken(later(token)))).toBe('InvalidParameter.NextToken')
})
