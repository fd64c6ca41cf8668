/**
 * A real daemon on a simulated node that has an address ready for every pod: the cloud is never waited for. Everything it
 * makes on the machine is found by its prefix, also after a kill -9.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { warmThreadPool } from '../../../netlink/netns.ts'
import { Cluster } from '../../cluster/cluster.ts'
import { type CniVerb, cniEnvironment, conflistSchema, PLUGIN } from '../../cluster/cni.ts'
import type { Node } from '../../cluster/node.ts'
import { until } from '../../cluster/process.ts'
import type { Exec } from '../exec/protocol.ts'
import { DaemonLog } from './daemon-log.ts'
import { CniRpc } from './rpc.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

export const PREFIX = 'tw-bench'
const REGION = join(import.meta.dirname, 'region.yaml')
/** Secondary ENIs of the region's instance type, times the addresses of each. */
const CAPACITY = 14 * 50
/** The kernel's grace period, after which a link is gone, is some 20 to 40 ms; between two looks at the log, ms. */
const LOOK = 2
/** Of a pod, once its DEL has been answered, ms. */
const GONE = 10_000

export class BenchNode implements AsyncDisposable {
  readonly node: Node
  readonly #cluster: Cluster
  readonly #log: DaemonLog
  /** Ids of containers of which nobody has asked whether they are gone. */
  readonly #removed = new Set<string>()
  /** The plugin's standard input. */
  readonly #config: string
  #rpc: CniRpc
  #pods = 0

  private constructor(cluster: Cluster, node: Node) {
    this.#cluster = cluster
    this.node = node
    this.#log = this.log()
    const conflist = conflistSchema.parse(JSON.parse(readFileSync(join(node.cniConfDir, '10-terway.conflist'), 'utf8')))
    const { name, cniVersion, plugins } = conflist
    this.#config = JSON.stringify({ ...plugins[0], name, cniVersion })
    this.#rpc = new CniRpc(node.socket)
  }

  /** @param ready addresses without a pod, at most so many that another instance type would be needed for more */
  static async start(ready: number): Promise<BenchNode> {
    if (ready > CAPACITY) throw new RangeError(`the node has ${CAPACITY} addresses, ${ready} are wanted`)
    await warmThreadPool()
    const eniConf = {
      vswitches: { 'cn-sim-h': ['vsw-sim-h'] },
      // Filled once; from then on no address comes or goes, and one that a pod had is ready again.
      ...{ ip_warm_up_size: ready, min_pool_size: 0, max_pool_size: CAPACITY, ip_cooldown_seconds: 0 },
    }
    const cluster = await Cluster.start({ prefix: PREFIX, region: REGION, eniConf })
    try {
      const node = cluster.node('node-a')
      await until(async () => ((await free(node)) >= ready ? true : undefined), {
        what: `${ready} addresses to be ready (log: ${node.logFile})`,
        every: 100,
      })
      return new BenchNode(cluster, node)
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** On tmpfs, and gone with the node. */
  get directory(): string {
    return this.#cluster.directory
  }

  /**
   * A pod that was never there before, as most are: one that comes back is given the address it had, and waits until
   * the connections of that one are forgotten.
   * @param place of its namespace; whoever was there before must be gone
   */
  pod(place: string): Sandbox {
    this.#pods += 1
    return sandbox({ prefix: this.#cluster.prefix, place: `pod-${place}`, pod: `pod-${this.#pods}` })
  }

  /** Of the daemon. @throws Error when that is not the process that was started. */
  get pid(): number {
    const pid = this.node.daemonPid ?? 0
    const program = basename(readlinkSync(`/proc/${pid}/exe`))
    if (program !== basename(process.execPath)) throw new Error(`process ${pid} is ${program} and not the daemon`)
    return pid
  }

  /** What the daemon logs from now on. */
  log(): DaemonLog {
    return new DaemonLog(this.node.logFile)
  }

  /** The plugin's process for this call. */
  exec(verb: CniVerb, pod: Sandbox, env: Readonly<Record<string, string>> = {}): Exec {
    return { argv: [PLUGIN], env: { ...cniEnvironment({ ...pod, verb }), ...env }, stdin: this.#config }
  }

  /** The same without a process. @returns what it took, ms. */
  call(verb: 'ADD' | 'DEL', pod: Sandbox): Promise<number> {
    const { CNI_ARGS: args = '' } = cniEnvironment({ ...pod, verb })
    const { containerId, netns, ifname } = pod
    return this.#rpc.call(verb, { containerId, netns, ifname, args, config: Buffer.from(this.#config) })
  }

  /** Pods with these numbers come to stay, one after the other. */
  async fill(from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) await this.call('ADD', this.pod(`stays-${i}`))
  }

  /**
   * Resolves once the daemon has nothing left to do for these pods, whose DEL has been answered: until then the kernel
   * holds up whoever changes links.
   */
  async gone(...pods: readonly Sandbox[]): Promise<void> {
    for (const { containerId, pod } of pods) {
      const isGone = () => {
        for (const id of this.#log.take().removed) this.#removed.add(id)
        return this.#removed.delete(containerId) ? true : undefined
      }
      await until(isGone, { what: `${pod} to be removed (log: ${this.node.logFile})`, timeout: GONE, every: LOOK })
    }
  }

  /** Ends the daemon and starts it again. @returns ms from the start to serving. */
  async restart(): Promise<number> {
    this.#rpc[Symbol.dispose]()
    await this.node.killDaemon('SIGTERM')
    const began = performance.now()
    this.node.startDaemon()
    await this.node.waitReady()
    const took = performance.now() - began
    this.#rpc = new CniRpc(this.node.socket)
    return took
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rpc[Symbol.dispose]()
    this.#log[Symbol.dispose]()
    await this.#cluster.stop()
  }
}

async function free(node: Node): Promise<number> {
  const { enis } = await node.show()
  return enis.flatMap(({ addresses }) => addresses).filter(({ phase }) => phase === 'warm').length
}
