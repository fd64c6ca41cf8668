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
