/** From values to pixels. */

export interface Scale {
  readonly ticks: readonly number[]
  position(value: number): number
}

/** Pixels at the low and at the high end. */
export type Range = readonly [low: number, high: number]

/** From 0 to a round number that is not below `most`. */
export function linearScale(most: number, [low, high]: Range): Scale {
  const step = roundStep(most / 5)
  const count = Math.max(1, Math.ceil(most / step))
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)))
  const end = count * step
  return { ticks, position: (value) => low + (value / end) * (high - low) }
}

/** Equal factors are equal distances. @param values the ticks: above 0, ascending, the first and the last at the ends */
export function logScale(values: readonly number[], [low, high]: Range): Scale {
  const [first = 1, last = 1] = [values.at(0), values.at(-1)]
  const length = Math.log(last / first) || 1
  return { ticks: values, position: (value) => low + (Math.log(value / first) / length) * (high - low) }
}

/** The smallest of 1, 2, 5, 10, 20, 50, … (and smaller ones) that is not below. */
function roundStep(least: number): number {
  if (least <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power
}
