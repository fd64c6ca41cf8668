import { describe, expect, test } from '@jest/globals'
import { describeFoundTbf, encodeTbf, isSameTbf, parseTbf, tbfOf } from './tbf.ts'

const U32_MAX = 2 ** 32 - 1
const BPS_10M = 1_250_000
const BPS_100M = 12_500_000

describe('a rate', () => {
  // 25 ms of the rate may wait behind a burst: 31,250 and 312,500 bytes of 10 and 100 Mbit/s.
  test.each([
    ['10 Mbit/s', { rate: BPS_10M }, 1500, { rate: BPS_10M, burst: 65_536, limit: 31_250 + 65_536 }],
    ['100 Mbit/s', { rate: BPS_100M }, 1500, { rate: BPS_100M, burst: 65_536, limit: 312_500 + 65_536 }],
    ['8 Gbit/s, a ms of it', { rate: 1e9 }, 1500, { rate: 1e9, burst: 1e6, limit: 26e6 }],
    ['and a link of long packets', { rate: BPS_10M }, 65_535, { rate: BPS_10M, burst: 67_035, limit: 98_285 }],
    ['and a larger burst', { rate: BPS_10M, burst: 1e6 }, 1500, { rate: BPS_10M, burst: 1e6, limit: 1_031_250 }],
    ['and a burst too small', { rate: BPS_10M, burst: 1 }, 1500, { rate: BPS_10M, burst: 65_536, limit: 96_786 }],
    ['with a fraction', { rate: 1_000_000.9 }, 1500, { rate: 1_000_000, burst: 65_536, limit: 90_536 }],
    ['of less than a byte', { rate: 0.125 }, 1500, { rate: 1, burst: 65_536, limit: 65_536 }],
    ['of 1 Pbit/s', { rate: 1.25e14 }, 1500, { rate: 1.25e14, burst: U32_MAX, limit: U32_MAX }],
  ])('of %s', (_, wanted, mtu, expected) => {
    expect(tbfOf(wanted, mtu)).toEqual(expected)
  })
})

describe('a burst is the same', () => {
  const wanted = { rate: BPS_100M, burst: 65_536, limit: 378_036 }
  // 65,536 bytes at 12.5 MB/s last 5,242,880 ns, which are 81,920 ticks of 64 ns.
  const found = { rate: BPS_100M, limit: 378_036, buffer: 81_920 }

  test.each([
    ['exactly', {}, true],
    ['with a tick lost', { buffer: 81_919 }, true],
    ['not with two', { buffer: 81_918 }, false],
    ['not with a byte of the limit', { limit: 378_035 }, false],
    ['not with a byte of the rate', { rate: BPS_100M + 1 }, false],
  ])('%s', (_, change, same) => {
    expect(isSameTbf(wanted, { ...found, ...change })).toBe(same)
  })

  test('when it lasts longer than the kernel can tell', () => {
    // 65,536 s are 1,024,000,000,000 ticks: 238 times around 2^32, and 1,797,783,552.
    const slow = { rate: 1, burst: 65_536, limit: 65_536 }
    const rest = 1_024_000_000_000 % 2 ** 32
    expect(isSameTbf(slow, { rate: 1, limit: 65_536, buffer: rest + 900 })).toBe(true)
    expect(isSameTbf(slow, { rate: 1, limit: 65_536, buffer: rest + 1100 })).toBe(false)
  })
})

test('what is encoded is what is read, but for the burst, which the kernel works out', () => {
  for (const rate of [1, U32_MAX, U32_MAX + 1, 1.25e14]) {
    expect(parseTbf(encodeTbf({ rate, burst: 65_536, limit: 1 }))).toEqual({ rate, limit: 1, buffer: 0 })
  }
  expect(parseTbf(Buffer.alloc(0))).toBeUndefined()
})

test('one that was found is described in the units of iproute2', () => {
  const text = 'rate 12500000bps burst 65536b limit 378036b'
  expect(describeFoundTbf({ rate: BPS_100M, limit: 378_036, buffer: 81_920 })).toBe(text)
})
