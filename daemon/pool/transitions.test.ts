import { describe, expect, test } from '@jest/globals'
import { cooling, ghost, many, owned, poolOf, unassigning, warm } from '../../test/pool/state-builder.ts'
import type { AddressPhase, AddressRecord, Change, EniKey, Owner, PodKey } from './model.ts'
import { IllegalTransition } from './transitions.ts'

const [A, B] = ['a', 'b'] as EniKey[]

function change(from: AddressPhase, to: AddressPhase, facts: Partial<AddressRecord> = {}): () => void {
  const state = poolOf({ a: { ipv4: [from] } })
  const [address] = state.addresses.values()
  if (address === undefined) throw new Error('there is no address')
  const { ip, eni, primary, since, pod } = address
  const next = { ip, eni, primary, since, ...(pod === undefined ? {} : { pod }), ...facts, ...to } as AddressRecord
  return () => state.check([{ kind: 'put-address', address: next }])
}

describe('an address', () => {
  const other: AddressPhase = { phase: 'owned', owner: 'd/eth0' as Owner }
  const coolingGhost: AddressPhase = { phase: 'cooling', until: 5, lost: true }

  test.each<[string, () => void]>([
    ['is free before it is given to another', change(owned, other)],
    ['cools down before it is free', change(owned, warm)],
    ['is nobody else’s while it cools down', change(cooling(5), owned, { pod: 'ns/other' as PodKey })],
    ['does not go back to the cloud while it cools down', change(cooling(5), unassigning)],
    ['is not given away while it goes back', change(unassigning, owned)],
    ['is not free while it goes back', change(unassigning, warm)],
    ['does not stop to be a ghost by cooling down', change(ghost, cooling(5))],
    ['is not free after that', change(coolingGhost, warm)],
    ['is not the same pod’s again before the cloud assigns it', change(coolingGhost, owned)],
  ])('%s', (_, refused) => {
    expect(refused).toThrow(IllegalTransition)
  })

  test('may be given, cool down, be free, go back; its own pod does not wait', () => {
    for (const legal of [
      change(warm, owned),
      change(owned, cooling(5)),
      change(cooling(5), warm),
      change(cooling(5), owned),
      change(warm, unassigning),
      change(owned, ghost),
      change(ghost, owned),
      change(ghost, coolingGhost),
      change(coolingGhost, cooling(5)),
      change(unassigning, warm, { eni: B as EniKey }),
    ]) {
      expect(legal).not.toThrow()
    }
  })

  test('that a pod holds is not forgotten, nor is a ghost before it has cooled down', () => {
    const state = poolOf({ a: { ipv4: [owned, ghost, coolingGhost, warm] } })
    const drop = (ip: string) => () => {
      const address = [...state.addresses.values()].find((one) => one.ip === ip)
      if (address === undefined) throw new Error(`there is no ${ip}`)
      state.check([{ kind: 'drop-address', ip: address.ip }])
    }
    expect(drop('10.0.0.10')).toThrow(IllegalTransition)
    expect(drop('10.0.0.11')).toThrow(IllegalTransition)
    expect(drop('10.0.0.12')).not.toThrow()
    expect(drop('10.0.0.13')).not.toThrow()
  })
})

describe('an ENI', () => {
  const drop: Change[] = [{ kind: 'drop-eni', key: A as EniKey }]

  test('with pods is not forgotten', () => {
    expect(() => poolOf({ a: { phase: 'in-use', ipv4: [warm, owned] } }).check(drop)).toThrow(/c\/eth0 has 10.0.0.11/)
    expect(() => poolOf({ a: { phase: 'in-use', ipv4: [warm, ghost] } }).check(drop)).not.toThrow()
  })

  test('leaves in order: detached before it is deleted', () => {
    const state = poolOf({ a: { phase: 'in-use', ipv4: many(2, warm) } })
    const eni = state.enis.get(A as EniKey)
    if (eni === undefined || eni.phase === 'creating') throw new Error('there is no ENI')
    expect(() => state.check([{ kind: 'put-eni', eni: { ...eni, phase: 'deleting' } }])).toThrow(IllegalTransition)
    expect(() => state.check([{ kind: 'put-eni', eni: { ...eni, phase: 'detaching' } }])).not.toThrow()
  })
})
