/** What ships, and what each part of it is made of. */
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundle } from '../bundle.ts'
import { strip } from './elf.ts'
import { packExecutable } from './executable.ts'
import { lockedPackage } from './npm-package.ts'
import { hashOf, type Part } from './outputs.ts'
import type { Platform } from './platform.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXECUTABLE = 0o755

/** Started for one call: a single file that needs nothing on the machine. */
export const EXECUTABLES = [
  { name: 'terway', entry: 'cni-plugin/main.ts' },
  { name: 'terway-cli', entry: 'cli/main.ts' },
] as const

/** Runs for long: a directory with a bundle, what it loads natively, and a script that starts it. */
export const BUNDLES = [
  { directory: 'terwayd', launcher: 'terwayd', entry: 'daemon/main.ts', isFrugal: true },
  { directory: 'terway-simulator', launcher: 'terway-sim', entry: 'simulator/main.ts', isFrugal: false },
] as const

export type Executable = (typeof EXECUTABLES)[number]
export type Bundle = (typeof BUNDLES)[number]

/** What differs from one platform to the next. */
export interface PlatformPart extends Part {
  /** It is made from this, which may have to be fetched. */
  readonly npmPackage?: string
}

/** The directory of a package that was asked for. */
type Unpacked = (npmPackage: string) => string

/** @throws PackageError when a package is not locked */
export function packagedParts(platform: Platform, unpacked: Unpacked): readonly PlatformPart[] {
  return [nodePart(platform, unpacked), ...BUNDLES.map((program) => nativePart(program, platform, unpacked))]
}

/** The pinned Node without its symbols, 18 MB that every packed executable would carry, too. */
function nodePart({ name }: Platform, unpacked: Unpacked): PlatformPart {
  const npmPackage = `node-${name}`
  const make = async (target: string) => {
    await writeFile(target, strip(await readFile(join(unpacked(npmPackage), 'bin', 'node'))))
    await chmod(target, EXECUTABLE)
  }
  return { file: `${name}/node`, ingredients: [lockedPackage(npmPackage).integrity], npmPackage, make }
}

/** Where Node looks for the package of its platform that `koffi` asks for, beside the bundle. */
function nativePart({ directory }: Bundle, { arch, name }: Platform, unpacked: Unpacked): PlatformPart {
  const npmPackage = `@koromix/koffi-${name}`
  const file = `${directory}/node_modules/${npmPackage}.node`
  const make = async (target: string) => {
    await copyFile(join(unpacked(npmPackage), `linux_${arch}`, 'koffi.node'), target)
  }
  return { file, ingredients: [lockedPackage(npmPackage).integrity], npmPackage, make }
}

export async function bundleExecutable({ entry }: Executable): Promise<Uint8Array> {
  return await bundle({ entry: join(ROOT, entry), format: 'cjs' })
}

/** @param directory where the Node of `packagedParts` is built */
export function executablePart(
  { name }: Executable,
  { code, platform, directory }: { readonly code: Uint8Array; readonly platform: Platform; readonly directory: string },
): PlatformPart {
  const node = join(directory, platform.name, 'node')
  return {
    file: `${platform.name}/${name}`,
    ingredients: [hashOf(code), lockedPackage(`node-${platform.name}`).integrity],
    make: async (target, scratch) => await packExecutable({ bundle: code, node, platform, target, scratch }),
  }
}

/** The same for every platform. */
export async function bundleParts({ directory, launcher, entry, isFrugal }: Bundle): Promise<readonly Part[]> {
  const code = await bundle({ entry: join(ROOT, entry), format: 'esm', readable: true })
  const script = launcherScript(isFrugal)
  return [
    { file: `${directory}/main.mjs`, ingredients: [hashOf(code)], make: (target) => writeFile(target, code) },
    {
      file: `${directory}/${launcher}`,
      ingredients: [hashOf(script)],
      make: async (target) => {
        await writeFile(target, script)
        await chmod(target, EXECUTABLE)
      },
    },
  ]
}

/** For a process that every node has and that mostly waits: what a busy minute has taken must not stay. */
const FRUGAL = {
  environment: `# glibc makes up to eight arenas for each CPU and keeps in each what was once needed; the threads of Node share two.
export MALLOC_ARENA_MAX="\${MALLOC_ARENA_MAX-2}"
# What is free at the end of an arena goes back to the kernel from 64 KiB on. Unless set, glibc raises that limit to
# twice the largest block that it has seen, and what a busy minute has taken stays.
export MALLOC_TRIM_THRESHOLD_="\${MALLOC_TRIM_THRESHOLD_-65536}"
# V8's space for what is new grows to 3 x 16 MiB under load and hardly shrinks again; a call needs little of it, so it is
# held at 3 x 1. The rest is collected when it has grown by a fifth, not once it has doubled or more. Together a quarter
# less memory with 250 pods; --optimize-for-size would save 6 MB more and cost a sixth of the time of each call.
`,
  flags: ' --max-semi-space-size=1 --heap-growing-percent=20',
}

/** Each program is started by the Node that was built beside it. */
function launcherScript(isFrugal: boolean): string {
  const { environment, flags } = isFrugal ? FRUGAL : { environment: '', flags: '' }
  return `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "$0: no Node for $(uname -m); x86_64 and aarch64 are supported" >&2; exit 1 ;;
esac
# Code is compiled once and kept beside the bundle. Where that cannot be written it is compiled at every start.
export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE-$here/.compiled}"
${environment}# node:sqlite still announces itself as experimental on every start.
exec "$here/../linux-$arch/node"${flags} --disable-warning=ExperimentalWarning "$here/main.mjs" "$@"
`
}
