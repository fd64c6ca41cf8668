/** From the YAML of a region file to a Region in which every reference holds. */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import {
  type Cidr,
  cidrContains,
  type Ipv4,
  parseCidr,
  parseIpv4,
  splitCidr,
  vSwitchGateway,
} from '../../inet/address.ts'
import { isReserved } from '../cloud/vswitch-addresses.ts'
import type { AccessKeyId, InstanceId, NodeName, RegionId, SecurityGroupId, VpcId, VSwitchId, ZoneId } from './ids.ts'
import { BUILT_IN_INSTANCE_TYPES, type InstanceType } from './instance-types.ts'
import { type Latencies, type Node, type Region, RegionError, type VSwitch } from './region.ts'

/** Text that `parse` turns into a domain value; what it throws becomes the message at the key. */
function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

function id<T extends string>(pattern: RegExp, example: string) {
  return z
    .string()
    .regex(pattern, `must look like ${example}`)
    .transform((text) => text as T)
}

function prefixed<T extends string>(prefix: string) {
  return id<T>(new RegExp(`^${prefix}-[a-z0-9-]{1,60}$`), `${prefix}-sim`)
}

const ipv4 = parsed<Ipv4>(parseIpv4)
const cidr = parsed<Cidr>((text) => {
  const prefix = parseCidr(text)
  parseIpv4(splitCidr(prefix).network)
  return prefix
})
/** The VPC's rule for vSwitches. */
const vSwitchCidr = cidr.refine(
  (prefix) => splitCidr(prefix).length >= 16 && splitCidr(prefix).length <= 29,
  'must be a /16 to /29',
)
const count = z.int().min(0).max(1000)
/** No latency of the cloud is near ten minutes. */
const milliseconds = z.int().min(0).max(600_000)

const instanceType = z
  .strictObject({
    id: id<string>(/^ecs\.[a-z0-9-]+\.[a-z0-9]+$/, 'ecs.g7.xlarge'),
    cpuCores: count.min(1),
    memoryGiB: z.number().positive(),
    eniQuantity: count.min(1),
    eniTotalQuantity: count.min(1).optional(),
    trunkSupported: z.boolean().default(false),
    ipv4PerEni: count.min(1),
    ipv6PerEni: count.default(0),
    queuesPerEni: count.min(1).default(1),
  })
  .transform(
    ({ eniTotalQuantity, ...type }): InstanceType => ({
      ...type,
      eniTotalQuantity: eniTotalQuantity ?? type.eniQuantity,
    }),
  )

/** The middle of what clients of the real cloud wait for. */
const DEFAULT_LATENCIES: Latencies = {
  create: 500,
  attach: 3000,
  detach: 3000,
  delete: 1500,
  assign: 500,
  unassign: 500,
  metadata: 1000,
  link: 1000,
}
const latency = (name: keyof Latencies) => milliseconds.default(DEFAULT_LATENCIES[name])

