/** What another program does to all pods of a node at once, by iproute2 and nft. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { CrowdedNode } from './crowded-node.ts'

const execute = promisify(execFile)

export type Damage = 'rules' | 'routes' | 'neighbours' | 'marks' | 'links'

/** Each concerns every pod. */
export const DAMAGES: Readonly<Record<'map' | 'rules', readonly Damage[]>> = {
  map: ['routes', 'neighbours', 'marks', 'links'],
  rules: ['rules', 'routes', 'neighbours', 'links'],
}

function script(damage: Damage, links: readonly string[]): string {
  switch (damage) {
    case 'rules':
      return 'ip rule flush priority 512; ip rule flush priority 2048'
    case 'routes':
      // In the form of rules the pods' routes are in the main table, beside others; nobody else's are of this scope.
      return 'ip route flush table 1000; ip route flush table main scope link proto boot; :'
    case 'neighbours':
      return 'ip neighbour flush all nud permanent'
    case 'marks':
      return 'nft flush ruleset'
    case 'links':
      return `ip -batch - <<end\n${links.map((name) => `link set ${name} down`).join('\n')}\nend`
  }
}

/** @returns what does it: resolves when it is done, and the event loop goes on meanwhile. */
export function prepare(damage: Damage, { node }: CrowdedNode): () => Promise<unknown> {
  const name = node.netns.path.slice(node.netns.path.lastIndexOf('/') + 1)
  const argv = ['netns', 'exec', name, 'sh', '-c', script(damage, node.podLinks())]
  return () => execute('ip', argv)
}
