/** Two simulated nodes, each with its daemon and its own containerd. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster, type ClusterOptions } from '../cluster/cluster.ts'
import { NETNS_DIRECTORY } from '../cluster/directory.ts'
import { type KernelState, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { CommandError, until } from '../cluster/process.ts'
import { Containerd } from './containerd.ts'
import { makePauseImage } from './pause-image.ts'

/** One at a time: the suites run one after the other. */
export const E2E_PREFIX = 'tw-e2e'

/** Short, or 30 sandboxes twice would use up what an instance can have. */
const ENI_CONF = { ip_cooldown_seconds: 1 }

/** What containerd 1.6 does after a stop goes on for a moment, ms. */
const SETTLE = 10_000

/** A cluster for the tests of one file. */
export function startCluster(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  return Cluster.start({ prefix: E2E_PREFIX, ...options, eniConf: { ...ENI_CONF, ...options.eniConf } })
}

export class Testbed {
  readonly cluster: Cluster
  readonly #runtimes: ReadonlyMap<string, Containerd>

  private constructor(cluster: Cluster, runtimes: ReadonlyMap<string, Containerd>) {
    this.cluster = cluster
    this.#runtimes = runtimes
  }

  static async start(): Promise<Testbed> {
    const cluster = await startCluster()
    try {
      const pauseImage = await makePauseImage(join(cluster.directory, 'pause'))
      const runtimes = new Map(
        cluster.nodes.map((node) => {
          const directory = join(node.directory, 'containerd')
          const { netnsPath: netns, cniConfDir } = node
          return [node.name, new Containerd({ directory, netns, cniConfDir, pauseImage })]
        }),
      )
      await Promise.all([...runtimes.values()].map((runtime) => runtime.start()))
      return new Testbed(cluster, runtimes)
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  get nodeA(): Node {
    return this.cluster.node('node-a')
  }

  get nodeB(): Node {
    return this.cluster.node('node-b')
  }

  runtimeOf(node: Node): Containerd {
    const runtime = this.#runtimes.get(node.name)
    if (runtime === undefined) throw new CommandError(`no containerd for ${node.name}`)
    return runtime
  }

  async stop(): Promise<void> {
    try {
      await Promise.all([...this.#runtimes.values()].map((runtime) => runtime.stop()))
    } finally {
      await this.cluster.stop()
    }
  }
}

/** Lines of the node's kernel state that have to do with pods: their links, or one of these addresses. */
export function podTraces(state: KernelState, ips: readonly string[]): string[] {
  const words = new Set(ips.flatMap((ip) => [ip, `${ip}/32`]))
  return [state.links, state.addresses, state.routes, state.rules, state.neighbours]
    .flat()
    .filter((line) => line.split(/[\s@]/).some((word) => words.has(word) || word.startsWith('cali')))
}

/** Resolves once neither daemon nor kernel of the node know of the pods with these addresses, within so many ms. */
export async function gone(node: Node, ips: readonly string[], timeout = SETTLE): Promise<void> {
  const look = async () => {
    const { endpoints } = await node.show()
    const records = endpoints.map(({ namespace, pod, phase }) => `record of ${namespace}/${pod}: ${phase}`)
    return [...records, ...podTraces(await kernelState(node.netnsPath), ips)]
  }
  await nothing({ what: `pods on ${node.name}`, timeout }, look)
}

/** @throws CommandError that names what is still there when the time is up. */
async function nothing(
  { what, timeout }: { readonly what: string; readonly timeout: number },
  look: () => Promise<string[]>,
): Promise<void> {
  let seen: string[] = []
  try {
    await until(
      async () => {
        seen = await look()
        return seen.length === 0 ? true : undefined
      },
      { what, timeout, every: 50 },
    )
  } catch {
    throw new CommandError(`${what}: still there after ${timeout} ms:\n${seen.join('\n')}`)
  }
}

/** Names of the namespaces that containerd made. */
export function runtimeNamespaces(): string[] {
  return readdirSync(NETNS_DIRECTORY).filter((name) => name.startsWith('cni-'))
}
