/** Reading the audit: a part of it, or sums over it. */
import { matchesGlob } from '../faults/glob.ts'
import type { Audit, AuditEntry } from './audit.ts'

/** The question cannot be answered; the message names the parameter and what is allowed. */
export class AuditQueryError extends Error {
  override readonly name = 'AuditQueryError'
}

const FILTERS = ['action', 'node', 'code', 'since', 'limit']

/** @throws AuditQueryError */
export function filterAudit(audit: Audit, query: ReadonlyMap<string, string>): readonly AuditEntry[] {
  const unknown = [...query.keys()].find((name) => !FILTERS.includes(name))
  if (unknown !== undefined) throw new AuditQueryError(`${unknown}: must be one of ${FILTERS.join(', ')}`)
  const { action, node, code } = Object.fromEntries(query)
  const found = audit
    .since(numberOf(query, 'since') ?? 0)
    .filter((entry) => action === undefined || matchesGlob(action, entry.action))
    .filter((entry) => node === undefined || entry.node === node)
    .filter((entry) => code === undefined || matchesGlob(code, entry.code))
  const limit = numberOf(query, 'limit')
  return limit === undefined ? found : found.slice(Math.max(0, found.length - limit))
}

function numberOf(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new AuditQueryError(`${name}: must be a number, not ${JSON.stringify(text)}`)
}

/** The calls of one action that ended with one code. */
export interface AuditSum {
  readonly action: string
  readonly code: string
  readonly calls: number
  /** Those that changed the state of the cloud. */
  readonly effects: number
  /** Different ClientTokens of the calls; absent when none had one. */
  readonly tokens?: number
  /** How often the same key called again with the same parameters, ClientToken aside, after an answer with this code. */
  readonly repeats: number
  /** Milliseconds from such a call to its repetition, at the least. */
  readonly shortestGap?: number
}

interface Sum {
  readonly action: string
  readonly code: string
  calls: number
  effects: number
  readonly tokens: Set<string>
  repeats: number
  shortestGap: number
}

interface Previous {
  readonly sum: Sum
  readonly at: number
}

/** By action and code. Many repeats with a short gap after a code that cannot get better are a retry loop. */
export function sumUp(entries: readonly AuditEntry[]): readonly AuditSum[] {
  const sums = new Map<string, Sum>()
  const last = new Map<string, Previous>()
  // Calls that overlap end in another order than they came in.
  const asTheyCame = entries.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  for (const entry of asTheyCame) {
    const sum = sumOf(sums, entry)
    sum.calls += 1
    if (entry.effect) sum.effects += 1
    if (entry.clientToken !== undefined) sum.tokens.add(entry.clientToken)
    const at = Date.parse(entry.time)
    const identity = identityOf(entry)
    const before = last.get(identity)
    if (before !== undefined) {
      before.sum.repeats += 1
      before.sum.shortestGap = Math.min(before.sum.shortestGap, at - before.at)
    }
    last.set(identity, { sum, at })
  }
  return [...sums.values()].map(({ tokens, repeats, shortestGap, ...sum }) => ({
    ...sum,
    ...(tokens.size > 0 ? { tokens: tokens.size } : {}),
    repeats,
    ...(repeats > 0 ? { shortestGap } : {}),
  }))
}

/** Equal for calls that ask for the same: a loop that makes a new ClientToken each time is one, too. */
function identityOf({ action, key, node, parameters }: AuditEntry): string {
  const { ClientToken, ...asked } = parameters
  return JSON.stringify([action, key, node, Object.entries(asked).sort()])
}

function sumOf(sums: Map<string, Sum>, { action, code }: AuditEntry): Sum {
  const key = `${action} ${code}`
  const sum = sums.get(key) ?? {
    ...{ action, code, calls: 0, effects: 0, tokens: new Set<string>(), repeats: 0 },
    shortestGap: Number.POSITIVE_INFINITY,
  }
  sums.set(key, sum)
  return sum
}
