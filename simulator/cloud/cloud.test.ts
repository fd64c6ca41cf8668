import { describe, expect, test } from '@jest/globals'
import { type Ipv4, parseIpv4 } from '../../inet/address.ts'
import { codeThrownBy as codeOf } from '../../test/simulator/actions.ts'
import { NEW_ENI as REQUEST } from '../../test/simulator/new-eni.ts'
import { testRegion } from '../../test/simulator/region.ts'
import type { EniId, InstanceId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import { Cloud } from './cloud.ts'
import { type Eni, withState } from './eni.ts'
import type { CreateEni } from './new-eni.ts'
import { NOTHING } from './subnet.ts'

const NODE_A = 'i-sim-a' as InstanceId
const NODE_B = 'i-sim-b' as InstanceId
const ZONE_H = 'vsw-sim-h' as VSwitchId
const ZONE_I = 'vsw-sim-i' as VSwitchId

/** A cloud whose time stands still until it is told to pass. */
function testCloud(changes: Readonly<Record<string, unknown>> = {}) {
  let time = 1_000_000
  const cloud = new Cloud({ region: testRegion(changes), now: () => time })
  const pass = (milliseconds: number) => {
    time += milliseconds
    cloud.advance()
  }
  const attached = (request: Partial<CreateEni> = {}): Eni => {
    const { id } = cloud.createEni({ ...REQUEST, ...request })
    cloud.attachEni(id, NODE_A)
    pass(200)
    return cloud.eni(id)
  }
  return { cloud, pass, attached }
}

const ip = (text: string): Ipv4 => parseIpv4(text)
/** So many secondary addresses, of any name. */
const some = (ipCount: number) => ({ ...NOTHING, ipCount })
const named = (...ips: string[]) => ({ ...NOTHING, ips: ips.map(ip) })

describe('the life of an ENI', () => {
  test('each step takes its time and is in the log', () => {
    const { cloud, pass } = testCloud()
    const { id, state } = cloud.createEni(REQUEST)
    expect(state.status).toBe('Available')
    cloud.attachEni(id, NODE_A)
    pass(149)
    expect(cloud.eni(id).state).toMatchObject({ status: 'Attaching', instanceId: NODE_A, deviceIndex: 1 })
    pass(1)
    expect(cloud.eni(id).state).toMatchObject({ status: 'InUse', linked: false })
    pass(20)
    expect(cloud.eni(id).state).toMatchObject({ status: 'InUse', linked: true })
    cloud.detachEni(id, NODE_A)
    pass(99)
    expect(cloud.eni(id).state.status).toBe('Detaching')
    pass(1)
    expect(cloud.eni(id).state.status).toBe('Available')
    cloud.deleteEni(id)
    pass(49)
    expect(cloud.eni(id).state.status).toBe('Deleting')
    pass(1)
    expect(codeOf(() => cloud.eni(id))).toBe('InvalidEniId.NotFound')
    const changes = cloud.changes.filter((change) => change.eni === id).map((change) => change.change)
    const life = ['created', 'Attaching', 'InUse', 'linked', 'Detaching', 'Available', 'Deleting', 'gone']
    expect(changes).toEqual(life)
    expect(cloud.nextDue).toBeUndefined()
  })

  test('the link of an earlier attachment does not appear in a later one', () => {
    const { cloud, pass } = testCloud({ latencies: { attach: 0, detach: 0, link: 1000 } })
    const { id } = cloud.createEni(REQUEST)
    cloud.attachEni(id, NODE_A)
    pass(0)
    cloud.detachEni(id, NODE_A)
    pass(500)
    cloud.attachEni(id, NODE_A)
    pass(999)
    expect(cloud.eni(id).state).toMatchObject({ status: 'InUse', linked: false })
    pass(1)
    expect(cloud.eni(id).state).toMatchObject({ linked: true })
  })

  test('repeating attach, detach and delete changes nothing', () => {
    const { cloud, pass, attached } = testCloud()
    const { id } = attached()
    const repeat = (call: () => void) => {
      call()
      const before = cloud.changes.length
      call()
      expect(cloud.changes).toHaveLength(before)
    }
    repeat(() => cloud.attachEni(id, NODE_A))
    repeat(() => cloud.detachEni(id, NODE_A))
    pass(100)
    repeat(() => cloud.deleteEni(id))
  })

  test('steps from the wrong state are refused', () => {
    const { cloud, attached } = testCloud()
    const free = cloud.createEni(REQUEST).id
    cloud.attachEni(free, NODE_A)
    expect(codeOf(() => cloud.detachEni(free, NODE_A))).toBe('InvalidOperation.InvalidEniState')
    expect(codeOf(() => cloud.deleteEni(free))).toBe('InvalidOperation.InvalidEniState')
    expect(codeOf(() => cloud.assignIpv4(free, some(1)))).toBe('InvalidOperation.InvalidEniState')
    const { id } = attached()
    expect(codeOf(() => cloud.deleteEni(id))).toBe('InvalidOperation.InvalidEniState')
    expect(codeOf(() => cloud.attachEni(id, NODE_B))).toBe('InvalidOperation.InvalidEniState')
    expect(codeOf(() => cloud.detachEni(id, NODE_B))).toBe('InvalidParameter.EniNotBelongEcs')
    expect(() => withState(cloud.eni(id), { status: 'Available' })).toThrow('cannot go from InUse to Available')
  })

  test('a primary ENI stays where it is', () => {
    const { cloud } = testCloud()
    const [primary] = cloud.enisOf(NODE_A)
    const id = primary?.id as EniId
    expect(codeOf(() => cloud.detachEni(id, NODE_A))).toBe('InvalidOperation.DetachPrimaryEniNotAllowed')
    expect(codeOf(() => cloud.deleteEni(id))).toBe('InvalidOperation.InvalidEniType')
    expect(codeOf(() => cloud.attachEni(id, NODE_B))).toBe('InvalidOperation.InvalidEniType')
  })

  test('what does not exist is named', () => {
    const { cloud } = testCloud()
    const { id } = cloud.createEni(REQUEST)
    expect(codeOf(() => cloud.attachEni('eni-x' as EniId, NODE_A))).toBe('InvalidEniId.NotFound')
    expect(codeOf(() => cloud.attachEni(id, 'i-x' as InstanceId))).toBe('InvalidEcsId.NotFound')
    expect(codeOf(() => cloud.createEni({ ...REQUEST, vSwitchId: 'vsw-x' as VSwitchId }))).toBe(
      'InvalidVSwitchId.NotFound',
    )
    expect(codeOf(() => cloud.createEni({ ...REQUEST, securityGroupIds: ['sg-x' as SecurityGroupId] }))).toBe(
      'InvalidSecurityGroupId.NotFound',
    )
  })
})

describe('quotas', () => {
  test('an instance has as many ENIs as its type, those on their way included', () => {
    const { cloud } = testCloud()
    for (let i = 0; i < 3; i++) cloud.attachEni(cloud.createEni(REQUEST).id, NODE_A)
    const { id } = cloud.createEni(REQUEST)
    expect(codeOf(() => cloud.attachEni(id, NODE_A))).toBe('EniPerInstanceLimitExceeded')
    expect(cloud.enisOf(NODE_A).map((eni) => 'deviceIndex' in eni.state && eni.state.deviceIndex)).toEqual([0, 1, 2, 3])
  })

  test('an ENI has as many addresses as the type of its instance, the primary one included', () => {
    const { cloud, attached } = testCloud()
    const { id } = attached()
    expect(codeOf(() => cloud.assignIpv4(id, some(15)))).toBe('InvalidOperation.Ipv4CountExceeded')
    expect(cloud.assignIpv4(id, some(14)).ips).toHaveLength(14)
    expect(codeOf(() => cloud.assignIpv4(id, some(1)))).toBe('InvalidOperation.Ipv4CountExceeded')
  })

  test('an ENI with too many addresses for the type cannot be attached', () => {
    const { cloud } = testCloud()
    const { id } = cloud.createEni({ ...REQUEST, ipv4: some(15) })
    expect(codeOf(() => cloud.attachEni(id, NODE_A))).toBe('InvalidOperation.Ipv4CountExceeded')
  })

  test('an ENI is attached in its own zone', () => {
    const { cloud } = testCloud()
    const { id } = cloud.createEni({ ...REQUEST, vSwitchId: ZONE_I })
    expect(codeOf(() => cloud.attachEni(id, NODE_A))).toBe('InvalidOperation.AvailabilityZoneMismatch')
  })
})

describe('addresses', () => {
  test('the first and the last three of a vSwitch are never given out', () => {
    const { cloud } = testCloud({
      vSwitches: [{ id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.8/29' }],
      nodes: [
        { name: 'n', instanceId: 'i-n', instanceType: 'ecs.g7.large', vSwitch: 'vsw-sim-h', primaryIp: '10.0.1.10' },
      ],
    })
    expect(cloud.availableIps(ZONE_H)).toBe(3)
    expect(codeOf(() => cloud.createEni({ ...REQUEST, ipv4: some(3) }))).toBe('InvalidVSwitchId.IpNotEnough')
    const eni = cloud.createEni({ ...REQUEST, ipv4: some(2) })
    expect([eni.primaryIp, ...eni.secondaryIps]).toEqual(['10.0.1.9', '10.0.1.11', '10.0.1.12'])
    expect(cloud.availableIps(ZONE_H)).toBe(0)
    expect(codeOf(() => cloud.createEni(REQUEST))).toBe('InvalidVSwitchId.IpNotEnough')
  })

  test('can be asked for by name, once', () => {
    const { cloud } = testCloud()
    const request = { ...REQUEST, primaryIp: ip('10.0.1.20'), ipv4: named('10.0.1.21') }
    expect(cloud.createEni(request)).toMatchObject({ primaryIp: '10.0.1.20', secondaryIps: ['10.0.1.21'] })
    const ask = (...ips: string[]) => codeOf(() => cloud.createEni({ ...REQUEST, ipv4: named(...ips) }))
    expect(ask('10.0.1.21')).toBe('InvalidIp.IpAssigned')
    expect(ask('10.0.1.30', '10.0.1.30')).toBe('InvalidIp.IpRepeated')
    expect(ask('10.0.1.253')).toBe('InvalidVSwitchId.IpInvalid')
    expect(ask('10.0.2.7')).toBe('InvalidVSwitchId.IpInvalid')
    expect(ask('10.0.1.1')).toBe('OK')
  })

  test('a nameless primary address is none of those that were named', () => {
    const { cloud } = testCloud()
    const eni = cloud.createEni({ ...REQUEST, ipv4: named('10.0.1.1') })
    expect(eni.primaryIp).toBe('10.0.1.2')
  })

  test('unassign is all or nothing and never takes the primary one', () => {
    const { cloud, attached } = testCloud()
    const eni = attached({ ipv4: some(2) })
    const [first = eni.primaryIp, second = eni.primaryIp] = eni.secondaryIps
    expect(codeOf(() => cloud.unassignIpv4(eni.id, { ips: [first, eni.primaryIp], prefixes: [] }))).toBe(
      'InvalidIp.IpUnassigned',
    )
    expect(cloud.eni(eni.id).secondaryIps).toEqual([first, second])
    cloud.unassignIpv4(eni.id, { ips: [first], prefixes: [] })
    expect(cloud.eni(eni.id).secondaryIps).toEqual([second])
    expect(cloud.assignIpv4(eni.id, some(1)).ips).toEqual([first])
  })

  test('of a deleted ENI are free when it is gone', () => {
    const { cloud, pass } = testCloud()
    const before = cloud.availableIps(ZONE_H)
    const { id } = cloud.createEni({ ...REQUEST, ipv4: some(9) })
    cloud.deleteEni(id)
    expect(cloud.availableIps(ZONE_H)).toBe(before - 10)
    pass(50)
    expect(cloud.availableIps(ZONE_H)).toBe(before)
  })
})

test('the metadata service learns of ENIs and addresses later than the API', () => {
  const { cloud, pass } = testCloud()
  const { id } = cloud.createEni(REQUEST)
  cloud.attachEni(id, NODE_A)
  pass(150)
  const seen = () => cloud.metadataOf(NODE_A).map((eni) => eni.secondaryIps.length)
  expect(seen()).toEqual([0])
  pass(50)
  expect(seen()).toEqual([0, 0])
  cloud.assignIpv4(id, some(2))
  pass(49)
  expect(seen()).toEqual([0, 0])
  pass(1)
  expect(seen()).toEqual([0, 2])
  cloud.detachEni(id, NODE_A)
  expect(seen()).toEqual([0, 2])
  pass(50)
  expect(seen()).toEqual([0])
})

test('tags are added to all of the ENIs or to none', () => {
  const { cloud } = testCloud()
  const { id } = cloud.createEni({ ...REQUEST, tags: new Map([['a', '1']]) })
  expect(codeOf(() => cloud.tagEnis([id, 'eni-x' as EniId], new Map([['b', '2']])))).toBe('InvalidResourceId.NotFound')
  expect([...cloud.eni(id).tags]).toEqual([['a', '1']])
  cloud.tagEnis([id], new Map([['a', '2']]))
  expect([...cloud.eni(id).tags]).toEqual([['a', '2']])
  const many = new Map(Array.from({ length: 20 }, (_, i) => [`k${i}`, '']))
  expect(codeOf(() => cloud.tagEnis([id], many))).toBe('QuotaExceed.Tags')
})
