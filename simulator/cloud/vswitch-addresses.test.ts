import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addressAt, type Cidr, cidrContains, type Ipv4, type Ipv6, parseCidr } from '../../inet/address.ts'
import { isReserved, VSwitchAddresses } from './vswitch-addresses.ts'

const cidr = (text: string): Cidr => parseCidr(text)
const ipv4 = (text: string) => text as Ipv4
const ipv6 = (text: string) => text as Ipv6

describe('IPv4', () => {
  test('keeps the first address and the last three', () => {
    const block = cidr('10.0.1.0/28')
    const given = Array.from({ length: 16 }, (_, i) => addressAt(block, BigInt(i))).filter(
      (ip) => !isReserved(block, ip),
    )
    expect([given[0], given.at(-1), given.length]).toEqual(['10.0.1.1', '10.0.1.12', 12])
    expect(new VSwitchAddresses(block).available).toBe(12)
  })

  test.each([
    ['10.0.1.0/26', ['10.0.1.16/28', '10.0.1.32/28']],
    ['10.0.1.64/27', []],
    ['10.0.1.16/28', []],
    ['10.0.1.8/29', []],
  ])('%s has the prefixes %j', (block, prefixes) => {
    const pool = new VSwitchAddresses(cidr(block))
    const given: Cidr[] = []
    for (let next = pool.lowestFreePrefix(); next !== undefined; next = pool.lowestFreePrefix()) {
      pool.takePrefix(next)
      given.push(next)
    }
    expect(given).toEqual(prefixes)
  })

  test('a prefix takes its sixteen addresses with it', () => {
    const pool = new VSwitchAddresses(cidr('10.0.1.0/26'))
    pool.takePrefix(cidr('10.0.1.16/28'))
    expect([pool.available, pool.isFree(ipv4('10.0.1.31')), pool.isFree(ipv4('10.0.1.32'))]).toEqual([44, false, true])
    for (let i = 0; i < 15; i++) pool.take(pool.lowestFree() as Ipv4)
    expect(pool.lowestFree()).toBe('10.0.1.32')
    pool.freePrefix(cidr('10.0.1.16/28'))
    expect([pool.available, pool.lowestFree()]).toEqual([45, '10.0.1.16'])
  })

  test('a block with one address in use is no prefix', () => {
    const pool = new VSwitchAddresses(cidr('10.0.1.0/26'))
    pool.take(ipv4('10.0.1.20'))
    expect([pool.lowestFreePrefix(), pool.isFreePrefix(cidr('10.0.1.16/28'))]).toEqual(['10.0.1.32/28', false])
    pool.free(ipv4('10.0.1.20'))
    expect(pool.lowestFreePrefix()).toBe('10.0.1.16/28')
  })

  test.each(['10.0.1.0/28', '10.0.1.48/28', '10.0.2.16/28', '10.0.1.16/29', '10.0.1.16/27', '2001:db8::/80'])(
    '%s is not for ENIs',
    (prefix) => {
      expect(new VSwitchAddresses(cidr('10.0.1.0/26')).isUsablePrefix(cidr(prefix))).toBe(false)
    },
  )
})

describe('IPv6', () => {
  const block = cidr('2001:db8:0:1::/64')
  test('keeps the first address and the last nine', () => {
    const pool = new VSwitchAddresses<Ipv6>(block)
    const usable = ['2001:db8:0:1::', '2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:fff6'].map(ipv6)
    expect(usable.map((ip) => pool.isUsable(ip))).toEqual([false, true, true])
    expect(pool.isUsable(ipv6('2001:db8:0:1:ffff:ffff:ffff:fff7'))).toBe(false)
    expect(pool.isUsable(ipv6('2001:db8:0:2::1'))).toBe(false)
  })

  test('single addresses and prefixes do not meet', () => {
    const pool = new VSwitchAddresses<Ipv6>(block)
    expect([pool.lowestFree(), pool.lowestFreePrefix()]).toEqual(['2001:db8:0:1::1', '2001:db8:0:1:1::/80'])
    pool.takePrefix(cidr('2001:db8:0:1:1::/80'))
    expect(pool.isFree(ipv6('2001:db8:0:1:1::5'))).toBe(false)
    pool.take(ipv6('2001:db8:0:1:2::5'))
    expect(pool.lowestFreePrefix()).toBe('2001:db8:0:1:3::/80')
  })
})

