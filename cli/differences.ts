/** The answer to `terway-cli verify`: where the kernel is not as planned. */
import type { Difference__Output as Difference } from '../proto/generated/terway/inspect/v1/Difference.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'
import { columns } from './columns.ts'
import type { Paint, Tone } from './paint.ts'

const COLUMNS = ['owner', 'netns', 'object', 'subject', 'problem', 'found'] as const
const TONES: Readonly<Record<string, Tone>> = { missing: 'bad', different: 'waiting' }

function rowOf(difference: Difference): string[] {
  return COLUMNS.map((column) => difference[column] || '-')
}

/** Painted when they are aligned: colours have a length of their own. */
export function renderDifferences({ differences, plans }: VerifyReply, paint: Paint): string {
  if (differences.length === 0) return `${paint('good', `kernel matches ${plans} plans`)}\n`
  const rows = [COLUMNS.map((column) => column.toUpperCase()), ...differences.map(rowOf)]
  const [head = '', ...lines] = columns(rows).map((cells) => cells.join(''))
  const painted = differences.map(({ problem }, at) => paint(TONES[problem] ?? 'plain', lines[at] ?? ''))
  const summary = paint('bad', `kernel differs from ${plans} plans: ${differences.length} differences`)
  return `${[head, ...painted, summary].join('\n')}\n`
}
