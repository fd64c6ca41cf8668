import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  AddressError,
  addressAt,
  cidrContains,
  cidrOf,
  hostCidr,
  ipFromBytes,
  ipToBytes,
  parseCidr,
  parseIp,
  parseIpv4,
  parseMac,
  splitCidr,
  vSwitchGateway,
} from './address.ts'

describe('IP addresses', () => {
  test.each([
    ['10.0.1.7', '10.0.1.7'],
    ['FD00:0:0::1', 'fd00::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['::', '::'],
    ['1::', '1::'],
  ])('%s is read as %s', (text, canonical) => {
    expect(parseIp(text)).toBe(canonical)
  })

  test.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '1:2:3',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'g::',
    'fe80::1%eth0',
    '10.0.0.1\n',
    '::1.2.3.4:5',
  ])('%j is refused', (text) => {
    expect(() => parseIp(text)).toThrow(AddressError)
  })

  test('IPv6 is refused where IPv4 is asked for', () => {
    expect(() => parseIpv4('::1')).toThrow(AddressError)
  })

  test('every address survives bytes → text → bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    fc.assert(
      fc.property(bytes, (value) => {
        const text = ipFromBytes(value)
        expect(Array.from(ipToBytes(text))).toEqual(Array.from(value))
        expect(parseIp(text)).toBe(text)
      }),
    )
  })
})

describe('prefixes', () => {
  test('host bits are cleared', () => {
    expect(parseCidr('10.0.1.7/24')).toBe('10.0.1.0/24')
    expect(parseCidr('fd00::7/64')).toBe('fd00::/64')
    expect(parseCidr('10.0.1.7/0')).toBe('0.0.0.0/0')
  })

  test.each(['10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/08', '/8'])('%j is refused', (text) => {
    expect(() => parseCidr(text)).toThrow(AddressError)
  })

  test('the gateway of a vSwitch is the third address from the end', () => {
    expect(vSwitchGateway(parseCidr('10.0.8.0/21'))).toBe('10.0.15.253')
    expect(() => vSwitchGateway(parseCidr('10.0.0.0/31'))).toThrow(AddressError)
  })

  test('an address lies in the network of any length around it and nowhere else', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (text, length, other) => {
        const cidr = cidrOf(parseIp(text), length)
        expect(cidrContains(cidr, parseIp(text))).toBe(true)
        const same = cidrOf(parseIp(other), length) === cidr
        expect(cidrContains(cidr, parseIp(other))).toBe(same)
      }),
    )
    expect(cidrContains(parseCidr('::/0'), parseIp('10.0.0.1'))).toBe(false)
  })

  test('addresses are counted from both ends', () => {
    const cidr = parseCidr('10.0.1.0/24')
    expect(addressAt(cidr, 0n)).toBe('10.0.1.0')
    expect(addressAt(cidr, -1n)).toBe('10.0.1.255')
    expect(() => addressAt(cidr, 256n)).toThrow(AddressError)
    expect(splitCidr(hostCidr(parseIp('fd00::1')))).toEqual({ network: 'fd00::1', length: 128 })
  })
})

test('a MAC address is read in both notations and refused otherwise', () => {
  expect(parseMac('00-16-3E-AA-bb-01')).toBe('00:16:3e:aa:bb:01')
  for (const text of ['', '00:16:3e:aa:bb', '00:16:3e:aa:bb:0g', '0:16:3e:aa:bb:01']) {
    expect(() => parseMac(text)).toThrow(AddressError)
  }
})
