/** Time that passes only when nothing is left to do in it. */

/** Something that takes time: it yields how long it sleeps (ms), or the signal it waits for. */
export type Process<T = void> = Generator<number | Signal, T, void>

interface Due {
  readonly at: number
  /** What is due at the same moment runs in the order in which it was asked for. */
  readonly order: number
  readonly run: () => void
}

export class VirtualTime {
  #now = 0
  #order = 0
  /** A binary heap, the earliest on top. */
  readonly #due: Due[] = []

  /** ms since the start. */
  get now(): number {
    return this.#now
  }

  at(moment: number, run: () => void): void {
    if (!(moment >= this.#now)) throw new RangeError(`${moment} is before ${this.#now}`)
    this.#push({ at: moment, order: this.#order++, run })
  }

  /** Begins when everything due by now has run. */
  start(process: Process): void {
    this.at(this.#now, () => this.#step(process))
  }

  /** Runs what is due up to and with `end`, and stays there; processes that are not done then are abandoned. */
  run(end: number): void {
    for (let next = this.#due[0]; next !== undefined && next.at <= end; next = this.#due[0]) {
      this.#pop()
      this.#now = next.at
      next.run()
    }
    this.#now = end
  }

  #step(process: Process): void {
    const { done, value } = process.next()
    if (done === true || value === undefined) return
    const resume = () => this.#step(process)
    if (typeof value === 'number') this.at(this.#now + value, resume)
    else value.whenFired(resume)
  }

  #push(due: Due): void {
    let index = this.#due.push(due) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfLater(parent, index)) return
      index = parent
    }
  }

  #pop(): void {
    const last = this.#due.pop()
    if (last === undefined || this.#due.length === 0) return
    this.#due[0] = last
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const child = this.#isLater(left, left + 1) ? left + 1 : left
      if (!this.#swapIfLater(index, child)) return
      index = child
    }
  }

  #isLater(one: number, other: number): boolean {
    const [a, b] = [this.#due[one], this.#due[other]]
    return a !== undefined && b !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order))
  }

  #swapIfLater(upper: number, lower: number): boolean {
    const [a, b] = [this.#due[upper], this.#due[lower]]
    if (a === undefined || b === undefined || !this.#isLater(upper, lower)) return false
    this.#due[upper] = b
    this.#due[lower] = a
    return true
  }
}

/** Wakes, each time it is fired, the processes that wait for it then. */
export class Signal {
  readonly #time: VirtualTime
  readonly #waiting: (() => void)[] = []

  constructor(time: VirtualTime) {
    this.#time = time
  }

  whenFired(run: () => void): void {
    this.#waiting.push(run)
  }

  /** They run when the one that fires is done with this moment, never in its midst. */
  fire(): void {
    for (const run of this.#waiting.splice(0)) this.#time.at(this.#time.now, run)
  }
}
