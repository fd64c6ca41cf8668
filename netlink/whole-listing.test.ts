import { expect, test } from '@jest/globals'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import type { Message, Request } from './message.ts'
import { DUMP_ATTEMPTS, type Listing, wholeListing } from './whole-listing.ts'

const REQUEST: Request = { type: 18, flags: 0, payload: Buffer.alloc(0), text: 'list links' }
const HALF = [{ type: 16, flags: 0, payload: Buffer.from('half') }] as unknown as Message[]
const WHOLE = [{ type: 16, flags: 0, payload: Buffer.from('whole') }] as unknown as Message[]

const listing = (part: Partial<Listing> & { messages?: Message[]; errno?: number }): Listing => {
  const { messages = WHOLE, errno, ...rest } = part
  const error = errno === undefined ? {} : { error: new NetlinkError({ errno, request: 'list links' }) }
  return { acks: [{ request: REQUEST, messages, ...error }], interrupted: false, disturbed: false, ...rest }
}

/** The answers one after another, the last one for ever; and how often was asked. */
function answers(...list: Listing[]) {
  let asked = 0
  const ask = () => list[Math.min(asked++, list.length - 1)] ?? listing({})
  return { ask, count: () => asked }
}
const read = (ask: () => Listing, watched = false) => wholeListing(ask, { what: 'list links', watched })

test('a whole answer is taken at once', () => {
  const { ask, count } = answers(listing({}))
  expect(read(ask)).toEqual(WHOLE)
  expect(count()).toBe(1)
})

test.each<[string, Listing, boolean]>([
  ['marked by the kernel', listing({ messages: HALF, interrupted: true }), false],
  ['ended by EINTR', listing({ messages: HALF, errno: Errno.EINTR }), false],
  ['disturbed, where announcements count', listing({ messages: HALF, disturbed: true }), true],
])('one that is %s is thrown away and asked for again', (_, torn, watched) => {
  const { ask, count } = answers(torn, torn, listing({}))
  expect(read(ask, watched)).toEqual(WHOLE)
  expect(count()).toBe(3)
})

test('announcements do not count where the kernel marks interruptions itself', () => {
  const { ask, count } = answers(listing({ disturbed: true }))
  expect(read(ask)).toEqual(WHOLE)
  expect(count()).toBe(1)
})

test('a list that never holds still is an error, not half a list', () => {
  const { ask, count } = answers(listing({ messages: HALF, interrupted: true }))
  expect(() => read(ask)).toThrow(/list links: EINTR .*interrupted by changes 5 times/)
  expect(count()).toBe(DUMP_ATTEMPTS)
})

test('a refusal is not repeated', () => {
  const { ask, count } = answers(listing({ errno: Errno.ENOENT }))
  expect(() => read(ask)).toThrow(/ENOENT/)
  expect(count()).toBe(1)
})
