import { expect, test } from '@jest/globals'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { lacksTcKind } from './tc-support.ts'

test.each([
  ['a parent that does not exist', Errno.ENOENT, 'Failed to find specified qdisc', false],
  ['what a driver does not do', Errno.EOPNOTSUPP, 'Not for this device', false],
  ['a device that has gone', Errno.ENODEV, undefined, false],
  ['a kind without a module, from an old kernel', Errno.EOPNOTSUPP, undefined, true],
  ['an action without a module', Errno.ENOENT, 'Failed to load TC action module', true],
])('%s', (_, errno, extack, lacking) => {
  const error = new NetlinkError({ errno, request: 'add', ...(extack === undefined ? {} : { extack }) })
  expect(lacksTcKind(error)).toBe(lacking)
})
