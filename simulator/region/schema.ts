/** The keys of a region file and what each may hold; whether they fit together is checked afterwards. */
import { z } from 'zod'
import {
  type Cidr,
  familyOf,
  type Ipv4,
  type Ipv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  splitCidr,
} from '../../inet/address.ts'
import type {
  AccessKeyId,
  InstanceId,
  NodeName,
  RegionId,
  RoleName,
  RouteTableId,
  VpcId,
  VSwitchId,
  ZoneId,
} from './ids.ts'
import type { InstanceType } from './instance-types.ts'
import { id, parsed, prefixed } from './parsed.ts'
import type { Latencies, Policy, Quotas } from './region.ts'
import { SECURITY_GROUP } from './security-group.ts'

const ipv4 = parsed<Ipv4>(parseIpv4)
const ipv6 = parsed<Ipv6>(parseIpv6)
const cidr = parsed<Cidr>((text) => {
  const prefix = parseCidr(text)
  parseIpv4(splitCidr(prefix).network)
  return prefix
})
function ipv6Prefix(length: number) {
  return parsed<Cidr>(parseCidr).refine(
    (prefix) => familyOf(prefix) === 'ipv6' && splitCidr(prefix).length === length,
    `must be an IPv6 /${length}`,
  )
}
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
    eriQuantity: count.default(0),
  })
  .refine(({ eniQuantity, eniTotalQuantity = eniQuantity }) => eniTotalQuantity >= eniQuantity, {
    path: ['eniTotalQuantity'],
    message: 'must not be less than eniQuantity, whose ENIs it counts, too',
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
  member: 1500,
  route: 1000,
  describe: 0,
}
/** Security groups: ECS documentation, "Limits"; route entries: VPC documentation. An account's ENIs are a guess. */
const DEFAULT_QUOTAS: Quotas = {
  enis: 5000,
  securityGroupsPerEni: 5,
  securityGroupIps: { normal: 2000, enterprise: 65_536 },
  routeEntries: 200,
}
const latency = (name: keyof Latencies) => milliseconds.default(DEFAULT_LATENCIES[name])

/** `ecs:CreateNetworkInterface`, `ecs:Describe*`, `*`; nothing said: everything is allowed. */
const pattern = z.string().regex(/^(\*|(ecs|vpc):[A-Za-z0-9]*\*?)$/, 'must look like ecs:Describe*')
const policy = z
  .strictObject({ allow: z.array(pattern).default(['*']), deny: z.array(pattern).default([]) })
  .default({ allow: ['*'], deny: [] }) satisfies z.ZodType<Policy>
const roleName = id<RoleName>(/^[A-Za-z0-9._-]{1,64}$/, 'node-role')
const perMinute = z.int().min(1).max(1_000_000)

const node = z.strictObject({
  name: id<NodeName>(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'node-a'),
  /** That many nodes: `-1`, `-2`, … at the end of name and instanceId, and the addresses from the first ones on. */
  count: z.int().min(1).max(5000).optional(),
  instanceId: prefixed<InstanceId>('i'),
  instanceType: z.string(),
  vSwitch: z.string(),
  primaryIp: ipv4,
  primaryIpv6: ipv6.optional(),
  metadataTokens: z.enum(['optional', 'required']).default('optional'),
  securityGroups: z.array(z.string()).min(1).optional(),
  status: z.enum(['Running', 'Stopped']).default('Running'),
  ramRole: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
})

export const FILE = z.strictObject({
  region: id<RegionId>(/^[a-z]{2}-[a-z0-9-]{1,30}$/, 'cn-sim'),
  account: z
    .string()
    .regex(/^\d{4,15}$/, 'must be 4 to 15 digits, in quotes')
    .default('100000000000001'),
  vpc: z.strictObject({
    id: prefixed<VpcId>('vpc'),
    cidr,
    ipv6Cidr: ipv6Prefix(56).optional(),
    routeTables: z
      .array(z.strictObject({ id: prefixed<RouteTableId>('vtb'), vSwitches: z.array(z.string()).default([]) }))
      .default([]),
  }),
  vSwitches: z
    .array(
      z.strictObject({
        id: prefixed<VSwitchId>('vsw'),
        zone: id<ZoneId>(/^[a-z0-9-]{1,40}$/, 'cn-sim-h'),
        cidr: vSwitchCidr,
        ipv6Cidr: ipv6Prefix(64).optional(),
      }),
    )
    .min(1),
  securityGroups: z.array(SECURITY_GROUP).min(1),
  nodes: z.array(node),
  accessKeys: z
    .array(
      z.strictObject({ id: id<AccessKeyId>(/^[A-Za-z0-9.]{4,64}$/, 'LTAIsim'), secret: z.string().min(1), policy }),
    )
    .min(1),
  ramRoles: z
    .array(z.strictObject({ name: roleName, policy, keyLife: z.int().min(1).max(43_200).default(21_600) }))
    .default([]),
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
      member: latency('member'),
      route: latency('route'),
      describe: latency('describe'),
    })
    .default(DEFAULT_LATENCIES),
  quotas: z
    .strictObject({
      enis: z.int().min(1).default(DEFAULT_QUOTAS.enis),
      securityGroupsPerEni: z.int().min(1).max(16).default(DEFAULT_QUOTAS.securityGroupsPerEni),
      securityGroupIps: z
        .strictObject({
          normal: z.int().min(1).default(DEFAULT_QUOTAS.securityGroupIps.normal),
          enterprise: z.int().min(1).default(DEFAULT_QUOTAS.securityGroupIps.enterprise),
        })
        .default(DEFAULT_QUOTAS.securityGroupIps),
      routeEntries: z.int().min(1).default(DEFAULT_QUOTAS.routeEntries),
    })
    .default(DEFAULT_QUOTAS),
  /** By action; `*`: those that are not named. */
  throttle: z.record(z.string(), perMinute).default({}),
  /** Standard frames, or the jumbo frames of newer instance types. */
  mtu: z.int().min(1280).max(8500).default(1500),
  seed: z.int().min(0).default(1),
  instanceTypes: z.array(instanceType).default([]),
})
export type File = z.output<typeof FILE>
export type FileNode = z.output<typeof node>
