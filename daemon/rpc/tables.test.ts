import { expect, test } from '@jest/globals'
import { connectionTable, neighbourTable } from './tables.ts'

test('a connection table of which more than four fifths are in use', () => {
  expect(connectionTable(800_000, 1_000_000)).toMatchObject({ name: 'connections', note: '' })
  const { note } = connectionTable(800_001, 1_000_000)
  expect(note).toBe('a full table drops packets of new connections; raise net.netfilter.nf_conntrack_max')
  expect(connectionTable(5, 0).note).toBe('')
})

test('a neighbour table: what is full, and what has been', () => {
  const table = { family: 'ipv6', entries: 800, limit: 1000, refused: 0 } as const
  expect(neighbourTable(table)).toEqual({ name: 'ipv6 neighbours', used: 800, limit: 1000, note: '' })
  const [full, refused] = ['a full table takes no new ones, permanent ones aside', 'the kernel has refused 3']
  const advice = 'raise net.ipv6.neigh.default.gc_thresh3'
  expect(neighbourTable({ ...table, entries: 801 }).note).toBe(`${full}; ${advice}`)
  expect(neighbourTable({ ...table, refused: 3 }).note).toBe(`${refused} neighbours since it started; ${advice}`)
  expect(neighbourTable({ ...table, entries: 801, refused: 3 }).note).toBe(
    `${refused} neighbours since it started, and ${full}; ${advice}`,
  )
})
