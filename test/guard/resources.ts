/** What a process holds, by proc(5). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Resources {
  /** How many of each kind: `socket`, `anon_inode:[eventpoll]`, a path. */
  readonly descriptors: Readonly<Record<string, number>>
  readonly threads: number
  /** Paths where something is mounted. */
  readonly mounts: readonly string[]
}

/**
 * Without connections by TCP: those to the cloud are given up when they have been idle for some time.
 * @param directory where its mounts would be: others' come and go as well
 */
export function resourcesOf(pid: number, directory: string): Resources {
  const idle = tcpOf(pid)
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  // socket:[6109954], net:[4026532246]: the number says which one, what is in front of it what it is.
  const kinds = Map.groupBy(
    links.filter((link) => !idle.has(link)),
    (link) => link.replace(/:\[\d+\]$/, ''),
  )
  return {
    descriptors: Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length])),
    threads: readdirSync(`/proc/${pid}/task`).length,
    mounts: rows(`/proc/${pid}/mountinfo`).flatMap(({ 4: mount = '' }) => (mount.startsWith(directory) ? [mount] : [])),
  }
}

/** All those in its namespace, as links of descriptors. */
function tcpOf(pid: number): ReadonlySet<string> {
  const sockets = ['tcp', 'tcp6'].flatMap((protocol) => rows(`/proc/${pid}/net/${protocol}`).slice(1))
  return new Set(sockets.map(({ 9: inode }) => `socket:[${inode}]`))
}

function rows(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => line.trim().split(/\s+/))
}

/** MB that it has in memory, shared with others or not. */
export function rssOf(pid: number): number {
  const [, kB] = /^Rss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kB) / 1024
}
