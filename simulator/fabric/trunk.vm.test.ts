/** Members of a trunk ENI, which need a kernel with 802.1Q. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createNamedNetns, warmThreadPool } from '../../netlink/netns.ts'
import { Guest, H, I, NODE_A, NODE_B, plug, securityGroups, VPC } from '../../test/simulator/fabric.ts'
import { ownPrefix, removeByPrefix } from '../../test/simulator/prefix.ts'
import type { SecurityGroupId } from '../region/ids.ts'
import { Fabric } from './fabric.ts'
import { ipBatch } from './netns.ts'
import type { Plug } from './plug.ts'

const PREFIX = await ownPrefix('trunk')
const TRUNK: Plug = { ...plug(1, NODE_A, H, '10.0.1.10'), kind: 'trunk' }
const B: Plug = { ...plug(2, NODE_B, I, '10.0.2.10'), kind: 'primary' }
const member = (number: number, ip: string, vlan: number): Plug & { readonly kind: 'member' } => ({
  ...plug(number, NODE_A, H, ip),
  kind: 'member',
  trunk: TRUNK.eniId,
  vlan,
})
const ONE = member(3, '10.0.1.31', 1)
const TWO = member(4, '10.0.1.32', 2)

const ALL = [ONE, TWO, TRUNK, B]

let fabric: Fabric
let one: Guest
let two: Guest
let b: Guest

beforeAll(async () => {
  await warmThreadPool()
  fabric = await Fabric.start({ ...VPC, prefix: PREFIX, securityGroups: securityGroups({ id: 'sg-closed' }) })
  await fabric.sync(ALL)
  b = new Guest(fabric.netnsOf(NODE_B))
  one = createPod('one')
  two = createPod('two')
  await giveLink(one, ONE)
  await giveLink(two, TWO)
})

afterAll(async () => {
  await fabric.stop()
  removeByPrefix(PREFIX)
})

beforeEach(() => fabric.sync(ALL))

function createPod(name: string): Guest {
  createNamedNetns(`${PREFIX}-${name}`)
  return new Guest(`${PREFIX}-${name}`)
}

/** What the daemon does for a pod with a member ENI of its own. */
async function giveLink(pod: Guest, eni: Plug & { readonly kind: 'member' }): Promise<void> {
  const vlan = `name member netns ${pod.netns} address ${eni.mac} type vlan id ${eni.vlan}`
  await ipBatch(fabric.netnsOf(NODE_A), ['link set eth0 up', `link add link eth0 ${vlan}`])
  await ipBatch(pod.netns, [
    `address add ${eni.ips[0]}/24 dev member`,
    'link set member up',
    `route add default via ${H.gateway}`,
  ])
}

test('members reach each other and the other node, and are reached, in frames of their own VLAN', async () => {
  expect(await one.pings('10.0.2.10')).toBe(true)
  expect(await two.pings('10.0.2.10')).toBe(true)
  expect(await one.pings('10.0.1.32')).toBe(true)
  expect(await b.pings('10.0.1.31')).toBe(true)
  expect(await b.pings('10.0.1.32')).toBe(true)
  const counters = await fabric.counters()
  for (const { eniId } of [ONE, TWO]) {
    expect(counters.get(eniId)).toMatchObject({ droppedSource: 0, droppedIngress: 0 })
    expect(counters.get(eniId)?.txPackets).toBeGreaterThanOrEqual(3)
  }
})

test('the source check is that of the member, not of its trunk', async () => {
  for (const stranger of ['10.0.1.32', '10.0.1.10']) {
    await one.ip(`address add ${stranger}/32 dev lo`)
    expect(await one.pings('10.0.2.10', '-I', stranger)).toBe(false)
    await one.ip(`address del ${stranger}/32 dev lo`)
  }
  const counters = await fabric.counters()
  expect(counters.get(ONE.eniId)).toMatchObject({ droppedSource: 2 })
  expect(counters.get(TWO.eniId)).toMatchObject({ droppedSource: 0 })
  expect(counters.get(TRUNK.eniId)).toMatchObject({ droppedSource: 0 })
})

test('a member has security groups of its own', async () => {
  await fabric.sync([ONE, { ...TWO, securityGroupIds: ['sg-closed' as SecurityGroupId] }, TRUNK, B])
  expect(await b.pings('10.0.1.31')).toBe(true)
  expect(await b.pings('10.0.1.32')).toBe(false)
  expect((await fabric.counters()).get(TWO.eniId)).toMatchObject({ droppedIngress: 1 })
})

test('the VLAN id of a member that has gone is free for another', async () => {
  await fabric.sync([TWO, TRUNK, B])
  expect(await one.pings('10.0.2.10')).toBe(false)
  const next = member(5, '10.0.1.33', ONE.vlan)
  await fabric.sync([TWO, TRUNK, next, B])
  await ipBatch(one.netns, ['address add 10.0.1.33/32 dev member', `link set member address ${next.mac}`])
  expect(await one.pings('10.0.2.10', '-I', '10.0.1.33')).toBe(true)
  expect(await one.pings('10.0.2.10', '-I', '10.0.1.31')).toBe(false)
})

test('members go with their trunk and come back with it', async () => {
  await fabric.sync([B])
  expect([...(await fabric.counters()).keys()]).toEqual([B.eniId])
  await fabric.sync(ALL)
  await giveLink(two, TWO)
  expect(await two.pings('10.0.2.10')).toBe(true)
})
