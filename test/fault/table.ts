/** The list of what was tried and what came of it, a line each. Pure. */
import type { Result } from './cases.ts'
import type { Fault, FaultKind } from './verdict.ts'

const WIDTHS = { scenario: 33, step: 62, moment: 9, returns: 15 }

export function rowOf(result: Result): string {
  const { scenario, death, returns } = result
  const cells = [
    scenario.name.padEnd(WIDTHS.scenario),
    cut(death.step, WIDTHS.step).padEnd(WIDTHS.step),
    death.moment.padEnd(WIDTHS.moment),
    returns.padEnd(WIDTHS.returns),
  ]
  return `${cells.join(' ')} ${outcomeOf(result)}`
}

export function inWords(result: Result): string {
  const { scenario, death, returns } = result
  return `${scenario.name} | ${death.moment} ${death.step} | ${returns} | ${outcomeOf(result)}`
}

function outcomeOf({ reached, faults }: Result): string {
  if (!reached) return 'not made this time'
  return faults.length === 0 ? 'ok' : faults.map(({ kind, what }) => `${kind}: ${what}`).join('; ')
}

export function totals(results: readonly Result[]): string {
  const faults = results.flatMap((result) => result.faults)
  const reached = results.filter((result) => result.reached)
  const broken = results.filter((result) => result.faults.length > 0)
  return [
    `${reached.length} cases, ${broken.length} broken: ${count(faults, 'leaked')} leaked,`,
    `${count(faults, 'double')} double-given, ${count(faults, 'unaccounted')} unaccounted for at death,`,
    `${count(faults, 'phantom')} not there, ${count(faults, 'foreign')} of others touched,`,
    `${count(faults, 'unfinished')} unfinished; ${results.length - reached.length} looks not made again`,
  ].join(' ')
}

function count(faults: readonly Fault[], kind: FaultKind): number {
  return faults.filter((fault) => fault.kind === kind).length
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
