import { describe, expect, test } from '@jest/globals'
import { REGION_FILE, regionText, testRegion } from '../../test/simulator/region.ts'
import { parseRegion, readRegion } from './parse.ts'

const NODE = {
  name: 'node-a',
  instanceId: 'i-a',
  instanceType: 'ecs.g7.xlarge',
  vSwitch: 'vsw-sim-h',
  primaryIp: '10.0.1.10',
}
const VSWITCH = { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24' }

test('reads the example', () => {
  const region = readRegion(REGION_FILE)
  expect(region.id).toBe('cn-sim')
  expect([...region.vSwitches.values()].map((vSwitch) => vSwitch.gateway)).toEqual(['10.0.1.253', '10.0.2.253'])
  expect(region.nodes.map((node) => [node.name, node.instanceType.eniQuantity, node.instanceType.ipv4PerEni])).toEqual([
    ['node-a', 4, 15],
    ['node-b', 4, 15],
  ])
  expect(region.latencies.attach).toBe(150)
})

test('latencies, account and types have defaults; a file can change types', () => {
  const type = { id: 'ecs.g7.xlarge', cpuCores: 4, memoryGiB: 16, eniQuantity: 2, ipv4PerEni: 3 }
  const region = testRegion({ latencies: { attach: 1 }, instanceTypes: [type] })
  expect(region.latencies).toMatchObject({ attach: 1, detach: 3000 })
  expect(region.nodes[0]?.instanceType).toMatchObject({ eniQuantity: 2, eniTotalQuantity: 2, trunkSupported: false })
})

describe('what is wrong is named', () => {
  test.each([
    ['an unknown key', { colour: 'red' }, 'Unrecognized key: "colour"'],
    ['an unknown key of a node', { nodes: [{ ...NODE, size: 3 }] }, 'Unrecognized key: "size"'],
    ['an unknown latency', { latencies: { atach: 3 } }, 'Unrecognized key: "atach"'],
    ['a negative latency', { latencies: { attach: -3 } }, 'latencies.attach'],
    ['a name that is no namespace', { nodes: [{ ...NODE, name: '../x' }] }, 'nodes[0].name'],
    ['an address that is none', { nodes: [{ ...NODE, primaryIp: '10.0.1' }] }, 'not an IPv4 address'],
    ['an address of another vSwitch', { nodes: [{ ...NODE, primaryIp: '10.0.2.10' }] }, 'nodes[0].primaryIp'],
    ['the address of the gateway', { nodes: [{ ...NODE, primaryIp: '10.0.1.253' }] }, 'nodes[0].primaryIp'],
    ['an unknown type', { nodes: [{ ...NODE, instanceType: 'ecs.x.y' }] }, 'ecs.x.y is unknown'],
    ['an unknown vSwitch', { nodes: [{ ...NODE, vSwitch: 'vsw-x' }] }, 'vsw-x is none of vsw-sim-h, vsw-sim-i'],
    [
      'two nodes of one name',
      { nodes: [NODE, { ...NODE, primaryIp: '10.0.1.11' }] },
      'nodes.name: node-a is there twice',
    ],
    ['a vSwitch outside', { nodes: [], vSwitches: [{ ...VSWITCH, cidr: '10.1.1.0/24' }] }, 'not inside the VPC'],
    ['a tiny vSwitch', { nodes: [], vSwitches: [{ ...VSWITCH, cidr: '10.0.1.0/30' }] }, 'must be a /16 to /29'],
    [
      'vSwitches that overlap',
      { nodes: [], vSwitches: [VSWITCH, { ...VSWITCH, id: 'vsw-x', cidr: '10.0.1.128/25' }] },
      'overlaps 10.0.1.0/24 of vsw-sim-h',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => parseRegion(regionText(changes), 'sample.yaml')).toThrow(message)
  })

  test('the file is in the message', () => {
    expect(() => parseRegion('a: [', 'sample.yaml')).toThrow('sample.yaml is not YAML')
    expect(() => parseRegion('', 'sample.yaml')).toThrow('sample.yaml is not a region')
    expect(() => readRegion('/nowhere.yaml')).toThrow('cannot read the region file /nowhere.yaml')
  })
})
