/** The daemon's histogram of the phases of a call, as two readings between which one call was made. */

const METRIC = 'terway_cni_phase_seconds'

export interface PhaseSum {
  readonly seconds: number
  readonly count: number
}

/** By phase; empty when the text has no such histogram. */
export function phaseSums(text: string, verb: 'ADD' | 'DEL'): ReadonlyMap<string, PhaseSum> {
  const sums = new Map<string, PhaseSum>()
  for (const [, kind, labels = '', value] of text.matchAll(SERIES)) {
    const { verb: of, phase } = labelsOf(labels)
    if (of !== verb || phase === undefined) continue
    const known = sums.get(phase) ?? { seconds: 0, count: 0 }
    sums.set(phase, { ...known, [kind === 'sum' ? 'seconds' : 'count']: Number(value) })
  }
  return sums
}

/** Lines of the text format of Prometheus. */
const SERIES = new RegExp(`^${METRIC}_(sum|count)\\{([^}]*)\\} (\\S+)$`, 'gm')

function labelsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
}

/**
 * ms that each phase of the one call between two readings took.
 * @throws RangeError when there was not one call: then the sums say nothing of any.
 */
export function phasesOfOneCall(
  before: ReadonlyMap<string, PhaseSum>,
  after: ReadonlyMap<string, PhaseSum>,
): ReadonlyMap<string, number> {
  const phases = [...after].map(([phase, { seconds, count }]) => {
    const earlier = before.get(phase) ?? { seconds: 0, count: 0 }
    const calls = count - earlier.count
    if (calls !== 1) throw new RangeError(`phase ${phase} was observed ${calls} times, not once`)
    return [phase, (seconds - earlier.seconds) * 1_000] as const
  })
  return new Map(phases)
}
