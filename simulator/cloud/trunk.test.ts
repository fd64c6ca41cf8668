import { describe, expect, test } from '@jest/globals'
import { codeThrownBy as codeOf, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { NEW_ENI } from '../../test/simulator/new-eni.ts'
import { testRegion } from '../../test/simulator/region.ts'
import type { EniId, InstanceId } from '../region/ids.ts'

const NODE_A = 'i-sim-a' as InstanceId
const SMALL = 'i-sim-small' as InstanceId
const RDMA = 'i-sim-rdma' as InstanceId

const LATENCIES = {
  create: 0,
  attach: 100,
  detach: 80,
  delete: 50,
  assign: 0,
  unassign: 0,
  metadata: 0,
  link: 20,
  member: 30,
}

function testTrunk(instance = RDMA) {
  const { cloud, pass } = testActions(testRegion({ ...DUAL_STACK, latencies: LATENCIES }))
  const attached = (type: 'Secondary' | 'Trunk', trunk?: EniId): EniId => {
    const { id } = cloud.createEni({ ...NEW_ENI, type })
    cloud.attachEni(id, instance, trunk)
    return id
  }
  const trunk = attached('Trunk')
  pass(200)
  return { cloud, pass, attached, trunk }
}

test('the life of a member', () => {
  const { cloud, pass, attached, trunk } = testTrunk()
  const id = attached('Secondary', trunk)
  expect(cloud.eni(id)).toMatchObject({
    type: 'Member',
    state: { status: 'Attaching', deviceIndex: 1, trunkId: trunk },
  })
  pass(29)
  expect(cloud.eni(id).state.status).toBe('Attaching')
  pass(1)
  expect(cloud.eni(id)).toMatchObject({ type: 'Member', state: { status: 'InUse', linked: true, trunkId: trunk } })
  cloud.detachEni(id, RDMA, trunk)
  expect(cloud.eni(id)).toMatchObject({ type: 'Member', state: { status: 'Detaching', trunkId: trunk } })
  pass(30)
  expect(cloud.eni(id)).toMatchObject({ type: 'Secondary', state: { status: 'Available' } })
  const life = cloud.changes.filter((change) => change.eni === id).map(({ change }) => change)
  expect(life).toEqual(['created', 'Attaching', 'InUse', 'Detaching', 'Available'])
})

test('members have VLANs of their own, and a VLAN that was left is used again at once', () => {
  const { cloud, pass, attached, trunk } = testTrunk()
  const [first, second] = [attached('Secondary', trunk), attached('Secondary', trunk)]
  const vlanOf = (id: EniId) => (({ state }) => 'deviceIndex' in state && state.deviceIndex)(cloud.eni(id))
  pass(30)
  cloud.detachEni(first, RDMA)
  const third = attached('Secondary', trunk)
  pass(30)
  const fourth = attached('Secondary', trunk)
  expect([second, third, fourth].map(vlanOf)).toEqual([2, 3, 1])
})

test('members do not count as ENIs of the instance, and have a quota of their own', () => {
  const { cloud, attached, trunk } = testTrunk()
  for (let i = 0; i < 3; i++) attached('Secondary', trunk)
  attached('Secondary')
  const { id } = cloud.createEni(NEW_ENI)
  expect(codeOf(() => cloud.attachEni(id, RDMA, trunk))).toBe('EniPerInstanceLimitExceeded')
  expect(codeOf(() => cloud.attachEni(id, RDMA))).toBe('EniPerInstanceLimitExceeded')
})

test('an instance full of members still has room for its ENIs', () => {
  const { cloud, attached, trunk } = testTrunk(NODE_A)
  for (let i = 0; i < 16; i++) attached('Secondary', trunk)
  const plain = [attached('Secondary'), attached('Secondary')]
  expect(plain.map((id) => cloud.eni(id).state)).toMatchObject([{ deviceIndex: 2 }, { deviceIndex: 3 }])
  const { id } = cloud.createEni(NEW_ENI)
  expect(codeOf(() => cloud.attachEni(id, NODE_A))).toBe('EniPerInstanceLimitExceeded')
})

describe('a member is refused', () => {
  test('when its trunk is not there, not in use, elsewhere, or no trunk', () => {
    const { cloud, pass, attached } = testTrunk(NODE_A)
    const { id } = cloud.createEni(NEW_ENI)
    const ask = (trunk: EniId, instance = NODE_A) => codeOf(() => cloud.attachEni(id, instance, trunk))
    expect(ask('eni-x' as EniId)).toBe('InvalidEniId.NotFound')
    const plain = attached('Secondary')
    const late = attached('Trunk')
    expect(ask(late)).toBe('InvalidOperation.InvalidTrunkEniStatus')
    pass(200)
    expect(ask(late, RDMA)).toBe('InvalidOperation.InvalidTrunkEniStatus')
    expect(ask(plain)).toBe('InvalidOperation.EniTypeNotSupportTrunking')
    expect(ask(id)).toBe('InvalidOperation.EniTypeNotSupportTrunking')
    expect(ask(late)).toBe('OK')
  })

  test('when it is a trunk itself', () => {
    const { cloud, trunk } = testTrunk()
    const { id } = cloud.createEni({ ...NEW_ENI, type: 'Trunk' })
    expect(codeOf(() => cloud.attachEni(id, RDMA, trunk))).toBe('InvalidOperation.EniTypeNotSupportTrunking')
  })

  test('another place than the one it has', () => {
    const { cloud, pass, attached, trunk } = testTrunk()
    const id = attached('Secondary', trunk)
    pass(30)
    expect(codeOf(() => cloud.attachEni(id, RDMA))).toBe('InvalidOperation.InvalidEniState')
    expect(codeOf(() => cloud.attachEni(id, RDMA, trunk))).toBe('OK')
    expect(codeOf(() => cloud.detachEni(id, RDMA, 'eni-x' as EniId))).toBe('InvalidParameter.EniNotBelongTrunk')
    expect(codeOf(() => cloud.detachEni(id, NODE_A, trunk))).toBe('InvalidParameter.EniNotBelongEcs')
    expect(codeOf(() => cloud.detachEni(trunk, RDMA, trunk))).toBe('InvalidParameter.EniNotBelongTrunk')
  })
})

test('a trunk stays as long as it carries a member, on its way or not', () => {
  const { cloud, pass, attached, trunk } = testTrunk()
  const id = attached('Secondary', trunk)
  const detach = () => codeOf(() => cloud.detachEni(trunk, RDMA))
  expect(detach()).toBe('InvalidOperation.HasMemberEniAttached')
  pass(30)
  expect(detach()).toBe('InvalidOperation.HasMemberEniAttached')
  cloud.detachEni(id, RDMA)
  expect(detach()).toBe('InvalidOperation.HasMemberEniAttached')
  pass(30)
  expect(detach()).toBe('OK')
})

test('a trunk goes only on types that support it', () => {
  const { cloud } = testTrunk()
  const { id } = cloud.createEni({ ...NEW_ENI, type: 'Trunk' })
  expect(codeOf(() => cloud.attachEni(id, SMALL))).toBe('InvalidOperation.InstanceTypeNotSupportEniTrunking')
})

describe('queues are those of the instance', () => {
  /** 3 ENIs with 2 queues each and room for 4 members: 6 queues in all. */
  const TYPE = {
    ...{ id: 'ecs.q.large', cpuCores: 1, memoryGiB: 1, eniQuantity: 3, eniTotalQuantity: 7, trunkSupported: true },
    ...{ ipv4PerEni: 4, queuesPerEni: 2 },
  }
  const NODE = { name: 'a', instanceId: 'i-q', instanceType: TYPE.id, vSwitch: 'vsw-sim-h', primaryIp: '10.0.1.10' }
  const node = 'i-q' as InstanceId

  function testQueues(status = 'Running') {
    const region = testRegion({ latencies: LATENCIES, instanceTypes: [TYPE], nodes: [{ ...NODE, status }] })
    const { cloud, pass } = testActions(region)
    const make = (type: 'Secondary' | 'Trunk', queueNumber?: number) =>
      cloud.createEni({ ...NEW_ENI, type, queueNumber }).id
    const trunk = make('Trunk')
    cloud.attachEni(trunk, node)
    pass(200)
    const attach = (queues: number | undefined, on?: EniId) =>
      codeOf(() => {
        cloud.attachEni(make('Secondary', queues), node, on)
        pass(200)
      })
    return { cloud, trunk, attach }
  }
  const TOO_MANY = 'InvalidOperation.MaxEniQueueNumberExceeded'

  test('members that have their own count as well', () => {
    const { trunk, attach } = testQueues()
    expect([attach(1, trunk), attach(2, trunk), attach(1, trunk), attach(1, trunk)]).toEqual([
      ...['OK', TOO_MANY, 'OK', TOO_MANY],
    ])
    // The trunk and the primary ENI have two each, and the members the two that the third ENI could have had.
    expect([attach(undefined), attach(1)]).toEqual([TOO_MANY, TOO_MANY])
  })

  test('members that have none of their own use those of the trunk', () => {
    const { trunk, attach } = testQueues()
    expect([attach(undefined), attach(undefined, trunk), attach(undefined, trunk)]).toEqual(['OK', 'OK', 'OK'])
    expect(attach(1, trunk)).toBe(TOO_MANY)
  })

  test('they can be moved from one to the other while the instance is stopped', () => {
    const { cloud, trunk, attach } = testQueues('Stopped')
    expect([attach(1), attach(1, trunk)]).toEqual(['OK', 'OK'])
    const [, , device, member] = cloud.enis()
    if (device === undefined || member === undefined) throw new Error('there is no member')
    const change = (id: EniId, queueNumber: number) => codeOf(() => cloud.modifyEni(id, { queueNumber }))
    expect([change(member.id, 2), change(trunk, 1), change(member.id, 2), change(device.id, 2)]).toEqual([
      ...[TOO_MANY, 'OK', 'OK', TOO_MANY],
    ])
  })
})
