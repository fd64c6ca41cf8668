/** From the YAML of a region file to a Region in which every reference holds. */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseIpv4, parseIpv6, vSwitchGateway } from '../../inet/address.ts'
import {
  checkActionNames,
  checkQuotas,
  checkSecurityGroupRules,
  checkVpc,
  checkVSwitches,
  noDuplicates,
} from './checks.ts'
import type { RouteTableId } from './ids.ts'
import { BUILT_IN_INSTANCE_TYPES } from './instance-types.ts'
import { buildNode, expand } from './node.ts'
import { type Region, RegionError, type RouteTable, type VSwitch } from './region.ts'
import { FILE, type File } from './schema.ts'

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
  // A node that stands for many has one problem all the same.
  if (problems.length > 0) throw new RegionError(`${source} is not a region:\n${[...new Set(problems)].join('\n')}`)
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
  checkVpc(file, problems)
  checkVSwitches(file, problems)
  checkSecurityGroupRules(file, problems)
  checkActionNames(file, problems)
  const nodes = expanded.flatMap(({ node, at }) => buildNode(node, at, { file, region, problems }))
  checkQuotas(file, nodes, problems)
  return { ...region, nodes }
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
  const id = `vtb-${file.vpc.id.slice('vpc-'.length)}` as RouteTableId
  if (custom.some((table) => table.id === id)) problems.push(`vpc.routeTables.id: ${id} is the system table's`)
  return [{ id, type: 'System', vSwitches: rest }, ...custom]
}
