/** How many pods a node has addresses for, and could have. Pure. */
import type { EniRecord } from '../model.ts'
import { capacityOf, type PoolLimits } from '../settings.ts'
import type { PoolState, Tally } from '../tables.ts'

export interface Places {
  /** What the node may have in all. */
  readonly total: number
  readonly allocated: number
  readonly cooling: number
  /** Of ENIs in use: can be given at once. */
  readonly ready: number
}

/** Counted in pods: one address of each family. */
export function placesOf(state: PoolState, limits: PoolLimits): Places {
  const enis = [...state.enis.values()].filter(({ role }) => role === limits.kind)
  const most = (field: keyof Tally) =>
    enis.reduce((sum, { key }) => sum + Math.max(...limits.families.map((of) => state.tally(key, of)[field])), 0)
  const [allocated, cooling] = [most('owned'), most('cooling')]
  const inUse = enis.filter(({ phase }) => phase === 'in-use')
  const ready = inUse.reduce((sum, eni) => sum + readyOf(state, limits, eni), 0)
  return { total: Math.max(capacityOf(limits), allocated + cooling), allocated, cooling, ready }
}

/** Of a /80 only those addresses are on record that were given before; there are more than anybody needs. */
function readyOf(state: PoolState, { families, unit }: PoolLimits, { key }: EniRecord): number {
  const counted = families.filter((family) => unit === 'address' || family === 'ipv4')
  return counted.length === 0 ? 0 : Math.min(...counted.map((family) => state.tally(key, family).warm))
}