const FILE = z.strictObject({
  region: id<RegionId>(/^[a-z]{2}-[a-z0-9-]{1,30}$/, 'cn-sim'),
  account: z
    .string()
    .regex(/^\d{4,15}$/, 'must be 4 to 15 digits, in quotes')
    .default('100000000000001'),
  vpc: z.strictObject({ id: prefixed<VpcId>('vpc'), cidr }),
  vSwitches: z
    .array(
      z.strictObject({
        id: prefixed<VSwitchId>('vsw'),
        zone: id<ZoneId>(/^[a-z0-9-]{1,40}$/, 'cn-sim-h'),
        cidr: vSwitchCidr,
      }),
    )
    .min(1),
  securityGroups: z.array(z.strictObject({ id: prefixed<SecurityGroupId>('sg') })).min(1),
  nodes: z.array(
    z.strictObject({
      name: id<NodeName>(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'node-a'),
      instanceId: prefixed<InstanceId>('i'),
      instanceType: z.string(),
      vSwitch: z.string(),
      primaryIp: ipv4,
      metadataTokens: z.enum(['optional', 'required']).default('optional'),
    }),
  ),
  accessKeys: z
    .array(z.strictObject({ id: id<AccessKeyId>(/^[A-Za-z0-9.]{4,64}$/, 'LTAIsim'), secret: z.string().min(1) }))
    .min(1),
  latencies: z
    .strictObject({
      create: latency('create'),
      attach: latency('attach'),
      detach: latency('detach'),
      delete: latency('delete'),
      assign: latency('assign'),
      unassign: latency('unassign'),
      metadata: latency('metadata'),
      link: latency('link'),
    })
    .default(DEFAULT_LATENCIES),
  instanceTypes: z.array(instanceType).default([]),
})
type File = z.output<typeof FILE>

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
    (vSwitch): VSwitch => ({ ...vSwitch, gateway: parseIpv4(vSwitchGateway(vSwitch.cidr)) }),
  )
  const instanceTypes = byId([...BUILT_IN_INSTANCE_TYPES, ...file.instanceTypes])
  const region = {
    id: file.region,
    account: file.account,
    vpc: file.vpc,
    vSwitches: byId(vSwitches),
    securityGroups: new Set(file.securityGroups.map((group) => group.id)),
    accessKeys: byId(file.accessKeys),
    latencies: file.latencies,
    instanceTypes,
  }
  noDuplicates(file, problems)
  checkVSwitches(file, problems)
  const groups = file.securityGroups.map((group) => group.id)
  const nodes = file.nodes.flatMap((node, index): Node[] => {
    const at = `nodes[${index}]`
    const type = instanceTypes.get(node.instanceType)
    if (type === undefined) {
      problems.push(`${at}.instanceType: ${node.instanceType} is unknown; describe it under instanceTypes`)
    }
    const vSwitch = vSwitches.find((candidate) => candidate.id === node.vSwitch)
    if (vSwitch === undefined) {
      const known = vSwitches.map((candidate) => candidate.id).join(', ')
      problems.push(`${at}.vSwitch: ${node.vSwitch} is none of ${known}`)
    } else if (!cidrContains(vSwitch.cidr, node.primaryIp) || isReserved(vSwitch.cidr, node.primaryIp)) {
      problems.push(`${at}.primaryIp: ${node.primaryIp} is not a free address of ${vSwitch.id} (${vSwitch.cidr})`)
    }
    if (type === undefined || vSwitch === undefined) return []
    return [{ ...node, instanceType: type, vSwitchId: vSwitch.id, securityGroupIds: groups.slice(0, 1) }]
  })
  return { ...region, nodes }
}

function noDuplicates(file: File, problems: string[]): void {
  const lists: Readonly<Record<string, readonly string[]>> = {
    'vSwitches.id': file.vSwitches.map((vSwitch) => vSwitch.id),
    'securityGroups.id': file.securityGroups.map((group) => group.id),
    'nodes.name': file.nodes.map((node) => node.name),
    'nodes.instanceId': file.nodes.map((node) => node.instanceId),
    'nodes.primaryIp': file.nodes.map((node) => node.primaryIp),
    'accessKeys.id': file.accessKeys.map((key) => key.id),
    'instanceTypes.id': file.instanceTypes.map((type) => type.id),
  }
  for (const [key, values] of Object.entries(lists)) {
    const twice = values.filter((value, index) => values.indexOf(value) !== index)
    if (twice.length > 0) problems.push(`${key}: ${twice.join(', ')} is there twice`)
  }
}

/** A vSwitch is inside the VPC and shares no address with another one. */
function checkVSwitches(file: File, problems: string[]): void {
  for (const [index, { id: name, cidr: own }] of file.vSwitches.entries()) {
    const at = `vSwitches[${index}].cidr`
    const { network, length } = splitCidr(own)
    if (length < splitCidr(file.vpc.cidr).length || !cidrContains(file.vpc.cidr, network)) {
      problems.push(`${at}: ${own} is not inside the VPC's ${file.vpc.cidr}`)
    }
    for (const other of file.vSwitches.slice(0, index)) {
      if (cidrContains(own, splitCidr(other.cidr).network) || cidrContains(other.cidr, network)) {
        problems.push(`${at}: ${own} of ${name} overlaps ${other.cidr} of ${other.id}`)
      }
    }
  }
}
