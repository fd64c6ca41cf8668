/** A table of the kernel as it is, read by several dumps that belong to one generation of the ruleset. */
import { type Attributes, decodeAttributes, decodeList, readCString } from '../codec.ts'
import { Errno } from '../errno.ts'
import { NetlinkError } from '../error.ts'
import type { Message, Request } from '../message.ts'
import type { NetlinkSocket } from '../socket.ts'
import { DUMP_ATTEMPTS } from '../whole-listing.ts'
import { getGeneration, NFGENMSG, NFPROTO_INET, NFTA, TABLE_NAME, type TableRequests } from './request.ts'

export interface ChainView {
  /** Attributes of the kernel, headers left out; so everywhere below. */
  readonly declaration: Buffer
  readonly rules: readonly Attributes[]
}

export interface MapView {
  readonly declaration: Buffer
  readonly elements: readonly Attributes[]
}

export interface TableView {
  readonly declaration: Buffer
  readonly chains: ReadonlyMap<string, ChainView>
  readonly maps: ReadonlyMap<string, MapView>
}

/**
 * `undefined` when there is no such table.
 * @throws NetlinkError; EINTR when somebody changed the ruleset every time, EOPNOTSUPP when the kernel has no nf_tables.
 */
export function readTable(socket: NetlinkSocket, requests: TableRequests): TableView | undefined {
  for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    const before = generation(socket)
    const view = readParts(socket, requests)
    if (generation(socket) === before) return view
  }
  const extack = `interrupted by changes ${DUMP_ATTEMPTS} times`
  throw new NetlinkError({ errno: Errno.EINTR, request: requests.getTable().text, extack })
}

function generation(socket: NetlinkSocket): number | undefined {
  const request = getGeneration()
  try {
    const [message] = socket.get(request)
    return message && decodeAttributes(declarationOf(message)).get(NFTA.generation.id)?.readUInt32BE(0)
  } catch (error) {
    // Of a subsystem that it does not have, the kernel says EINVAL (nfnetlink_rcv_msg); there is nothing else to it.
    if (!(error instanceof NetlinkError) || error.errno !== Errno.EINVAL) throw error
    const extack = 'the kernel has no nf_tables'
    throw new NetlinkError({ errno: Errno.EOPNOTSUPP, request: request.text, extack })
  }
}

function readParts(socket: NetlinkSocket, requests: TableRequests): TableView | undefined {
  const [table] = orNothing(() => socket.get(requests.getTable()))
  if (table === undefined) return undefined
  const list = (request: Request) => orNothing(() => socket.dump(request)).filter((message) => isOf(message, table))
  const rules = list(requests.listRules()).map((message) => decodeAttributes(declarationOf(message)))
  const chains = list(requests.listChains()).map((message): [string, ChainView] => {
    const name = nameOf(message, NFTA.chain.name)
    const own = rules.filter((rule) => readCString(rule.get(NFTA.rule.chain) ?? NOTHING) === name)
    return [name, { declaration: declarationOf(message), rules: own }]
  })
  const maps = list(requests.listMaps()).map((message): [string, MapView] => {
    const name = nameOf(message, NFTA.map.name)
    const elements = list(requests.listElements(name)).flatMap(elementsOf)
    return [name, { declaration: declarationOf(message), elements }]
  })
  return { declaration: declarationOf(table), chains: new Map(chains), maps: new Map(maps) }
}

const NOTHING = Buffer.alloc(0)

/** What goes while it is read makes the generation another, so it is read again. */
function orNothing(read: () => Message[]): Message[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === Errno.ENOENT) return []
    throw error
  }
}

function declarationOf({ payload }: Message): Buffer {
  return payload.subarray(NFGENMSG)
}

function nameOf(message: Message, type: number): string {
  return readCString(decodeAttributes(declarationOf(message)).get(type) ?? NOTHING)
}

function isOf(message: Message, table: Message): boolean {
  const inet = message.payload.readUInt8(0) === NFPROTO_INET
  return inet && nameOf(message, TABLE_NAME) === nameOf(table, TABLE_NAME)
}

function elementsOf(message: Message): Attributes[] {
  const list = decodeAttributes(declarationOf(message)).get(NFTA.element.elements)
  return list === undefined ? [] : decodeList(list).map((bytes) => decodeAttributes(bytes))
}
