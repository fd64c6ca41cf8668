/**
 * The table by which packets get the mark of their source: what it consists of, and the requests that make it.
 *
 *     table inet terway_routing {
 *       map pods4 { type ipv4_addr : verdict; elements = { 10.0.1.7 : jump mark_0x00100000 } }
 *       map pods6 { type ipv6_addr : verdict }
 *       chain prerouting {
 *         type filter hook prerouting priority mangle; policy accept;
 *         ct direction reply ct status dnat return
 *         ip saddr vmap @pods4
 *         ip6 saddr vmap @pods6
 *       }
 *       chain mark_0x00100000 { meta mark set meta mark & 0xf00fffff | 0x00100000 }
 *     }
 *
 * A packet costs one look into a hash table, however many pods there are. The first rule is for replies of connections
 * that the node's NAT has redirected to a pod, a service's or a NodePort's: they go where the node's main table says. By
 * the pod's ENI they would leave from the address that was redirected, which is none of the ENI's, and the VPC would drop
 * them. The rule also turns connection tracking on, which a node with such a NAT has anyway. Where the kernel lacks the
 * expression (CONFIG_NFT_CT), the rule is left out: all but those replies find their way without it.
 *
 * A chain for each mark, since before Linux 6.13 nf_tables can combine a packet's mark with a constant only, not with
 * what a map says (bitwise with two registers).
 */
import { type Family, familyOf, type Ip, ipFromBytes, ipToBytes } from '../../inet/address.ts'
import { type Attributes, decodeAttributes, readCString, u32 } from '../codec.ts'
import { familyNumber } from '../family.ts'
import type { Request } from '../message.ts'
import { SOURCE_MARK_MASK } from '../plan.ts'
import { type Attribute, bytes, nested, number, text } from './attribute.ts'
import {
  bitwise,
  connectionLoad,
  DATA,
  different,
  type Expression,
  equal,
  expressionList,
  metaLoad,
  metaSet,
  networkHeader,
  returned,
  VERDICT,
  verdictOf,
} from './expression.ts'
import { NFTA, TableRequests } from './request.ts'

export interface SourceMark {
  readonly source: Ip
  /** Within SOURCE_MARK_MASK, and not 0. */
  readonly mark: number
}

export const ROUTING_TABLE = 'terway_routing'
export const table = new TableRequests(ROUTING_TABLE)

/** linux/netfilter.h: NF_INET_PRE_ROUTING, NF_ACCEPT; linux/netfilter_ipv4.h: NF_IP_PRI_MANGLE, IPv6's is the same. */
const PRE_ROUTING = 0
const ACCEPT = 1
const PRIORITY_MANGLE = -150
/** NFTA_HOOK_… */
const HOOK = { number: 1, priority: 2 } as const
/** NFT_SET_MAP, NFT_DATA_VERDICT, NFT_JUMP */
const SET_MAP = 0x8
const DATA_VERDICT = 0xffffff00
const JUMP = -3
/** linux/netfilter/nf_conntrack_tuple_common.h, nf_conntrack_common.h: IP_CT_DIR_REPLY, IPS_DST_NAT */
const DIRECTION_REPLY = 1
const STATUS_DNAT = 0x20
/** Elements of a message: 64 bytes each at most, and an attribute holds less than 64 KiB. */
const ELEMENTS = 500

/** Not `mark`, which `nft` could list but not read. */
export const BASE_CHAIN = 'prerouting'
export const BASE_HOOK: readonly Attribute[] = [
  nested(NFTA.chain.hook, [number(HOOK.number, PRE_ROUTING), number(HOOK.priority, PRIORITY_MANGLE)]),
  text(NFTA.chain.type, 'filter'),
]
export const BASE_DECLARATION = [...BASE_HOOK, number(NFTA.chain.policy, ACCEPT)]

export interface Rule {
  readonly expressions: readonly Expression[]
  readonly written: string
}

