/** The directory that is built into. What lies there already is kept when the same ingredients would make it again. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'

export interface Output {
  /** Relative to the directory. */
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

export interface Part {
  /** Relative to the directory. */
  readonly file: string
  /** All that its bytes depend on, but for the recipe. */
  readonly ingredients: readonly string[]
  /** Writes the file to `target`; may use the empty directory `scratch`, which is removed. */
  readonly make: (target: string, scratch: string) => Promise<void>
}

/** What is there must be made anew, and whoever builds may not write it. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError'
}

/** Of each file: the hash of its ingredients and what it is. */
const recordSchema = z.record(z.string(), z.object({ ingredients: z.string(), size: z.number(), sha256: z.string() }))
type BuildRecord = z.infer<typeof recordSchema>

const RECORD = '.build.json'
const SUMS = 'SHA256SUMS'
const SCRATCH = '.scratch-'

export class Outputs {
  readonly directory: string
  readonly #recipe: string
  readonly #earlier: BuildRecord
  readonly #made: BuildRecord = {}
  /** What was read already of the files that are there: they have 100 MB each. */
  readonly #described = new Map<string, Output>()

  private constructor(directory: string, recipe: string, earlier: BuildRecord) {
    this.directory = directory
    this.#recipe = recipe
    this.#earlier = earlier
  }

  /**
   * @param recipe an ingredient of everything
   * @throws DirectoryError, as all that follow
   */
  static async open(directory: string, recipe: string): Promise<Outputs> {
    await permitted(directory, async () => {
      await mkdir(directory, { recursive: true })
      await removeAbandoned(directory)
    })
    return new Outputs(directory, recipe, await readRecord(join(directory, RECORD)))
  }

  path(file: string): string {
    return join(this.directory, file)
  }

  /** The parts that are not there as they would be made now. */
  async missing<T extends Part>(parts: readonly T[]): Promise<readonly T[]> {
    const kept = await Promise.all(parts.map((part) => this.#unchanged(part)))
    return parts.filter((_, index) => kept[index] === undefined)
  }

  async produce(part: Part): Promise<Output> {
    const { file, make } = part
    const kept = await this.#unchanged(part)
    if (kept === undefined) await this.#replace(file, make)
    const output = kept ?? (await this.#describe(file))
    this.#made[file] = { ingredients: this.#hashOf(part), size: output.size, sha256: output.sha256 }
    return output
  }

  /** What was produced under a second name. Nothing is written when it has that name. */
  async alias(file: string, original: Output): Promise<void> {
    const [wanted, present] = await Promise.all([original.file, file].map((name) => identity(this.path(name))))
    if (present !== wanted) {
      await this.#replace(file, (target) => permitted(this.directory, () => link(this.path(original.file), target)))
    }
    this.#made[file] = { ingredients: original.sha256, size: original.size, sha256: original.sha256 }
  }

  /**
   * Does the work with an empty directory, on the file system of what is built, which is removed, also by the next
   * build if this one is killed.
   */
  async inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
    const scratch = await permitted(this.directory, () => mkdtemp(this.path(`${SCRATCH}${process.pid}-`)))
    try {
      return await work(scratch)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  /**
   * Remembers what was made and lists it in `SHA256SUMS`.
   * @param whole true: what earlier builds made and this one did not is removed; false: it stays and is listed
   */
  async close({ whole }: { readonly whole: boolean }): Promise<readonly Output[]> {
    const made = Object.entries(whole ? this.#made : { ...this.#earlier, ...this.#made })
    const record = Object.fromEntries(made.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    for (const file of Object.keys(this.#earlier)) {
      if (!(file in record)) await permitted(this.directory, () => rm(this.path(file), { force: true }))
    }
    const outputs = Object.entries(record).map(([file, { size, sha256 }]) => ({ file, size, sha256 }))
    await this.#write(SUMS, outputs.map(({ sha256, file }) => `${sha256}  ${file}\n`).join(''))
    await this.#write(RECORD, `${JSON.stringify(record, null, 2)}\n`)
    return outputs
  }

  #hashOf({ ingredients }: Part): string {
    return hashOf([this.#recipe, ...ingredients].join('\n'))
  }

  /** Undefined too when somebody has changed or removed what was made. */
  async #unchanged(part: Part): Promise<Output | undefined> {
    const earlier = this.#earlier[part.file]
    if (earlier?.ingredients !== this.#hashOf(part) || !existsSync(this.path(part.file))) return undefined
    const present = await this.#describe(part.file)
    return present.sha256 === earlier.sha256 ? present : undefined
  }

  /** Not when it is there already: whoever may only read can build what has not changed. */
  async #write(file: string, text: string): Promise<void> {
    const path = this.path(file)
    if (existsSync(path) && (await readFile(path, 'utf8')) === text) return
    await this.#replace(file, (target) => writeFile(target, text))
  }

  /** By rename: somebody may be executing the old file (ETXTBSY), and nobody sees half of the new one. */
  async #replace(file: string, make: Part['make']): Promise<void> {
    this.#described.delete(file)
    await this.inScratch(async (scratch) => {
      const target = join(scratch, 'made')
      await mkdir(join(scratch, 'scratch'))
      await make(target, join(scratch, 'scratch'))
      await permitted(this.directory, async () => {
        await mkdir(dirname(this.path(file)), { recursive: true })
        await rename(target, this.path(file))
      })
    })
  }

  async #describe(file: string): Promise<Output> {
    const known = this.#described.get(file)
    if (known !== undefined) return known
    const content = await permitted(this.directory, () => readFile(this.path(file)))
    const output = { file, size: content.length, sha256: hashOf(content) }
    this.#described.set(file, output)
    return output
  }
}

const PROHIBITED = ['EACCES', 'EPERM', 'EROFS']

async function permitted<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!PROHIBITED.includes(codeOf(cause))) throw cause
    const wayOut = 'build as the user whose it is, or remove it'
    throw new DirectoryError(`${directory} is not up to date, and you may not change it: ${wayOut}`, { cause })
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** The same for two names of one file; empty when there is none. */
async function identity(path: string): Promise<string> {
  if (!existsSync(path)) return ''
  const { dev, ino } = await stat(path)
  return `${dev}:${ino}`
}

export function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

async function readRecord(path: string): Promise<BuildRecord> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return {} // the first build here, or an unreadable record: everything is made
  }
}

/** What builds that were killed have left. */
async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, pid] = /^\.scratch-(\d+)-/.exec(name) ?? []
    if (pid === undefined || isRunning(Number(pid))) continue
    // Somebody else's is left for the next build of theirs.
    await rm(join(directory, name), { recursive: true, force: true }).catch((error: unknown) => {
      if (!PROHIBITED.includes(codeOf(error))) throw error
    })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM' // it is somebody else's; otherwise ESRCH
  }
}
