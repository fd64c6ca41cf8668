/** Whether the table of the kernel is what it should be, and what makes it so. Pure. */
import type { Ip } from '../../inet/address.ts'
import { type Attributes, decodeAttributes } from '../codec.ts'
import type { Request } from '../message.ts'
import { type Attribute, includes, number } from './attribute.ts'
import { isExpressionList } from './expression.ts'
import { NFTA } from './request.ts'
import {
  addElements,
  addFrame,
  addMarkChain,
  BASE_CHAIN,
  BASE_DECLARATION,
  BASE_HOOK,
  BASE_RULES,
  deleteElements,
  LESSER_BASE_RULES,
  MAPS,
  markChain,
  markOfChain,
  markRule,
  parseElement,
  type Rule,
  table,
} from './source-mark-table.ts'
import type { ChainView, MapView, TableView } from './table-view.ts'

export interface Judgement {
  /** What is missing or not as it should be, as an operator would name it. */
  readonly problems: string[]
  /** Of the elements that are as they should be. */
  readonly marks: ReadonlyMap<Ip, number>
}

/** A table that somebody switched off has a flag; there is none that does not matter. */
const NO_FLAGS: readonly Attribute[] = [number(NFTA.table.flags, 0)]

export interface KernelFacts {
  /** Whether nf_tables can ask for a packet's connection. */
  readonly conntrack: boolean
}

/** A table that is not there at all has no problems, and no marks. */
export function judge(view: TableView | undefined, facts: KernelFacts): Judgement {
  const marks = new Map<Ip, number>()
  if (view === undefined) return { problems: [], marks }
  const problems: string[] = []
  if (!includes(view.declaration, NO_FLAGS)) problems.push(`altered table ${table.text()}`)
  problems.push(...baseProblems(view.chains.get(BASE_CHAIN), facts))
  for (const { name, declaration } of Object.values(MAPS)) {
    const map = view.maps.get(name)
    if (map === undefined) problems.push(`missing map ${table.text(name)}`)
    else if (!includes(map.declaration, declaration)) problems.push(`altered map ${table.text(name)}`)
    else problems.push(...elementProblems(name, map, marks))
  }
  return { problems: [...problems, ...markChainProblems(view, new Set(marks.values()))], marks }
}

/** What a kernel was thought not to have may have come since, and the rule with it. */
function baseProblems(base: ChainView | undefined, { conntrack }: KernelFacts): string[] {
  const name = table.text(BASE_CHAIN)
  if (base === undefined) return [`missing chain ${name}`]
  const declared = includes(base.declaration, BASE_DECLARATION)
  const ruled = hasRules(base, BASE_RULES) || (!conntrack && hasRules(base, LESSER_BASE_RULES))
  return [...(declared ? [] : [`altered chain ${name}`]), ...(ruled ? [] : [`altered rules of chain ${name}`])]
}

/** Adds what is right to the marks. */
function elementProblems(map: string, { elements }: MapView, marks: Map<Ip, number>): string[] {
  return elements.map(parseElement).flatMap(({ source, mark }) => {
    if (source === undefined || mark === undefined) return [`altered element ${table.text(map)} { ${source ?? '*'} }`]
    marks.set(source, mark)
    return []
  })
}

function markChainProblems({ chains }: TableView, used: ReadonlySet<number>): string[] {
  return [...chains].flatMap(([name, chain]) => {
    if (name === BASE_CHAIN) return []
    const mark = markOfChain(name)
    if (mark === undefined || !used.has(mark)) return [`unexpected chain ${table.text(name)}`]
    if (isBase(chain)) return [`altered chain ${table.text(name)}`]
    return hasRules(chain, [markRule(mark)]) ? [] : [`altered rules of chain ${table.text(name)}`]
  })
}

function isBase({ declaration }: ChainView): boolean {
  return decodeAttributes(declaration).has(NFTA.chain.hook)
}

function hasRules({ rules }: ChainView, wanted: readonly Rule[]): boolean {
  return rules.length === wanted.length && wanted.every((one, index) => isRule(rules[index], one))
}

function isRule(rule: Attributes | undefined, { expressions }: Rule): boolean {
  const found = rule?.get(NFTA.rule.expressions)
  return found !== undefined && isExpressionList(found, expressions)
}

/** Everything anew, whatever is there; valid even when it changed since it was read. */
export function rebuild(marks: ReadonlyMap<Ip, number>): Request[] {
  const clear = [table.addTable(), table.deleteTable()]
  return marks.size === 0 ? clear : [...clear, ...build(marks)]
}

/**
 * Brings the table that was read to exactly these marks, in one transaction, and with the same base chain if it can stay:
 * a packet sees what a chain holds before or after. Between an old and a new chain it might pass both and be marked by
 * neither.
 */
export function repair(view: TableView | undefined, marks: ReadonlyMap<Ip, number>): Request[] {
  if (view === undefined) return marks.size === 0 ? [] : build(marks)
  return marks.size > 0 && isMendable(view) ? mend(view, marks) : rebuild(marks)
}

function build(marks: ReadonlyMap<Ip, number>): Request[] {
  return [
    ...addFrame(),
    ...[...new Set(marks.values())].flatMap(addMarkChain),
    ...addElements([...marks].map(([source, mark]) => ({ source, mark }))),
  ]
}

function isMendable({ declaration, chains }: TableView): boolean {
  const base = chains.get(BASE_CHAIN)
  const others = [...chains].filter(([name]) => name !== BASE_CHAIN)
  const hooked = base !== undefined && includes(base.declaration, BASE_HOOK)
  return hooked && includes(declaration, NO_FLAGS) && !others.some(([, chain]) => isBase(chain))
}

function mend({ chains, maps }: TableView, marks: ReadonlyMap<Ip, number>): Request[] {
  const wanted = new Set([BASE_CHAIN, ...[...marks.values()].map(markChain)])
  const strange = [...chains.keys()].filter((name) => !wanted.has(name))
  return [
    // First what may hold something: rules hold maps and chains, elements hold chains.
    ...[BASE_CHAIN, ...strange].map((chain) => table.flushChain(chain)),
    ...Object.values(MAPS).flatMap(({ name, declaration }) => clear(maps.get(name), { name, declaration, marks })),
    ...build(marks),
    ...strange.map((chain) => table.deleteChain(chain)),
  ]
}

interface Wanted {
  readonly name: string
  readonly declaration: readonly Attribute[]
  readonly marks: ReadonlyMap<Ip, number>
}

/** Takes away what is not wanted of a map, or all of it. */
function clear(map: MapView | undefined, { name, declaration, marks }: Wanted): Request[] {
  if (map === undefined) return []
  const elements = map.elements.map(parseElement)
  const named = elements.flatMap(({ source, mark }) => (source === undefined ? [] : [{ source, mark }]))
  if (!includes(map.declaration, declaration) || named.length < elements.length) return [table.deleteMap(name)]
  return deleteElements(named.filter(({ source, mark }) => mark === undefined || marks.get(source) !== mark))
}
