/** What a plan of an earlier version was made from: it knew one datapath, for IPv4, and kept no attachment. Pure. */
import { RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Attachment, EniFacts } from '../datapath/attachment.ts'
import type { Endpoint } from '../store/endpoint.ts'

/** @param spare a free link index. Undefined when the plan is none of that version. */
export function olderAttachment(endpoint: Endpoint, eni: EniFacts, spare: () => number): Attachment | undefined {
  const { containerId, ifname, netns, ip, hostLink, plan } = endpoint
  const veth = plan?.links.find((link) => link.kind === 'veth')
  if (ip === undefined || hostLink === undefined || veth === undefined) return undefined
  const inPod = (plan?.routes ?? []).filter(({ device }) => device.netns === 'pod')
  const defaultRoute = inPod.some(({ table }) => table === RT_TABLE_MAIN)
  return {
    ...{ datapath: 'policy-route', containerId, ifname, netns, hostLink, eni, mtu: veth.mtu },
    indexes: { link: veth.peer.ifindex, peer: veth.ifindex, shaper: spare() },
    ...{ addresses: { ipv4: ip }, defaultRoute, sourceRouting: !defaultRoute },
    ...{ extraRoutes: [], hostStackCidrs: [], hostPeer: false, bandwidth: {} },
  }
}
