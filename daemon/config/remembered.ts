/**
 * An answer that the journal keeps for the next start. A daemon that is started again while the cloud is away has pods
 * to serve: it goes on with what it was told last, and takes over the new answer when it comes.
 */
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Journal } from '../store/journal.ts'
import { persist, within } from './persist.ts'

export interface Memory {
  readonly journal: Pick<Journal, 'getFact' | 'putFact'>
  readonly log: Logger
  /** Ends the asking. */
  readonly signal: AbortSignal
}

/** Where in the journal an answer is. */
export interface Memo<T> {
  readonly name: string
  /** One of another shape, from another version, is not used. */
  readonly shape: z.ZodType<T>
}

export interface Question<T> extends Memory, Memo<T> {
  /** How an earlier version kept it. */
  readonly former?: Memo<T>
  /** What is asked for, to begin a line of the log with. */
  readonly what: string
  readonly ask: () => Promise<T>
  /** False for a remembered answer that is about another instance. */
  readonly applies: (value: T) => boolean
}

/** A start waits this long for a new answer when it has an old one, ms: the services answer in a tenth of it. */
export const PATIENCE = 2_000

/** What the journal has of an answer. */
export function recall<T>(
  question: Pick<Question<T>, 'journal' | 'name' | 'shape' | 'former' | 'applies'>,
): T | undefined {
  const memos = [question, ...(question.former === undefined ? [] : [question.former])]
  for (const { name, shape } of memos) {
    const { data } = shape.safeParse(question.journal.getFact(name))
    if (data !== undefined && question.applies(data)) return data
  }
  return undefined
}

export class Remembered<T> {
  readonly #what: string
  readonly #log: Logger
  /** Resolves with the cloud's answer, rejects only when the asking has been ended. */
  readonly #answer: Promise<T>
  #value: T

  private constructor({ what, log }: Question<T>, value: T, answer: Promise<T>) {
    this.#what = what
    this.#log = log
    this.#value = value
    this.#answer = answer
  }

  /**
   * At once when there is a remembered answer, and the question goes on beside; otherwise when the cloud has answered.
   * @throws what `persist` throws.
   */
  static async open<T>(question: Question<T>): Promise<Remembered<T>> {
    const { name, what, journal, log, signal } = question
    const ask = async () => {
      const value = await question.ask()
      journal.putFact(name, value)
      return value
    }
    const recalled = recall(question)
    if (recalled === undefined) {
      const value = await persist({ what, ask, log, signal, forgiving: false })
      return new Remembered(question, value, Promise.resolve(value))
    }
    const answer = persist({ what, ask, log, signal, forgiving: true })
    const remembered = new Remembered(question, recalled, answer)
    remembered.onAnswer((value) => {
      remembered.#value = value
    })
    return remembered
  }

  /** The newest there is. */
  get value(): T {
    return this.#value
  }

  /** Waits for the cloud's own answer, but not for long. */
  async settle(patience = PATIENCE): Promise<void> {
    if (await within(this.#answer, patience)) return
    this.#log.warn(`${this.#what}: no answer within ${patience} ms; going on with that of the last start`)
  }

  /** Calls back once with the cloud's answer, however late; not when the asking is ended before. */
  onAnswer(callback: (value: T) => void): void {
    this.#answer.then(callback, () => undefined)
  }
}
