/** The node as a tree of its ENIs, the default of `terway-cli show`. */
import type { Address__Output as Address } from '../proto/generated/terway/inspect/v1/Address.ts'
import type { Eni__Output as Eni } from '../proto/generated/terway/inspect/v1/Eni.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { Pool__Output as Pool } from '../proto/generated/terway/inspect/v1/Pool.ts'
import type { Paint, Tone } from './paint.ts'

export interface RenderOptions {
  /** ms since the epoch; what is left of a cool-down is counted from here. */
  readonly now: number
  readonly paint: Paint
}

const TONES: Readonly<Record<string, Tone>> = {
  owned: 'strong',
  warm: 'good',
  cooling: 'waiting',
  assigning: 'waiting',
}

/** What an operator calls the state of an address. */
function stateOf({ phase, pod, coolingUntil }: Address, now: number): string {
  switch (phase) {
    case 'owned':
      return pod === '' ? 'allocated' : `allocated to ${pod}`
    case 'warm':
      return 'available'
    case 'cooling':
      return `cooling ${Math.max(0, Math.ceil((coolingUntil - now) / 1000))}s`
    default:
      return phase
  }
}

/** `eni-1 (eth1)`; an ENI on its way in or out says so. */
export function titleOf({ id, link, phase }: Eni): string {
  const notes = [link, phase === 'in-use' ? '' : phase].filter((note) => note !== '')
  return notes.length === 0 ? id : `${id} (${notes.join(', ')})`
}

function eniLines(eni: Eni, { now, paint }: RenderOptions): string[] {
  const mark = (address: Address) => `(${paint(TONES[address.phase] ?? 'plain', stateOf(address, now))})`
  const primary = eni.addresses.find((address) => address.primary)
  const secondary = eni.addresses.filter((address) => !address.primary)
  return [
    `ENI: ${paint('strong', titleOf(eni))}`,
    `  Primary IP: ${eni.primaryIp}${primary?.phase === 'owned' ? ` ${mark(primary)}` : ''}`,
    secondary.length === 0 ? '  Secondary IPs: none' : '  Secondary IPs:',
    ...secondary.map((address) => `    - ${address.ip} ${mark(address)}`),
  ]
}

function poolLine(pool: Pool | null): string {
  if (pool === null) return 'IP Pool: not known yet'
  const cooling = pool.cooling > 0 ? `, ${pool.cooling} cooling` : ''
  return `IP Pool: ${pool.total} total, ${pool.allocated} allocated, ${pool.available} available${cooling}`
}

/** What keeps the node from giving addresses; nothing when all is well. */
export function problemLines({ problems, pool }: Node, paint: Paint): string[] {
  const waiting = pool === null || pool.waiting === 0 ? [] : [`pods that wait for an address: ${pool.waiting}`]
  const all = [...problems, ...waiting]
  return all.length === 0 ? [] : ['Problems:', ...all.map((problem) => `  - ${paint('bad', problem)}`)]
}

export function renderTree(node: Node, options: RenderOptions): string {
  const lines = [
    `Node: ${options.paint('strong', node.name)}`,
    ...node.enis.flatMap((eni) => eniLines(eni, options)),
    poolLine(node.pool),
    ...problemLines(node, options.paint),
  ]
  return `${lines.join('\n')}\n`
}
