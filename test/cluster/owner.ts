/** Whose cluster is it? So that two runs do not remove each other's, and a dead owner's can be removed by anybody. */
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CLUSTERS, directoryOf } from './directory.ts'
import { CommandError } from './process.ts'

const FILE = 'owner'

/**
 * Field 22 of proc_pid_stat(5): with it a process id names one process for ever.
 * @returns undefined when there is no such process, or only its body waits to be reaped.
 */
function startTime(pid: string): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name, in parentheses, may hold anything; the state, field 3, comes after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[22 - 3]
}

/** Makes this process the owner. */
export function claim(prefix: string): void {
  const pid = String(process.pid)
  writeFileSync(join(directoryOf(prefix), FILE), `${pid} ${startTime(pid)}`)
}

/** The cluster goes on without an owner, until somebody removes it by its name. */
export function disown(prefix: string): void {
  rmSync(join(directoryOf(prefix), FILE), { force: true })
}

type Ownership = { readonly kind: 'none' } | { readonly kind: 'alive' | 'dead'; readonly pid: string }

function ownership(prefix: string): Ownership {
  const file = join(directoryOf(prefix), FILE)
  if (!existsSync(file)) return { kind: 'none' }
  const [pid = '', started] = readFileSync(file, 'utf8').split(' ')
  return { kind: startTime(pid) === started ? 'alive' : 'dead', pid }
}

/** Whether it is this process. */
export function owns(prefix: string): boolean {
  const owner = ownership(prefix)
  return owner.kind === 'alive' && owner.pid === String(process.pid)
}

/** @throws CommandError when another process that runs owns the cluster of this prefix. */
export function failIfOwned(prefix: string): void {
  const owner = ownership(prefix)
  if (owner.kind !== 'alive' || owner.pid === String(process.pid)) return
  throw new CommandError(`the cluster "${prefix}" belongs to process ${owner.pid}, which runs: end that first`)
}

/** Prefixes of the clusters whose owners died. */
export function orphans(): string[] {
  return globSync(join(CLUSTERS, '*', FILE))
    .map((file) => basename(dirname(file)))
    .filter((prefix) => ownership(prefix).kind === 'dead')
}
