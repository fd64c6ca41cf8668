import { expect, test } from '@jest/globals'
import type { EniId } from '../../cloud/ids.ts'
import { parseCidr, parseIpv4, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { networkPlan } from '../../netlink/plan.ts'
import type { EniFacts } from '../datapath/attachment.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { olderAttachment } from './older-attachment.ts'

const [ETH0, LINK, MAC] = [parseLinkName('eth0'), parseLinkName('cali0123456789a'), parseMac('02:00:00:00:00:01')]
const ENI: EniFacts = {
  ...{ id: 'eni-1' as EniId, mac: MAC, link: parseLinkName('eth1'), ifindex: 7, mtu: 1500, mark: 0x10_0000 },
  cidrs: { ipv4: parseCidr('10.0.1.0/24') },
  gateways: { ipv4: parseIpv4('10.0.1.253') },
}

/** As the versions before wrote it, as far as it is looked at. */
function endpoint(table: number): Endpoint {
  const inside = { netns: 'pod', name: ETH0, ifindex: 1_000_004 } as const
  const [destination, gateway] = [parseCidr('0.0.0.0/0'), parseIpv4('169.254.1.1')]
  return {
    ...{ containerId: 'c', ifname: ETH0, phase: 'ready', network: 'terway', namespace: 'default', pod: 'web' },
    ...{ netns: '/run/netns/p', netnsId: '4:5', since: 1, ip: parseIpv4('10.0.1.5'), hostLink: LINK },
    plan: networkPlan({
      podNetns: '/run/netns/p',
      links: [
        {
          ...{ kind: 'veth', netns: 'host', name: LINK, ifindex: 1_000_004, mac: MAC, mtu: 1400 },
          peer: { name: ETH0, ifindex: 1_000_004, mac: MAC, mtu: 1400 },
        },
      ],
      routes: [{ device: inside, destination, gateway, onlink: true, table, scope: 'global' }],
    }),
  }
}

test.each([
  [254, true, false],
  [1_001_004, false, true],
])('of a pod with its default route in table %d', (table, defaultRoute, sourceRouting) => {
  let next = 2_000_000
  expect(olderAttachment(endpoint(table), ENI, () => next++)).toEqual({
    ...{ datapath: 'policy-route', containerId: 'c', ifname: 'eth0', netns: '/run/netns/p', hostLink: LINK },
    ...{ indexes: { link: 1_000_004, peer: 1_000_004, shaper: 2_000_000 }, addresses: { ipv4: '10.0.1.5' } },
    ...{ mtu: 1400, eni: ENI, defaultRoute, sourceRouting, extraRoutes: [], hostStackCidrs: [], hostPeer: false },
    bandwidth: {},
  })
})

test('nothing is made of what is not whole', () => {
  const { plan: _, ...bare } = endpoint(254)
  expect(olderAttachment(bare, ENI, () => 1)).toBeUndefined()
})
