/** Counts by name, and what becomes of many of them. Pure. */
import { classOf } from './classes.ts'
import type { Syscall } from './syscalls.ts'

/** Absent is zero. */
export type Figures = Readonly<Record<string, number>>

/** System calls by class. */
export function countsOf(calls: readonly Syscall[]): Figures {
  const classes = calls.flatMap((call) => classOf(call) ?? [])
  const byClass = Map.groupBy(classes, (name) => name)
  return Object.fromEntries([...byClass].map(([name, all]) => [name, all.length]))
}

/** Bytes that calls of these names have moved. */
export function bytesOf(calls: readonly Syscall[], names: RegExp): number {
  const moved = calls.filter(({ name }) => names.test(name))
  return moved.reduce((sum, { result = 0 }) => sum + Math.max(0, result), 0)
}

export const WRITES = /^p?write(v|v2|64)?$/
export const READS = /^p?read(v|v2|64)?$/

/** The same under longer names. */
export function within(place: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [`${place}.${name}`, figure]))
}

/** Of each figure the middle one, which what happens now and then beside does not move. @throws RangeError of none */
export function medians(samples: readonly Figures[]): Figures {
  if (samples.length === 0) throw new RangeError('nothing has no median')
  const middle = (name: string) => {
    const sorted = samples.map((figures) => figures[name] ?? 0).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  return Object.fromEntries(namesOf(samples).map((name) => [name, middle(name)]))
}

export function difference(whole: Figures, part: Figures): Figures {
  return Object.fromEntries(namesOf([whole, part]).map((name) => [name, (whole[name] ?? 0) - (part[name] ?? 0)]))
}

function namesOf(all: readonly Figures[]): string[] {
  return [...new Set(all.flatMap((figures) => Object.keys(figures)))].sort()
}
