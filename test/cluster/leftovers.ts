/**
 * Everything a cluster makes on the machine can be found again by its prefix: a directory, processes whose arguments
 * name that directory, and network namespaces. So a cluster whose owner was killed can be removed by anybody.
 */
import { existsSync, globSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { directoryOf, NETNS_DIRECTORY } from './directory.ts'
import { check, execute, until } from './process.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Where containerd's shim has runc keep what it runs (defaults of containerd 1.6). */
const RUNC_ROOT = '/run/containerd/runc/k8s.io'
/** Where libcni keeps what ADD answered, by container id. */
const CNI_RESULTS = '/var/lib/cni/results'
/** Where a simulator keeps what it has made, by its prefix, as long as it is there. */
const LEASES = '/run/terway-sim'
/** The simulator removes its namespaces when told to end, ms. */
const GRACE = 10_000

/** Ends and removes all that a cluster of this prefix left; nothing to do is fine. */
export async function cleanLeftovers(prefix: string): Promise<void> {
  const directory = directoryOf(prefix)
  await endProcesses(directory)
  for (const { id, netns, shimSocket } of bundlesIn(directory)) {
    await check(['runc', '--root', RUNC_ROOT, 'delete', '--force', id])
    rmSync(shimSocket, { force: true })
    for (const result of globSync(`${CNI_RESULTS}/*-${id}-*`)) rmSync(result, { force: true })
    if (existsSync(netns)) await check(['ip', 'netns', 'delete', basename(netns)])
  }
  for (const name of namespacesOf(prefix)) await check(['ip', 'netns', 'delete', name])
  for (const mount of mountsUnder(directory)) await check(['umount', '--lazy', mount])
  rmSync(directory, { recursive: true, force: true })
  await cleanAfterSimulator(prefix)
}

/** Removes what the simulator knows of and is not found by its name. */
async function cleanAfterSimulator(prefix: string): Promise<void> {
  if (!existsSync(join(LEASES, `${prefix}.json`))) return
  const argv = [join(ROOT, 'bin', 'terway-sim'), 'clean', '--prefix', prefix]
  const first = await execute(argv)
  if (first.status === 0) return
  // One that was killed counts as running until init has reaped it.
  await until(async () => ((await execute(argv)).status === 0 ? true : undefined), {
    what: `"${argv.join(' ')}" to succeed: ${first.stderr.trim()}`,
    timeout: GRACE,
  })
}

/** What is there of a cluster of this prefix, each thing named; empty when it is gone. */
export function leftovers(prefix: string): string[] {
  const directory = directoryOf(prefix)
  return [
    ...familyOf(directory).map(({ pid, argv }) => `process ${pid} (${argv.join(' ').slice(0, 100)})`),
    ...namespacesOf(prefix).map((name) => `network namespace ${name}`),
    ...mountsUnder(directory).map((mount) => `mount ${mount}`),
    ...(existsSync(directory) ? [`directory ${directory}`] : []),
  ]
}

function namespacesOf(prefix: string): string[] {
  if (!existsSync(NETNS_DIRECTORY)) return []
  return readdirSync(NETNS_DIRECTORY).filter((name) => name.startsWith(`${prefix}-`))
}

const bundleSchema = z.object({
  linux: z.object({ namespaces: z.array(z.object({ type: z.string(), path: z.string().optional() })) }),
})

interface Bundle {
  readonly id: string
  readonly netns: string
  readonly shimSocket: string
}

/** What a killed containerd left of its sandboxes: it names the namespaces by itself, and they stand in the bundles. */
function bundlesIn(directory: string): Bundle[] {
  return globSync(`${directory}/*/containerd/state/io.containerd.runtime.v2.task/k8s.io/*/config.json`).map((file) => {
    const { namespaces } = bundleSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).linux
    const netns = namespaces.find(({ type }) => type === 'network')?.path ?? ''
    const shimSocket = readFileSync(join(dirname(file), 'address'), 'utf8').replace(/^unix:\/\//, '')
    return { id: basename(dirname(file)), netns, shimSocket }
  })
}

function mountsUnder(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length)
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly argv: readonly string[]
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1)
        // proc(5): the name stands in parentheses and may hold anything; after it come the state and the parent.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        return [{ pid: Number(name), parent, argv }]
      } catch {
        return [] // it ended between the listing and the look
      }
    })
}

/** The processes whose arguments name the directory, and all that descend from them. */
function familyOf(directory: string): Process[] {
  const all = processes()
  const names = (argument: string) => argument === directory || argument.includes(`${directory}/`)
  const family = new Map(all.filter(({ argv }) => argv.some(names)).map((found) => [found.pid, found]))
  for (let size = -1; size !== family.size; ) {
    size = family.size
    for (const candidate of all) if (family.has(candidate.parent)) family.set(candidate.pid, candidate)
  }
  family.delete(process.pid)
  return [...family.values()]
}

function send(signal: NodeJS.Signals, targets: readonly Process[]): void {
  for (const { pid } of targets) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // ended by itself
    }
  }
}

async function endProcesses(directory: string): Promise<void> {
  const gone = () => (familyOf(directory).length === 0 ? true : undefined)
  const family = familyOf(directory)
  if (family.length === 0) return
  const simulators = family.filter(({ argv }) => argv.some((argument) => argument.endsWith('simulator/main.ts')))
  send(
    'SIGKILL',
    family.filter((member) => !simulators.includes(member)),
  )
  send('SIGTERM', simulators)
  try {
    await until(gone, { what: `the processes of ${directory} to end`, timeout: GRACE })
  } catch {
    // A simulator that hangs loses its chance to tidy up; the caller does it instead.
    send('SIGKILL', familyOf(directory))
    await until(gone, { what: `the processes of ${directory} to end after SIGKILL`, timeout: GRACE })
  }
}
