/** Rows of the addresses that VPC route mode gives to pods, parsed back into records. */
import { z } from 'zod'
import { parseIp } from '../../inet/address.ts'
import type { Owner, PodKey } from '../pool/model.ts'
import type { RouteAddress } from '../route/allocation.ts'

const address = {
  ip: z.string().transform(parseIp),
  since: z.number(),
  pod: z
    .string()
    .transform((text) => text as PodKey)
    .exactOptional(),
  podUid: z.string().exactOptional(),
}
const ADDRESS = z.discriminatedUnion('phase', [
  z.object({ ...address, phase: z.literal('owned'), owner: z.string().transform((text) => text as Owner) }),
  z.object({ ...address, phase: z.literal('cooling'), until: z.number() }),
  z.object({ ...address, phase: z.literal('free') }),
])

/** @throws ZodError, or the parser's error, when a record is not what this program wrote. */
export const decodeRouteAddress = (record: unknown): RouteAddress => ADDRESS.parse(record)
