/** Tells whoever waits for the benchmark, on standard error, that it goes on. */

/** Nobody reads faster, ms. */
const PAUSE = 3_000

export class Progress {
  #told = performance.now()

  say(text: string): void {
    process.stderr.write(`${text}\n`)
    this.#told = performance.now()
  }

  /** So far: said only when nothing has been said for a while. */
  step(what: string, done: number, of: number): void {
    if (performance.now() - this.#told >= PAUSE) this.say(`      ${what} ${done} of ${of}`)
  }
}

/** What a bench is given. */
export interface Run {
  /** Fewer samples. */
  readonly quick: boolean
  readonly progress: Progress
}
