/**
 * Runs one command as root under Debian's stock kernel, which has what this machine's may lack. The guest is emulated,
 * so it runs anywhere and about ten times slower. It sees the project's tree and the host's programs, read-only; what
 * it writes is gone with it, except in the one directory that is shared for that.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, execute } from '../../test/cluster/process.ts'
import { type GuestParts, guestParts } from './debian.ts'
import { buildInitrd, modulesPath, type Share } from './initrd.ts'
import { QEMU, runQemu } from './qemu.ts'
import { GuestUnavailable } from './unavailable.ts'

export interface GuestCommand {
  readonly argv: readonly string[]
  /** The project, and the working directory. */
  readonly tree: string
  /** A directory of the host that the guest may write to, under the same path. */
  readonly share?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Why this machine cannot have the guest; empty when it can, and then what it is made of is in the cache. */
export async function whyNoGuest(): Promise<string> {
  try {
    await preparedParts()
    return ''
  } catch (error) {
    // Anything else is a fault, for the run to meet and to fail with.
    return error instanceof GuestUnavailable ? error.message : ''
  }
}

async function preparedParts(): Promise<GuestParts> {
  if (process.arch !== 'x64') throw new GuestUnavailable(`the guest is for x86_64, this machine is ${process.arch}`)
  for (const program of [QEMU, 'setpriv', 'apt-get', 'dpkg-deb']) {
    const { status } = await execute(['bash', '-c', 'command -v "$1"', 'find', program])
    if (status !== 0) throw new GuestUnavailable(`${program} is missing: run "hack/packages.sh vm" as root, on Debian`)
  }
  return await guestParts()
}

/**
 * Streams what the command prints to standard output and resolves to its status.
 * @throws GuestUnavailable; CommandError when QEMU fails, or the guest ends before the command does (with the kernel's
 * last words); the signal's reason when that ended it.
 */
export async function runInGuest(command: GuestCommand, signal: AbortSignal): Promise<number> {
  const parts = await preparedParts()
  const scratch = mkdtempSync(join(tmpdir(), 'terway-vm-'))
  try {
    const shares = sharesOf(command, parts)
    const initrd = await buildInitrd(parts, { shares, job: jobScript(command), scratch })
    const [consoleLog, status] = [join(scratch, 'console'), join(scratch, 'status')]
    await runQemu({ kernel: parts.kernel, initrd, shares, consoleLog, status }, signal)
    const written = readFileSync(status, 'utf8').trim()
    if (written !== '') return Number(written)
    const lastWords = readFileSync(consoleLog, 'utf8').trimEnd().split('\n').slice(-30).join('\n')
    throw new CommandError(`the guest ended before its command did; the end of its console:\n${lastWords}`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function sharesOf({ tree, share }: GuestCommand, parts: GuestParts): readonly Share[] {
  const readable = ['/usr', '/etc', tree].map((path) => ({ hostPath: path, guestPath: path, writable: false }))
  const modules = { hostPath: parts.modules, guestPath: modulesPath(parts), writable: false }
  const writable = share === undefined ? [] : [{ hostPath: share, guestPath: share, writable: true }]
  return [...readable, modules, ...writable]
}

function jobScript({ argv, tree, env = {} }: GuestCommand): string {
  const variables = { HOME: '/root', LANG: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env }
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [...exports, `cd ${quoted(tree)} && exec ${argv.map(quoted).join(' ')}`, ''].join('\n')
}

/** As one word for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
