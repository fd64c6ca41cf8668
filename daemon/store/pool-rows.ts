/** Rows of the pool's tables, parsed back into records. */
import { z } from 'zod'
import { type EniId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { parseCidr, parseIp, parseIpv4, parseMac } from '../../inet/address.ts'
import type {
  AddressRecord,
  AssignRecord,
  AssignToken,
  EniKey,
  EniRecord,
  Owner,
  PodKey,
  PrefixRecord,
} from '../pool/model.ts'

const eniKey = z.string().transform((text) => text as EniKey)
const vSwitchId = z.string().transform((text) => parseCloudId<VSwitchId>(text))
const cidr = z.string().transform(parseCidr)
const ip = z.string().transform(parseIp)
/** The first version of the journal knew shared ENIs with IPv4 addresses only. */
const role = z.enum(['shared', 'exclusive', 'member', 'trunk']).default('shared')

const CREATE = z.object({
  vSwitchId,
  securityGroupIds: z.array(z.string().transform((text) => parseCloudId<SecurityGroupId>(text))),
  type: z.literal('Trunk').exactOptional(),
  secondaryIps: z.int(),
  ipv6s: z.int().exactOptional(),
  ipv4Prefixes: z.int().exactOptional(),
  ipv6Prefixes: z.int().exactOptional(),
  tags: z.record(z.string(), z.string()),
  name: z.string(),
  clientToken: z.string(),
})
const eni = { key: eniKey, role, vSwitchId, cidr, cidr6: cidr.exactOptional(), since: z.number() }
const ENI = z.discriminatedUnion('phase', [
  z.object({ ...eni, phase: z.literal('creating'), request: CREATE }),
  z.object({
    ...eni,
    phase: z.enum(['attaching', 'in-use', 'draining', 'detaching', 'deleting', 'lost']),
    id: z.string().transform((text) => parseCloudId<EniId>(text)),
    mac: z.string().transform(parseMac),
    primaryIp: z.string().transform(parseIpv4),
    vlanId: z.int().exactOptional(),
    failure: z.string().exactOptional(),
  }),
])
const address = {
  ...{ ip, eni: eniKey, primary: z.boolean(), since: z.number() },
  prefix: cidr.exactOptional(),
  pod: z
    .string()
    .transform((text) => text as PodKey)
    .exactOptional(),
  podUid: z.string().exactOptional(),
}
const ADDRESS = z.discriminatedUnion('phase', [
  z.object({ ...address, phase: z.literal('warm') }),
  z.object({
    ...address,
    phase: z.literal('owned'),
    owner: z.string().transform((text) => text as Owner),
    lost: z.literal(true).exactOptional(),
  }),
  z.object({ ...address, phase: z.literal('cooling'), until: z.number(), lost: z.literal(true).exactOptional() }),
  z.object({ ...address, phase: z.literal('unassigning') }),
])
const ASSIGN = z.object({
  token: z.string().transform((text) => text as AssignToken),
  eni: eniKey,
  what: z.enum(['ipv4', 'ipv6', 'ipv4-prefix', 'ipv6-prefix']).default('ipv4'),
  count: z.int(),
  since: z.number(),
})
const PREFIX = z.object({
  ...{ cidr, eni: eniKey, since: z.number() },
  phase: z.enum(['active', 'unassigning', 'lost']),
})

/** Each throws ZodError, or the parser's error, when a record is not what this program wrote. */
export const decodeEni = (record: unknown): EniRecord => ENI.parse(record)
export const decodeAddress = (record: unknown): AddressRecord => ADDRESS.parse(record)
export const decodeAssign = (record: unknown): AssignRecord => ASSIGN.parse(record)
export const decodePrefix = (record: unknown): PrefixRecord => PREFIX.parse(record)
