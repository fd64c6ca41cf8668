/** What must hold between the parts of a region file. Each check adds what is wrong to `problems`. */
import { type Cidr, cidrContains, parseCidr, splitCidr } from '../../inet/address.ts'
import { ACTIONS, PRODUCTS } from '../api/actions.ts'
import { nearest } from './nearest.ts'
import type { Node } from './region.ts'
import type { File, FileNode } from './schema.ts'

/** A group that is named is there, and neither it nor the one that names it is an advanced group (ECS documentation). */
export function checkSecurityGroupRules(file: File, problems: string[]): void {
  const known = new Map(file.securityGroups.map((group) => [group.id, group]))
  for (const [index, group] of file.securityGroups.entries()) {
    for (const [number, { peer }] of group.rules.entries()) {
      if (!('group' in peer)) continue
      const at = `securityGroups[${index}].rules[${number}].group`
      const other = known.get(peer.group)
      const advanced = [group, other].find((one) => one?.type === 'enterprise')
      if (other === undefined) problems.push(`${at}: there is no security group ${peer.group}`)
      else if (advanced !== undefined) {
        problems.push(`${at}: ${advanced.id} is an enterprise group, which takes no part in rules between groups`)
      }
    }
  }
}

/** Limits and permissions are for actions that exist. */
export function checkActionNames(file: File, problems: string[]): void {
  const names = [...ACTIONS.keys()]
  for (const name of Object.keys(file.throttle)) {
    if (name === '*' || ACTIONS.has(name)) continue
    problems.push(`throttle: there is no action ${name}; ${nearest(name, names)} is the nearest. * is all the others`)
  }
  const holders = Object.entries({ accessKeys: file.accessKeys, ramRoles: file.ramRoles })
  const authActions = [...ACTIONS].map(([name, { version }]) => `${PRODUCTS[version]}:${name}`)
  for (const [key, items] of holders) {
    for (const [index, { policy }] of items.entries()) {
      for (const pattern of [...policy.allow, ...policy.deny]) {
        const problem = patternProblem(pattern, authActions)
        if (problem !== undefined) problems.push(`${key}[${index}].policy: ${problem}`)
      }
    }
  }
}

function patternProblem(pattern: string, actions: readonly string[]): string | undefined {
  const start = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined
  if (actions.some((action) => (start === undefined ? action === pattern : action.startsWith(start)))) return undefined
  const candidates = start === undefined ? actions : actions.map((action) => `${action.slice(0, start.length)}*`)
  return `${pattern} is no action; ${nearest(pattern, candidates)} is the nearest`
}

/** What no VPC can have: this network, the cloud's services, loopback, link-local, multicast, reserved. */
const NOT_FOR_VPCS = ['0.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'].map(
  parseCidr,
)
/** Global unicast addresses (RFC 4291, section 2.5.4) and unique local ones (RFC 4193). */
const IPV6_OF_VPCS = ['2000::/3', 'fc00::/7'].map(parseCidr)

function overlap(a: Cidr, b: Cidr): boolean {
  return cidrContains(a, splitCidr(b).network) || cidrContains(b, splitCidr(a).network)
}

export function checkVpc({ vpc }: File, problems: string[]): void {
  const taken = NOT_FOR_VPCS.find((other) => overlap(vpc.cidr, other))
  if (taken !== undefined) problems.push(`vpc.cidr: ${vpc.cidr} overlaps ${taken}, which no VPC can have`)
  const { ipv6Cidr } = vpc
  if (ipv6Cidr === undefined || IPV6_OF_VPCS.some((outer) => isInside(ipv6Cidr, outer))) return
  problems.push(`vpc.ipv6Cidr: ${ipv6Cidr} is neither global unicast (2000::/3) nor unique local (fc00::/7)`)
}

/** Each node has a primary ENI with an address in each of its groups. */
export function checkQuotas({ quotas, securityGroups }: File, nodes: readonly Node[], problems: string[]): void {
  if (quotas.enis < nodes.length) {
    problems.push(`quotas.enis: ${quotas.enis} is too few for ${nodes.length} nodes, each of which has a primary ENI`)
  }
  for (const { id, type } of securityGroups) {
    const members = nodes.filter((node) => node.securityGroupIds.includes(id)).length
    const quota = quotas.securityGroupIps[type]
    if (members > quota)
      problems.push(`quotas.securityGroupIps.${type}: ${quota} is too few for ${id}, with ${members}`)
  }
}

export function noDuplicates(file: File, nodes: readonly FileNode[], problems: string[]): void {
  const lists: Readonly<Record<string, readonly string[]>> = {
    'vSwitches.id': file.vSwitches.map((vSwitch) => vSwitch.id),
    'securityGroups.id': file.securityGroups.map((group) => group.id),
    'nodes.name': nodes.map((node) => node.name),
    'nodes.instanceId': nodes.map((node) => node.instanceId),
    'nodes.primaryIp': nodes.map((node) => node.primaryIp),
    'nodes.primaryIpv6': nodes.flatMap((node) => node.primaryIpv6 ?? []),
    'accessKeys.id': file.accessKeys.map((key) => key.id),
    'ramRoles.name': file.ramRoles.map((role) => role.name),
    'vpc.routeTables.id': file.vpc.routeTables.map((table) => table.id),
    'vpc.routeTables.vSwitches': file.vpc.routeTables.flatMap((table) => table.vSwitches),
    'vSwitches.ipv6Cidr': file.vSwitches.flatMap((vSwitch) => vSwitch.ipv6Cidr ?? []),
    'instanceTypes.id': file.instanceTypes.map((type) => type.id),
  }
  for (const [key, values] of Object.entries(lists)) {
    const twice = values.filter((value, index) => values.indexOf(value) !== index)
    if (twice.length > 0) problems.push(`${key}: ${twice.join(', ')} is there twice`)
  }
}

function isInside(prefix: Cidr, outer: Cidr | undefined): boolean {
  return outer !== undefined && cidrContains(outer, splitCidr(prefix).network)
}

/** A vSwitch is inside the VPC and shares no address with another one. */
export function checkVSwitches(file: File, problems: string[]): void {
  for (const [index, { id: name, cidr: own }] of file.vSwitches.entries()) {
    const at = `vSwitches[${index}].cidr`
    const { network, length } = splitCidr(own)
    if (length < splitCidr(file.vpc.cidr).length || !cidrContains(file.vpc.cidr, network)) {
      problems.push(`${at}: ${own} is not inside the VPC's ${file.vpc.cidr}`)
    }
    const { ipv6Cidr } = file.vSwitches[index] ?? {}
    if (ipv6Cidr !== undefined && !isInside(ipv6Cidr, file.vpc.ipv6Cidr)) {
      problems.push(`vSwitches[${index}].ipv6Cidr: ${ipv6Cidr} is not inside the VPC's ipv6Cidr`)
    }
    for (const other of file.vSwitches.slice(0, index)) {
      if (overlap(own, other.cidr)) {
        problems.push(`${at}: ${own} of ${name} overlaps ${other.cidr} of ${other.id}`)
      }
    }
  }
}
