import { expect, test } from '@jest/globals'
import type { Datapath } from '../datapath/attachment.ts'
import { chooseDatapath, type DatapathQuestion } from './choose-datapath.ts'

const [veth, ipvlan, v2] = (['veth', 'ipvlan', 'datapathv2'] as const).map((virtualType) => ({ virtualType }))
type Conf = Partial<DatapathQuestion['conf']>

test.each<[DatapathQuestion['role'], Conf | undefined, readonly Datapath[], Datapath]>([
  ['shared', veth, [], 'policy-route'],
  ['shared', v2, [], 'policy-route'],
  ['shared', ipvlan, [], 'ipvlan'],
  ['shared', ipvlan, ['policy-route'], 'ipvlan'],
  ['shared', { vlanStripType: 'filter' }, [], 'policy-route'],
  ['exclusive', ipvlan, [], 'exclusive'],
  ['member', {}, [], 'vlan'],
  ['member', ipvlan, [], 'vlan'],
  ['member', { vlanStripType: 'vlan' }, [], 'vlan'],
  ['member', { vlanStripType: 'filter' }, [], 'vlan-tag'],
  ['member', { vlanStripType: 'filter' }, ['vlan-tag'], 'vlan-tag'],
  ['member', { vlanStripType: 'filter' }, ['vlan'], 'vlan'],
  ['member', {}, ['vlan-tag'], 'vlan-tag'],
  [undefined, veth, [], 'route'],
  [undefined, ipvlan, ['policy-route'], 'route'],
])('an address of a %s ENI with %j beside %j: %s', (role, conf, present, datapath) => {
  const whole = { virtualType: 'veth', vlanStripType: undefined, ...conf } as const
  expect(chooseDatapath({ role, conf: whole, present: new Set(present) })).toBe(datapath)
})
