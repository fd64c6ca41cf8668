/** Messages of nf_tables (linux/netfilter/nf_tables.h) about tables of the family `inet`, which has IPv4 and IPv6. */
import { encode } from '../codec.ts'
import { NLM_F_CREATE, type Request } from '../message.ts'
import { type Attribute, nested, text, writeAttributes } from './attribute.ts'

/** linux/netfilter/nfnetlink.h */
export const NFNL_SUBSYS_NFTABLES = 10
/** linux/netfilter.h */
export const NFPROTO_INET = 1
/** linux/netlink.h: the rule goes behind those of its chain. */
const NLM_F_APPEND = 0x800
/** linux/netlink.h: refuses (EBUSY) what still holds something. */
const NLM_F_NONREC = 0x100
/** struct nfgenmsg: family, version, number of a resource */
export const NFGENMSG = 4

/** NFT_MSG_NEW…, _GET… and _DEL… follow each other; of sets, maps are a kind. */
const OBJECTS = { table: 0, chain: 3, rule: 6, map: 9, element: 12, generation: 15 } as const
type ObjectKind = keyof typeof OBJECTS

/** The table of any object: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, NFTA_SET_ELEM_LIST_TABLE. */
export const TABLE_NAME = 1
/** NFTA_<object>_…; of elements NFTA_SET_ELEM_LIST_… and NFTA_SET_ELEM_… */
export const NFTA = {
  table: { flags: 2 },
  chain: { name: 3, hook: 4, policy: 5, type: 7 },
  rule: { chain: 2, expressions: 4 },
  map: { name: 2, flags: 3, keyType: 4, keyLength: 5, dataType: 6, id: 10 },
  element: { map: 2, elements: 3, key: 1, data: 2 },
  generation: { id: 1 },
} as const
/** NFTA_LIST_ELEM */
const LIST_ELEM = 1

export function messageType(kind: ObjectKind, action: 'new' | 'get' | 'delete'): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | (OBJECTS[kind] + ['new', 'get', 'delete'].indexOf(action))
}

interface Asked {
  readonly kind: ObjectKind
  readonly flags?: number
  readonly attributes: readonly Attribute[]
  readonly text: string
}

function request(action: 'new' | 'get' | 'delete', { kind, flags = 0, attributes, text }: Asked): Request {
  const header = Buffer.of(NFPROTO_INET, 0, 0, 0)
  const payload = Buffer.concat([header, encode((out) => writeAttributes(out, attributes))])
  return { type: messageType(kind, action), flags, payload, text }
}

/** What is there already is left as it is; EEXIST when it is another. */
const addition = (asked: Asked): Request => request('new', { ...asked, flags: NLM_F_CREATE | (asked.flags ?? 0) })

/** A table by its name; every other object is named within one. */
export class TableRequests {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  /** As `nft` writes the table, or an object in it. */
  text(object?: string): string {
    return ['inet', this.#name, ...(object === undefined ? [] : [object])].join(' ')
  }

  addTable(): Request {
    return addition({ kind: 'table', attributes: this.#named(), text: `add table ${this.text()}` })
  }

  /** With all that is in it. ENOENT when there is none. */
  deleteTable(): Request {
    return request('delete', { kind: 'table', attributes: this.#named(), text: `delete table ${this.text()}` })
  }

  /** EBUSY when something is in it. */
  deleteEmptyTable(): Request {
    return { ...this.deleteTable(), flags: NLM_F_NONREC }
  }

  /** `declaration` as attributes and as `nft` writes it. */
  addChain(name: string, declaration: readonly Attribute[] = [], written = ''): Request {
    const attributes = [...this.#named(), text(NFTA.chain.name, name), ...declaration]
    return addition({ kind: 'chain', attributes, text: `add chain ${this.text(name)}${written}` })
  }

  /** With its rules. EBUSY while something jumps to it. */
  deleteChain(name: string): Request {
    const attributes = [...this.#named(), text(NFTA.chain.name, name)]
    return request('delete', { kind: 'chain', attributes, text: `delete chain ${this.text(name)}` })
  }

  /** Ends all rules of the chain. */
  flushChain(name: string): Request {
    const attributes = [...this.#named(), text(NFTA.rule.chain, name)]
    return request('delete', { kind: 'rule', attributes, text: `flush chain ${this.text(name)}` })
  }

  addRule(chain: string, expressions: Attribute, written: string): Request {
    const attributes = [...this.#named(), text(NFTA.rule.chain, chain), expressions]
    return addition({ kind: 'rule', flags: NLM_F_APPEND, attributes, text: `add rule ${this.text(chain)} ${written}` })
  }

  addMap(name: string, declaration: readonly Attribute[], written: string): Request {
    const attributes = [...this.#named(), text(NFTA.map.name, name), ...declaration]
    return addition({ kind: 'map', attributes, text: `add map ${this.text(name)} ${written}` })
  }

  /** EBUSY while a rule uses it. */
  deleteMap(name: string): Request {
    const attributes = [...this.#named(), text(NFTA.map.name, name)]
    return request('delete', { kind: 'map', attributes, text: `delete map ${this.text(name)}` })
  }

  /** EBUSY as well when it has elements. */
  deleteEmptyMap(name: string): Request {
    return { ...this.deleteMap(name), flags: NLM_F_NONREC }
  }

  /** EEXIST when an element with the same key says something else. An attribute of them ends at 64 KiB. */
  addElements(map: string, elements: readonly (readonly Attribute[])[], written: string): Request {
    const attributes = this.#elements(map, elements)
    return addition({ kind: 'element', attributes, text: `add element ${this.text(map)} ${written}` })
  }

  /** By their keys. ENOENT when there is no such element. */
  deleteElements(map: string, elements: readonly (readonly Attribute[])[], written: string): Request {
    const attributes = this.#elements(map, elements)
    return request('delete', { kind: 'element', attributes, text: `delete element ${this.text(map)} ${written}` })
  }

  getTable(): Request {
    return request('get', { kind: 'table', attributes: this.#named(), text: `list table ${this.text()}` })
  }

  /** For dumps. Kernels that cannot choose by table give the chains of all. */
  listChains(): Request {
    return request('get', { kind: 'chain', attributes: this.#named(), text: `list chains of ${this.text()}` })
  }

  listRules(): Request {
    return request('get', { kind: 'rule', attributes: this.#named(), text: `list rules of ${this.text()}` })
  }

  listMaps(): Request {
    return request('get', { kind: 'map', attributes: this.#named(), text: `list maps of ${this.text()}` })
  }

  listElements(map: string): Request {
    const attributes = [...this.#named(), text(NFTA.element.map, map)]
    return request('get', { kind: 'element', attributes, text: `list map ${this.text(map)}` })
  }

  #named(): Attribute[] {
    return [text(TABLE_NAME, this.#name)]
  }

  #elements(map: string, elements: readonly (readonly Attribute[])[]): Attribute[] {
    const list = elements.map((element) => nested(LIST_ELEM, element))
    return [...this.#named(), text(NFTA.element.map, map), nested(NFTA.element.elements, list)]
  }
}

/** The number that each transaction of the namespace increases. */
export function getGeneration(): Request {
  return request('get', { kind: 'generation', attributes: [], text: 'get the generation of the ruleset' })
}
