/** What datapaths know of the node: from the configuration, the kernel, and the rest of the cluster. */
import type { Logger } from 'pino'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { Ipv6 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { listAddresses } from '../../netlink/address.ts'
import { listLinks } from '../../netlink/link.ts'
import type { NetlinkSocket } from '../../netlink/socket.ts'
import { readSysctls } from '../../netlink/sysctl.ts'
import type { EniConf } from '../config/eni-conf.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import type { NodeInputs } from '../kube/node-inputs.ts'

export interface HostFactsParts {
  readonly socket: NetlinkSocket
  readonly conf: EniConf
  readonly facts: Pick<NodeFacts, 'primaryIp' | 'primaryMac'>
  readonly inputs: Pick<NodeInputs, 'podCidrs'>
  readonly log: Logger
}

/** The node is without the link that its instance has from the start. */
export class PrimaryLinkError extends Error {
  override readonly name = 'PrimaryLinkError'
}

/** Read once: the node's own network is there before the daemon is. @throws PrimaryLinkError, NetlinkError */
export function readHostFacts({ socket, conf, facts, inputs, log }: HostFactsParts): HostFacts {
  const { families } = conf.pool
  const primary = primaryLinkOf(socket, facts)
  const ipv6 = families.includes('ipv6') ? ipv6Of(socket, primary.ifindex) : undefined
  if (families.includes('ipv6') && ipv6 === undefined) {
    log.warn({ link: primary.name }, 'the node has no IPv6 address: it cannot reach the IPv6 addresses of its pods')
  }
  const podCidrs = conf.route === undefined || conf.route.podCidrs.length > 0 ? conf.route?.podCidrs : inputs.podCidrs
  return {
    addresses: { ipv4: facts.primaryIp, ...(ipv6 === undefined ? {} : { ipv6 }) },
    ...{ primaryLink: primary.name, families, policyRoute: conf.datapath.policyRoute },
    acceptsRouterAdvertisements: acceptsAdvertisements(primary.name),
    serviceCidrs: conf.datapath.serviceCidrs,
    podCidrs: podCidrs ?? [],
  }
}

interface Primary {
  readonly name: LinkName
  readonly ifindex: number
}

/** The link with the MAC address that the metadata service names. Others may have taken it over: a bond, a bridge. */
function primaryLinkOf(socket: NetlinkSocket, { primaryIp, primaryMac }: HostFactsParts['facts']): Primary {
  const addressed = listAddresses(socket, { family: 'ipv4' }).filter(({ address }) => address === primaryIp)
  const links = listLinks(socket).filter(({ mac }) => mac === primaryMac)
  const found = links.find(({ ifindex }) => addressed.some((one) => one.ifindex === ifindex)) ?? links[0]
  if (found !== undefined) return found
  throw new PrimaryLinkError(
    `no link of this node has the MAC address ${primaryMac} of its instance: terwayd must run in the node's own network`,
  )
}

/** One that was set for good before one that is leased; none that another host may have. */
function ipv6Of(socket: NetlinkSocket, ifindex: number): Ipv6 | undefined {
  const found = listAddresses(socket, { family: 'ipv6', ifindex }).filter(({ scope, tentative }) => {
    return scope === 'global' && !tentative
  })
  const chosen = found.find(({ permanent }) => permanent) ?? found[0]
  return chosen?.address as Ipv6 | undefined
}

/** `accept_ra` (ip-sysctl.rst): 1 as long as the link does not forward, 2 in any case. */
function acceptsAdvertisements(link: LinkName): boolean {
  const key = (name: string) => ['net', 'ipv6', 'conf', link, name]
  const [accepts, forwards] = readSysctls(undefined, [key('accept_ra'), key('forwarding')])
  return accepts === '2' || (accepts === '1' && forwards === '0')
}
