/**
 * Who uses a prefix: one file per simulator under /run, written before the first namespace is made. It keeps two
 * simulators apart, and tells `clean` what one that was killed has left.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { isNetns, NETNS_DIRECTORY } from '../../netlink/netns.ts'
import { FabricError } from './error.ts'

const DIRECTORY = '/run/terway-sim'

const LEASE = z.object({
  pid: z.int().positive(),
  /** Field 22 of proc_pid_stat(5): tells the process from a later one with its number. */
  startTime: z.string(),
  namespaces: z.array(z.string()),
})
export type Lease = z.infer<typeof LEASE>

const PREFIX = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/

function pathOf(prefix: string): string {
  if (PREFIX.test(prefix)) return `${DIRECTORY}/${prefix}.json`
  const rule = 'at most 32 lower-case letters, digits and hyphens, no hyphen at the ends'
  throw new FabricError(`the prefix ${JSON.stringify(prefix)} must be ${rule}`)
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}

/** @returns undefined when there is no such process. */
function startTimeOf(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ESRCH')) return undefined
    throw error
  }
  // The second field, the command, is in parentheses and may hold anything; the third follows the last of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // proc(5): Z is dead and not yet waited for, X is being taken away; neither holds anything any more.
  const dead = ['Z', 'X'].includes(fields[3 - 3] ?? '')
  return dead ? undefined : fields[22 - 3]
}

export function isAlive(lease: Lease): boolean {
  return startTimeOf(lease.pid) === lease.startTime
}

/** Those of its namespaces that are still there. */
export function existing(lease: Lease): string[] {
  return lease.namespaces.filter((name) => isNetns(`${NETNS_DIRECTORY}/${name}`))
}

/** @returns undefined when nobody has the prefix. @throws FabricError when the prefix or the file is malformed. */
export function readLease(prefix: string): Lease | undefined {
  const path = pathOf(prefix)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    return LEASE.parse(JSON.parse(text))
  } catch (cause) {
    throw new FabricError(`${path} is damaged; remove it and the namespaces ${prefix}-* by "ip netns delete"`, {
      cause,
    })
  }
}

/**
 * A lease whose holder is dead and whose namespaces are gone is worth nothing and is replaced.
 * @throws FabricError when the prefix is in use, or when one that died has left namespaces.
 */
export function takeLease(prefix: string, namespaces: readonly string[]): void {
  const path = pathOf(prefix)
  const other = readLease(prefix)
  if (other !== undefined) {
    if (isAlive(other)) {
      throw new FabricError(`the simulator with pid ${other.pid} has the prefix ${prefix}: stop it or use --prefix`)
    }
    if (existing(other).length > 0) {
      const remedy = `run: terway-sim clean --prefix ${prefix}`
      throw new FabricError(`a simulator with the prefix ${prefix} died and left its namespaces; ${remedy}`)
    }
    dropLease(prefix)
  }
  const lease: Lease = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', namespaces: [...namespaces] }
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(lease), { mode: 0o644 })
  try {
    // Complete from its first moment, and of two that start at the same time one fails.
    linkSync(draft, path)
  } catch (cause) {
    throw new FabricError(`another simulator with the prefix ${prefix} is starting; use --prefix`, { cause })
  } finally {
    rmSync(draft)
  }
}

export function dropLease(prefix: string): void {
  rmSync(pathOf(prefix), { force: true })
}
