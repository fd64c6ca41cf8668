/** The node as a tree of its ENIs, the default of `terway-cli show`. */
import { cidrContains, parseCidr, parseIp } from '../inet/address.ts'
import type { Address__Output as Address } from '../proto/generated/terway/inspect/v1/Address.ts'
import type { Condition__Output as Condition } from '../proto/generated/terway/inspect/v1/Condition.ts'
import type { Endpoint__Output as Endpoint } from '../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { Eni__Output as Eni } from '../proto/generated/terway/inspect/v1/Eni.ts'
import type { Event__Output as Event } from '../proto/generated/terway/inspect/v1/Event.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { Pool__Output as Pool } from '../proto/generated/terway/inspect/v1/Pool.ts'
import type { Prefix__Output as Prefix } from '../proto/generated/terway/inspect/v1/Prefix.ts'
import type { Paint, Tone } from './paint.ts'
import { limitsText } from './rates.ts'

export interface RenderOptions {
  /** ms, of the daemon's clock; what is left of a cool-down, and how long ago something was, is counted from here. */
  readonly now: number
  readonly paint: Paint
}

const TONES: Readonly<Record<string, Tone>> = {
  owned: 'strong',
  warm: 'good',
  cooling: 'waiting',
}
/** The whole list is in the JSON. */
const EVENTS_SHOWN = 5
/** In VPC route mode. */
export const NO_POOL = "IP Pool: none, pods' addresses are of the node's own prefixes"
const [MINUTE, HOUR] = [60, 3600]

/** `12s`, `5m`, `3h`, from one unit's double on in the next. */
export function ageOf(since: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds < 2 * MINUTE) return `${seconds}s`
  return seconds < 2 * HOUR ? `${Math.floor(seconds / MINUTE)}m` : `${Math.floor(seconds / HOUR)}h`
}

/** What an operator calls the state of an address. */
function stateOf({ phase, pod, coolingUntil, lost }: Address, now: number): string {
  switch (phase) {
    case 'owned':
      return `${pod === '' ? 'allocated' : `allocated to ${pod}`}${lost ? ', lost in the cloud' : ''}`
    case 'warm':
      return 'available'
    case 'cooling':
      return `cooling ${Math.max(0, Math.ceil((coolingUntil - now) / 1000))}s${pod === '' ? '' : `, was ${pod}`}`
    default:
      return phase
  }
}

/** `eni-1 (eth1)`; one that is not for sharing, or is on its way in or out, says so. */
export function titleOf({ id, link, phase, role, vlanId }: Eni): string {
  const kind = role === 'shared' ? '' : role
  const notes = [link, kind, vlanId === 0 ? '' : `VLAN ${vlanId}`, phase === 'in-use' ? '' : phase]
  const told = notes.filter((note) => note !== '')
  return told.length === 0 ? id : `${id} (${told.join(', ')})`
}

/** Addresses that were assigned one by one. */
export function secondaryOf({ addresses, prefixes }: Eni): Address[] {
  return addresses.filter((address) => !address.primary && !prefixes.some((prefix) => isIn(prefix, address)))
}

function isIn({ cidr }: Prefix, { ip }: Address): boolean {
  return cidrContains(parseCidr(cidr), parseIp(ip))
}

/** Free addresses of a prefix are counted, not listed: a /28 has 16 of them. */
function prefixLines({ prefixes, addresses }: Eni, mark: (address: Address) => string): string[] {
  if (prefixes.length === 0) return []
  const lines = prefixes.flatMap((prefix) => {
    const { cidr, used, free, phase } = prefix
    const busy = addresses.filter((address) => isIn(prefix, address) && address.phase !== 'warm')
    const state = phase === 'active' ? '' : `, ${phase}`
    return [
      `    - ${cidr} (${used} allocated, ${free} available${state})`,
      ...busy.map((address) => `      - ${address.ip} ${mark(address)}`),
    ]
  })
  return ['  Prefixes:', ...lines]
}

