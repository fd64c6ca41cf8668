/** Durations as operators write them: a number of seconds, or a text of Go (`1h30m`). */
import { z } from 'zod'
import { parsed, parsedString } from './parsed-string.ts'

export class DurationError extends Error {
  override readonly name = 'DurationError'
}

/** In ms; the units of Go's `time.ParseDuration`, which has two signs for micro. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ...[['ns', 1e-6] as const, ['us', 1e-3] as const, ['\u00b5s', 1e-3] as const, ['\u03bcs', 1e-3] as const],
  ...[['ms', 1] as const, ['s', 1000] as const, ['m', 60_000] as const, ['h', 3_600_000] as const],
])
const PART = String.raw`(\d+\.?\d*|\.\d+)(${[...UNITS.keys()].join('|')})`
const TEXT = new RegExp(`^(?:${PART})+$`)

/** ms; a timer of Node.js with a longer delay fires at once (documentation of `setTimeout`). */
const LONGEST = 2 ** 31 - 1

/** @returns ms @throws DurationError */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  if (!TEXT.test(text)) throw new DurationError('must be a duration like "300s" or "1h30m"')
  const parts = [...text.matchAll(new RegExp(PART, 'g'))]
  return wholeMs(parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS.get(unit) ?? 0), 0))
}

/** What is no whole number of ms is rounded, but never to none at all. */
function wholeMs(ms: number): number {
  if (!(ms >= 0 && ms <= LONGEST)) throw new DurationError('must be from 0 to 24 days')
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0
}

/** For a key that says that it is in seconds; gives ms. */
export const seconds = parsed(z.number('must be a number of seconds'), (value) => wholeMs(value * 1000))

/** For every other key; gives ms. */
export const duration = z.union(
  [seconds, parsedString(parseDuration)],
  'must be a number of seconds or a duration like "300s" or "1h30m", at most 24 days',
)
