/** DELs that the plugin could not hand over because the daemon was away: carried out before and while it serves. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Detachment, parseDetachment } from '../../proto/cni-environment.ts'
import { decodeSpooledDel, isSpoolFileName } from '../../proto/spool.ts'
import type { DelInvocation } from '../cni/invocation.ts'

export interface SpoolOptions {
  readonly directory: string
  readonly del: (invocation: Pick<DelInvocation, 'detachment'>) => Promise<void>
  readonly log: Logger
}

/** A plugin may have found the daemon away just before it came back; fs.watch can miss events, so time helps. */
const POLL = 5_000

export class Spool {
  readonly #options: SpoolOptions
  #draining: Promise<void> | undefined

  /** Makes the directory (0700) when it is absent. */
  constructor(options: SpoolOptions) {
    this.#options = options
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  }

  /** Carries out everything that is there now. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
    return this.#draining
  }

  /** Drains whenever something arrives, until the signal aborts. */
  follow(signal: AbortSignal): void {
    const watcher = watch(this.#options.directory, { signal, persistent: false }, () => void this.drain())
    watcher.on('error', (err) => this.#options.log.warn({ err }, 'cannot watch the spool directory; polling it'))
    const timer = setInterval(() => void this.drain(), POLL)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  async #drain(): Promise<void> {
    const { directory, log } = this.#options
    for (const name of this.#list()) {
      const path = join(directory, name)
      try {
        if (isSpoolFileName(name)) await this.#carryOut(path)
        else removeAbandoned(path)
      } catch (err) {
        log.error({ err, path }, 'a spooled DEL failed; it is tried again')
      }
    }
  }

  /** Must not throw: it is asked by timers. A directory that somebody removed is made again, for the next plugin. */
  #list(): string[] {
    const { directory, log } = this.#options
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      return readdirSync(directory)
    } catch (err) {
      log.error({ err, directory }, 'the spool cannot be read; it is tried again')
      return []
    }
  }

  /** @throws what `del` throws; the file stays then. */
  async #carryOut(path: string): Promise<void> {
    const { del, log } = this.#options
    const detachment = this.#read(path)
    if (detachment !== undefined) {
      await del({ detachment })
      const { containerId, ifname } = detachment
      log.info({ containerId, ifname }, 'carried out a DEL that was spooled while the daemon was away')
    }
    rmSync(path, { force: true })
  }

  /** Undefined for a file that will never be understood: its endpoint is found by its vanished namespace. */
  #read(path: string): Detachment | undefined {
    try {
      return parseDetachment(decodeSpooledDel(readFileSync(path, 'utf8')))
    } catch (err) {
      this.#options.log.error({ err, path }, 'a spooled DEL cannot be understood; dropping it')
      return undefined
    }
  }
}

/** A plugin that was killed while writing leaves its unfinished file; one still at work is younger than this, ms. */
const ABANDONED_AFTER = 60_000

function removeAbandoned(path: string): void {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  if (written !== undefined && Date.now() - written > ABANDONED_AFTER) rmSync(path, { force: true })
}
