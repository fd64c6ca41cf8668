import { afterEach, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Guest } from '../test/simulator/fabric.ts'
import { ownPrefix, removeByPrefix } from '../test/simulator/prefix.ts'
import { NO_LATENCY, testRegion } from '../test/simulator/region.ts'
import { type Simulator, startSimulator } from './simulator.ts'

const PREFIX = await ownPrefix('region')
const NODE = { instanceType: 'ecs.g7.xlarge' }
/** Of its nodes the last has no IPv6 address. */
const REGION = {
  latencies: NO_LATENCY,
  vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' },
  vSwitches: [
    { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24', ipv6Cidr: '2001:db8:0:1a01::/64' },
    { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24', ipv6Cidr: '2001:db8:0:1a02::/64' },
  ],
  nodes: [
    {
      ...NODE,
      name: 'node-a',
      instanceId: 'i-sim-a',
      vSwitch: 'vsw-sim-h',
      primaryIp: '10.0.1.10',
      primaryIpv6: '2001:db8:0:1a01::10',
    },
    {
      ...NODE,
      name: 'node-b',
      instanceId: 'i-sim-b',
      vSwitch: 'vsw-sim-i',
      primaryIp: '10.0.2.10',
      primaryIpv6: '2001:db8:0:1a02::10',
    },
    { ...NODE, name: 'node-c', instanceId: 'i-sim-c', vSwitch: 'vsw-sim-i', primaryIp: '10.0.2.11' },
  ],
}

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  removeByPrefix(PREFIX)
})

test('a node with a primary IPv6 address in the region file boots with it, and reaches the others', async () => {
  const listen = { host: '127.0.0.1', port: 0 }
  const log = pino({ level: 'silent' })
  simulator = await startSimulator({ region: testRegion(REGION), fabricPrefix: PREFIX, listen, log })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Guest(`${PREFIX}-node-${name}`)) as [Guest, Guest, Guest]
  expect(await a.ip('-6 address show dev eth0 scope global')).toContain('2001:db8:0:1a01::10/64')
  expect(await a.ip('-6 route show default')).toContain('via 2001:db8:0:1a01:ffff:ffff:ffff:fff7 dev eth0')
  expect(await a.pings('2001:db8:0:1a02::10')).toBe(true)
  expect(await b.pings('2001:db8:0:1a01::10')).toBe(true)
  expect(await b.pings('10.0.1.10')).toBe(true)
  expect(await c.ip('-6 address show dev eth0 scope global')).toBe('')
  expect(await c.pings('10.0.1.10')).toBe(true)
})
