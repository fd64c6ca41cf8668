/** Samples of several figures that are taken in turn, and the lines they make. */
import { type BenchLine, benchLine, type Unit } from './line.ts'

export class Samples {
  readonly #unit: Unit
  readonly #byName = new Map<string, number[]>()

  constructor(unit: Unit) {
    this.#unit = unit
  }

  add(name: string, ...values: readonly number[]): void {
    const known = this.#byName.get(name)
    if (known === undefined) this.#byName.set(name, [...values])
    else known.push(...values)
  }

  /** In the order in which they were first heard of. */
  lines(): BenchLine[] {
    return [...this.#byName].map(([name, values]) => benchLine({ name, unit: this.#unit }, values))
  }
}
