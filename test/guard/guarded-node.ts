/**
 * A daemon with a cloud, and sandboxes for the pods that it is given. Names and container ids are the same in every run:
 * the length of a message and the shape of the journal's trees depend on them.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { Cluster } from '../cluster/cluster.ts'
import type { CniAnswer, CniCall, CniVerb } from '../cluster/cni.ts'
import { netnsPath } from '../cluster/directory.ts'
import type { Node } from '../cluster/node.ts'
import { CommandError, check, until } from '../cluster/process.ts'
import { CniClient } from './cni-client.ts'

const PREFIX = 'tw-guard'
const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'one-node.yaml')
/** An address is free again at once, and none is given back: the instance has 45. */
const ENI_CONF = {
  vswitches: { 'cn-sim-h': ['vsw-sim'] },
  ...{ min_pool_size: 5, max_pool_size: 45, ip_cooldown_seconds: 0 },
}

const auditSchema = z.object({ calls: z.array(z.object({ action: z.string() })) })

export class GuardedNode implements AsyncDisposable {
  readonly node: Node
  readonly pods: readonly CniCall[]
  readonly #cluster: Cluster

  private constructor(cluster: Cluster, pods: readonly CniCall[]) {
    this.#cluster = cluster
    this.node = cluster.node('node-a')
    this.pods = pods
  }

  /** With so many sandboxes without a network; there is an address for each, and all of them have been in use once. */
  static async start(pods: number): Promise<GuardedNode> {
    const cluster = await Cluster.start({ prefix: PREFIX, region: REGION, eniConf: ENI_CONF })
    try {
      const calls: CniCall[] = []
      for (let i = 0; i < pods; i++) calls.push(await sandbox(i))
      const guarded = new GuardedNode(cluster, calls)
      await guarded.#warmUp()
      return guarded
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** For files that go with it. */
  get directory(): string {
    return this.node.directory
  }

  /** @throws CommandError when no daemon runs. */
  get pid(): number {
    const { daemonPid } = this.node
    if (daemonPid === undefined) throw new CommandError('no daemon runs')
    return daemonPid
  }

  /** @throws CommandError with the plugin's words when it refuses. */
  async call(verb: CniVerb, pod: CniCall): Promise<CniAnswer> {
    const answer = await this.node.cni(verb, pod)
    if (answer.status === 0) return answer
    throw new CommandError(`${verb} of ${pod.pod} ended with ${answer.status}: ${answer.stdout}${answer.stderr}`)
  }

  /** What the cloud has been asked for so far, by its own account. */
  async cloudCalls(): Promise<string[]> {
    const answer = await fetch(`${this.#cluster.simApi}/audit?limit=100000`)
    return auditSchema.parse(await answer.json()).calls.map(({ action }) => action)
  }

  /** Resolves when nothing of a pod is on its way out any more. */
  async removed(): Promise<void> {
    const none = async () => {
      const { endpoints } = await this.node.show()
      return endpoints.every(({ phase }) => phase !== 'deleting') ? true : undefined
    }
    await until(none, { what: 'the networks of pods to be removed' })
  }

  /** Resolves when the node has so many links of pods. Asks the kernel: the daemon does not notice. */
  async hasPodLinks(wanted: number): Promise<void> {
    const look = async () => {
      const links = await check(['ip', '-n', this.node.netns, '-br', 'link', 'show', 'type', 'veth'])
      return links.split('\n').filter((line) => line.startsWith('cali')).length === wanted ? true : undefined
    }
    await until(look, { what: `${wanted} links of pods` })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.stop()
  }

  async #warmUp(): Promise<void> {
    using client = new CniClient(this.node.socket)
    for (const verb of ['Add', 'Del'] as const) await Promise.all(this.pods.map((pod) => client.call(verb, pod)))
    await this.removed()
    let last = -1
    const quiet = async () => {
      const { length } = await this.cloudCalls()
      if (length === last) return true
      last = length
      return undefined
    }
    await until(quiet, { what: 'the pool to have what it wants of the cloud', every: 500 })
  }
}

async function sandbox(index: number): Promise<CniCall> {
  const pod = `pod-${String(index).padStart(2, '0')}`
  const netns = `${PREFIX}-${pod}`
  await check(['ip', 'netns', 'add', netns])
  await check(['ip', '-n', netns, 'link', 'set', 'lo', 'up'])
  const containerId = createHash('sha256').update(pod).digest('hex')
  return { containerId, netns: netnsPath(netns), ifname: 'eth0', namespace: 'default', pod }
}
