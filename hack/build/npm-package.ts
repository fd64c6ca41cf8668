/** The contents of a package that the lock file names, also of those that npm does not install here: another platform's. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')

/** It is neither installed nor to be had from the registry. */
export class PackageError extends Error {
  override readonly name = 'PackageError'
}

/** What was to be had is not what was locked: somebody has changed it, which no build may pass over. */
export class PackageHashError extends Error {
  override readonly name = 'PackageHashError'
}

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
})
const { packages } = lockSchema.parse(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')))

export interface LockedPackage {
  readonly version: string
  /** As npm writes it: `sha512-` and the hash of the archive in base64. */
  readonly integrity: string
}

/** @throws PackageError */
export function lockedPackage(name: string): LockedPackage {
  const { version, integrity } = packages[`node_modules/${name}`] ?? {}
  if (version === undefined || integrity === undefined) throw new PackageError(`package-lock.json has no ${name}`)
  return { version, integrity }
}

/**
 * The directory of the package: the installed one, or one below `scratch`, unpacked from npm's own cache or the
 * registry when its hash is that of the lock file.
 * @param announce is called before it is fetched
 * @throws PackageError, PackageHashError
 */
export async function packageDirectory(
  name: string,
  scratch: string,
  announce: (name: string) => void,
): Promise<string> {
  const installed = join(ROOT, 'node_modules', name)
  if (existsSync(join(installed, 'package.json'))) return installed
  announce(name)
  return await unpack(name, scratch)
}

async function unpack(name: string, scratch: string): Promise<string> {
  const locked = lockedPackage(name)
  const directory = join(scratch, name)
  await mkdir(directory, { recursive: true })
  const archive = join(directory, await download(`${name}@${locked.version}`, directory))
  checkArchive(await readFile(archive), name, locked)
  await run('tar', ['-xzf', archive, '-C', directory])
  return join(directory, 'package') // as every archive of npm's has it
}

/** @throws PackageHashError when these are not the bytes that were locked */
export function checkArchive(archive: Uint8Array, name: string, { version, integrity }: LockedPackage): void {
  const hash = createHash('sha512').update(archive).digest('base64')
  if (integrity !== `sha512-${hash}`)
    throw new PackageHashError(`${name}@${version} is not what package-lock.json says`)
}

/** How long the registry may say nothing, ms. A download that goes on may take longer, but not for ever. */
const PATIENCE = 10_000
const LONGEST_DOWNLOAD = 10 * 60_000

/**
 * Of npm, which looks at what it fetches before we do: it has not the hash that the registry gives, or is no archive,
 * as what was locked is.
 */
const OTHER_BYTES = /^(?:EINTEGRITY|Z_\w+|TAR_\w+)$/

/** Its file name. */
async function download(spec: string, directory: string): Promise<string> {
  // What npm has kept of an earlier build is as good: the hash decides.
  const patience = ['--prefer-offline', '--fetch-retries=0', `--fetch-timeout=${PATIENCE}`]
  const argv = ['pack', spec, ...patience, '--loglevel=error', '--pack-destination', directory]
  try {
    const env = npmEnvironment(process.env)
    const { stdout } = await run('npm', argv, { cwd: ROOT, env, timeout: LONGEST_DOWNLOAD })
    return stdout.trim()
  } catch (cause) {
    const code = npmCodeOf(cause)
    if (OTHER_BYTES.test(code)) throw new PackageHashError(`${spec} is not what the registry says (${code})`, { cause })
    throw new PackageError(`npm cannot fetch ${spec}${code === '' ? '' : ` (${code})`}`, { cause })
  }
}

/** With an empty HOME npm would make a directory called "~" where it is started; with none it asks the system. */
export function npmEnvironment({ HOME, ...others }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return HOME === undefined || HOME === '' ? others : { HOME, ...others }
}

/** As in `npm error code ENOTFOUND`, `npm ERR!` before npm 10; empty when it says none. */
function npmCodeOf(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : ''
  return /^npm (?:error|ERR!) code (\S+)$/m.exec(stderr)?.[1] ?? ''
}
