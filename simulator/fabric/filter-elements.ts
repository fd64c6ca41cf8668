/** What the sets and maps of the filter hold, as a value, and the script from one such value to another. */
import { type Cidr, cidrOf, familyOf, splitCidr } from '../../inet/address.ts'
import type { EniId, SecurityGroupId, VSwitchId } from '../region/ids.ts'
import { DROP_REASONS, type DropReason, dropMap, SETS, TABLE } from './filter-rules.ts'
import type { FabricRoute, Plug } from './plug.ts'
import { routesThrough } from './routes.ts'
import { memberSet } from './security-groups.ts'

/** By the name of the set: elements, with the value that a map has for them and '' for a set. */
type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>

export interface FilterState {
  readonly counters: ReadonlySet<string>
  readonly elements: Elements
}

export const EMPTY: FilterState = { counters: new Set(), elements: new Map() }

export interface FilterStateOptions {
  readonly routes: readonly FabricRoute[]
  readonly marks: ReadonlyMap<VSwitchId, number>
  /** The pair of chains for a set of security groups. */
  readonly chainsOf: (groups: readonly SecurityGroupId[]) => { readonly egress: string; readonly ingress: string }
}

export function counterName(reason: DropReason, eni: EniId): string {
  return `${reason}.${eni}`
}

export function filterState(plugs: Iterable<Plug>, options: FilterStateOptions): FilterState {
  const counters = new Set<string>()
  const sets = new Map<string, Map<string, string>>()
  const put = (set: string, element: string, value = '') => {
    const elements = sets.get(set) ?? new Map<string, string>()
    sets.set(set, elements.set(element, value))
  }
  for (const plug of plugs) {
    putLink(plug, put, options)
    putSources(plug, put, options.routes)
    for (const reason of DROP_REASONS) {
      const counter = counterName(reason, plug.eniId)
      counters.add(counter)
      put(dropMap(reason), linkOf(plug), `"${counter}"`)
    }
  }
  return { counters, elements: sets }
}

type Put = (set: string, element: string, value?: string) => void

function linkOf({ eniId }: Plug): string {
  return `"${eniId}"`
}

function putLink(plug: Plug, put: Put, { marks, chainsOf }: FilterStateOptions): void {
  const chains = chainsOf(plug.securityGroupIds)
  put(SETS.egress, linkOf(plug), `jump ${chains.egress}`)
  put(SETS.ingress, linkOf(plug), `jump ${chains.ingress}`)
  for (const group of plug.securityGroupIds) put(memberSet(group), linkOf(plug))
  const mark = marks.get(plug.vSwitch.id)
  if (mark !== undefined) put(SETS.marks, linkOf(plug), String(mark))
}

/** Its own, and what route entries send through it. */
function putSources(plug: Plug, put: Put, routes: readonly FabricRoute[]): void {
  const routed = routes.filter(({ eni, destination }) => eni === plug.eniId && routesThrough(plug, destination))
  const prefixes = [...plug.ipv4Prefixes, ...plug.ipv6Prefixes, ...routed.map(({ destination }) => destination)]
  for (const ip of [...plug.ips, ...plug.ipv6s]) put(SETS.sources[familyOf(ip)], `${linkOf(plug)} . ${ip}`)
  for (const cidr of widest(prefixes)) put(SETS.sourcePrefixes[familyOf(cidr)], `${linkOf(plug)} . ${cidr}`)
}

/** Without those that are inside others: a set of intervals refuses to hold both. */
export function widest(cidrs: readonly Cidr[]): readonly Cidr[] {
  const all = new Set(cidrs)
  const lengths = [...new Set(cidrs.map((cidr) => splitCidr(cidr).length))]
  return [...all].filter((cidr) => {
    const { network, length } = splitCidr(cidr)
    return !lengths.some((shorter) => shorter < length && all.has(cidrOf(network, shorter)))
  })
}

/** One transaction; '' when nothing changes. Elements are deleted by their keys, and before others are added. */
export function transition(from: FilterState, to: FilterState): string {
  const lines: string[] = []
  const names = new Set([...from.elements.keys(), ...to.elements.keys()])
  for (const counter of to.counters) if (!from.counters.has(counter)) lines.push(`add counter ${TABLE} ${counter}`)
  for (const [verb, before, after] of [
    ['delete', to, from],
    ['add', from, to],
  ] as const) {
    for (const name of names) {
      const known = before.elements.get(name)
      const changed = [...(after.elements.get(name) ?? [])].filter(([key, value]) => known?.get(key) !== value)
      const list = changed.map(([key, value]) => (verb === 'delete' || value === '' ? key : `${key} : ${value}`))
      if (list.length > 0) lines.push(`${verb} element ${TABLE} ${name} { ${list.join(', ')} }`)
    }
  }
  for (const counter of from.counters) if (!to.counters.has(counter)) lines.push(`delete counter ${TABLE} ${counter}`)
  return lines.map((line) => `${line}\n`).join('')
}
