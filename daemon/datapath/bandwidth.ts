/**
 * Limits of an interface's traffic. What leaves a device is held back by its own token bucket; what arrives on it is
 * sent through that of an intermediate device first. Either can be without the other.
 */
import { LINK_NAME_MAX, type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { type DeviceRef, type NetworkPlan, networkPlan, type TbfSpec } from '../../netlink/plan.ts'
import { tbfOf } from '../../netlink/tbf.ts'
import type { Attachment, RateLimit } from './attachment.ts'
import { FILTER_PRIORITIES } from './constants.ts'
import { passesNode, podDevice } from './devices.ts'
import { hostEnd } from './veth.ts'

const IFB = 'ifb'
/** Bytes. */
const NAME_ROOM = LINK_NAME_MAX - IFB.length

/** A veth is limited on the node, where the pod cannot undo it; other interfaces have no end there. */
function shapedDevice(attachment: Attachment): DeviceRef {
  const onNode = passesNode(attachment.datapath)
  return onNode ? hostEnd(attachment) : podDevice(attachment)
}

/** On the node by the pod's host link, in the pod by the interface, or by its index where that would be too long. */
function shaperName({ netns, name }: DeviceRef, index: number): LinkName {
  const suffix = netns === 'host' ? name.slice('cali'.length) : name
  return parseLinkName(`${IFB}${Buffer.byteLength(suffix) <= NAME_ROOM ? suffix : index}`)
}

export function planBandwidth(attachment: Attachment): NetworkPlan {
  const { bandwidth, mtu, indexes } = attachment
  const device = shapedDevice(attachment)
  const [leaving, arriving] =
    device.netns === 'host' ? [bandwidth.ingress, bandwidth.egress] : [bandwidth.egress, bandwidth.ingress]
  const tbf = (limit: RateLimit, on: DeviceRef): TbfSpec => ({ kind: 'tbf', device: on, ...tbfOf(limit, mtu) })
  const out = leaving === undefined ? [] : [tbf(leaving, device)]
  if (arriving === undefined) return networkPlan({ qdiscs: out })
  const shaper = { netns: device.netns, name: shaperName(device, indexes.shaper), ifindex: indexes.shaper }
  return networkPlan({
    links: [{ kind: 'ifb', ...shaper, mtu }],
    qdiscs: [...out, tbf(arriving, shaper), { kind: 'clsact', device }],
    filters: [
      {
        ...{ device, direction: 'ingress', priority: FILTER_PRIORITIES.shape, protocol: 'all' },
        actions: [{ kind: 'redirect', to: shaper, direction: 'egress' }],
      },
    ],
  })
}
