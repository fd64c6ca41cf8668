/** Timers in the order they are due; those of the same time in the order they were set. */

export interface Timer {
  /** ms on a clock that is never set. */
  readonly at: number
  readonly fire: () => void
  /** False: it is over before it was due, and never fires. */
  readonly isWanted: () => boolean
}

interface Entry extends Timer {
  /** Grows with every timer. */
  readonly order: number
}

/** A binary heap: the children of `i` are at `2i + 1` and `2i + 2`. Timers that nobody wants are left out when they are due. */
export class Timers {
  readonly #heap: Entry[] = []
  #order = 0

  add(timer: Timer): void {
    const entry = { ...timer, order: ++this.#order }
    let hole = this.#heap.length
    for (let parent = (hole - 1) >> 1; hole > 0; parent = (hole - 1) >> 1) {
      const above = this.#heap[parent]
      if (above === undefined || isBefore(above, entry)) break
      this.#heap[hole] = above
      hole = parent
    }
    this.#heap[hole] = entry
  }

  /** When the next one is due. */
  get nextAt(): number | undefined {
    for (;;) {
      const [first] = this.#heap
      if (first === undefined || first.isWanted()) return first?.at
      this.#take()
    }
  }

  /** The next one if it is due, taken out. */
  takeDue(now: number): Timer | undefined {
    const { nextAt } = this
    return nextAt === undefined || nextAt > now ? undefined : this.#take()
  }

  /** The first entry; the last one sinks from its place to where it belongs. */
  #take(): Entry | undefined {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return first
    let hole = 0
    for (;;) {
      const child = this.#earlierChild(hole)
      const below = this.#heap[child]
      if (below === undefined || isBefore(last, below)) break
      this.#heap[hole] = below
      hole = child
    }
    this.#heap[hole] = last
    return first
  }

  #earlierChild(parent: number): number {
    const left = 2 * parent + 1
    const [one, other] = [this.#heap[left], this.#heap[left + 1]]
    return one !== undefined && other !== undefined && isBefore(other, one) ? left + 1 : left
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
