/** The expressions that rules are made of (linux/netfilter/nf_tables.h). Each reads and writes registers. */
import { decodeList } from '../codec.ts'
import { type Attribute, bytes, equals, nested, number, text } from './attribute.ts'

/** NFTA_EXPR_…, NFTA_LIST_ELEM */
const EXPR_NAME = 1
const EXPR_DATA = 2
const LIST_ELEM = 1
/** NFTA_DATA_…, NFTA_VERDICT_… */
export const DATA = { value: 1, verdict: 2 } as const
export const VERDICT = { code: 1, chain: 2 } as const
/** The 16 bytes that every expression here works with, and where lookups in verdict maps put what they find. */
const NFT_REG_1 = 1
const NFT_REG_VERDICT = 0
const NFT_CMP_EQ = 0
const NFT_CMP_NEQ = 1
const NFT_RETURN = -5
const NFT_PAYLOAD_NETWORK_HEADER = 1
/** NFT_META_… */
const META_KEYS = { mark: 3, nfproto: 15 } as const
/** NFT_CT_… */
const CT_KEYS = { direction: 1, status: 2 } as const
/** NFTA_…_… of each kind of expression. */
const META = { dreg: 1, key: 2, sreg: 3 } as const
const CT = { dreg: 1, key: 2 } as const
const IMMEDIATE = { dreg: 1, data: 2 } as const
const CMP = { sreg: 1, op: 2, data: 3 } as const
const PAYLOAD = { dreg: 1, base: 2, offset: 3, len: 4 } as const
const LOOKUP = { set: 1, sreg: 2, dreg: 3 } as const
const BITWISE = { sreg: 1, dreg: 2, len: 3, mask: 4, xor: 5 } as const

export type Expression = readonly Attribute[]

function expression(name: string, data: readonly Attribute[]): Expression {
  return [text(EXPR_NAME, name), nested(EXPR_DATA, data)]
}

const data = (type: number, value: Uint8Array): Attribute => nested(type, [bytes(DATA.value, value)])

/** Reads what is known of the packet. */
export function metaLoad(key: keyof typeof META_KEYS): Expression {
  return expression('meta', [number(META.dreg, NFT_REG_1), number(META.key, META_KEYS[key])])
}

export function metaSet(key: keyof typeof META_KEYS): Expression {
  return expression('meta', [number(META.sreg, NFT_REG_1), number(META.key, META_KEYS[key])])
}

/** Reads what is known of the packet's connection; the rule ends here for packets that are of none. */
export function connectionLoad(key: keyof typeof CT_KEYS): Expression {
  return expression('ct', [number(CT.dreg, NFT_REG_1), number(CT.key, CT_KEYS[key])])
}

/** The rule ends here for packets that differ. */
export function equal(value: Uint8Array): Expression {
  return comparison(NFT_CMP_EQ, value)
}

/** The rule ends here for packets that do not differ. */
export function different(value: Uint8Array): Expression {
  return comparison(NFT_CMP_NEQ, value)
}

function comparison(operator: number, value: Uint8Array): Expression {
  return expression('cmp', [number(CMP.sreg, NFT_REG_1), number(CMP.op, operator), data(CMP.data, value)])
}

/** Reads bytes of the IP header. */
export function networkHeader({ offset, length }: { readonly offset: number; readonly length: number }): Expression {
  return expression('payload', [
    number(PAYLOAD.dreg, NFT_REG_1),
    number(PAYLOAD.base, NFT_PAYLOAD_NETWORK_HEADER),
    number(PAYLOAD.offset, offset),
    number(PAYLOAD.len, length),
  ])
}

/** Does what the map says; the rule ends here for packets that it has nothing for. */
export function verdictOf(map: string): Expression {
  return expression('lookup', [
    text(LOOKUP.set, map),
    number(LOOKUP.sreg, NFT_REG_1),
    number(LOOKUP.dreg, NFT_REG_VERDICT),
  ])
}

/** The packet is done with the chain: with a base chain by its policy. */
export function returned(): Expression {
  const verdict = nested(DATA.verdict, [number(VERDICT.code, NFT_RETURN)])
  return expression('immediate', [number(IMMEDIATE.dreg, NFT_REG_VERDICT), nested(IMMEDIATE.data, [verdict])])
}

/** Keeps the bits of the mask, then flips those of `xor`. */
export function bitwise(mask: Uint8Array, xor: Uint8Array): Expression {
  return expression('bitwise', [
    number(BITWISE.sreg, NFT_REG_1),
    number(BITWISE.dreg, NFT_REG_1),
    number(BITWISE.len, mask.length),
    data(BITWISE.mask, mask),
    data(BITWISE.xor, xor),
  ])
}

export function expressionList(type: number, expressions: readonly Expression[]): Attribute {
  return nested(
    type,
    expressions.map((one) => nested(LIST_ELEM, one)),
  )
}

/** Whether a list of the kernel's says exactly this. @throws Error when the bytes make no sense */
export function isExpressionList(found: Buffer, expressions: readonly Expression[]): boolean {
  const list = decodeList(found)
  return list.length === expressions.length && expressions.every((one, index) => equals(list[index] ?? found, one))
}
