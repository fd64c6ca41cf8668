/** One bundle and a Node binary as a single executable. */
import { execFile } from 'node:child_process'
import { chmod, copyFile, link, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { buildIdOf, ElfError, fitsPages, machineOf, notesOf } from './elf.ts'
import type { Platform } from './platform.ts'

const run = promisify(execFile)
const PKG_SEA = join(import.meta.dirname, 'pkg-sea.ts')
const MAIN = 'main.js'

/** Node's own, from its source: what marks the file as a single executable once it ends in 1. */
const FUSE = Buffer.from('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1')
const BLOB_NOTE = 'NODE_SEA_BLOB'
/** kMagic of node_sea.cc, with which each blob begins. */
const BLOB_MAGIC = 0x143da20

export interface ExecutableOptions {
  /** CommonJS that needs nothing but Node's own modules. */
  readonly bundle: Uint8Array
  /** Path of the Node binary, of the version that runs this. */
  readonly node: string
  readonly platform: Platform
  /** Path of the executable; its directory is there. */
  readonly target: string
  /** An empty directory for what is needed meanwhile, on the file system of the target. */
  readonly scratch: string
}

/** The same input makes the same bytes. Rejects when the executable is not what it should be. */
export async function packExecutable({ bundle, node, platform, target, scratch }: ExecutableOptions): Promise<void> {
  await writeFile(join(scratch, MAIN), bundle)
  await seedCache(scratch, { node, platform })
  const env = { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch }
  await run(process.execPath, [PKG_SEA, MAIN, platform.arch, target], { cwd: scratch, env })
  await chmod(target, 0o755) // whatever the umask
  verifyExecutable(await readFile(target), { bundle, node: await readFile(node), platform })
}

/**
 * pkg takes a `nodePath` only when it can be run here. For all others it has a cache, and what lies there complete is
 * neither downloaded nor unpacked: the same way for every platform.
 */
async function seedCache(
  home: string,
  { node, platform }: Pick<ExecutableOptions, 'node' | 'platform'>,
): Promise<void> {
  const cache = join(home, '.pkg-cache', 'sea')
  const unpacked = join(cache, `node-v${process.versions.node}-${platform.name}`)
  const binary = join(unpacked, 'bin', 'node')
  await mkdir(dirname(binary), { recursive: true })
  await link(node, binary).catch(() => copyFile(node, binary)) // another file system, or somebody else's file
  for (const complete of [`${binary}.ok`, `${unpacked}.tar.gz`, `${unpacked}.tar.gz.ok`]) await writeFile(complete, '')
}

export interface Ingredients {
  readonly bundle: Uint8Array
  readonly node: Buffer
  readonly platform: Platform
}

/**
 * What pkg does by way of three other tools is looked at, because a file that is merely Node would start, too.
 * @throws ElfError that says everything that is wrong with it
 */
export function verifyExecutable(image: Buffer, { bundle, node, platform }: Ingredients): void {
  const blob = notesOf(image).find(({ name }) => name === BLOB_NOTE)?.content
  const wrong = [
    machineOf(image) === platform.machine ? '' : `it is not for ${platform.name}`,
    buildIdOf(image) === buildIdOf(node) ? '' : 'it is made of another Node',
    fitsPages(image, platform.pageSize) ? '' : `its segments do not fit pages of ${platform.pageSize} bytes`,
    image.includes(FUSE) ? '' : 'its fuse says that it is Node itself',
    blob?.readUInt32LE(0) === BLOB_MAGIC && blob.includes(Buffer.from(bundle)) ? '' : 'it does not hold the program',
  ].filter((problem) => problem !== '')
  if (wrong.length > 0) throw new ElfError(`pkg made no executable: ${wrong.join('; ')}`)
}
