/** What is not as it has been recorded, in words. Pure. */
import type { Figures } from './figures.ts'

/**
 * By the end of a figure's name, by how much it may differ from the record either way: of what cannot be the same in
 * every run. Every other must be what it was: a record that is not lowered after a fall lets it grow back.
 */
export type Tolerance = Readonly<Record<string, number>>

const ANEW = 'record it anew (RECORD=1 make test-guard)'

export interface Comparison {
  readonly measured: Figures
  readonly recorded: Figures
  readonly tolerance: Tolerance
}

export function compare({ measured, recorded, tolerance }: Comparison): string[] {
  const names = [...new Set([...Object.keys(measured), ...Object.keys(recorded)])].sort()
  return names.flatMap((name) => {
    const [now, then] = [measured[name] ?? 0, recorded[name] ?? 0]
    const [, most] = Object.entries(tolerance).find(([end]) => name.endsWith(`.${end}`)) ?? ['', 0]
    if (now > then + most) return grew(name, now, then)
    if (now < then - most) return fell(name, now, then)
    return []
  })
}

function grew(name: string, now: number, then: number): string {
  return `${name} grew by ${round(now - then)}: ${now}, recorded ${then}; find out why, or if it is worth it, ${ANEW}`
}

function fell(name: string, now: number, then: number): string {
  return `${name} fell by ${round(then - now)}: ${now}, recorded ${then}; ${ANEW}, lest it grows back unnoticed`
}

function round(figure: number): number {
  return Number(figure.toPrecision(6))
}
