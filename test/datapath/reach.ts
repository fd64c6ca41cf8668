/** Who answers whom, all at once: starting a process takes long in the guest. */
import { execFileSync } from 'node:child_process'
import { type Netns, withNetns } from '../../netlink/netns.ts'

export interface Probe {
  readonly to: string
  /** Bytes of the whole packet, which nobody on the way may fragment. */
  readonly size: number
}

/** s */
const PATIENCE = 5
/** IP and ICMP headers, bytes. */
const HEADERS = { ipv4: 20 + 8, ipv6: 40 + 8 } as const

function command(probe: string | Probe): string {
  if (typeof probe === 'string') return `ping -n -q -c 1 -W ${PATIENCE} ${probe}`
  const { to, size } = probe
  return `ping -n -q -c 1 -W ${PATIENCE} -M do -s ${size - HEADERS[to.includes(':') ? 'ipv6' : 'ipv4']} ${to}`
}

/** Addresses that did not answer. */
export function unanswered(from: Netns, probes: readonly (string | Probe)[]): string[] {
  const script = probes.map((probe) => {
    const to = typeof probe === 'string' ? probe : probe.to
    return `{ ${command(probe)} >/dev/null 2>&1 || echo ${to}; } &\n`
  })
  const lost = withNetns(from, () => execFileSync('sh', ['-c', `${script.join('')}wait`], { encoding: 'utf8' }))
  return lost.split('\n').filter((line) => line !== '')
}
