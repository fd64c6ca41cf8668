/** How many pods the node's prefixes have addresses for. Pure. */
import { familyOf } from '../../inet/address.ts'
import type { Places } from '../pool/report/places.ts'
import { type Allocation, podsIn } from './allocation.ts'

/** What a prefix of IPv6 has more of is told as this many: no node has more pods, and counters hold 32 bits. */
const PLENTY = 2 ** 31 - 1

/** Counted in pods: one address of each family. */
export function places(state: Allocation): Places {
  const mine = [...state.addresses.values()].filter(({ ip }) => state.isForPods(ip))
  const shelves = state.prefixes.map((prefix) => {
    const of = mine.filter(({ ip }) => familyOf(ip) === familyOf(prefix))
    const allocated = of.filter(({ phase }) => phase === 'owned').length
    const cooling = of.filter(({ phase }) => phase === 'cooling').length
    const total = Math.min(PLENTY, Number(podsIn(prefix)))
    return { total, allocated, cooling, ready: total - allocated - cooling }
  })
  return {
    total: Math.min(...shelves.map(({ total }) => total)),
    allocated: Math.max(...shelves.map(({ allocated }) => allocated)),
    cooling: Math.max(...shelves.map(({ cooling }) => cooling)),
    ready: Math.min(...shelves.map(({ ready }) => ready)),
  }
}
