/** The answer to `terway-cli gc`: what was found, and what has become of it. */
import type { GcFinding__Output as Finding } from '../proto/generated/terway/repair/v1/GcFinding.ts'
import type { GcReply__Output as GcReply } from '../proto/generated/terway/repair/v1/GcReply.ts'
import { columns } from './columns.ts'
import type { Paint, Tone } from './paint.ts'

const COLUMNS = ['outcome', 'kind', 'eni', 'address', 'pod', 'why'] as const
type Column = (typeof COLUMNS)[number]

const HEADS: Readonly<Record<Column, string>> = {
  ...{ outcome: 'OUTCOME', kind: 'WHAT', eni: 'ENI', address: 'ADDRESS', pod: 'POD', why: 'WHY' },
}
const OUTCOMES: Readonly<Record<string, Tone>> = { done: 'good', would: 'waiting', later: 'waiting', failed: 'bad' }
const LEVELS: Readonly<Record<string, Tone>> = { warn: 'waiting', error: 'bad' }

/** Of several addresses the first stands for all: an ENI may have fifty. */
function cellOf(finding: Finding, column: Column): string {
  const [first = '', ...others] = column === 'address' ? finding.address.split(',') : [finding[column]]
  return others.length === 0 ? first || '-' : `${first} +${others.length}`
}

function toneOf(column: Column, { outcome, level }: Finding): Tone {
  if (column === 'outcome') return OUTCOMES[outcome] ?? 'plain'
  return (column === 'kind' ? LEVELS[level] : undefined) ?? 'plain'
}

/** Painted when they are aligned: colours have a length of their own. Columns without anything are left out. */
function table(findings: readonly Finding[], paint: Paint): string[] {
  const shown = COLUMNS.filter((column) => findings.some((finding) => finding[column] !== ''))
  const [head = [], ...rows] = columns([
    shown.map((column) => HEADS[column]),
    ...findings.map((finding) => shown.map((column) => cellOf(finding, column))),
  ])
  const painted = findings.map((finding, row) =>
    shown.map((column, at) => paint(toneOf(column, finding), rows[row]?.[at] ?? '')),
  )
  return [head, ...painted].map((cells) => cells.join(''))
}

function summary({ findings, enis, addresses, pods }: GcReply): string {
  const count = (outcome: string) => findings.filter((finding) => finding.outcome === outcome).length
  const [done, would, later, failed] = [count('done'), count('would'), count('later'), count('failed')]
  const parts = [
    ...(done > 0 ? [`${done} done`] : []),
    ...(would > 0 ? [`${would} would be done`] : []),
    ...(later > 0 ? [`${later} to be seen again before anything is done`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ]
  const outcome = parts.length === 0 ? 'nothing to do' : parts.join(', ')
  return `ENIs: ${enis}, addresses: ${addresses}, pods: ${pods}; ${outcome}`
}

export function renderFindings(reply: GcReply, paint: Paint): string {
  const rows = reply.findings.length === 0 ? [] : table(reply.findings, paint)
  return `${[...rows, summary(reply)].join('\n')}\n`
}
