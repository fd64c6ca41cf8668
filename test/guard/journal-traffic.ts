/** Counts what goes to the journal: every statement comes through one of these two doors. */
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { jest } from '@jest/globals'
import type { Figures } from './figures.ts'

export class JournalTraffic implements Disposable {
  readonly #exec = jest.spyOn(DatabaseSync.prototype, 'exec')
  readonly #run = jest.spyOn(StatementSync.prototype, 'run')

  /** Since the last call. */
  take(): Figures {
    const counts = countStatements(this.#statements())
    for (const spy of [this.#exec, this.#run]) spy.mockClear()
    return counts
  }

  [Symbol.dispose](): void {
    for (const spy of [this.#exec, this.#run]) spy.mockRestore()
  }

  #statements(): string[] {
    const { mock: exec } = this.#exec
    const { mock: run } = this.#run
    const all = [
      ...exec.calls.map(([sql], i) => ({ sql, order: exec.invocationCallOrder[i] ?? 0 })),
      ...run.contexts.map((one, i) => ({
        sql: (one as StatementSync).sourceSQL,
        order: run.invocationCallOrder[i] ?? 0,
      })),
    ]
    return all.sort((a, b) => a.order - b.order).map(({ sql }) => sql)
  }
}

/** A statement by itself is a transaction, too. */
export function countStatements(all: readonly string[]): Figures {
  let [open, statements, transactions] = [false, 0, 0]
  for (const sql of all) {
    if (sql.startsWith('BEGIN')) open = true
    else if (sql.startsWith('COMMIT')) open = false
    else statements += 1
    if (!open) transactions += 1
  }
  return { statements, transactions }
}
