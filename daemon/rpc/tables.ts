/** How full tables of the kernel are, and what to do about it. Pure. */
import type { NeighbourTable } from '../../netlink/neighbour-tables.ts'
import type { Table } from '../../proto/generated/terway/inspect/v1/Table.ts'

/** Share of a table from which on it is told of: pods come and go by tens, and a full one drops packets. */
const NEARLY_FULL = 0.8

const isNearlyFull = (used: number, limit: number) => used > NEARLY_FULL * limit

/** In the node's namespace, where services are translated; 0 is no limit (nf_conntrack-sysctl.rst). */
export function connectionTable(used: number, limit: number): Table {
  const advice = 'a full table drops packets of new connections; raise net.netfilter.nf_conntrack_max'
  return { name: 'connections', used, limit, note: limit > 0 && isNearlyFull(used, limit) ? advice : '' }
}

export function neighbourTable({ family, entries, limit, refused }: NeighbourTable): Table {
  const advice = `raise net.${family}.neigh.default.gc_thresh3`
  const notes = [
    ...(refused > 0 ? [`the kernel has refused ${refused} neighbours since it started`] : []),
    ...(isNearlyFull(entries, limit) ? ['a full table takes no new ones, permanent ones aside'] : []),
  ]
  const note = notes.length === 0 ? '' : `${notes.join(', and ')}; ${advice}`
  return { name: `${family} neighbours`, used: entries, limit, note }
}
