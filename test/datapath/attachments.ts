/** An interface of a pod in its simplest form, its ENI and its node, for tests to change. */
import type { EniId } from '../../cloud/ids.ts'
import type { Attachment, EniFacts, HostFacts } from '../../daemon/datapath/attachment.ts'
import { type Cidr, parseCidr, parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'

export const cidrs = (...texts: string[]): Cidr[] => texts.map(parseCidr)

export const ENI: EniFacts = {
  id: 'eni-1' as EniId,
  mac: parseMac('00:16:3e:00:00:01'),
  link: parseLinkName('eth1'),
  ifindex: 7,
  mtu: 1500,
  cidrs: { ipv4: parseCidr('10.0.1.0/24'), ipv6: parseCidr('fd00:1::/64') },
  gateways: { ipv4: parseIpv4('10.0.1.253'), ipv6: parseIpv6('fd00:1::ffff:ffff:ffff:fff7') },
  mark: 0x0010_0000,
}

export const MEMBER: EniFacts = { ...ENI, id: 'eni-2' as EniId, mac: parseMac('00:16:3e:00:00:02'), vlanId: 11 }

export const POD: Attachment = {
  datapath: 'policy-route',
  containerId: 'c1',
  ifname: parseLinkName('eth0'),
  netns: '/run/netns/p1',
  hostLink: parseLinkName('calic95a4947e07'),
  indexes: { link: 1001, peer: 1002, shaper: 1003 },
  addresses: { ipv4: parseIpv4('10.0.1.20'), ipv6: parseIpv6('fd00:1::20') },
  mtu: 1400,
  eni: ENI,
  defaultRoute: true,
  sourceRouting: false,
  extraRoutes: [],
  hostStackCidrs: [],
  hostPeer: false,
  bandwidth: {},
}

export const HOST: HostFacts = {
  addresses: { ipv4: parseIpv4('10.0.0.10'), ipv6: parseIpv6('fd00::10') },
  primaryLink: parseLinkName('eth0'),
  serviceCidrs: cidrs('172.16.0.0/16', 'fd00:5::/112'),
  families: ['ipv4', 'ipv6'],
  policyRoute: 'map',
  podCidrs: [],
}

/** The one family of an attachment that has both. */
export function only(family: 'ipv4' | 'ipv6', attachment: Attachment): Attachment {
  const { ipv4, ipv6 } = attachment.addresses
  const one = family === 'ipv4' ? ipv4 && { ipv4 } : ipv6 && { ipv6 }
  return { ...attachment, addresses: one ?? {} }
}
