/** Parts of the report that are made of figures. */
import { BUDGETS } from '../budget.ts'
import { PEERS } from '../contenders.ts'
import type { BenchLine } from '../line.ts'
import { boundsText, readable, symbolOf, withUnit } from '../summary.ts'
import { numbers, table } from './markdown.ts'
import type { ByName } from './plots.ts'
import type { Remarks } from './remarks.ts'

const QUICK =
  '**quick**: few, growth over 500 ADD and DEL instead of 1,000, fewer levels, 100 at once without the other plugins'

/** What the machine was like: compare the spread of a figure with that of the two loops. */
export function conditions(lines: readonly BenchLine[], byName: ByName): string {
  const [first] = lines
  const rows = [
    ['machine', first?.env ?? 'unknown'],
    ['taken', spanOf(lines)],
    ['samples', lines.some(({ quick }) => quick === true) ? QUICK : 'all'],
    ['a loop of arithmetic, again and again', spread(byName.get('machine.loop'))],
    [
      'start and end of `/bin/true`: the floor of every figure with a process in it',
      spread(byName.get('machine.spawn')),
    ],
    ['start and end of Node as npm has it, doing nothing', spread(byName.get('exec.node'))],
    ['the same of the Node that is packed, which has no symbols', spread(byName.get('exec.node.stripped'))],
  ]
  return table([{ head: 'condition' }, { head: 'measured' }], rows)
}

/** A figure can be taken anew: its line then replaces that of the run before. */
function spanOf(lines: readonly BenchLine[]): string {
  const times = lines.map(({ at }) => at).toSorted()
  const [first, last] = [times[0], times.at(-1)].map((at) => at?.slice(0, 16).replace('T', ' '))
  return `${first} to ${last} UTC; each line of the figures has its time`
}

function spread(line: BenchLine | undefined): string {
  if (line === undefined) return 'not measured'
  const [p50, p95, p99] = [line.p50, line.p95, line.p99].map((value) => withUnit(value, line.unit))
  return `p50 ${p50}, p95 ${p95}, p99 ${p99} (n ${line.n})`
}

export function budgetTable(byName: ByName): string {
  const rows = BUDGETS.map(({ name, what, target, unit }) => {
    const line = byName.get(name)
    const bounds = `${boundsText(target)} ${symbolOf(unit)}`.trimEnd()
    if (line === undefined) return [`\`${name}\``, what, bounds, ...['', '', ''], 'not measured', '']
    const values = [line.p50, line.p95, line.p99].map(readable)
    return [`\`${name}\``, what, bounds, ...values, line.met === true ? 'met' : '**not met**', String(line.n)]
  })
  const columns = [{ head: 'figure' }, { head: 'what' }, { head: 'target' }, ...numbers('p50', 'p95', 'p99')]
  return table([...columns, { head: '' }, ...numbers('n')], rows)
}

/** Of each figure that misses its target: the floor, and what was tried. */
export function unmet(byName: ByName, remarks: Remarks): string {
  const missed = BUDGETS.filter(({ name }) => byName.get(name)?.met === false)
  if (missed.length === 0) return 'Every target that was measured is met.'
  const items = missed.map(({ name }) => {
    const remark = remarks[name]
    if (remark === undefined)
      return `- \`${name}\`: not explained yet; \`test/bench/report/remarks.json\` has the place for it.`
    return `- \`${name}\`. Floor: ${remark.floor} Tried: ${remark.tried}`
  })
  return ['Not met:', '', ...items].join('\n')
}

export function sideBySide(byName: ByName): string {
  const contenders = [
    { name: 'Terway', lines: 'cni', suffix: '.runtime' },
    ...PEERS.map((name) => ({ name: `\`${name}\` with \`host-local\``, lines: `peer.${name}`, suffix: '' })),
  ]
  const cell = (name: string) => {
    const line = byName.get(name)
    return line === undefined ? '–' : `${readable(line.p50)} / ${readable(line.p95)}`
  }
  const rows = contenders.map(({ name, lines, suffix }) => [
    ...[name, cell(`${lines}.add${suffix}`), cell(`${lines}.del${suffix}`)],
    ...[cell(`${lines}.add.exec100`), cell(`${lines}.del.exec100`)],
  ])
  const node = ['Node doing nothing', cell('cni.runtime.node'), '', cell('exec.node100'), '']
  const columns = [{ head: 'p50 / p95, ms' }, ...numbers('ADD', 'DEL', '100 ADDs at once', '100 DELs at once')]
  return table(columns, [...rows, node])
}

export function everyFigure(lines: readonly BenchLine[]): string {
  const rows = lines.map(({ name, unit, p50, p95, p99, n }) => [
    ...[`\`${name}\``, ...[p50, p95, p99].map(readable), symbolOf(unit), String(n)],
  ])
  return table([{ head: 'figure' }, ...numbers('p50', 'p95', 'p99'), { head: 'unit' }, ...numbers('n')], rows)
}
