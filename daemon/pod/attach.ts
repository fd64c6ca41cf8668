/** What a new interface of a pod is to be: from its network configuration, its lease, and the pods that are there. */

import type { NetworkPlan } from '../../netlink/plan.ts'
import { bandwidthOf, priorityOf } from '../cni/bandwidth.ts'
import type { NetConf } from '../cni/netconf.ts'
import type { Attachment, Datapath, HostFacts } from '../datapath/attachment.ts'
import { hostLinkName } from '../datapath/host-link-name.ts'
import { planPod } from '../datapath/plan-pod.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { chooseDatapath } from './choose-datapath.ts'
import { type PodContext, podKey } from './context.ts'
import type { PodLease } from './leases.ts'

/** Link indexes are chosen at each try. */
export type NewAttachment = Omit<Attachment, 'indexes'>

export interface AttachmentRequest {
  readonly endpoint: Endpoint
  readonly conf: NetConf
  readonly lease: PodLease
}

export function newAttachment(context: PodContext, { endpoint, conf, lease }: AttachmentRequest): NewAttachment {
  const { containerId, ifname, netns, namespace, pod } = endpoint
  const siblings = context.endpoints.ofContainer(containerId).filter((other) => other.ifname !== ifname)
  const hasPeer = siblings.some(({ attachment }) => attachment?.hostPeer === true)
  const { limits, warnings } = bandwidthOf(conf)
  for (const warning of warnings) context.log.warn({ pod: podKey(endpoint), containerId }, warning)
  const priority = priorityOf(conf)
  return {
    ...{ datapath: datapathOf(context, conf, lease), containerId, ifname, netns },
    ...{ hostLink: hostLinkName(namespace, pod, ifname), addresses: lease.addresses },
    mtu: conf.mtu ?? lease.eni?.mtu ?? context.mtu,
    ...(lease.eni === undefined ? {} : { eni: lease.eni }),
    ...{ defaultRoute: siblings.length === 0, sourceRouting: siblings.length > 0 },
    ...{ extraRoutes: conf.extraRoutes, hostStackCidrs: conf.hostStackCidrs },
    // Its name in the pod is always the same, and one reaches the node for all interfaces.
    hostPeer: !conf.disableHostPeer && !hasPeer,
    bandwidth: limits,
    ...(priority === undefined ? {} : { priority }),
  }
}

/** For the sandbox on record, and no other that may be at its path one day. */
export function planFor({ netnsId }: Endpoint, attachment: Attachment, host: HostFacts): NetworkPlan {
  return { ...planPod(attachment, host), podNetnsId: netnsId }
}

function datapathOf({ endpoints, log }: PodContext, conf: NetConf, { role, eni }: PodLease): Datapath {
  const asked = chooseDatapath({ role, conf, present: new Set() })
  // Of others nothing depends on the pods beside.
  if (role !== 'member') return asked
  const beside = endpoints.all().flatMap(({ attachment }) => attachment ?? [])
  const present = new Set(beside.filter((one) => one.eni?.ifindex === eni?.ifindex).map((one) => one.datapath))
  const datapath = chooseDatapath({ role, conf, present })
  if (datapath !== asked) {
    const fields = { link: eni?.link, datapath, asked }
    log.warn(fields, 'pods that are on the trunk have their VLAN in another way than is configured; so do new ones')
  }
  return datapath
}
