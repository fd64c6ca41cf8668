/** From the YAML of a region file to a Region in which every reference holds. */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import {
  addressAt,
  cidrContains,
  ipToBytes,
  parseCidr,
  parseIpv4,
  parseIpv6,
  vSwitchGateway,
} from '../../inet/address.ts'
import { isReserved } from '../cloud/vswitch-addresses.ts'
import { checkSecurityGroupRules, checkVSwitches, noDuplicates } from './checks.ts'
import type { InstanceId, NodeName, RouteTableId } from './ids.ts'
import { BUILT_IN_INSTANCE_TYPES, type InstanceType } from './instance-types.ts'
import { type Node, type Region, RegionError, type RouteTable, type VSwitch } from './region.ts'
import { FILE, type File, type FileNode } from './schema.ts'

/** @throws RegionError when the file cannot be read or is not a region. */
export function readRegion(path: string): Region {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RegionError(`cannot read the region file ${path}: ${reason}`, { cause })
  }
  return parseRegion(text, path)
}

/** `source` names the text in errors. @throws RegionError that lists everything wrong with it. */
export function parseRegion(text: string, source: string): Region {
  let yaml: unknown
  try {
    yaml = parseYaml(text)
  } catch (cause) {
    throw new RegionError(`${source} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const file = FILE.safeParse(yaml)
  if (!file.success) throw new RegionError(`${source} is not a region:\n${z.prettifyError(file.error)}`)
  const problems: string[] = []
  const region = build(file.data, problems)
  if (problems.length > 0) throw new RegionError(`${source} is not a region:\n${problems.join('\n')}`)
  return region
}

function byId<T extends { readonly id: string }>(items: readonly T[]): Map<T['id'], T> {
  return new Map(items.map((item) => [item.id, item]))
}

function build(file: File, problems: string[]): Region {
  const vSwitches = file.vSwitches.map(
    ({ ipv6Cidr, ...vSwitch }): VSwitch => ({
      ...vSwitch,
      gateway: parseIpv4(vSwitchGateway(vSwitch.cidr)),
      ipv6: ipv6Cidr === undefined ? undefined : { cidr: ipv6Cidr, gateway: parseIpv6(vSwitchGateway(ipv6Cidr)) },
    }),
  )
  const instanceTypes = byId([...BUILT_IN_INSTANCE_TYPES, ...file.instanceTypes])
  const { id: vpcId, cidr: vpcCidr, ipv6Cidr } = file.vpc
  const region = {
    id: file.region,
    account: file.account,
    vpc: { id: vpcId, cidr: vpcCidr, ipv6Cidr, routeTables: buildRouteTables(file, problems) },
    vSwitches: byId(vSwitches),
    securityGroups: byId(file.securityGroups),
    accessKeys: byId(file.accessKeys),
    ramRoles: new Map(file.ramRoles.map((role) => [role.name, role])),
    latencies: file.latencies,
    quotas: file.quotas,
    throttle: new Map(Object.entries(file.throttle)),
    mtu: file.mtu,
    seed: file.seed,
    instanceTypes,
  }
  const expanded = file.nodes.flatMap((node, index) =>
    expand(node).map((one) => ({ at: `nodes[${index}]`, node: one })),
  )
  noDuplicates(
    file,
    expanded.map(({ node }) => node),
    problems,
  )
  checkVSwitches(file, problems)
  checkSecurityGroupRules(file, problems)
  const nodes = expanded.flatMap(({ node, at }) => buildNode(node, at, { file, instanceTypes, vSwitches, problems }))
  return { ...region, nodes }
}

/** The nodes that one with a `count` stands for. */
function expand({ count, ...node }: FileNode): readonly FileNode[] {
  if (count === undefined) return [node]
  const everything = parseCidr('0.0.0.0/0')
  const first = ipToBytes(node.primaryIp).reduce((number, byte) => number * 256n + BigInt(byte), 0n)
  return Array.from({ length: count }, (_, i) => ({
    ...node,
    name: `${node.name}-${i + 1}` as NodeName,
    instanceId: `${node.instanceId}-${i + 1}` as InstanceId,
    primaryIp: parseIpv4(addressAt(everything, first + BigInt(i))),
  }))
}

/** The system table is there whatever the file says; it has the vSwitches that no custom table has. */
function buildRouteTables(file: File, problems: string[]): readonly RouteTable[] {
  const custom = file.vpc.routeTables.map((table, index): RouteTable => {
    const vSwitches = table.vSwitches.flatMap((name) => {
      const found = file.vSwitches.find((vSwitch) => vSwitch.id === name)
      if (found === undefined) problems.push(`vpc.routeTables[${index}].vSwitches: there is no vSwitch ${name}`)
      return found === undefined ? [] : [found.id]
    })
    return { id: table.id, type: 'Custom', vSwitches }
  })
  const taken = new Set(custom.flatMap((table) => table.vSwitches))
  const rest = file.vSwitches.map((vSwitch) => vSwitch.id).filter((vSwitch) => !taken.has(vSwitch))
  const system: RouteTable = {
    id: `vtb-${file.vpc.id.slice('vpc-'.length)}` as RouteTableId,
    type: 'System',
    vSwitches: rest,
  }
  return [system, ...custom]
}

interface NodeSurroundings {
  readonly file: File
  readonly instanceTypes: ReadonlyMap<string, InstanceType>
  readonly vSwitches: readonly VSwitch[]
  readonly problems: string[]
}

function buildNode(node: FileNode, at: string, surroundings: NodeSurroundings): Node[] {
  const { file, instanceTypes, vSwitches, problems } = surroundings
  const type = instanceTypes.get(node.instanceType)
  if (type === undefined) {
    problems.push(`${at}.instanceType: ${node.instanceType} is unknown; describe it under instanceTypes`)
  }
  const vSwitch = vSwitches.find((candidate) => candidate.id === node.vSwitch)
  if (vSwitch === undefined) {
    problems.push(`${at}.vSwitch: ${node.vSwitch} is none of ${vSwitches.map((known) => known.id).join(', ')}`)
  } else if (!cidrContains(vSwitch.cidr, node.primaryIp) || isReserved(vSwitch.cidr, node.primaryIp)) {
    problems.push(`${at}.primaryIp: ${node.primaryIp} is not a free address of ${vSwitch.id} (${vSwitch.cidr})`)
  }
  const groups = file.securityGroups.map((group) => group.id)
  const wanted = node.securityGroups ?? groups.slice(0, 1)
  const unknown = wanted.filter((name) => !groups.some((group) => group === name))
  if (unknown.length > 0) problems.push(`${at}.securityGroups: there is no ${unknown.join(', ')}`)
  const role = file.ramRoles.find((candidate) => candidate.name === node.ramRole)
  if (node.ramRole !== undefined && role === undefined) problems.push(`${at}.ramRole: there is no ${node.ramRole}`)
  if (type === undefined || vSwitch === undefined) return []
  return [
    {
      ...node,
      instanceType: type,
      vSwitchId: vSwitch.id,
      securityGroupIds: groups.filter((group) => wanted.includes(group)),
      ramRole: role?.name,
      tags: new Map(Object.entries(node.tags)),
    },
  ]
}
