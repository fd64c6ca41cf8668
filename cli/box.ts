/** The node as a box of figures: `terway-cli show -o box`. */
import type { Eni__Output as Eni } from '../proto/generated/terway/inspect/v1/Eni.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { Pool__Output as Pool } from '../proto/generated/terway/inspect/v1/Pool.ts'
import { NO_POOL, problemLines, type RenderOptions, secondaryOf, titleOf } from './tree.ts'

/** Columns between the borders, spaces included; longer content widens the box. */
const WIDTH = 62

function poolLines(pool: Pool | null): string[] {
  if (pool === null) return [NO_POOL]
  const cooling = pool.cooling > 0 ? `, Cooling=${pool.cooling}` : ''
  const percentOf = (whole: number) => (whole === 0 ? 0 : Math.round((100 * pool.allocated) / whole))
  return [
    `IP Pool: Total=${pool.total}, Allocated=${pool.allocated}, Available=${pool.available}${cooling}`,
    `Utilization: ${percentOf(pool.total)}% of total (assigned), ${percentOf(pool.capacity)}% of capacity (${pool.capacity})`,
  ]
}

function eniLine(eni: Eni): string {
  const prefixes = eni.prefixes.length === 0 ? '' : `, Prefixes=${eni.prefixes.length}`
  return `  ${titleOf(eni)}: Primary=${eni.primaryIp}, Secondary=${secondaryOf(eni).length} IPs${prefixes}`
}

function foreignLines({ foreignEnis }: Node): string[] {
  return foreignEnis.length === 0 ? [] : [`Foreign ENIs: ${foreignEnis.map(({ id }) => id).join(', ')}`]
}

function frame(sections: readonly (readonly string[])[]): string[] {
  const width = Math.max(WIDTH, ...sections.flat().map((line) => line.length + 2))
  const edge = '─'.repeat(width)
  const rows = sections.map((lines) => lines.map((line) => `│ ${line.padEnd(width - 2)} │`))
  return [`┌${edge}┐`, ...rows.flatMap((row, i) => (i === 0 ? row : [`├${edge}┤`, ...row])), `└${edge}┘`]
}

export function renderBox(node: Node, options: RenderOptions): string {
  const box = frame([
    [`Node: ${node.name}`],
    [`ENI Count: ${node.enis.length}`, ...foreignLines(node), ...poolLines(node.pool)],
    ['ENI Details:', ...node.enis.map(eniLine)],
  ])
  return `${[...box, ...problemLines(node, options)].join('\n')}\n`
}
