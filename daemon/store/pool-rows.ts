/** Rows of the pool's tables, parsed back into records. */
import { z } from 'zod'
import { type EniId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { parseCidr, parseIpv4, parseMac } from '../../inet/address.ts'
import type { AddressRecord, AssignRecord, AssignToken, EniKey, EniRecord, Owner } from '../pool/model.ts'

const eniKey = z.string().transform((text) => text as EniKey)
const vSwitchId = z.string().transform((text) => parseCloudId<VSwitchId>(text))
const cidr = z.string().transform(parseCidr)
const ip = z.string().transform(parseIpv4)

const CREATE = z.object({
  vSwitchId,
  securityGroupIds: z.array(z.string().transform((text) => parseCloudId<SecurityGroupId>(text))),
  secondaryIps: z.int(),
  tags: z.record(z.string(), z.string()),
  name: z.string(),
  clientToken: z.string(),
})
const ENI = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('creating'), key: eniKey, vSwitchId, cidr, request: CREATE, since: z.number() }),
  z.object({
    phase: z.enum(['attaching', 'in-use', 'detaching', 'deleting', 'lost']),
    key: eniKey,
    vSwitchId,
    cidr,
    id: z.string().transform((text) => parseCloudId<EniId>(text)),
    mac: z.string().transform(parseMac),
    primaryIp: ip,
    since: z.number(),
  }),
])
const address = { ip, eni: eniKey, primary: z.boolean(), since: z.number() }
const ADDRESS = z.discriminatedUnion('phase', [
  z.object({ ...address, phase: z.literal('warm') }),
  z.object({
    ...address,
    phase: z.literal('owned'),
    owner: z.string().transform((text) => text as Owner),
    lost: z.literal(true).exactOptional(),
  }),
  z.object({ ...address, phase: z.literal('cooling'), until: z.number() }),
  z.object({ ...address, phase: z.literal('unassigning') }),
])
const ASSIGN = z.object({
  token: z.string().transform((text) => text as AssignToken),
  eni: eniKey,
  count: z.int(),
  since: z.number(),
})

/** Each throws ZodError when a row is not what this program wrote: the journal is damaged. */
export const decodeEni = (record: unknown): EniRecord => ENI.parse(record)
export const decodeAddress = (record: unknown): AddressRecord => ADDRESS.parse(record)
export const decodeAssign = (record: unknown): AssignRecord => ASSIGN.parse(record)
