import { expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import { chooseAddress } from './choose-address.ts'
import { type AddressPhase, type EniKey, type Owner, PoolTables } from './model.ts'

const owned: AddressPhase = { phase: 'owned', owner: 'c/eth0' as Owner }

function pool(...addresses: [eni: string, last: number, since: number, phase: AddressPhase][]): PoolTables {
  const tables = new PoolTables()
  for (const [eni, last, since, phase] of addresses) {
    const ip = parseIpv4(`10.0.1.${last}`)
    tables.addresses.set(ip, { ip, eni: eni as EniKey, primary: false, since, ...phase })
  }
  return tables
}
const choose = (tables: PoolTables, ...ready: string[]) => chooseAddress(tables, new Set(ready as EniKey[]))?.ip

test('the ENI with the most pods comes first, so that others can become empty', () => {
  const tables = pool(['a', 1, 0, { phase: 'warm' }], ['b', 2, 9, { phase: 'warm' }], ['b', 3, 0, owned])
  expect(choose(tables, 'a', 'b')).toBe('10.0.1.2')
})

test('on an ENI the address that has been free longest comes first', () => {
  const tables = pool(['a', 1, 5, { phase: 'warm' }], ['a', 2, 3, { phase: 'warm' }], ['a', 3, 4, { phase: 'warm' }])
  expect(choose(tables, 'a')).toBe('10.0.1.2')
})

test('nothing comes from an ENI that is not ready, and nothing that is not free', () => {
  const cooling: AddressPhase = { phase: 'cooling', until: 1 }
  const tables = pool(['a', 1, 0, { phase: 'warm' }], ['b', 2, 0, cooling], ['b', 3, 0, { phase: 'unassigning' }])
  expect(choose(tables, 'b')).toBeUndefined()
})
