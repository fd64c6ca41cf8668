/** What must hold between the parts of a region file. Each check adds what is wrong to `problems`. */
import { type Cidr, cidrContains, splitCidr } from '../../inet/address.ts'
import type { File, FileNode } from './schema.ts'

export function checkSecurityGroupRules(file: File, problems: string[]): void {
  const known = new Set(file.securityGroups.map((group) => group.id))
  for (const [index, group] of file.securityGroups.entries()) {
    for (const rule of group.rules) {
      if ('group' in rule.peer && !known.has(rule.peer.group)) {
        problems.push(`securityGroups[${index}].rules: there is no security group ${rule.peer.group}`)
      }
    }
  }
}

export function noDuplicates(file: File, nodes: readonly FileNode[], problems: string[]): void {
  const lists: Readonly<Record<string, readonly string[]>> = {
    'vSwitches.id': file.vSwitches.map((vSwitch) => vSwitch.id),
    'securityGroups.id': file.securityGroups.map((group) => group.id),
    'nodes.name': nodes.map((node) => node.name),
    'nodes.instanceId': nodes.map((node) => node.instanceId),
    'nodes.primaryIp': nodes.map((node) => node.primaryIp),
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
      if (cidrContains(own, splitCidr(other.cidr).network) || cidrContains(other.cidr, network)) {
        problems.push(`${at}: ${own} of ${name} overlaps ${other.cidr} of ${other.id}`)
      }
    }
  }
}