interface FamilyMap {
  readonly name: string
  /** What makes it the map it is. */
  readonly declaration: readonly Attribute[]
  readonly keyType: string
  /** `nft`'s own number of the key's type, for the listing only. */
  readonly typeNumber: number
  readonly rule: Rule
}

interface AddressField {
  readonly keyType: string
  readonly typeNumber: number
  /** Of the source address in the header, and its bytes. */
  readonly offset: number
  readonly length: number
  readonly header: string
}

function familyMap(family: Family, name: string, { keyType, typeNumber, header, ...field }: AddressField): FamilyMap {
  const expressions = [
    metaLoad('nfproto'),
    equal(Buffer.of(familyNumber(family))),
    networkHeader(field),
    verdictOf(name),
  ]
  const declaration = [
    number(NFTA.map.flags, SET_MAP),
    number(NFTA.map.keyLength, field.length),
    number(NFTA.map.dataType, DATA_VERDICT),
  ]
  return { name, declaration, keyType, typeNumber, rule: { expressions, written: `${header} saddr vmap @${name}` } }
}

/** RFC 791 §3.1, RFC 8200 §3; NFPROTO_IPV4 and NFPROTO_IPV6 are the numbers of the address families. */
export const MAPS: Readonly<Record<Family, FamilyMap>> = {
  ipv4: familyMap('ipv4', 'pods4', { keyType: 'ipv4_addr', typeNumber: 7, offset: 12, length: 4, header: 'ip' }),
  ipv6: familyMap('ipv6', 'pods6', { keyType: 'ipv6_addr', typeNumber: 8, offset: 8, length: 16, header: 'ip6' }),
}
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** The direction is a byte; numbers in registers are in the order of the machine. */
const REPLY_RULE: Rule = {
  expressions: [
    connectionLoad('direction'),
    equal(Buffer.of(DIRECTION_REPLY)),
    connectionLoad('status'),
    bitwise(u32(STATUS_DNAT), u32(0)),
    different(u32(0)),
    returned(),
  ],
  written: 'ct direction reply ct status dnat return',
}

const MARK_RULES: readonly Rule[] = FAMILIES.map((family) => MAPS[family].rule)

export const BASE_RULES = [REPLY_RULE, ...MARK_RULES]
/** Of a kernel that lacks the expression of connection tracking. */
export const LESSER_BASE_RULES = MARK_RULES

/** The one of `addFrame`. Its table and chain are there, so ENOENT says that the kernel lacks the expression. */
export const ADD_REPLY_RULE: Request = addRule(BASE_CHAIN, REPLY_RULE)

