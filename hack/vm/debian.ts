/** What the guest is made of: Debian's kernel and a static busybox, unpacked from their packages into a cache. */
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { check } from '../../test/cluster/process.ts'
import { candidate, download, type PackageRecord, updateLists } from './apt.ts'
import { GuestUnavailable, PackageUnavailable } from './unavailable.ts'

export interface GuestParts {
  readonly kernel: string
  /** Directory of the modules and of depmod's index of them; named as `uname -r` prints it in the guest. */
  readonly modules: string
  /** Runs where nothing else is. */
  readonly busybox: string
}

/** Depends on the kernel that Debian has now. Not the one "for the cloud": that has no 9p. */
const KERNEL_PACKAGE = 'linux-image-amd64'

/** Graphics, sound and storage are two thirds of the package. With /usr before them or without. */
const KERNEL_MEMBERS = [
  '*/boot/vmlinuz-*',
  '*/lib/modules/*/modules.*',
  ...['net', 'fs', 'lib', 'crypto', 'arch', 'drivers/net', 'drivers/virtio'].map(
    (d) => `*/lib/modules/*/kernel/${d}/*`,
  ),
]

/**
 * From the cache, else from Debian's archive by apt. Nothing is installed.
 * @throws GuestUnavailable when a package cannot be had, or there is no place for it.
 */
export async function guestParts(): Promise<GuestParts> {
  try {
    return await parts()
  } catch (error) {
    if (!(error instanceof PackageUnavailable)) throw error
    // apt's lists may be empty, or name a version that the archive has replaced since.
    await updateLists()
    return await parts()
  }
}

async function parts(): Promise<GuestParts> {
  const tools = await unpacked(await candidate('busybox-static'), ['*/bin/busybox'])
  const busybox = only(tools, '**/bin/busybox')
  const { depends } = await candidate(KERNEL_PACKAGE)
  const [name = KERNEL_PACKAGE] = depends.split(' ', 1)
  const image = await unpacked(await candidate(name), KERNEL_MEMBERS, (directory) => index(directory, busybox))
  return { kernel: only(image, 'boot/vmlinuz-*'), modules: only(image, '**/lib/modules/*'), busybox }
}

/** What Debian does when the package is installed. */
async function index(image: string, busybox: string): Promise<void> {
  const modules = only(image, '**/lib/modules/*')
  // Debian 13 has them compressed.
  await check(['find', modules, '-name', '*.ko.xz', '-exec', busybox, 'unxz', '{}', '+'])
  await check([busybox, 'depmod', '-b', dirname(dirname(dirname(modules))), basename(modules)])
}

/**
 * The cache's directory with these members of the package in it. Named by the hash that the package's file had, so it
 * is what apt's lists speak of; appears at once, so it is whole.
 */
async function unpacked(
  record: PackageRecord,
  members: readonly string[],
  finish: (directory: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'terway-vm')
  const directory = join(cache, `${record.name}_${record.version}_${record.sha256.slice(0, 16)}`)
  if (existsSync(directory)) return directory
  console.log(`==> Debian package for the guest: ${record.name} ${record.version}`)
  const scratch = makeScratch(cache)
  try {
    const [packages, tree] = [join(scratch, 'packages'), join(scratch, 'tree')]
    for (const made of [packages, tree]) mkdirSync(made)
    const file = await download(record, packages)
    const unpack = 'file=$1 tree=$2; shift 2; dpkg-deb --fsys-tarfile "$file" | tar -x -C "$tree" --wildcards "$@"'
    await check(['bash', '-o', 'pipefail', '-c', unpack, 'unpack', file, tree, ...members])
    await finish(tree)
    // Another run may have been faster; its directory is as good.
    if (!existsSync(directory)) renameSync(tree, directory)
    return directory
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function makeScratch(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true })
    return mkdtempSync(join(cache, 'unfinished-'))
  } catch (cause) {
    throw new GuestUnavailable(`${cache} cannot be written to; XDG_CACHE_HOME may name another place`, { cause })
  }
}

function only(directory: string, pattern: string): string {
  const [found, another] = globSync(pattern, { cwd: directory })
  if (found === undefined || another !== undefined) throw new Error(`${directory} should have one ${pattern}`)
  return join(directory, found)
}
