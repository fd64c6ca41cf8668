import { expect, test } from '@jest/globals'
import { bytesOf, countsOf, difference, medians, WRITES, within } from './figures.ts'
import { countStatements } from './journal-traffic.ts'
import { parseStrace } from './syscalls.ts'

const traced = (...calls: string[]) => parseStrace(calls.map((call) => `1 ${call}`).join('\n'))

test('calls are counted by class', () => {
  const calls = traced(
    'openat(AT_FDCWD</>, "/x", O_RDONLY) = 3</x>',
    'read(3</x>, "", 8) = 0',
    'pread64(3</x>, "", 8, 0) = 0',
  )
  expect(countsOf(calls)).toEqual({ open: 1, read: 2 })
})

test.each([
  'futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1',
  'write(19<anon_inode:[eventfd]>, ""..., 8) = 8',
  'recvfrom(39<NETLINK:[ROUTE:1]>, ""..., 65536, MSG_TRUNC|MSG_DONTWAIT, NULL, [12]) = 52',
  'read(26<UNIX-STREAM:[1->2]>, 0x1, 65536) = -1 EAGAIN (Resource temporarily unavailable)',
  'read(26<UNIX-STREAM:[1->2]>, ""..., 65536) = 35',
  'openat(AT_FDCWD</>, "/sys/devices/system/cpu/online", O_RDONLY) = 3</sys/devices/system/cpu/online>',
])('what depends on the moment is not: %s', (call) => {
  expect(countsOf(traced(call))).toEqual({})
})

test.each([
  'write(26<UNIX-STREAM:[1->2]>, ""..., 9) = 9',
  'recvfrom(38<NETLINK:[ROUTE:1]>, ""..., 32768, MSG_TRUNC, NULL, [12]) = 52',
  'openat(AT_FDCWD</>, "/nowhere", O_RDONLY) = -1 ENOENT (No such file or directory)',
  'fsync(23</journal.db-wal>) = 0',
])('all else is: %s', (call) => {
  expect(Object.values(countsOf(traced(call)))).toEqual([1])
})

test('bytes are those that went, of the calls that are meant', () => {
  const calls = traced(
    'write(3</x>, ""..., 9) = 5',
    'writev(3</x>, [], 2) = 7',
    'write(3</x>, ""..., 9) = -1 EPIPE (Broken pipe)',
    'read(3</x>, "", 8) = 8',
  )
  expect(bytesOf(calls, WRITES)).toBe(12)
})

test('the median of each figure is not moved by what happens once, and absent is zero', () => {
  const usual = { open: 2, close: 2 }
  expect(medians([usual, { ...usual, open: 9, name: 1 }, usual, { open: 2 }, usual])).toEqual({
    open: 2,
    close: 2,
    name: 0,
  })
  expect(() => medians([])).toThrow(RangeError)
})

test('differences are of all figures of both, and names grow in front', () => {
  expect(difference({ open: 5, read: 1 }, { open: 2, stat: 3 })).toEqual({ open: 3, read: 1, stat: -3 })
  expect(within('wire', { sent: 1 })).toEqual({ 'wire.sent': 1 })
})

test('statements in a transaction are one transaction, those by themselves one each', () => {
  const all = ['INSERT a', 'BEGIN IMMEDIATE', 'INSERT b', 'DELETE c', 'COMMIT', 'INSERT d']
  expect(countStatements(all)).toEqual({ statements: 4, transactions: 3 })
})
