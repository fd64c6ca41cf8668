/** What pods get: of which kind of ENI, of which families, by address or by prefix. */
import { z } from 'zod'
import type { Family } from '../../inet/address.ts'
import type { PoolKind } from '../pool/settings.ts'
import { type Findings, settingOf } from './findings.ts'

/** `route`: no ENI at all, but a prefix of the node's and a route of the VPC to it. */
export type Kind = PoolKind | 'route'

export interface Mode<K extends Kind = PoolKind> {
  readonly kind: K
  readonly families: readonly Family[]
  readonly unit: 'address' | 'prefix'
}

const FAMILIES = { ipv4: ['ipv4'], dual: ['ipv4', 'ipv6'], ipv6: ['ipv6'] } as const satisfies Readonly<
  Record<string, readonly Family[]>
>

const networkMode = named<Kind>({ ENIIP: 'shared', ENI: 'exclusive', Trunk: 'member', VPC: 'route' })
const ipStack = z.enum(Object.keys(FAMILIES) as (keyof typeof FAMILIES)[], 'must be one of ipv4, dual, ipv6')

export const MODE_KEYS = {
  network_mode: networkMode.optional(),
  eni_binding_mode: networkMode.optional(),
  backend_type: named<Kind>({
    ...{ ENIMultiIP: 'shared', ENIExclusive: 'exclusive', ENIOnly: 'exclusive', VPCRoute: 'route' },
  }).optional(),
  ip_stack: ipStack.optional(),
  ip_type: z.string('must be a string').toLowerCase().pipe(ipStack).optional(),
  enable_ip_prefix: z.boolean('must be true or false').optional(),
}
const SCHEMA = z.object(MODE_KEYS)
export type RawMode = z.infer<typeof SCHEMA>

export function modeOf(raw: RawMode, findings: Findings): Mode<Kind> {
  const { network_mode, eni_binding_mode, backend_type, ip_stack, ip_type, enable_ip_prefix } = raw
  const kind = settingOf({ network_mode, eni_binding_mode, backend_type }, findings)?.value ?? 'shared'
  const stack = settingOf({ ip_stack, ip_type }, findings)
  const byPrefix = enable_ip_prefix === true
  if (byPrefix && kind !== 'shared') {
    findings.warnings.push('enable_ip_prefix has no effect without network_mode "ENIIP": other pods share no ENI')
  }
  return {
    kind,
    families: FAMILIES[stack?.value ?? 'ipv4'],
    unit: byPrefix && kind === 'shared' ? 'prefix' : 'address',
  }
}

/** A text of the table as what it stands for. */
function named<T extends string>(table: Readonly<Record<string, T>>) {
  const names = Object.keys(table)
  return z.string('must be a string').transform((name, context): T => {
    const value = Object.hasOwn(table, name) ? table[name] : undefined
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `must be one of ${names.join(', ')}` })
    return z.NEVER
  })
}
