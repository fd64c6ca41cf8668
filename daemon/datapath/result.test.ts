import { describe, expect, test } from '@jest/globals'
import { cidrs, HOST, MEMBER, only, POD } from '../../test/datapath/attachments.ts'
import type { Attachment } from './attachment.ts'
import { planPod } from './plan-pod.ts'
import { resultOf } from './result.ts'

const sandbox = '/run/netns/p1'
const VETH = [
  { name: 'calic95a4947e07', mac: 'a2:1f:d2:d3:5f:7c', mtu: 1400 },
  { name: 'eth0', mac: 'ea:93:8c:71:71:ad', mtu: 1400, sandbox },
]
const HOST_PEER = [
  { name: 'calic95a4947e07', mac: 'd6:d1:b0:d5:41:ab', mtu: 1400 },
  { name: 'veth1', mac: '16:ff:ff:41:8f:5c', mtu: 1400, sandbox },
]
const BY_NODE = [
  { dst: '172.16.0.0/16', gw: '169.254.1.1' },
  { dst: 'fd00:5::/112', gw: 'fe80::1' },
  { dst: '10.0.0.10/32', gw: '169.254.1.1' },
  { dst: 'fd00::10/128', gw: 'fe80::1' },
]
const ROUTER_6 = 'fd00:1::ffff:ffff:ffff:fff7'
const BY_ROUTER = [
  { dst: '0.0.0.0/0', gw: '10.0.1.253' },
  { dst: '::/0', gw: ROUTER_6 },
]

const answerOf = (attachment: Attachment) => resultOf(attachment, planPod(attachment, HOST))

describe('the result of ADD', () => {
  test.each(['policy-route', 'vlan-tag', 'route'] as const)('of %s', (datapath) => {
    const attachment: Attachment = { ...POD, datapath, eni: MEMBER, extraRoutes: cidrs('192.168.0.0/16') }
    expect(answerOf(attachment)).toEqual({
      interfaces: VETH,
      ips: [
        { address: '10.0.1.20', prefixLength: 32, gateway: '169.254.1.1', interface: 1 },
        { address: 'fd00:1::20', prefixLength: 128, gateway: 'fe80::1', interface: 1 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '169.254.1.1' },
        { dst: '::/0', gw: 'fe80::1' },
        { dst: '192.168.0.0/16', gw: '169.254.1.1' },
      ],
    })
  })

  test.each([
    ['exclusive', '00:16:3e:00:00:01', POD],
    ['vlan', '00:16:3e:00:00:02', { ...POD, eni: MEMBER }],
  ] as const)(
    'of %s: the second veth is listed, the addresses are on the interface asked for',
    (datapath, mac, pod) => {
      expect(answerOf({ ...pod, datapath, hostPeer: true })).toEqual({
        interfaces: [{ name: 'eth0', mac, mtu: 1400, sandbox }, ...HOST_PEER],
        ips: [
          { address: '10.0.1.20', prefixLength: 32, gateway: '10.0.1.253', interface: 0 },
          { address: 'fd00:1::20', prefixLength: 128, gateway: ROUTER_6, interface: 0 },
        ],
        routes: [...BY_ROUTER, ...BY_NODE],
      })
    },
  )

  test('of ipvlan: the prefix is the vSwitch, the MAC address that of the ENI', () => {
    expect(answerOf({ ...only('ipv4', POD), datapath: 'ipvlan' })).toEqual({
      interfaces: [{ name: 'eth0', mac: '00:16:3e:00:00:01', mtu: 1400, sandbox }],
      ips: [{ address: '10.0.1.20', prefixLength: 24, gateway: '10.0.1.253', interface: 0 }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.0.1.253' }, { dst: '10.0.0.10/32' }],
    })
  })

  test('of a further interface: no default route, and none of its own table', () => {
    const further: Attachment = { ...POD, defaultRoute: false, sourceRouting: true }
    expect(answerOf(further).routes).toEqual([])
  })

  test('what shapes traffic is no interface', () => {
    const shaped: Attachment = { ...POD, bandwidth: { egress: { rate: 1_000_000 } } }
    expect(answerOf(shaped).interfaces).toEqual(VETH)
  })
})