const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`

export function markChain(mark: number): string {
  return `mark_${hex(mark)}`
}

/** `undefined` for a chain that is none of a mark's. */
export function markOfChain(chain: string): number | undefined {
  const mark = Number.parseInt(chain.slice('mark_'.length), 16)
  return chain === markChain(mark) && isSourceMark(mark) ? mark : undefined
}

export function isSourceMark(mark: number): boolean {
  return Number.isInteger(mark) && mark > 0 && mark <= SOURCE_MARK_MASK && (mark & ~SOURCE_MARK_MASK) === 0
}

/** Numbers in registers are in the order of the machine. */
export function markRule(mark: number): Rule {
  const others = ~SOURCE_MARK_MASK >>> 0
  return {
    expressions: [metaLoad('mark'), bitwise(u32(others), u32(mark)), metaSet('mark')],
    written: `meta mark set meta mark & ${hex(others)} | ${hex(mark)}`,
  }
}

/** Makes what is missing of table, maps and base chain, and the base chain's rules anew. */
export function addFrame(): Request[] {
  return [
    table.addTable(),
    table.addChain(BASE_CHAIN, BASE_DECLARATION, ' { type filter hook prerouting priority mangle; policy accept; }'),
    table.flushChain(BASE_CHAIN),
    ...FAMILIES.map((family, index) => addMap(MAPS[family], index + 1)),
    ADD_REPLY_RULE,
    ...MARK_RULES.map((rule) => addRule(BASE_CHAIN, rule)),
  ]
}

/** Refused (EBUSY) while there is an element or anything of somebody else's. */
export function deleteEmptyFrame(): Request[] {
  return [
    table.deleteChain(BASE_CHAIN),
    ...FAMILIES.map((family) => table.deleteEmptyMap(MAPS[family].name)),
    table.deleteEmptyTable(),
  ]
}

/** The chain when it is missing, and its rule anew. */
export function addMarkChain(mark: number): Request[] {
  const chain = markChain(mark)
  return [table.addChain(chain), table.flushChain(chain), addRule(chain, markRule(mark))]
}

/** Fine for elements that are there already. */
export function addElements(marks: readonly SourceMark[]): Request[] {
  return messages(marks).map(({ map, part }) => {
    const elements = part.map(({ source, mark }) => [keyOf(source), jumpTo(markChain(mark))])
    return table.addElements(
      map,
      elements,
      written(part, ({ source, mark }) => `${source} : jump ${markChain(mark)}`),
    )
  })
}

export function deleteElements(marks: readonly { readonly source: Ip }[]): Request[] {
  return messages(marks).map(({ map, part }) => {
    const elements = part.map(({ source }) => [keyOf(source)])
    return table.deleteElements(
      map,
      elements,
      written(part, ({ source }) => source),
    )
  })
}

function addRule(chain: string, { expressions, written }: Rule): Request {
  return table.addRule(chain, expressionList(NFTA.rule.expressions, expressions), written)
}

/** `id`: by which a transaction could speak of it before it has a name; the kernel insists on one. */
function addMap({ name, declaration, keyType, typeNumber }: FamilyMap, id: number): Request {
  const attributes = [...declaration, number(NFTA.map.keyType, typeNumber), number(NFTA.map.id, id)]
  return table.addMap(name, attributes, `{ type ${keyType} : verdict; }`)
}

function keyOf(source: Ip): Attribute {
  return nested(NFTA.element.key, [bytes(DATA.value, ipToBytes(source))])
}

function jumpTo(chain: string): Attribute {
  return nested(NFTA.element.data, [nested(DATA.verdict, [number(VERDICT.code, JUMP), text(VERDICT.chain, chain)])])
}

/** An element of the kernel; no source for the one that takes all that have none of their own. */
export function parseElement(attributes: Attributes): { readonly source?: Ip; readonly mark?: number } {
  const [key, found] = [attributes.get(NFTA.element.key), attributes.get(NFTA.element.data)]
  const source = key && decodeAttributes(key).get(DATA.value)
  const verdict = found && decodeAttributes(found).get(DATA.verdict)
  const mark = verdict && jumpedMark(decodeAttributes(verdict))
  return {
    ...(source === undefined ? {} : { source: ipFromBytes(source) }),
    ...(mark === undefined ? {} : { mark }),
  }
}

function jumpedMark(verdict: Attributes): number | undefined {
  const [code, chain] = [verdict.get(VERDICT.code), verdict.get(VERDICT.chain)]
  return code?.readInt32BE(0) === JUMP && chain !== undefined ? markOfChain(readCString(chain)) : undefined
}

function messages<T extends { readonly source: Ip }>(marks: readonly T[]): { map: string; part: readonly T[] }[] {
  return FAMILIES.flatMap((family) => {
    const own = marks.filter(({ source }) => familyOf(source) === family)
    const count = Math.ceil(own.length / ELEMENTS)
    return Array.from({ length: count }, (_, index) => ({
      map: MAPS[family].name,
      part: own.slice(index * ELEMENTS, (index + 1) * ELEMENTS),
    }))
  })
}

/** As `nft` writes elements; of many the first. */
function written<T>(marks: readonly T[], one: (mark: T) => string): string {
  const rest = marks.length > 1 ? `, … ${marks.length - 1} more` : ''
  return `{ ${marks.slice(0, 1).map(one).join()}${rest} }`
}
