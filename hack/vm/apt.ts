/** What apt knows of a package, and the package as a file. Nothing is installed. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from '../../test/cluster/process.ts'
import { PackageUnavailable } from './unavailable.ts'

/** Of the archive's signed index, so what has this hash is the archive's. */
export interface PackageRecord {
  readonly name: string
  readonly version: string
  readonly depends: string
  /** Of the package's file, in bytes. */
  readonly size: number
  readonly sha256: string
}

/** For 70 MB from a slow mirror. ms */
const LIMIT = 5 * 60_000

/**
 * The first of the paragraphs of `Field: value` that `apt-cache show` prints (deb822(5)).
 * @returns undefined when it says nothing of a file, as for a package that is only installed.
 */
export function parseRecord(text: string): PackageRecord | undefined {
  const [paragraph = ''] = text.split('\n\n', 1)
  const fields = new Map([...paragraph.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name, value]))
  const field = (name: string) => fields.get(name) ?? ''
  const [name, version, sha256, size] = [field('Package'), field('Version'), field('SHA256'), Number(field('Size'))]
  if (name === '' || version === '' || !/^[\da-f]{64}$/.test(sha256) || !(size > 0)) return undefined
  return { name, version, depends: field('Depends'), size, sha256 }
}

/**
 * The package that apt would install for this name.
 * @throws PackageUnavailable when apt's lists have none.
 */
export async function candidate(name: string): Promise<PackageRecord> {
  const { stdout } = await execute(['apt-cache', 'show', '--no-all-versions', name])
  const record = parseRecord(stdout)
  if (record === undefined) throw new PackageUnavailable(`apt knows no package ${name}; the guest is made of Debian's`)
  return record
}

/** @throws PackageUnavailable when the archive cannot be reached, or only root may write apt's lists. */
export async function updateLists(): Promise<void> {
  await apt(['apt-get', 'update', '--error-on=any'])
}

/**
 * Downloads the package into an empty directory and returns the file's path.
 * @throws PackageUnavailable when it cannot be had; Error when it is not what apt's lists say.
 */
export async function download(record: PackageRecord, directory: string): Promise<string> {
  await apt(['env', `--chdir=${directory}`, 'apt-get', 'download', `${record.name}=${record.version}`])
  const [name = ''] = readdirSync(directory)
  const file = join(directory, name)
  const content = readFileSync(file)
  const sha256 = createHash('sha256').update(content).digest('hex')
  if (content.length === record.size && sha256 === record.sha256) return file
  throw new Error(`${name} has ${content.length} bytes with sha256 ${sha256}; apt's lists say otherwise`)
}

async function apt(argv: readonly string[]): Promise<void> {
  const { status, stderr } = await execute(argv, { timeout: LIMIT })
  if (status === 0) return
  const said = stderr.split('\n').find((line) => line.startsWith('E: ')) ?? 'no answer in time'
  throw new PackageUnavailable(`"${argv.join(' ')}": ${said}`)
}
