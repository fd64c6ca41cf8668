/** Security groups: who may talk to whom. */
import { z } from 'zod'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import type { SecurityGroupId } from './ids.ts'
import { parsed, prefixed } from './parsed.ts'

/** Ports of TCP and UDP, both ends included. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface SecurityGroupRule {
  readonly direction: 'ingress' | 'egress'
  readonly policy: 'accept' | 'drop'
  readonly protocol: 'all' | 'tcp' | 'udp' | 'icmp' | 'icmpv6'
  /** Undefined: every port, and for the protocols that have none. */
  readonly ports: PortRange | undefined
  /** Where the packet comes from, or goes to. */
  readonly peer: { readonly cidr: Cidr } | { readonly group: SecurityGroupId }
  /** 1 to 100; the lowest number wins, and of two with the same number the one that drops. */
  readonly priority: number
}

/**
 * Without a rule that says otherwise a basic (`normal`) group lets everything out, its members in, and nobody else in;
 * an advanced (`enterprise`) group lets nothing out or in, between its members neither (ECS documentation, "Basic and
 * advanced security groups").
 */
export interface SecurityGroup {
  readonly id: SecurityGroupId
  readonly type: 'normal' | 'enterprise'
  readonly rules: readonly SecurityGroupRule[]
}

const ports = z
  .union([z.int(), z.string().regex(/^\d{1,5}(-\d{1,5})?$/, 'must be like 80 or 8000-8999')])
  .transform((value): PortRange => {
    const [from = 0, to = from] = String(value).split('-').map(Number)
    return { from, to }
  })
  .refine(({ from, to }) => from >= 1 && from <= to && to <= 65_535, 'must be 1 to 65535, the lower one first')

const rule = z
  .strictObject({
    direction: z.enum(['ingress', 'egress']),
    policy: z.enum(['accept', 'drop']).default('accept'),
    protocol: z.enum(['all', 'tcp', 'udp', 'icmp', 'icmpv6']).default('all'),
    ports: ports.optional(),
    cidr: parsed<Cidr>(parseCidr).optional(),
    group: prefixed<SecurityGroupId>('sg').optional(),
    priority: z.int().min(1).max(100).default(1),
  })
  .transform(({ cidr, group, ports: range, ...rest }, context): SecurityGroupRule => {
    if (range !== undefined && rest.protocol !== 'tcp' && rest.protocol !== 'udp') {
      context.addIssue({ code: 'custom', message: 'ports are for the protocols tcp and udp' })
    }
    if (cidr !== undefined && group === undefined) return { ...rest, ports: range, peer: { cidr } }
    if (group !== undefined && cidr === undefined) return { ...rest, ports: range, peer: { group } }
    context.addIssue({ code: 'custom', message: 'needs one of cidr and group' })
    return z.NEVER
  })

export const SECURITY_GROUP = z.strictObject({
  id: prefixed<SecurityGroupId>('sg'),
  type: z.enum(['normal', 'enterprise']).default('normal'),
  rules: z.array(rule).default([]),
})
