/** How full the kernel's tables of neighbours are: one for each family, and all namespaces share it. */
import type { Family } from '../inet/address.ts'
import { decodeAttributes, readU32, readU64 } from './codec.ts'
import { familyFromNumber } from './family.ts'
import type { Message } from './message.ts'
import type { NetlinkSocket } from './socket.ts'

/** linux/rtnetlink.h */
const RTM_GETNEIGHTBL = 66
/** linux/neighbour.h */
const NDTA_THRESH3 = 4
const NDTA_CONFIG = 5
const NDTA_STATS = 7
/** struct ndtmsg */
const HEADER = 4
/** ndtc_entries of struct ndt_config */
const ENTRIES = 4
/** ndts_table_fulls of struct ndt_stats, the eleventh of its counters of 64 bits */
const TABLE_FULLS = 10 * 8

export interface NeighbourTable {
  readonly family: Family
  /** Permanent ones included, which since Linux 5.0 take no place. */
  readonly entries: number
  /** gc_thresh3: with as many that are not permanent, the kernel refuses another. */
  readonly limit: number
  /** Neighbours that it has refused since it started. */
  readonly refused: number
}

/**
 * One for each family that the kernel has. It begins each part of its answer with the table that the part goes on with
 * (neightbl_dump_info), so a table comes as often as its devices fill parts.
 * @throws NetlinkError
 */
export function listNeighbourTables(socket: NetlinkSocket): NeighbourTable[] {
  const request = { type: RTM_GETNEIGHTBL, flags: 0, payload: Buffer.alloc(HEADER), text: 'list neighbour tables' }
  const tables = socket.dump(request).flatMap((message) => parseNeighbourTable(message) ?? [])
  return [...new Map(tables.map((table) => [table.family, table])).values()]
}

/** Decodes RTM_NEWNEIGHTBL; `undefined` for other families, and for a device's parameters, of the same message type. */
export function parseNeighbourTable({ payload }: Message): NeighbourTable | undefined {
  const family = familyFromNumber(payload.readUInt8(0))
  const attributes = decodeAttributes(payload.subarray(HEADER))
  const [config, limit, stats] = [NDTA_CONFIG, NDTA_THRESH3, NDTA_STATS].map((type) => attributes.get(type))
  if (family === undefined || config === undefined || limit === undefined || stats === undefined) return undefined
  return { family, entries: readU32(config, ENTRIES), limit: readU32(limit), refused: readU64(stats, TABLE_FULLS) }
}