test('what a client cannot be blamed for is a defect', () => {
  const pool = new VSwitchAddresses(cidr('10.0.1.0/26'))
  pool.takePrefix(cidr('10.0.1.16/28'))
  expect(() => pool.take(ipv4('10.0.1.17'))).toThrow('cannot be taken')
  expect(() => pool.take(ipv4('10.0.1.0'))).toThrow('cannot be taken')
  expect(() => pool.takePrefix(cidr('10.0.1.16/28'))).toThrow('cannot be taken')
  expect(() => pool.free(ipv4('10.0.1.17'))).toThrow('is not in use')
  expect(() => pool.freePrefix(cidr('10.0.1.32/28'))).toThrow('is not in use')
})

/** A vSwitch of five blocks, three of which can be prefixes, against lists of what is free. */
const BLOCK = cidr('10.0.1.0/26')
const ALL = Array.from({ length: 64 }, (_, i) => addressAt(BLOCK, BigInt(i)) as Ipv4).filter(
  (ip) => !isReserved(BLOCK, ip),
)
const PREFIXES = [cidr('10.0.1.16/28'), cidr('10.0.1.32/28')]
type Step = { readonly take: boolean; readonly what: 'ip' | 'prefix'; readonly index: number }
const step: fc.Arbitrary<Step> = fc.record({
  take: fc.boolean(),
  what: fc.constantFrom('ip', 'ip', 'prefix'),
  index: fc.nat({ max: 80 }),
})

function freeOf(ips: ReadonlySet<Ipv4>, prefixes: ReadonlySet<Cidr>) {
  const isFree = (ip: Ipv4) => !ips.has(ip) && ![...prefixes].some((prefix) => cidrContains(prefix, ip))
  const isEmpty = (prefix: Cidr) => !prefixes.has(prefix) && ![...ips].some((ip) => cidrContains(prefix, ip))
  return { ips: ALL.filter(isFree), prefixes: PREFIXES.filter(isEmpty) }
}

function giveOrTake(pool: VSwitchAddresses, held: { ips: Set<Ipv4>; prefixes: Set<Cidr> }, next: Step): void {
  const { ips, prefixes } = next.take
    ? freeOf(held.ips, held.prefixes)
    : { ips: [...held.ips], prefixes: [...held.prefixes] }
  const ip = ips[next.index % Math.max(1, ips.length)]
  const prefix = prefixes[next.index % Math.max(1, prefixes.length)]
  if (next.what === 'ip' && ip !== undefined) {
    if (next.take) pool.take(ip)
    else pool.free(ip)
    if (!held.ips.delete(ip)) held.ips.add(ip)
  }
  if (next.what === 'prefix' && prefix !== undefined) {
    if (next.take) pool.takePrefix(prefix)
    else pool.freePrefix(prefix)
    if (!held.prefixes.delete(prefix)) held.prefixes.add(prefix)
  }
}

test('what is free is what nobody has, and the lowest of it is found', () => {
  const run = (steps: readonly Step[]) => {
    const pool = new VSwitchAddresses(BLOCK)
    const held = { ips: new Set<Ipv4>(), prefixes: new Set<Cidr>() }
    for (const next of steps) {
      giveOrTake(pool, held, next)
      const free = freeOf(held.ips, held.prefixes)
      expect(pool.available).toBe(free.ips.length)
      expect(pool.lowestFree()).toBe(free.ips[0])
      expect(pool.lowestFreePrefix()).toBe(free.prefixes[0])
    }
    expect(ALL.filter((ip) => pool.isFree(ip))).toEqual(freeOf(held.ips, held.prefixes).ips)
  }
  fc.assert(fc.property(fc.array(step, { maxLength: 100, size: 'max' }), run), { numRuns: 40 })
})
