import { describe, expect, test } from '@jest/globals'
import type { Kind } from '../config/mode.ts'
import { type KernelFeature, neededFeatures, statusProblem } from './status.ts'

const [map, rules] = [{ policyRoute: 'map' }, { policyRoute: 'rules' }] as const

test.each<[Kind, { policyRoute: 'map' | 'rules' }, object, readonly KernelFeature[]]>([
  ['shared', map, {}, ['veth', 'nf_tables']],
  ['shared', rules, {}, ['veth']],
  ['shared', map, { virtualType: 'ipvlan' }, ['ipvlan']],
  ['shared', rules, { virtualType: 'datapathv2' }, ['veth']],
  ['member', map, {}, ['vlan']],
  ['member', map, { vlanStripType: 'filter' }, ['veth', 'nf_tables']],
  ['exclusive', map, {}, []],
  ['route', map, {}, ['veth']],
])('pods of the kind %s with %j and %j need %j', (kind, host, conf, features) => {
  expect(neededFeatures(kind, host, { virtualType: 'veth', vlanStripType: undefined, ...conf })).toEqual(features)
})

describe('STATUS', () => {
  test('is well as long as the daemon can do its part, however empty its pool is', () => {
    expect(statusProblem({ lacking: [] })).toBeUndefined()
  })

  test.each([
    [{ journal: 'disk full', kernel: 'EPERM', lacking: ['ipvlan'] }, 'journal-unwritable', /disk full/],
    [{ kernel: 'EPERM', lacking: ['ipvlan'] }, 'kernel-unreachable', /EPERM/],
    [{ lacking: ['ipvlan'] }, 'kernel-unsupported', /lacks ipvlan,.*every new pod/],
    [{ lacking: ['veth', 'nf_tables'] }, 'kernel-unsupported', /lacks veth and nf_tables/],
  ] as const)('of %j is 50 %s', (facts, reason, text) => {
    const problem = statusProblem(facts)
    expect(problem).toMatchObject({ code: 50, reason })
    expect(problem?.message).toMatch(text)
    expect(problem?.details).not.toBe('')
  })
})
