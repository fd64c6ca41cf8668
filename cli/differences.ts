/** The answer to `terway-cli verify`: where the kernel is not as planned. */
import type { Difference__Output as Difference } from '../proto/generated/terway/inspect/v1/Difference.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'
import { columns } from './columns.ts'

const COLUMNS = ['owner', 'netns', 'object', 'subject', 'problem', 'found'] as const

function rowOf(difference: Difference): string[] {
  return COLUMNS.map((column) => difference[column] || '-')
}

export function renderDifferences({ differences, plans }: VerifyReply): string {
  if (differences.length === 0) return `kernel matches ${plans} plans\n`
  const rows = [COLUMNS.map((column) => column.toUpperCase()), ...differences.map(rowOf)]
  const lines = columns(rows).map((cells) => cells.join(''))
  return `${lines.join('\n')}\nkernel differs from ${plans} plans: ${differences.length} differences\n`
}
