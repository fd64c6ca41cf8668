/** What eni_conf says of how pods are connected, and of the node's own prefixes in VPC route mode. */
import { z } from 'zod'
import { parseCloudId, type RouteTableId } from '../../cloud/ids.ts'
import { type Cidr, type Family, familyOf, parseCidr } from '../../inet/address.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import { IPV6_MTU_MIN } from '../datapath/constants.ts'
import { PodCidrError, podCidrs } from '../route/pod-cidrs.ts'
import type { Findings } from './findings.ts'
import type { Kind, Mode } from './mode.ts'
import { parsedString } from './parsed-string.ts'

export interface DatapathConf {
  readonly policyRoute: HostFacts['policyRoute']
  /** Of Kubernetes' services, of any family. */
  readonly serviceCidrs: readonly Cidr[]
  /** Bytes, of ENIs and of pods whose network configuration does not say. */
  readonly mtu: number
}

export interface RouteConf {
  /** One of each family, or none as long as Kubernetes is to say them. */
  readonly podCidrs: readonly Cidr[]
  /** Custom entries that a route table can have. */
  readonly tableLimit: number
  /** Undefined: the one of the node's vSwitch. */
  readonly tables: readonly RouteTableId[] | undefined
}

const cidrs = z.string('must be a list of prefixes').transform((text, context): readonly Cidr[] => {
  try {
    return text.split(',').map((one) => parseCidr(one.trim()))
  } catch {
    // The text quotes nothing: the whole list is in the file.
    context.addIssue({ code: 'custom', message: 'must be prefixes like 172.16.0.0/16, separated by commas' })
    return z.NEVER
  }
})

/** Bytes: what every IPv4 host must accept whole (RFC 791, section 3.1), and the 16 bits of a packet's length. */
const [MTU_MIN, MTU_MAX] = [576, 65_535]
const MTU_RULE = `must be a whole number from ${MTU_MIN} to ${MTU_MAX}`
/** Of ENIs without jumbo frames. */
const DEFAULT_MTU = 1500
/** A VPC's quota unless it is raised: custom entries of a route table. */
const DEFAULT_TABLE_LIMIT = 50

export const DATAPATH_KEYS = {
  policy_route: z.enum(['map', 'rules'], 'must be one of map, rules').optional(),
  ...{ service_cidr: cidrs.optional(), pod_cidr: cidrs.optional() },
  eni_mtu: z.int(MTU_RULE).min(MTU_MIN, MTU_RULE).max(MTU_MAX, MTU_RULE).optional(),
  route_table_id: parsedString(parseCloudId<RouteTableId>).optional(),
  route_table_limit: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
}
const SCHEMA = z.object(DATAPATH_KEYS)
export type RawDatapath = z.infer<typeof SCHEMA>

/** Pods of these kinds reach services by a way of their own, which is known by the prefixes of the services. */
const NEEDS_SERVICES: readonly Kind[] = ['exclusive', 'member']

export function datapathConf(raw: RawDatapath, { kind, families }: Mode<Kind>, findings: Findings): DatapathConf {
  const { policy_route: policyRoute = 'map', service_cidr: serviceCidrs = [], eni_mtu: mtu = DEFAULT_MTU } = raw
  if (families.includes('ipv6') && mtu < IPV6_MTU_MIN) {
    findings.problems.push(`eni_mtu must be at least ${IPV6_MTU_MIN} where pods have IPv6 addresses`)
  }
  const without = families.filter((family) => !serviceCidrs.some((cidr) => familyOf(cidr) === family))
  if (NEEDS_SERVICES.includes(kind) && without.length > 0) {
    findings.warnings.push(`service_cidr has no ${without.join(' and no ')} prefix: pods reach no such services`)
  }
  return { policyRoute, serviceCidrs, mtu }
}

/** Undefined in other modes. */
export function routeConf(raw: RawDatapath, { kind, families }: Mode<Kind>, findings: Findings): RouteConf | undefined {
  if (kind !== 'route') {
    const given = (['pod_cidr', 'route_table_id', 'route_table_limit'] as const).filter((key) => raw[key] !== undefined)
    for (const key of given) findings.warnings.push(`${key} has no effect without network_mode "VPC"`)
    return undefined
  }
  return {
    podCidrs: podCidrsOf(raw, families, findings),
    tableLimit: raw.route_table_limit ?? DEFAULT_TABLE_LIMIT,
    tables: raw.route_table_id === undefined ? undefined : [raw.route_table_id],
  }
}

function podCidrsOf({ pod_cidr: given }: RawDatapath, families: readonly Family[], { problems }: Findings) {
  if (given === undefined) return []
  try {
    return podCidrs(given, families)
  } catch (error) {
    if (!(error instanceof PodCidrError)) throw error
    problems.push(`pod_cidr: ${error.message}`)
    return []
  }
}
