/** The answer to `terway-cli verify`: where the kernel is not as planned. */
import type { Difference__Output as Difference } from '../proto/generated/terway/inspect/v1/Difference.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'

const COLUMNS = ['owner', 'netns', 'object', 'subject', 'problem', 'found'] as const

function rowOf(difference: Difference): string[] {
  return COLUMNS.map((column) => difference[column] || '-')
}

/** Columns as wide as their longest value, two spaces apart; the last one is not padded. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function renderDifferences({ differences, plans }: VerifyReply): string {
  if (differences.length === 0) return `kernel matches ${plans} plans\n`
  const rows = [COLUMNS.map((column) => column.toUpperCase()), ...differences.map(rowOf)]
  return `${align(rows).join('\n')}\nkernel differs from ${plans} plans: ${differences.length} differences\n`
}
