/** Pings from within a network namespace by iputils' ping(8): an observer that shares nothing with the project. */
import { CommandError, execute } from './process.ts'

export interface PingOptions {
  /** Path of the namespace to send from; this process's own unless given. */
  readonly from?: string
  readonly to: string
  /** 5 unless given. */
  readonly count?: number
  /** ms between two; 10 unless given. */
  readonly interval?: number
}

export interface PingResult {
  readonly sent: number
  readonly received: number
  readonly lost: number
  /** Mean round trip in ms; undefined when nothing came back. */
  readonly rtt: number | undefined
}

/** How long to wait for a reply after the last request, s. */
const LINGER = 1

/** @throws CommandError when ping could not even send. */
export async function ping({ from, to, count = 5, interval = 10 }: PingOptions): Promise<PingResult> {
  const enter = from === undefined ? [] : ['nsenter', `--net=${from}`]
  const argv = ['ping', '-n', '-q', `-c${count}`, `-i${interval / 1000}`, `-W${LINGER}`, to]
  const { stdout, stderr } = await execute([...enter, ...argv], { timeout: count * interval * 3 + 30_000 })
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout)
  if (counts === null) throw new CommandError(`ping ${to} from ${from ?? 'here'}: ${stderr.trim() || stdout.trim()}`)
  const [sent, received] = [Number(counts[1]), Number(counts[2])]
  const mean = /^rtt [^=]*= [\d.]+\/([\d.]+)\//m.exec(stdout)?.[1]
  return { sent, received, lost: sent - received, rtt: mean === undefined ? undefined : Number(mean) }
}
