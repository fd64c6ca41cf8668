import { expect, test } from '@jest/globals'
import { cooling, ghost, key, owned, poolOf, unassigning, warm } from '../../../test/pool/state-builder.ts'
import type { AddressPhase, AddressRecord, Change, EniRecord } from '../model.ts'
import type { PoolTables } from '../tables.ts'
import { EniCreations, movementsOf } from './movements.ts'

function recordIn(pool: PoolTables, ip: string): AddressRecord {
  const found = [...pool.addresses.values()].find((address) => address.ip === ip)
  if (found === undefined) throw new Error(`no ${ip}`)
  return found
}

function becomes(pool: PoolTables, ip: string, phase: AddressPhase): Change {
  const { eni, primary, since } = recordIn(pool, ip)
  return { kind: 'put-address', address: { ip: recordIn(pool, ip).ip, eni, primary, since, ...phase } }
}

const drop = (pool: PoolTables, ip: string): Change => ({ kind: 'drop-address', ip: recordIn(pool, ip).ip })

test('an address is given when it was free, or cooled for the same pod', () => {
  const pool = poolOf({ a: { ipv4: [warm, cooling(5)], ipv6: [warm] }, m: { role: 'member', ipv4: [warm] } })
  const changes = ['10.0.0.10', '10.0.0.11', 'fd00::a', '10.0.0.12'].map((ip) => becomes(pool, ip, owned))
  expect(movementsOf(changes, pool)).toEqual([
    { kind: 'given', family: 'ipv4', role: 'shared' },
    { kind: 'given', family: 'ipv4', role: 'shared' },
    { kind: 'given', family: 'ipv6', role: 'shared' },
    { kind: 'given', family: 'ipv4', role: 'member' },
  ])
})

test('what a pod has already, what becomes free and what is found on a pod is not given', () => {
  const pool = poolOf({ a: { ipv4: [owned, owned, ghost] } })
  const changes = [
    becomes(pool, '10.0.0.10', ghost),
    becomes(pool, '10.0.0.11', cooling(5)),
    becomes(pool, '10.0.0.12', owned),
  ]
  expect(movementsOf(changes, pool)).toEqual([])
  expect(movementsOf(changes, poolOf({ a: {} }))).toEqual([])
})

test('an address is disposed of when it leaves the pool, alone or with its ENI, and a ghost has left before', () => {
  const pool = poolOf({ a: { ipv4: [warm, unassigning, ghost] }, b: { ipv4: [warm], ipv6: [warm, cooling(1)] } })
  const disposed = (family: 'ipv4' | 'ipv6') => ({ kind: 'disposed', family, role: 'shared' })
  expect(movementsOf([drop(pool, '10.0.0.11'), drop(pool, '10.0.0.12')], pool)).toEqual([disposed('ipv4')])
  const dropped: Change = { kind: 'drop-eni', key: key('b') }
  expect(movementsOf([dropped], pool)).toEqual([disposed('ipv4'), disposed('ipv6'), disposed('ipv6')])
})

/** The ENI in each of the phases, one after the other, ms apart. */
function durations(...steps: readonly (readonly [phase: EniRecord['phase'] | 'gone', at: number])[]): number[] {
  const creations = new EniCreations()
  return steps.flatMap(([phase, at]) => {
    if (phase === 'gone') return creations.note([{ kind: 'drop-eni', key: key('a') }])
    const eni = poolOf({ a: { phase, since: at } }).enis.get(key('a'))
    return eni === undefined ? [] : creations.note([{ kind: 'put-eni', eni }])
  })
}

test('the creation of an ENI is over at its first use', () => {
  expect(
    durations(['creating', 100], ['attaching', 600], ['in-use', 4_600], ['draining', 9_000], ['in-use', 9_500]),
  ).toEqual([4_500])
})

test('an ENI that comes to nothing, or was there before, has no creation', () => {
  expect(durations(['creating', 100], ['gone', 200], ['attaching', 600], ['in-use', 4_600])).toEqual([])
  expect(durations(['creating', 100], ['attaching', 600], ['deleting', 700], ['in-use', 4_600])).toEqual([])
  expect(durations(['attaching', 600], ['in-use', 4_600])).toEqual([])
  expect(durations(['creating', 100], ['in-use', 50])).toEqual([])
})
