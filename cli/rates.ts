/** Limits of a pod's traffic, in the units that pods' annotations are in: bits, and powers of 1000. */
import type { Endpoint__Output as Endpoint } from '../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { RateLimit__Output as RateLimit } from '../proto/generated/terway/inspect/v1/RateLimit.ts'

const PREFIXES = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const
const DIGITS = 4

function scaled(value: number, unit: string): string {
  const [prefix, scale] = PREFIXES.find(([, at]) => value >= at) ?? ['', 1]
  return `${Number((value / scale).toPrecision(DIGITS))} ${prefix}${unit}`
}

function limitText(direction: string, limit: RateLimit | null): string[] {
  if (limit === null) return []
  const burst = limit.burst === 0 ? '' : ` (burst ${scaled(limit.burst, 'B')})`
  return [`${direction} ${scaled(limit.rate * 8, 'bit/s')}${burst}`]
}

/** `ingress 10 Mbit/s, egress 1 Gbit/s (burst 1 MB)`; empty without limits. */
export function limitsText({ ingress, egress }: Pick<Endpoint, 'ingress' | 'egress'>): string {
  return [...limitText('ingress', ingress), ...limitText('egress', egress)].join(', ')
}
