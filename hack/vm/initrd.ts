/** The guest's root, in memory: busybox, what it takes to reach the host's files, and the job. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { check } from '../../test/cluster/process.ts'
import type { GuestParts } from './debian.ts'
import { filesOf } from './module-index.ts'

/** Part of the host's files that the guest sees. */
export interface Share {
  readonly hostPath: string
  readonly guestPath: string
  readonly writable: boolean
}

/** The host's files come by 9p over virtio. Other modules the kernel loads when it wants them. */
const BOOT_MODULES = ['virtio_pci', '9pnet_virtio', '9p']

/** QEMU's name of a share, by its place in the list. */
export function tagOf(place: number): string {
  return `share${place}`
}

/** Under a root of their own: the host's /lib has no place for them and cannot be written to. */
export function modulesPath({ modules }: GuestParts): string {
  return `/kernel/lib/modules/${basename(modules)}`
}

/**
 * Makes the file in the scratch directory and returns its path.
 * @param job shell script, the guest's only purpose
 */
export async function buildInitrd(
  parts: GuestParts,
  { shares, job, scratch }: { readonly shares: readonly Share[]; readonly job: string; readonly scratch: string },
): Promise<string> {
  const root = join(scratch, 'root')
  for (const made of ['dev', 'proc', 'sys', 'kernel']) mkdirSync(join(root, made), { recursive: true })
  // Debian since 12: https://wiki.debian.org/UsrMerge
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link))
  copyFileSync(join(import.meta.dirname, 'init.sh'), join(root, 'init'))
  writeFileSync(join(root, 'job'), job)

  const kernel = join(root, 'kernel')
  copyFileSync(parts.busybox, join(kernel, 'busybox'))
  copyFileSync(join(import.meta.dirname, 'modprobe.sh'), join(kernel, 'modprobe'))
  const index = readFileSync(join(parts.modules, 'modules.dep'), 'utf8')
  for (const file of ['modules.dep', ...filesOf(BOOT_MODULES, index)]) {
    cpSync(join(parts.modules, file), join(root, modulesPath(parts), file))
  }
  writeFileSync(join(kernel, 'boot-modules'), `${BOOT_MODULES.join(' ')}\n`)
  writeFileSync(join(kernel, 'shares'), shares.map(mountLine).join(''))

  const initrd = join(scratch, 'initrd')
  const pack = 'cd "$1" && find . | "$2" cpio -o -H newc >"$3"'
  await check(['bash', '-o', 'pipefail', '-c', pack, 'pack', root, parts.busybox, initrd])
  return initrd
}

/** What is read-only is cached for good: nobody else is expected to change it meanwhile. */
function mountLine({ guestPath, writable }: Share, place: number): string {
  return `${tagOf(place)} ${writable ? 'rw' : 'ro,cache=loose'} ${guestPath}\n`
}
