import { describe, expect, test } from '@jest/globals'
import { ApiError } from '../cloud/error.ts'
import { Parameters } from './parameters.ts'

const parameters = (values: Readonly<Record<string, string>>) => new Parameters(new Map(Object.entries(values)))

function codeOf(read: () => unknown): string {
  try {
    read()
    return 'OK'
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}

test('a list is in the order of its numbers, not of its names', () => {
  const values = { 'Id.2': 'b', 'Id.10': 'c', 'Id.1': 'a', 'Id.x': 'no', Idx: 'no' }
  expect(parameters(values).list('Id', 3)).toEqual(['a', 'b', 'c'])
  expect(codeOf(() => parameters(values).list('Id', 2))).toBe('InvalidParameter')
})

describe('integer', () => {
  const limits = { min: 1, max: 49 }
  test.each(['0', '50', '-1', '1.5', '1e1', '', ' 1', 'x', '99999999999'])('refuses %j', (text) => {
    expect(codeOf(() => parameters({ N: text }).integer('N', limits))).toBe('InvalidParameter')
  })
  test('reads what is inside the limits', () => {
    expect(parameters({ N: '49' }).integer('N', limits)).toBe(49)
    expect(parameters({}).integer('N', limits)).toBeUndefined()
  })
})

describe('alternatives', () => {
  test('one of them must be there', () => {
    expect(codeOf(() => parameters({}).exactlyOne(['A', 'B']))).toBe('MissingParameter')
    expect(parameters({ 'B.1': 'x' }).exactlyOne(['A', 'B'])).toBe('B')
  })
  test('two of them are in conflict', () => {
    expect(codeOf(() => parameters({ A: 'x', 'B.1': 'y' }).atMostOne(['A', 'B']))).toBe('InvalidParameter.Conflict')
    expect(parameters({}).atMostOne(['A', 'B'])).toBeUndefined()
  })
})

test.each([
  ['required', {}, 'MissingParameter', (p: Parameters) => p.required('X')],
  ['required, empty', { X: '' }, 'MissingParameter', (p: Parameters) => p.required('X')],
  ['boolean', { X: 'yes' }, 'InvalidParameter', (p: Parameters) => p.boolean('X')],
  ['address', { 'X.1': '10.0.0' }, 'InvalidParameter', (p: Parameters) => p.ips('X', 9)],
  ['JSON list', { X: '"i-1"' }, 'InvalidParameter', (p: Parameters) => p.jsonList('X', 9)],
  ['JSON list', { X: '[1]' }, 'InvalidParameter', (p: Parameters) => p.jsonList('X', 9)],
  ['JSON list', { X: '[' }, 'InvalidParameter', (p: Parameters) => p.jsonList('X', 9)],
  ['short text', { X: 'a' }, 'InvalidParameter', (p: Parameters) => p.text('X', { min: 2, max: 9 })],
  ['ENI id', { NetworkInterfaceId: 'eni-A/../b' }, 'InvalidParams.EniId', (p: Parameters) => p.eniId()],
  ['ENI id', {}, 'MissingParameter', (p: Parameters) => p.eniId()],
  ['instance id', { InstanceId: 'eni-1' }, 'InvalidInstanceID.Malformed', (p: Parameters) => p.instanceId()],
])('a wrong %s of %j is %s', (_, values, code, read) => {
  expect(codeOf(() => read(parameters(values)))).toBe(code)
})

describe('tags', () => {
  test('are pairs; a value may be missing', () => {
    const values = { 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway', 'Tag.3.Key': 'a' }
    expect([...parameters(values).tags()]).toEqual([
      ['creator', 'terway'],
      ['a', ''],
    ])
  })
  test.each([
    [{ 'Tag.1.Key': '' }, 'InvalidTagKey.Malformed'],
    [{ 'Tag.1.Key': 'acs:x' }, 'InvalidTagKey.Malformed'],
    [{ 'Tag.1.Key': 'Aliyun-x' }, 'InvalidTagKey.Malformed'],
    [{ 'Tag.1.Key': 'see http://x' }, 'InvalidTagKey.Malformed'],
    [{ 'Tag.1.Key': 'x'.repeat(129) }, 'InvalidTagKey.Malformed'],
    [{ 'Tag.1.Key': 'x', 'Tag.1.Value': 'y'.repeat(129) }, 'InvalidTagValue.Malformed'],
    [{ 'Tag.1.Key': 'x', 'Tag.2.Key': 'x' }, 'Duplicate.TagKey'],
    [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`Tag.${i + 1}.Key`, `k${i}`])), 'NumberExceed.Tags'],
  ])('%j is refused as %s', (values, code) => {
    expect(codeOf(() => parameters(values).tags())).toBe(code)
  })
})

test('the fingerprint is that of the request, whatever its order and token', () => {
  const one = parameters({ A: '1', B: '2', ClientToken: 'x' }).fingerprint()
  expect(parameters({ B: '2', ClientToken: 'y', A: '1' }).fingerprint()).toBe(one)
  expect(parameters({ A: '1', B: '3', ClientToken: 'x' }).fingerprint()).not.toBe(one)
})

describe('only', () => {
  const names = ['VSwitchId', 'PrivateIpAddress.N', 'Tag.N.Key', 'Config.QueueNumber']
  test.each([
    { RegionId: 'x', VSwitchId: 'v', 'PrivateIpAddress.2': 'x', 'Tag.1.Key': 'k', 'Config.QueueNumber': '1' },
    {},
  ])('allows %j', (values) => {
    expect(codeOf(() => parameters(values).only(names))).toBe('OK')
  })
  test.each([
    'VSwitchID',
    'VSwitchId.1',
    'PrivateIpAddress',
    'PrivateIpAddress.x',
    'Tag.1',
    'Tag.1.Value',
    'Config',
    '',
  ])('refuses %j', (name) => {
    expect(codeOf(() => parameters({ [name]: 'x' }).only(names))).toBe('UnsupportedParameter')
  })
})

test('a parameter is there when a part of it is', () => {
  const values = parameters({ 'List.3': 'x', 'Config.A': 'y', Plain: '' })
  expect(['List', 'Config', 'Plain', 'Lis', 'Config.B'].map((name) => values.has(name))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

describe('prefixes', () => {
  const read = (text: string, family: 'ipv4' | 'ipv6') => parameters({ 'P.1': text }).prefixes('P', family, 10)
  test('are read in any form and written in one', () => {
    expect(read('10.0.1.16/28', 'ipv4')).toEqual(['10.0.1.16/28'])
    expect(read('2001:DB8:0:0:1::/80', 'ipv6')).toEqual(['2001:db8:0:0:1::/80'])
  })
  test.each([
    ['10.0.1.17/28', 'ipv4'],
    ['10.0.1.0/24', 'ipv4'],
    ['10.0.1.16', 'ipv4'],
    ['', 'ipv4'],
    ['2001:db8::/80', 'ipv4'],
    ['2001:db8::1/80', 'ipv6'],
    ['2001:db8::/64', 'ipv6'],
    ['10.0.1.16/28', 'ipv6'],
  ] as const)('%s is no %s prefix of an ENI', (text, family) => {
    expect(codeOf(() => read(text, family))).toBe('InvalidParameter')
  })
})

test('an address of the wrong family has a code of its own', () => {
  expect(parameters({ 'A.1': '2001:DB8::0:1' }).ipv6s('A', 1)).toEqual(['2001:db8::1'])
  expect(codeOf(() => parameters({ 'A.1': '10.0.0.1' }).ipv6s('A', 1))).toBe('InvalidIp.Address')
})
