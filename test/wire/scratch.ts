/** Sockets for the servers of one test file, in a directory that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class Scratch {
  readonly directory = mkdtempSync(join(tmpdir(), 'tw-wire-'))
  #sockets = 0

  /** A path that nothing listens on yet. */
  socket(): string {
    this.#sockets += 1
    return join(this.directory, `${this.#sockets}.sock`)
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
