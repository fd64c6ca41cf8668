import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { parseCidr, parseIpv4, parseMac } from '../../inet/address.ts'
import type { Netns } from '../../netlink/netns.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import { ip, TestNamespaces } from '../../test/kernel/namespaces.ts'
import { parseEniConf } from '../config/eni-conf.ts'
import { PrimaryLinkError, readHostFacts } from './host-facts.ts'

const FACTS = { primaryIp: parseIpv4('10.0.1.10'), primaryMac: parseMac('00:16:3e:00:00:0a') }

let namespaces: TestNamespaces
let node: Netns
let warnings: string[]

beforeEach(() => {
  namespaces = new TestNamespaces('tw-hostfacts-')
  node = namespaces.create('node')
  warnings = []
})
afterEach(() => namespaces[Symbol.dispose]())

function link(name: string, mac: string, ...addresses: readonly string[]): void {
  ip(node, 'link', 'add', name, 'address', mac, 'type', 'veth', 'peer', 'name', `${name}-out`)
  for (const end of [name, `${name}-out`]) ip(node, 'link', 'set', end, 'up')
  for (const address of addresses) ip(node, 'address', 'add', address, 'dev', name, 'nodad')
}

function read(file: object, podCidrs: readonly string[] = []) {
  using socket = NetlinkSocket.open({ netns: node })
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) })
  const { conf } = parseEniConf(JSON.stringify(file))
  return readHostFacts({ socket, conf, facts: FACTS, inputs: { podCidrs: podCidrs.map(parseCidr) }, log })
}

test('the link with the address of the instance, when others have its MAC address too', () => {
  link('eth0', FACTS.primaryMac)
  link('bond0', FACTS.primaryMac, '10.0.1.10/24')
  link('eth1', '00:16:3e:00:00:0b', '10.0.1.11/24')
  expect(read({ service_cidr: '172.16.0.0/16', policy_route: 'rules' })).toMatchObject({
    ...{ addresses: { ipv4: '10.0.1.10' }, primaryLink: 'bond0', families: ['ipv4'] },
    ...{ serviceCidrs: ['172.16.0.0/16'], policyRoute: 'rules', podCidrs: [] },
  })
  expect(warnings).toEqual([])
})

test('a node that is not the instance’s is refused', () => {
  link('eth0', '00:16:3e:00:00:0b', '10.0.1.10/24')
  expect(() => read({})).toThrow(PrimaryLinkError)
  expect(() => read({})).toThrow(FACTS.primaryMac)
})

test('its IPv6 address is a global one, and where there is none that is told', () => {
  link('eth0', FACTS.primaryMac, '10.0.1.10/24')
  expect(read({ ip_stack: 'dual' }).addresses).toEqual({ ipv4: '10.0.1.10' })
  expect(warnings).toEqual([expect.stringContaining('the node has no IPv6 address')])
  ip(node, 'address', 'add', 'fd00::10/128', 'dev', 'eth0', 'nodad')
  expect(read({ ip_stack: 'dual' }).addresses).toEqual({ ipv4: '10.0.1.10', ipv6: 'fd00::10' })
  expect(read({}).addresses).toEqual({ ipv4: '10.0.1.10' })
  expect(warnings).toHaveLength(1)
})

test('prefixes of the node are those of the file before those of the cluster, in VPC route mode', () => {
  link('eth0', FACTS.primaryMac, '10.0.1.10/24')
  const file = { network_mode: 'VPC', pod_cidr: '10.1.0.0/24' }
  expect(read(file, ['10.2.0.0/24']).podCidrs).toEqual(['10.1.0.0/24'])
  expect(read({ network_mode: 'VPC' }, ['10.2.0.0/24']).podCidrs).toEqual(['10.2.0.0/24'])
  expect(read({}, ['10.2.0.0/24']).podCidrs).toEqual([])
})
