import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Cidr, cidrContains, cidrOf, ipFromBytes, parseCidr, parseIp, splitCidr } from '../../inet/address.ts'
import { Prefixes } from './prefixes.ts'

/** Few bits, so that some are inside others. */
const IP = fc
  .tuple(fc.constantFrom(4, 16), fc.integer({ min: 0, max: 7 }))
  .map(([bytes, last]) => ipFromBytes(Uint8Array.of(10, ...Array(bytes - 2).fill(0), last)))
const CIDR = fc.tuple(IP, fc.integer({ min: 0, max: 5 })).map(([ip, shorter]) => {
  const bits = ip.includes(':') ? 128 : 32
  return cidrOf(ip, shorter === 5 ? 0 : bits - shorter)
})

test('an address has the value of the longest prefix it is in', () => {
  fc.assert(
    fc.property(fc.array(CIDR), IP, (cidrs, ip) => {
      const prefixes = new Prefixes<Cidr>()
      for (const cidr of cidrs) prefixes.set(cidr, cidr)
      const holding = cidrs.filter((cidr) => cidrContains(cidr, ip))
      const longest = holding.toSorted((a, b) => splitCidr(b).length - splitCidr(a).length)[0]
      expect(prefixes.of(ip)).toBe(longest)
    }),
  )
})

test('of two values for a prefix the later one counts', () => {
  const prefixes = new Prefixes<string>()
  for (const value of ['former', 'later']) prefixes.set(parseCidr('10.0.0.0/8'), value)
  expect(prefixes.of(parseIp('10.1.1.1'))).toBe('later')
  expect(prefixes.of(parseIp('11.1.1.1'))).toBeUndefined()
})
