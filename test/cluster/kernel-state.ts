/** What a network namespace holds, by iproute2 and nft: observers that share nothing with our netlink code. */
import { check, until } from './process.ts'

/** One line per object, sorted; ready to be compared. */
export interface KernelState {
  readonly links: readonly string[]
  readonly addresses: readonly string[]
  readonly routes: readonly string[]
  readonly rules: readonly string[]
  readonly neighbours: readonly string[]
  readonly qdiscs: readonly string[]
  readonly nftables: readonly string[]
}

export type KernelObject = keyof KernelState

export interface StateDifference {
  readonly object: KernelObject
  readonly appeared: readonly string[]
  readonly disappeared: readonly string[]
}

/** Duplicate address detection (RFC 4862) takes one to two seconds, ms. */
const DETECTION = 10_000

/**
 * The state of the namespace at this path. Waits for the kernel to be done with new IPv6 addresses, since it makes
 * their routes only then.
 */
export async function kernelState(netns: string): Promise<KernelState> {
  const enter = ['nsenter', `--net=${netns}`]
  const detecting = [...enter, 'ip', '-6', 'address', 'show', 'tentative']
  await until(async () => ((await check(detecting)) === '' ? true : undefined), {
    what: `duplicate address detection in ${netns}`,
    timeout: DETECTION,
    every: 100,
  })
  const linesOf = async (...argv: string[]) => {
    const text = await check([...enter, ...argv])
    return text
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ').trim())
      .filter((line) => line !== '')
      .sort()
  }
  const lines = (...argv: string[]) => linesOf('ip', ...argv)
  const [links, addresses, routes, rules, neighbours, qdiscs, nftables] = await Promise.all([
    lines('-br', 'link', 'show'),
    lines('-br', 'address', 'show'),
    Promise.all([lines('-4', 'route', 'show', 'table', 'all'), lines('-6', 'route', 'show', 'table', 'all')]),
    Promise.all([lines('-4', 'rule', 'show'), lines('-6', 'rule', 'show')]),
    lines('neighbour', 'show', 'nud', 'permanent'),
    linesOf('tc', 'qdisc', 'show'),
    linesOf('nft', 'list', 'ruleset'),
  ])
  return { links, addresses, routes: routes.flat(), rules: rules.flat(), neighbours, qdiscs, nftables }
}

/** What differs; empty when nothing does. */
export function compareStates(before: KernelState, after: KernelState): StateDifference[] {
  const objects: readonly KernelObject[] = [
    ...(['links', 'addresses', 'routes', 'rules'] as const),
    ...(['neighbours', 'qdiscs', 'nftables'] as const),
  ]
  return objects
    .map((object) => ({
      object,
      appeared: without(after[object], before[object]),
      disappeared: without(before[object], after[object]),
    }))
    .filter(({ appeared, disappeared }) => appeared.length + disappeared.length > 0)
}

/** Takes each line once: two equal rules are two. */
function without(lines: readonly string[], taken: readonly string[]): string[] {
  const left = [...taken]
  return lines.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
