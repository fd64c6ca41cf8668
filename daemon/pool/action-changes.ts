/** What is recorded of a decision before it is carried out. Pure. */
import type { Action } from './balance.ts'
import { type AssignToken, type Change, factsOf } from './model.ts'
import type { PoolState } from './tables.ts'

/** An action that is carried out by what its ENI's records call for. */
export type EniAction = Exclude<Action, { readonly kind: 'create-eni' | 'end-cooling' }>

export interface ActionFacts {
  /** ms since the epoch */
  readonly since: number
  /** Of an assignment. */
  readonly token?: AssignToken
  /** Of an assignment: as many as there are to be had, where that is less than was decided. */
  readonly count?: number
}

const PHASES = { 'drain-eni': 'draining', 'keep-eni': 'in-use', 'release-eni': 'detaching' } as const

/** Nothing for what has gone since it was decided. */
export function changesOf(action: EniAction, state: PoolState, facts: ActionFacts): Change[] {
  const { since } = facts
  switch (action.kind) {
    case 'assign':
      return assigning(action, facts)
    case 'unassign':
      return unassigning(action, state, since)
    default: {
      const eni = state.enis.get(action.eni)
      if (eni === undefined || eni.phase === 'creating') return []
      return [{ kind: 'put-eni', eni: { ...eni, phase: PHASES[action.kind], since } }]
    }
  }
}

function assigning(action: Extract<Action, { readonly kind: 'assign' }>, facts: ActionFacts): Change[] {
  const { since, token, count = action.count } = facts
  if (token === undefined) throw new Error('an assignment needs a token')
  return [{ kind: 'put-assign', assign: { token, eni: action.eni, what: action.what, count, since } }]
}

function unassigning(
  { ips, prefixes }: Extract<Action, { readonly kind: 'unassign' }>,
  state: PoolState,
  since: number,
): Change[] {
  return [
    ...ips.flatMap((ip): Change[] => {
      const address = state.addresses.get(ip)
      if (address === undefined) return []
      return [{ kind: 'put-address', address: { ...factsOf(address), since, phase: 'unassigning' } }]
    }),
    ...prefixes.flatMap((cidr): Change[] => {
      const prefix = state.prefixes.get(cidr)
      return prefix === undefined ? [] : [{ kind: 'put-prefix', prefix: { ...prefix, phase: 'unassigning', since } }]
    }),
  ]
}
