import { expect, test } from '@jest/globals'
import { parseCidr } from '../inet/address.ts'
import { testActions } from '../test/simulator/actions.ts'
import { DUAL_STACK } from '../test/simulator/dual-stack.ts'
import { NEW_ENI } from '../test/simulator/new-eni.ts'
import { NO_LATENCY, testRegion } from '../test/simulator/region.ts'
import { Cloud } from './cloud/cloud.ts'
import { plugsOf, routesOf } from './plugs.ts'
import type { InstanceId, RouteTableId } from './region/ids.ts'

test('the primary ENIs of the nodes that run are plugged', () => {
  const region = testRegion()
  const plugs = plugsOf(new Cloud({ region, now: () => 0 }))
  expect(plugs.map(({ node, kind, ips }) => [node, kind, ips])).toEqual([
    ['node-a', 'primary', ['10.0.1.10']],
    ['node-b', 'primary', ['10.0.2.10']],
  ])
  const stopped = region.nodes.map((node, index) => (index === 0 ? { ...node, status: 'Stopped' as const } : node))
  const rest = plugsOf(new Cloud({ region: { ...region, nodes: stopped }, now: () => 0 }))
  expect(rest.map(({ node }) => node)).toEqual(['node-b'])
})

test('a route entry to an instance leads to its primary ENI, once it is available', () => {
  const region = testRegion({ latencies: { ...NO_LATENCY, route: 100 } })
  let now = 0
  const cloud = new Cloud({ region, now: () => now })
  const routeTable = region.vpc.routeTables[0]?.id as RouteTableId
  const nextHop = { instanceId: 'i-sim-a' as InstanceId }
  const route = { destination: parseCidr('172.20.1.0/24'), routeTable, nextHop, name: '', description: '' }
  cloud.routes.create(route, { dryRun: false })
  expect(routesOf(cloud)).toEqual([])
  now = 100
  cloud.advance()
  const eni = plugsOf(cloud)[0]?.eniId
  expect(routesOf(cloud)).toEqual([{ destination: '172.20.1.0/24', routeTable, eni }])
})

test('a member ENI is plugged when its trunk has a link, by its VLAN id', () => {
  const latencies = { ...NO_LATENCY, attach: 100, link: 50, member: 10 }
  const { cloud, pass } = testActions(testRegion({ ...DUAL_STACK, latencies }))
  const create = (type: 'Secondary' | 'Trunk') => cloud.createEni({ ...NEW_ENI, type }).id
  const node = 'i-sim-rdma' as InstanceId
  const [trunk, member] = [create('Trunk'), create('Secondary')]
  const secondaries = () => plugsOf(cloud).filter(({ kind }) => kind !== 'primary')
  cloud.attachEni(trunk, node)
  pass(100)
  cloud.attachEni(member, node, trunk)
  pass(10)
  expect(cloud.eni(member).state).toMatchObject({ status: 'InUse' })
  expect(secondaries()).toEqual([])
  pass(40)
  expect(secondaries()).toMatchObject([
    { eniId: trunk, kind: 'trunk' },
    { eniId: member, kind: 'member', trunk, vlan: 1 },
  ])
})
