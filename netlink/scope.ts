/** Scopes of addresses and routes (`enum rt_scope_t`, linux/rtnetlink.h). */
import type { Scope } from './plan.ts'

export const SCOPE_NUMBERS: Readonly<Record<Scope, number>> = { global: 0, link: 253, host: 254 }

/** `global`, `link`, `host`, or the number of a scope without a name. */
export function formatScope(scope: number): string {
  return Object.entries(SCOPE_NUMBERS).find(([, number]) => number === scope)?.[0] ?? String(scope)
}
