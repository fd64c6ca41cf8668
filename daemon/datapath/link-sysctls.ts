/** What IPv6 must be on links that are made or used for pods. */
import type { DeviceRef, PlanNetns, SysctlSpec } from '../../netlink/plan.ts'
import { LOOPBACK } from './constants.ts'

function ipv6(netns: PlanNetns, link: string, name: string, value: string): SysctlSpec {
  return { netns, key: ['net', 'ipv6', 'conf', link, name], value }
}

/**
 * Nobody's router advertisement counts, whether the pod has IPv6 or not: by one, whoever is on the other end would become
 * a default route (CVE-2020-10749). Where IPv6 is not used, it may also be off or not in the kernel at all.
 */
function deaf(netns: PlanNetns, link: string, usesIpv6: boolean): SysctlSpec {
  return { ...ipv6(netns, link, 'accept_ra', '0'), ...(usesIpv6 ? {} : { optional: true }) }
}

/** Of a link that is an interface of a pod, or on the node leads to one or to the VPC: there the node forwards. */
export function linkSysctls({ netns, name }: DeviceRef, usesIpv6: boolean): SysctlSpec[] {
  if (!usesIpv6) return [deaf(netns, name, false)]
  const on = ipv6(netns, name, 'disable_ipv6', '0')
  const forwards = netns === 'host' ? [ipv6(netns, name, 'forwarding', '1')] : []
  return [on, deaf(netns, name, true), ...forwards]
}

/** Of a pod's namespace. A runtime may have switched IPv6 off, for all links and for those to come. */
export function podSysctls(usesIpv6: boolean): SysctlSpec[] {
  // accept_ra of `all` decides nothing: the kernel reads a link's own.
  if (!usesIpv6) return [deaf('pod', 'default', false)]
  const on = ['all', 'default', LOOPBACK].map((link) => ipv6('pod', link, 'disable_ipv6', '0'))
  return [...on, deaf('pod', 'default', true)]
}
