/** Programs one of the fabric's namespaces. */
import { readFileSync, writeFileSync } from 'node:fs'
import { NETNS_DIRECTORY, type NetnsRef, withNetns } from '../../netlink/netns.ts'
import { run } from './command.ts'

export function netnsPath(name: string): string {
  return `${NETNS_DIRECTORY}/${name}`
}

/**
 * One `ip` command a line, without the `ip`; `options` stand before the command. Stops at the first that fails. Rejects
 * with CommandError.
 */
export async function ipBatch(netns: string, lines: readonly string[], options: readonly string[] = []): Promise<void> {
  if (lines.length > 0) await run(['ip', ...options, '-n', netns, '-batch', '-'], `${lines.join('\n')}\n`)
}

/** One transaction: all of the script or nothing of it. Rejects with CommandError. */
export async function nftScript(netns: string, script: string): Promise<void> {
  await nft(netns, ['-f', '-'], script)
}

/** `nsenter`, since `ip netns exec` would make a mount namespace for every call. */
export function nft(netns: string, args: readonly string[], stdin?: string): Promise<string> {
  return run(['nsenter', `--net=${netnsPath(netns)}`, 'nft', ...args], stdin)
}

/** Names of the links in the namespace. @throws NetnsError when there is no such namespace. */
export function linksIn(netns: string): string[] {
  const text = withNetns(netnsPath(netns), () => readFileSync('/proc/thread-self/net/dev', 'utf8'))
  // Two lines of headings, then `  name: counters…`; a name cannot hold a colon.
  return text.split('\n').flatMap((line, index) => {
    const colon = line.indexOf(':')
    return index < 2 || colon < 0 ? [] : [line.slice(0, colon).trim()]
  })
}

/** Keys are below /proc/sys/net. @throws NetnsError, or an error of the file system. */
export function setSysctls(netns: string, values: Readonly<Record<string, string>>): void {
  withNetns(netnsPath(netns), () => {
    for (const [key, value] of Object.entries(values)) writeFileSync(`/proc/sys/net/${key}`, value)
  })
}

/** Names of the links with IPv6 by their index. @throws NetnsError when there is no such namespace. */
export function linkNames(netns: NetnsRef): ReadonlyMap<number, string> {
  const text = withNetns(netns, () => readFileSync('/proc/thread-self/net/if_inet6', 'utf8'))
  // proc(5): address, index, length of the prefix, scope, flags, all in hexadecimal, and the name.
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  return new Map(lines.flatMap(([, index, , , , name]) => (index && name ? [[Number.parseInt(index, 16), name]] : [])))
}