interface EniOptions extends RenderOptions {
  /** By container and address. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
}

/** In what way the pod is connected, and how fast it may be; empty where that is not known. */
function connectionText(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return ''
  return [endpoint.datapath, limitsText(endpoint)].filter((text) => text !== '').join(', ')
}

/** A pod that is made again may have its address again while its last sandbox is on record. */
const keyOf = (containerId: string, ip: string) => `${containerId} ${ip}`

function eniLines(eni: Eni, { now, paint, endpoints }: EniOptions): string[] {
  const toneOf = ({ phase, lost }: Address): Tone => (lost ? 'bad' : (TONES[phase] ?? 'plain'))
  const mark = (address: Address) => {
    const connection = connectionText(endpoints.get(keyOf(address.containerId, address.ip)))
    return `(${paint(toneOf(address), stateOf(address, now))}${connection === '' ? '' : `, ${connection}`})`
  }
  const primary = eni.addresses.find((address) => address.primary)
  const secondary = secondaryOf(eni)
  return [
    `ENI: ${paint('strong', titleOf(eni))}`,
    ...(eni.failure === '' ? [] : [`  Given back: ${paint('bad', eni.failure)}`]),
    `  Primary IP: ${eni.primaryIp}${primary?.phase === 'owned' ? ` ${mark(primary)}` : ''}`,
    secondary.length === 0 ? '  Secondary IPs: none' : '  Secondary IPs:',
    ...secondary.map((address) => `    - ${address.ip} ${mark(address)}`),
    ...prefixLines(eni, mark),
  ]
}

/** All of them in VPC route mode; otherwise those that wait for an address. */
function podLines({ endpoints }: Node): string[] {
  const lines = endpoints
    .filter(({ eniId }) => eniId === '')
    .map((endpoint) => {
      const { namespace, pod, ifname, ips, phase } = endpoint
      const notes = [ifname, connectionText(endpoint), phase === 'ready' ? '' : phase].filter((note) => note !== '')
      return `  - ${ips.join(', ') || 'no address yet'} ${namespace}/${pod} (${notes.join(', ')})`
    })
  return lines.length === 0 ? [] : ['Pods without an ENI:', ...lines]
}

function foreignLines({ foreignEnis }: Node): string[] {
  return foreignEnis.map(({ id, type, why }) => `Foreign ENI: ${id} (${type}): ${why}`)
}

function poolLine(pool: Pool | null): string {
  if (pool === null) return NO_POOL
  const cooling = pool.cooling > 0 ? `, ${pool.cooling} cooling` : ''
  return `IP Pool: ${pool.total} total, ${pool.allocated} allocated, ${pool.available} available${cooling}; capacity ${pool.capacity}`
}

function conditionLine({ type, status, reason, message, since }: Condition, now: number): string {
  return `${type} is ${status} since ${ageOf(since, now)} (${reason}): ${message}`
}

/** What keeps the node from giving addresses; nothing when all is well. */
export function problemLines({ problems, conditions, pool }: Node, { now, paint }: RenderOptions): string[] {
  const bad = conditions.filter(({ status }) => status !== 'True').map((condition) => conditionLine(condition, now))
  const waiting = pool === null || pool.waiting === 0 ? [] : [`pods that wait for an address: ${pool.waiting}`]
  const all = [...bad, ...problems, ...waiting]
  return all.length === 0 ? [] : ['Problems:', ...all.map((problem) => `  - ${paint('bad', problem)}`)]
}

function eventLines({ events }: Node, { now, paint }: RenderOptions): string[] {
  const lines = events.slice(-EVENTS_SHOWN).map(({ time, level, reason, message, count }: Event) => {
    const times = count > 1 ? ` (${count} times)` : ''
    return `  - ${ageOf(time, now)} ago ${paint(level === 'warning' ? 'waiting' : 'plain', reason)}: ${message}${times}`
  })
  return lines.length === 0 ? [] : ['Events:', ...lines]
}

export function renderTree(node: Node, options: RenderOptions): string {
  const endpoints = new Map(node.endpoints.flatMap((one) => one.ips.map((ip) => [keyOf(one.containerId, ip), one])))
  const lines = [
    `Node: ${options.paint('strong', node.name)}`,
    ...node.enis.flatMap((eni) => eniLines(eni, { ...options, endpoints })),
    ...podLines(node),
    ...foreignLines(node),
    poolLine(node.pool),
    ...problemLines(node, options),
    ...eventLines(node, options),
  ]
  return `${lines.join('\n')}\n`
}
