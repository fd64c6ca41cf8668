/** What the table held after the last transaction, and what has to be asked for to change it. Pure. */
import type { Ip } from '../../inet/address.ts'
import type { Request } from '../message.ts'
import {
  addElements,
  addFrame,
  addMarkChain,
  deleteElements,
  markChain,
  type SourceMark,
  table,
} from './source-mark-table.ts'

/** Sources and the mark that each shall have from now on; `undefined` for none. */
export type MarkChanges = ReadonlyMap<Ip, number | undefined>

export class MarkedSources {
  readonly #marks: Map<Ip, number>
  /** How many sources have a mark. */
  readonly #uses = new Map<number, number>()
  /** Whether there is a table: one without elements has been given up by somebody half way. */
  #tabled: boolean

  constructor(marks: ReadonlyMap<Ip, number>, { tabled }: { readonly tabled: boolean }) {
    this.#marks = new Map(marks)
    for (const mark of marks.values()) this.#count(mark, 1)
    this.#tabled = tabled
  }

  get size(): number {
    return this.#marks.size
  }

  get tabled(): boolean {
    return this.#tabled
  }

  get(source: Ip): number | undefined {
    return this.#marks.get(source)
  }

  /** One transaction. Elements that should be there are sent again: others may have deleted them. */
  requests(changes: MarkChanges): Request[] {
    const gone: SourceMark[] = []
    const wanted: SourceMark[] = []
    const gains = new Map<number, number>()
    const gain = (mark: number, by: number) => gains.set(mark, (gains.get(mark) ?? 0) + by)
    for (const [source, mark] of changes) {
      const before = this.#marks.get(source)
      if (mark !== undefined) wanted.push({ source, mark })
      if (mark !== undefined && before !== mark) gain(mark, 1)
      if (before === undefined || before === mark) continue
      gone.push({ source, mark: before })
      gain(before, -1)
    }
    const uses = (mark: number) => this.#uses.get(mark) ?? 0
    const begun = [...gains].filter(([mark, by]) => by > 0 && uses(mark) === 0)
    const ended = [...gains].filter(([mark, by]) => by < 0 && uses(mark) + by === 0)
    return [
      ...(wanted.length > 0 && !this.#tabled ? addFrame() : []),
      ...begun.flatMap(([mark]) => addMarkChain(mark)),
      ...deleteElements(gone),
      ...addElements(wanted),
      ...ended.map(([mark]) => table.deleteChain(markChain(mark))),
    ]
  }

  /** After the transaction. */
  apply(changes: MarkChanges): void {
    for (const [source, mark] of changes) {
      const before = this.#marks.get(source)
      if (before !== undefined) this.#count(before, -1)
      if (mark === undefined) this.#marks.delete(source)
      else {
        this.#marks.set(source, mark)
        this.#count(mark, 1)
        this.#tabled = true
      }
    }
  }

  #count(mark: number, by: number): void {
    this.#uses.set(mark, (this.#uses.get(mark) ?? 0) + by)
  }
}
