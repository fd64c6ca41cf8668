import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { availableMode, MODE_KEYS, wantedMode } from './mode.ts'

const SCHEMA = z.object(MODE_KEYS)

function modeOf(file: object) {
  const findings = { problems: [], warnings: [] }
  const wanted = wantedMode(SCHEMA.parse(file), findings)
  return { wanted, available: availableMode(wanted, findings), problems: findings.problems as string[] }
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
  expect(modeOf(file).wanted.kind).toBe(kind)
})

test.each([
  [{}, ['ipv4'], 'address'],
  [{ ip_stack: 'dual' }, ['ipv4', 'ipv6'], 'address'],
  [{ ip_stack: 'ipv6' }, ['ipv6'], 'address'],
  [{ ip_type: 'IPv4', ip_stack: 'ipv4' }, ['ipv4'], 'address'],
  [{ ip_type: 'Dual', enable_ip_prefix: false }, ['ipv4', 'ipv6'], 'address'],
  [{ enable_ip_prefix: true }, ['ipv4'], 'prefix'],
])('%j is %j by %s', (file, families, unit) => {
  expect(modeOf(file).wanted).toMatchObject({ families, unit })
})

test('what the daemon has is taken, the rest is refused by the key that asks for it', () => {
  expect(modeOf({ network_mode: 'ENIIP', ip_stack: 'ipv4' })).toMatchObject({
    available: { kind: 'shared', families: ['ipv4'], unit: 'address' },
    problems: [],
  })
  expect(modeOf({ enable_ip_prefix: true })).toMatchObject({
    available: { kind: 'shared', families: ['ipv4'], unit: 'prefix' },
    problems: [],
  })
  expect(modeOf({ backend_type: 'VPCRoute' }).problems).toEqual([expect.stringContaining('backend_type "ENIMultiIP"')])
  expect(modeOf({ network_mode: 'Trunk', ip_stack: 'dual', enable_ip_prefix: true }).problems).toEqual([
    expect.stringMatching(/^network_mode must be/),
    expect.stringMatching(/^ip_stack must be/),
  ])
})

test('two names of the mode must say the same', () => {
  expect(modeOf({ network_mode: 'ENIIP', backend_type: 'ENIOnly' }).problems).toEqual([
    'network_mode and backend_type are the same setting and must not differ',
  ])
  expect(modeOf({ ip_stack: 'ipv4', ip_type: 'dual' }).problems).toEqual([
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
