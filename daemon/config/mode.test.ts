import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { MODE_KEYS, modeOf } from './mode.ts'

const SCHEMA = z.object(MODE_KEYS)

function read(file: object) {
  const findings = { problems: [] as string[], warnings: [] as string[] }
  return { mode: modeOf(SCHEMA.parse(file), findings), ...findings }
}

test.each([
  [{}, 'shared'],
  [{ network_mode: 'ENIIP' }, 'shared'],
  [{ network_mode: 'ENI' }, 'exclusive'],
  [{ network_mode: 'Trunk' }, 'member'],
  [{ network_mode: 'VPC' }, 'route'],
  [{ eni_binding_mode: 'ENIIP' }, 'shared'],
  [{ backend_type: 'ENIMultiIP' }, 'shared'],
  [{ backend_type: 'ENIExclusive' }, 'exclusive'],
  [{ backend_type: 'ENIOnly' }, 'exclusive'],
  [{ backend_type: 'VPCRoute' }, 'route'],
  [{ backend_type: 'ENIMultiIP', network_mode: 'ENIIP' }, 'shared'],
])('%j is a pool of the kind %s', (file, kind) => {
  expect(read(file).mode.kind).toBe(kind)
})

test.each([
  [{}, ['ipv4'], 'address'],
  [{ ip_stack: 'dual' }, ['ipv4', 'ipv6'], 'address'],
  [{ ip_stack: 'ipv6' }, ['ipv6'], 'address'],
  [{ ip_type: 'IPv4', ip_stack: 'ipv4' }, ['ipv4'], 'address'],
  [{ ip_type: 'Dual', enable_ip_prefix: false }, ['ipv4', 'ipv6'], 'address'],
  [{ enable_ip_prefix: true }, ['ipv4'], 'prefix'],
])('%j is %j by %s', (file, families, unit) => {
  expect(read(file).mode).toMatchObject({ families, unit })
})

test('prefixes are for ENIs that pods share', () => {
  for (const network_mode of ['ENI', 'Trunk', 'VPC']) {
    const { mode, warnings } = read({ network_mode, enable_ip_prefix: true })
    expect(mode.unit).toBe('address')
    expect(warnings).toEqual([expect.stringContaining('enable_ip_prefix has no effect')])
  }
  expect(read({ enable_ip_prefix: true, ip_stack: 'ipv6' })).toMatchObject({ problems: [], warnings: [] })
})

test('two names of the mode must say the same', () => {
  expect(read({ network_mode: 'ENIIP', backend_type: 'ENIOnly' }).problems).toEqual([
    'network_mode and backend_type are the same setting and must not differ',
  ])
  expect(read({ ip_stack: 'ipv4', ip_type: 'dual' }).problems).toEqual([
    'ip_stack and ip_type are the same setting and must not differ',
  ])
})

test.each([
  [{ network_mode: 'toString' }, /one of ENIIP, ENI, Trunk, VPC/],
  [{ backend_type: 'ENIIP' }, /one of ENIMultiIP, ENIExclusive, ENIOnly, VPCRoute/],
  [{ ip_stack: 'IPv4' }, /one of ipv4, dual, ipv6/],
  [{ ip_type: 'IPv5' }, /one of ipv4, dual, ipv6/],
  [{ ip_type: 4 }, /must be a string/],
])('%j is refused', (file, message) => {
  expect(SCHEMA.safeParse(file).error?.issues[0]?.message).toMatch(message)
})
