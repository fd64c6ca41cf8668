import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { familyOf } from '../../inet/address.ts'
import { cooling, key, owned, poolOf, unassigning, warm } from '../../test/pool/state-builder.ts'
import type { AddressPhase, AddressRecord, Owner, PodKey } from './model.ts'
import { PoolTables } from './tables.ts'

const PHASES = fc.constantFrom<AddressPhase>(warm, owned, cooling(5), unassigning)
const STEP = fc.record({
  index: fc.nat(5),
  eni: fc.constantFrom('a', 'b'),
  phase: PHASES,
  pod: fc.nat(2),
  drop: fc.boolean(),
})

test('what is kept by the way is what a walk through everything finds', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
      const state = poolOf({ a: { ipv4: [warm, warm, warm], ipv6: [warm] }, b: { ipv4: [warm, owned] } })
      const ips = [...state.addresses.keys()]
      for (const { index, eni, phase, pod, drop } of steps) {
        const ip = ips[index % ips.length]
        if (ip === undefined) continue
        const address = { ip, eni: key(eni), primary: false, since: 0, pod: `ns/${pod}` as PodKey, ...phase }
        state.apply([drop ? { kind: 'drop-address', ip } : { kind: 'put-address', address }])
        expectSame(state)
      }
      expectSame(PoolTables.of(state))
    }),
  )
})

function expectSame(state: PoolTables): void {
  const all = [...state.addresses.values()]
  const ipsOf = (addresses: Iterable<AddressRecord>) => [...addresses].map(({ ip }) => ip).sort()
  for (const eni of [key('a'), key('b')]) {
    const here = all.filter((address) => address.eni === eni)
    expect(ipsOf(state.addressesOf(eni))).toEqual(ipsOf(here))
    for (const family of ['ipv4', 'ipv6'] as const) {
      const mine = here.filter(({ ip }) => familyOf(ip) === family)
      const count = (phase: string) => mine.filter((address) => address.phase === phase).length
      const { lost: _, ...tally } = state.tally(eni, family)
      expect(tally).toEqual({
        ...{ warm: count('warm'), owned: count('owned'), cooling: count('cooling'), unassigning: count('unassigning') },
      })
      expect(state.longestFree(eni, family) === undefined).toBe(count('warm') === 0)
    }
  }
  expect(ipsOf(state.cooling.values())).toEqual(ipsOf(all.filter(({ phase }) => phase === 'cooling')))
  expect(ipsOf(state.heldBy('c/eth0' as Owner))).toEqual(ipsOf(all.filter(({ phase }) => phase === 'owned')))
  for (const pod of ['ns/0', 'ns/1', 'ns/2'] as PodKey[]) {
    expect(ipsOf(state.lastOf(pod))).toEqual(ipsOf(all.filter((address) => address.pod === pod)))
  }
}
