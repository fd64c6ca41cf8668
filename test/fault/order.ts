/** What is said between the suite and the processes that it has killed. */
import { z } from 'zod'
import { FLAWS } from './flaws.ts'

const DEATH = z.object({
  step: z.string(),
  moment: z.enum(['before', 'after', 'unsent', 'sent', 'unread', 'unheard']),
})

export const ORDER = z.object({
  /** `live`: does what the scenario says, from its beginning. `go-on`: starts where another process has died. */
  task: z.enum(['live', 'go-on']),
  scenario: z.string(),
  directory: z.string(),
  region: z.object({
    /** `host:port` of the API */
    api: z.string(),
    id: z.string(),
    speed: z.number(),
    /** When its clock started, ms since the epoch, and it was right then. */
    startedAt: z.number(),
    ...{ instanceId: z.string(), vpcId: z.string(), zone: z.string(), vSwitchId: z.string() },
    securityGroupIds: z.array(z.string()),
  }),
  /** ms of the region's clock */
  coolDown: z.number(),
  death: DEATH.optional(),
  flaw: z.enum(FLAWS).optional(),
})
export type Order = z.infer<typeof ORDER>

export const REPORT = z.discriminatedUnion('kind', [
  /** It waits for an order. */
  z.object({ kind: z.literal('ready') }),
  z.object({
    kind: z.literal('done'),
    /** What a comparison with the cloud has found then. */
    findings: z.array(z.string()),
    steps: z.array(z.object({ name: z.string(), kind: z.enum(['write', 'call', 'look']) })),
  }),
  z.object({ kind: z.literal('failed'), why: z.string() }),
])
export type Report = z.infer<typeof REPORT>
