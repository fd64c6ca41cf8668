import { describe, expect, test } from '@jest/globals'
import { codeThrownBy as codeOf, testActions } from '../../test/simulator/actions.ts'
import { NEW_ENI } from '../../test/simulator/new-eni.ts'
import { testRegion } from '../../test/simulator/region.ts'
import type { InstanceId, VSwitchId } from '../region/ids.ts'
import type { CloudFaults, TransitionFault, TransitionKind } from './faults.ts'
import { NOTHING } from './subnet.ts'

const NODE_A = 'i-sim-a' as InstanceId
const ZONE_H = 'vsw-sim-h' as VSwitchId

/** A cloud in which the next transitions end as `plan` says, one after the other. */
function faulty(plan: readonly (TransitionFault | undefined)[]) {
  const asked: TransitionKind[] = []
  let free: number | undefined
  const faults: CloudFaults = {
    transition: (kind) => {
      asked.push(kind)
      return plan[asked.length - 1]
    },
    availableIps: ({ id }) => (id === ZONE_H ? free : undefined),
  }
  const { cloud, pass } = testActions(testRegion(), faults)
  const { id } = cloud.createEni(NEW_ENI)
  const report = (ips: number) => {
    free = ips
  }
  return { cloud, pass, asked, id, report, status: () => cloud.eni(id).state.status }
}

describe('an attach', () => {
  test('that hangs is helped by a second call', () => {
    const { cloud, pass, asked, id, status } = faulty(['hang'])
    cloud.attachEni(id, NODE_A)
    pass(60_000)
    expect([status(), cloud.nextDue]).toEqual(['Attaching', undefined])
    cloud.attachEni(id, NODE_A)
    cloud.attachEni(id, NODE_A)
    pass(200)
    expect([status(), asked]).toEqual(['InUse', ['attach', 'attach']])
  })

  test('that hangs can be given up, one that is on its way cannot', () => {
    const { cloud, pass, id, status } = faulty(['hang'])
    cloud.attachEni(id, NODE_A)
    expect(codeOf(() => cloud.detachEni(id, NODE_A))).toBe('InvalidOperation.InvalidEniState')
    pass(200)
    cloud.detachEni(id, NODE_A)
    expect(status()).toBe('Detaching')
    pass(200)
    expect([status(), cloud.enisOf(NODE_A).length, cloud.nextDue]).toEqual(['Available', 1, undefined])
  })

  test('that fails leaves the ENI as it was, and can be tried again', () => {
    const { cloud, pass, id, status } = faulty(['fail'])
    const before = cloud.eni(id)
    cloud.attachEni(id, NODE_A)
    pass(200)
    expect(cloud.eni(id)).toEqual(before)
    cloud.attachEni(id, NODE_A)
    pass(200)
    expect(status()).toBe('InUse')
  })
})

test.each<TransitionFault>(['hang', 'fail'])('a detach and a deletion that %s wait for a second call', (fault) => {
  const { cloud, pass, asked, id, status } = faulty([undefined, fault, undefined, fault])
  cloud.attachEni(id, NODE_A)
  pass(200)
  cloud.detachEni(id, NODE_A)
  pass(60_000)
  expect(status()).toBe('Detaching')
  cloud.detachEni(id, NODE_A)
  pass(200)
  expect(status()).toBe('Available')
  cloud.deleteEni(id)
  pass(60_000)
  expect(status()).toBe('Deleting')
  cloud.deleteEni(id)
  pass(200)
  expect(codeOf(() => cloud.eni(id))).toBe('InvalidEniId.NotFound')
  expect(asked).toEqual(['attach', 'detach', 'detach', 'delete', 'delete'])
})

describe('a vSwitch that reports', () => {
  test('no free address gives none out, whatever it has', () => {
    const { cloud, id, report } = faulty([])
    report(0)
    const before = cloud.changes.length
    expect(cloud.availableIps(ZONE_H)).toBe(0)
    expect(codeOf(() => cloud.createEni(NEW_ENI))).toBe('InvalidVSwitchId.IpNotEnough')
    expect(codeOf(() => cloud.assignIpv4(id, { ...NOTHING, ipCount: 1 }))).toBe('InvalidVSwitchId.IpNotEnough')
    expect(codeOf(() => cloud.assignIpv4(id, { ...NOTHING, prefixCount: 1 }))).toBe('InvalidVSwitchId.IpNotEnough')
    expect(cloud.changes).toHaveLength(before)
  })

  test('a few gives out a few', () => {
    const { cloud, id, report } = faulty([])
    report(16)
    expect(codeOf(() => cloud.assignIpv4(id, { ...NOTHING, prefixCount: 2 }))).toBe('InvalidVSwitchId.IpNotEnough')
    expect(cloud.assignIpv4(id, { ...NOTHING, prefixCount: 1 }).prefixes).toEqual(['10.0.1.16/28'])
  })

  test('more than it has gives out no more than it has', () => {
    const vSwitches = [{ id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.8/29' }]
    const node = {
      name: 'n',
      instanceId: 'i-n',
      instanceType: 'ecs.g7.large',
      vSwitch: 'vsw-sim-h',
      primaryIp: '10.0.1.9',
    }
    const faults: CloudFaults = { transition: () => undefined, availableIps: () => 99 }
    const { cloud } = testActions(testRegion({ vSwitches, nodes: [node] }), faults)
    expect(codeOf(() => cloud.createEni({ ...NEW_ENI, ipv4: { ...NOTHING, ipCount: 3 } }))).toBe(
      'InvalidVSwitchId.IpNotEnough',
    )
    expect(cloud.createEni({ ...NEW_ENI, ipv4: { ...NOTHING, ipCount: 2 } }).secondaryIps).toHaveLength(2)
  })
})
