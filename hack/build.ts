/**
 * Builds everything that ships into `dist/` and prints what there is. What has not changed is not built again.
 * `hack/node hack/build.ts [--to DIRECTORY] [--platforms host|available|all]`
 */
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lockedPackage, PackageError, PackageHashError, packageDirectory } from './build/npm-package.ts'
import { DirectoryError, hashOf, type Output, Outputs } from './build/outputs.ts'
import { hostPlatform, PLATFORMS, type Platform } from './build/platform.ts'
import {
  BUNDLES,
  bundleExecutable,
  bundleParts,
  EXECUTABLES,
  type Executable,
  executablePart,
  type PlatformPart,
  packagedParts,
} from './build/programs.ts'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')

/**
 * `host`: this machine's; another's stays where all of it is up to date, and is removed otherwise. `available`: all; one
 * whose packages cannot be had is left out. `all`: and that is an error.
 */
const EXTENTS = ['host', 'available', 'all'] as const
type Extent = (typeof EXTENTS)[number]

interface Built {
  readonly outputs: readonly Output[]
  /** One sentence for each platform that could not be built. */
  readonly leftOut: readonly string[]
}

/** @throws PackageError, PackageHashError, DirectoryError */
async function build(directory: string, extent: Extent): Promise<Built> {
  const outputs = await Outputs.open(directory, await recipe())
  try {
    const leftOut = await buildAll(outputs, extent)
    return { outputs: await outputs.close({ whole: true }), leftOut }
  } catch (error) {
    await outputs.close({ whole: false }) // the list is true of half a build, too
    throw error
  }
}

/** What was left out, as in `Built`. */
async function buildAll(outputs: Outputs, extent: Extent): Promise<readonly string[]> {
  for (const program of BUNDLES) for (const part of await bundleParts(program)) await outputs.produce(part)
  const programs = await Promise.all(EXECUTABLES.map(bundled))
  const leftOut: string[] = []
  for (const platform of PLATFORMS) {
    const isHost = platform === hostPlatform()
    try {
      await buildFor(outputs, { platform, programs, onlyCurrent: extent === 'host' && !isHost })
    } catch (error) {
      // Another platform's Node comes from the registry; the one that runs this is here.
      if (!(error instanceof PackageError) || isHost || extent === 'all') throw error
      leftOut.push(`${platform.name} is left out: ${error.message}`)
    }
  }
  return leftOut
}

/** The plugin alone, for this machine, up to date with its sources. Its path. */
export async function buildPlugin(): Promise<string> {
  const [plugin] = EXECUTABLES
  const outputs = await Outputs.open(DIST, await recipe())
  await buildFor(outputs, { platform: hostPlatform(), programs: [await bundled(plugin)], onlyCurrent: false })
  await outputs.close({ whole: false })
  return outputs.path(plugin.name)
}

interface BundledExecutable {
  readonly program: Executable
  readonly code: Uint8Array
}

async function bundled(program: Executable): Promise<BundledExecutable> {
  return { program, code: await bundleExecutable(program) }
}

interface PlatformBuild {
  readonly platform: Platform
  readonly programs: readonly BundledExecutable[]
  /** Nothing is made: what is there is kept if none of it is out of date. */
  readonly onlyCurrent: boolean
}

async function buildFor(outputs: Outputs, { platform, programs, onlyCurrent }: PlatformBuild): Promise<void> {
  const packages = new Map<string, string>()
  const unpacked = (npmPackage: string): string => {
    const directory = packages.get(npmPackage)
    if (directory === undefined) throw new Error(`${npmPackage} is needed and was not unpacked`)
    return directory
  }
  const parts: readonly PlatformPart[] = [
    ...packagedParts(platform, unpacked),
    ...programs.map(({ program, code }) => executablePart(program, { code, platform, directory: outputs.directory })),
  ]
  const missing = await outputs.missing(parts)
  if (onlyCurrent && missing.length > 0) return
  const wanted = new Set(missing.flatMap(({ npmPackage }) => npmPackage ?? []))
  if (wanted.size === 0) return await produceAll(outputs, platform, parts)
  await outputs.inScratch(async (scratch) => {
    // All of them before the first file is made: what is left out is left out whole.
    for (const npmPackage of wanted) packages.set(npmPackage, await packageDirectory(npmPackage, scratch, announce))
    await produceAll(outputs, platform, parts)
  })
}

async function produceAll(outputs: Outputs, platform: Platform, parts: readonly PlatformPart[]): Promise<void> {
  for (const part of parts) {
    const made = await outputs.produce(part)
    const program = EXECUTABLES.find(({ name }) => part.file === `${platform.name}/${name}`)
    if (program !== undefined && platform === hostPlatform()) await outputs.alias(program.name, made)
  }
}

/** Before what may take long. */
function announce(npmPackage: string): void {
  console.log(`==> ${npmPackage}@${lockedPackage(npmPackage).version}, from npm's cache or the registry`)
}

/** Changes whenever something that builds does. */
async function recipe(): Promise<string> {
  const files = ['package-lock.json', 'hack/build.ts', 'hack/bundle.ts', ...globSync('hack/build/*.ts', { cwd: ROOT })]
  const contents = await Promise.all(files.toSorted().map((file) => readFile(join(ROOT, file), 'utf8')))
  return hashOf(contents.join('\n'))
}

function table(outputs: readonly Output[]): string {
  const width = Math.max(...outputs.map(({ file }) => file.length)) + 2
  const line = (file: string, bytes: string, sha256: string) => `${file.padEnd(width)}${bytes.padStart(11)}  ${sha256}`
  const rows = outputs.map(({ file, size, sha256 }) => line(file, size.toLocaleString('en'), sha256))
  return [line('file', 'bytes', 'sha256'), ...rows].join('\n')
}

async function main(): Promise<void> {
  const options = {
    to: { type: 'string', default: DIST },
    platforms: { type: 'string', default: 'available' },
  } as const
  const { values } = parseArgs({ options })
  const extent = EXTENTS.find((one) => one === values.platforms)
  if (extent === undefined) throw new TypeError(`--platforms is one of ${EXTENTS.join(', ')}`)
  const { outputs, leftOut } = await build(values.to, extent)
  console.log(table(outputs))
  for (const sentence of leftOut) console.log(sentence)
}

if (import.meta.main) {
  try {
    await main()
  } catch (error) {
    const isKnown = [PackageError, PackageHashError, DirectoryError].some((known) => error instanceof known)
    if (!isKnown || !(error instanceof Error)) throw error
    console.error(`build: ${error.message}`)
    process.exitCode = 1
  }
}
