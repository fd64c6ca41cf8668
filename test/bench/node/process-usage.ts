/** What a process takes of the machine, by proc(5). */
import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory in MB. */
export function residentMemory(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kib === undefined) throw new Error(`/proc/${pid}/status says nothing of VmRSS: has the process ended?`)
  return (Number(kib) * 1_024) / 1e6
}

/**
 * Time on a CPU in ms, of all its threads: field 1 of schedstat is exact, where `stat` counts ticks of 10 ms. Threads
 * that have ended are not in it.
 */
export function cpuTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((thread) => {
    const [onCpu = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return Number(onCpu)
  })
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6
}
