import { expect, test } from '@jest/globals'
import { type Ip, parseIp } from '../../inet/address.ts'
import { poolOf, warm } from '../../test/pool/state-builder.ts'
import type { EniFacts } from '../datapath/attachment.ts'
import type { Pool } from '../pool/pool.ts'
import { poolEnis } from './pool-leases.ts'

const state = poolOf({
  shared: { ipv4: [warm] },
  trunk: { role: 'trunk', ipv4: [warm] },
  prefixed: { ipv6Prefix: true },
})
const { isOfPods } = poolEnis({ state } as unknown as Pool, { factsOf: () => ({}) as EniFacts })
const [own = '', trunks = ''] = [...state.addresses.keys()]
const [prefix = ''] = [...state.prefixes.keys()].filter((cidr) => cidr.includes(':'))

test.each<[string, string, boolean]>([
  ['on record of an ENI for pods', own, true],
  ['of a trunk', trunks, false],
  ['of an IPv6 prefix, given away or not', prefix.replace(/\/\d+$/, '7'), true],
  ['of the vSwitch and nobody on record', '10.0.200.1', false],
])('an address %s', (_, address, expected) => {
  expect(isOfPods(parseIp(address) as Ip)).toBe(expected)
})
