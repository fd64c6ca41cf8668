import { describe, expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { hostLinkName } from './host-link-name.ts'
import { type PodAttachment, planEni, planHost, planPod, podMacs } from './policy-route.ts'

const POD: PodAttachment = {
  containerId: 'c1',
  ifname: parseLinkName('eth0'),
  netns: '/run/netns/p1',
  hostLink: parseLinkName('calic95a4947e07'),
  ifindex: 100_001,
  ip: parseIpv4('10.0.1.20'),
  mtu: 1500,
  eniIfindex: 7,
  defaultRoute: true,
}
const MACS = podMacs('c1', parseLinkName('eth0'))

/** The vectors users' tools rely on: terway-node reference, section 3.0. */
test.each([
  ['default', 'client-b6989bf87-2bgtc', 'eth0', 'calic95a4947e07'],
  ['default', 'test-pod', 'eth0', 'cali7fba7a35b74'],
  ['default', 'test-pod', 'eth1', 'cali01035d7d18e'],
  ['kube-system', 'test-pod', 'eth0', 'calic6e26ff262b'],
])('the host link of %s/%s %s is %s', (namespace, pod, ifname, link) => {
  expect(hostLinkName(namespace, pod, parseLinkName(ifname))).toBe(link)
})

test('MAC addresses are fixed by container and interface, unicast and locally administered', () => {
  expect(podMacs('c1', parseLinkName('eth0'))).toEqual(MACS)
  const all = ['c1', 'c2'].flatMap((id) =>
    ['eth0', 'eth1'].flatMap((name) => Object.values(podMacs(id, parseLinkName(name)))),
  )
  expect(new Set(all).size).toBe(8)
  for (const mac of all) expect(Number.parseInt(mac.slice(0, 2), 16) & 0x03).toBe(0x02)
})

describe('plan of a pod', () => {
  test('one IPv4 pod on a shared ENI', () => {
    const inside = { netns: 'pod', name: 'eth0', ifindex: 100_001 }
    const outside = { netns: 'host', name: 'calic95a4947e07', ifindex: 100_001 }
    expect(planPod(POD)).toEqual({
      podNetns: '/run/netns/p1',
      links: [
        { kind: 'existing', netns: 'pod', name: 'lo', ifindex: 1 },
        {
          kind: 'veth',
          netns: 'host',
          name: 'calic95a4947e07',
          ifindex: 100_001,
          mac: MACS.host,
          mtu: 1500,
          peer: { name: 'eth0', ifindex: 100_001, mac: MACS.pod, mtu: 1500 },
        },
      ],
      sysctls: [],
      addresses: [{ device: inside, address: '10.0.1.20', prefixLength: 32, scope: 'global' }],
      neighbours: [
        { device: inside, address: '169.254.1.1', mac: MACS.host },
        { device: outside, address: '10.0.1.20', mac: MACS.pod },
      ],
      routes: [
        { device: inside, destination: '0.0.0.0/0', gateway: '169.254.1.1', onlink: true, table: 254, scope: 'global' },
        { device: outside, destination: '10.0.1.20/32', table: 254, scope: 'link' },
      ],
      rules: [
        { netns: 'host', family: 'ipv4', priority: 512, destination: '10.0.1.20/32', table: 254 },
        { netns: 'host', family: 'ipv4', priority: 2048, source: '10.0.1.20/32', table: 1007 },
      ],
    })
  })

  test('a further interface routes only what comes from its own address', () => {
    const plan = planPod({ ...POD, ifname: parseLinkName('eth1'), defaultRoute: false })
    expect(plan.routes[0]).toMatchObject({ device: { netns: 'pod', name: 'eth1' }, table: 101_001 })
    expect(plan.rules[0]).toEqual({
      netns: 'pod',
      family: 'ipv4',
      priority: 512,
      source: '10.0.1.20/32',
      table: 101_001,
    })
  })
})

test('an ENI gets the node address and a default route in a table of its own', () => {
  const link = parseLinkName('eth1')
  const gateway = parseIpv4('10.0.1.253')
  const plan = planEni({ link, ifindex: 7, gateway, nodeIp: parseIpv4('10.0.1.10'), mtu: 1500 })
  const device = { netns: 'host', name: 'eth1', ifindex: 7 }
  expect(plan.addresses).toEqual([{ device, address: '10.0.1.10', prefixLength: 32, scope: 'global' }])
  expect(plan.routes).toEqual([
    { device, destination: '0.0.0.0/0', gateway: '10.0.1.253', onlink: true, table: 1007, scope: 'global' },
  ])
})

test('the node forwards', () => {
  expect(planHost().sysctls).toEqual([{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }])
})
