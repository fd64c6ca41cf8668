import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type Cidr,
  cidrContains,
  cidrOf,
  type Ip,
  ipFromBytes,
  parseCidr,
  parseIpv4,
  splitCidr,
} from '../../inet/address.ts'
import { H, NODE_A, plug, SYSTEM_TABLE } from '../../test/simulator/fabric.ts'
import type { RouteTableId } from '../region/ids.ts'
import { EMPTY, filterState, transition, widest } from './filter-elements.ts'
import type { FabricRoute } from './plug.ts'

const MOVING = [parseIpv4('10.0.1.77')]
const chains = { egress: 'egress_1', ingress: 'ingress_1' }
const stateOf = (plugs: Parameters<typeof filterState>[0], routes: readonly FabricRoute[] = []) =>
  filterState(plugs, { routes, marks: new Map(), chainsOf: () => chains })

/** Few bits, so that some are inside others. */
const CIDR = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 28, max: 32 }))
  .map(([last, length]) => cidrOf(ipFromBytes(Uint8Array.of(10, 0, 0, last)), length))
const IPS: readonly Ip[] = Array.from({ length: 20 }, (_, last) => ipFromBytes(Uint8Array.of(10, 0, 0, last)))

test('the widest of some prefixes hold the same addresses, and none is inside another', () => {
  fc.assert(
    fc.property(fc.array(CIDR), (cidrs) => {
      const kept = widest(cidrs)
      const holds = (list: readonly Cidr[], ip: Ip) => list.some((cidr) => cidrContains(cidr, ip))
      for (const ip of IPS) expect(holds(kept, ip)).toBe(holds(cidrs, ip))
      for (const cidr of kept) {
        expect(kept.filter((other) => cidrContains(other, splitCidr(cidr).network))).toEqual([cidr])
      }
    }),
  )
})

describe('a transition', () => {
  const one = plug(1, NODE_A, H, '10.0.1.10')
  const two = plug(2, NODE_A, H, '10.0.1.11')
  const lines = (...states: readonly [Parameters<typeof transition>[0], Parameters<typeof transition>[1]]) =>
    transition(...states)
      .trim()
      .split('\n')

  test('to the same is nothing', () => {
    expect(transition(stateOf([one, two]), stateOf([two, one]))).toBe('')
  })

  test('names what is new and what is gone, and counters only while something counts in them', () => {
    const born = lines(EMPTY, stateOf([one]))
    expect(born[0]).toBe('add counter inet vpc source.eni-sim00000001')
    expect(born).toContain('add element inet vpc sources4 { "eni-sim00000001" . 10.0.1.10 }')
    expect(born).toContain('add element inet vpc members.sg-default { "eni-sim00000001" }')
    expect(born).toContain('add element inet vpc egress { "eni-sim00000001" : jump egress_1 }')
    const gone = lines(stateOf([one, two]), stateOf([two]))
    expect(gone).toContain('delete element inet vpc egress { "eni-sim00000001" }')
    expect(gone.at(-1)).toBe('delete counter inet vpc mtu.eni-sim00000001')
    expect(gone.filter((line) => line.includes('sim00000002'))).toEqual([])
  })

  test('to another value of a key deletes it first', () => {
    const moved = filterState([one], { routes: [], marks: new Map(), chainsOf: () => ({ ...chains, egress: 'other' }) })
    expect(lines(stateOf([one]), moved)).toEqual([
      'delete element inet vpc egress { "eni-sim00000001" }',
      'add element inet vpc egress { "eni-sim00000001" : jump other }',
    ])
  })

  test('says only which ENI has an address that moves', () => {
    const before = stateOf([{ ...one, ips: [...one.ips, ...MOVING] }, two])
    const after = stateOf([one, { ...two, ips: [...two.ips, ...MOVING] }])
    expect(lines(before, after)).toEqual([
      'delete element inet vpc sources4 { "eni-sim00000001" . 10.0.1.77 }',
      'add element inet vpc sources4 { "eni-sim00000002" . 10.0.1.77 }',
    ])
  })

  test('names a prefix once that two route tables send to one ENI', () => {
    const destination = parseCidr('172.20.0.0/24')
    const route = { destination, routeTable: SYSTEM_TABLE.id, eni: one.eniId }
    const { elements } = stateOf([one, two], [route, { ...route, routeTable: 'vtb-other' as RouteTableId }])
    expect([...(elements.get('source_prefixes4')?.keys() ?? [])]).toEqual(['"eni-sim00000001" . 172.20.0.0/24'])
  })
})
