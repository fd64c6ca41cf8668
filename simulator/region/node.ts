/** From a node of the region file to the nodes it stands for, each with what it refers to. */
import { addressAt, cidrContains, type Ip, ipToBytes, parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { ApiError } from '../cloud/error.ts'
import { checkSecurityGroups } from '../cloud/quotas.ts'
import { checkTagKey, checkTagValue, withTags } from '../cloud/resource-tags.ts'
import { isReserved } from '../cloud/vswitch-addresses.ts'
import type { InstanceId, NodeName, SecurityGroupId } from './ids.ts'
import type { InstanceType } from './instance-types.ts'
import type { Node, Region, VSwitch } from './region.ts'
import type { File, FileNode } from './schema.ts'

/** The nodes that one with a `count` stands for. */
export function expand({ count, ...node }: FileNode): readonly FileNode[] {
  if (count === undefined) return [node]
  const { primaryIpv6 } = node
  return Array.from({ length: count }, (_, i) => ({
    ...node,
    name: `${node.name}-${i + 1}` as NodeName,
    instanceId: `${node.instanceId}-${i + 1}` as InstanceId,
    primaryIp: parseIpv4(after('0.0.0.0/0', node.primaryIp, i)),
    ...(primaryIpv6 === undefined ? {} : { primaryIpv6: parseIpv6(after('::/0', primaryIpv6, i)) }),
  }))
}

function after(everything: string, ip: Ip, distance: number): Ip {
  const number = ipToBytes(ip).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  return addressAt(parseCidr(everything), number + BigInt(distance))
}

export interface NodeSurroundings {
  readonly file: File
  readonly region: Omit<Region, 'nodes'>
  readonly problems: string[]
}

/** None when what it refers to is not there. `at`: its key. */
export function buildNode(node: FileNode, at: string, { file, region, problems }: NodeSurroundings): Node[] {
  const type = region.instanceTypes.get(node.instanceType)
  if (type === undefined) {
    problems.push(`${at}.instanceType: ${node.instanceType} is unknown; describe it under instanceTypes`)
  }
  const vSwitches = [...region.vSwitches.values()]
  const vSwitch = vSwitches.find((candidate) => candidate.id === node.vSwitch)
  if (vSwitch === undefined) {
    problems.push(`${at}.vSwitch: ${node.vSwitch} is none of ${vSwitches.map((known) => known.id).join(', ')}`)
  }
  const groups = (node.securityGroups ?? file.securityGroups.slice(0, 1).map(({ id }) => id)) as SecurityGroupId[]
  const role = file.ramRoles.find((candidate) => candidate.name === node.ramRole)
  if (node.ramRole !== undefined && role === undefined) problems.push(`${at}.ramRole: there is no ${node.ramRole}`)
  problems.push(...refusal(`${at}.securityGroups`, () => checkSecurityGroups(region, groups)))
  problems.push(...refusal(`${at}.tags`, () => checkTags(node)))
  if (type === undefined || vSwitch === undefined) return []
  problems.push(...addressProblems(node, vSwitch, type).map((problem) => `${at}.${problem}`))
  const { securityGroups, vSwitch: _, ...rest } = node
  return [
    {
      ...rest,
      instanceType: type,
      vSwitchId: vSwitch.id,
      primaryIpv6: node.primaryIpv6,
      securityGroupIds: groups,
      ramRole: role?.name,
      tags: new Map(Object.entries(node.tags)),
    },
  ]
}

function addressProblems({ primaryIp, primaryIpv6 }: FileNode, vSwitch: VSwitch, type: InstanceType): string[] {
  const { id, cidr, ipv6 } = vSwitch
  const problems: string[] = []
  if (!cidrContains(cidr, primaryIp) || isReserved(cidr, primaryIp)) {
    problems.push(`primaryIp: ${primaryIp} is not a free address of ${id} (${cidr})`)
  }
  if (primaryIpv6 === undefined) return problems
  if (ipv6 === undefined) problems.push(`primaryIpv6: IPv6 is off in ${id}`)
  else if (!cidrContains(ipv6.cidr, primaryIpv6) || isReserved(ipv6.cidr, primaryIpv6)) {
    problems.push(`primaryIpv6: ${primaryIpv6} is not a free address of ${id} (${ipv6.cidr})`)
  }
  if (type.ipv6PerEni === 0) problems.push(`primaryIpv6: ENIs on ${type.id} have no IPv6`)
  return problems
}

function checkTags({ instanceId, tags }: FileNode): void {
  for (const [key, value] of Object.entries(tags)) {
    checkTagKey(key)
    checkTagValue(value)
  }
  withTags(instanceId, new Map(), new Map(Object.entries(tags)))
}

/** What the API would refuse, a region file cannot have either. */
function refusal(at: string, check: () => void): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof ApiError) return [`${at}: ${error.message}`]
    throw error
  }
}
