/**
 * A simulated region on this machine with a daemon on each of its nodes. Needs root, iproute2, nftables, ping and the
 * built plugin. Two clusters live side by side when their prefixes differ.
 */
import { accessSync, constants, copyFileSync, existsSync, globSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PLUGIN } from './cni.ts'
import { directoryOf } from './directory.ts'
import { cleanLeftovers } from './leftovers.ts'
import { Node } from './node.ts'
import { claim, failIfOwned } from './owner.ts'
import { Pod } from './pod.ts'
import { CommandError } from './process.ts'
import { type SimulatedRegion, type Simulator, startSimulator } from './simulator.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const TWO_NODES = join(ROOT, 'conf', 'regions', 'two-nodes.yaml')

export interface ClusterOptions {
  /** Names everything that is made on the machine: 2 to 20 of a-z, 0-9 and "-". */
  readonly prefix: string
  /** Description of the region; the one with two nodes unless given. */
  readonly region?: string
  /** Keys for the daemons' configuration file that differ from the usual. */
  readonly eniConf?: Readonly<Record<string, unknown>>
  /** The same for one node, by its name: the node's own prefix, for example. */
  readonly nodeConf?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** True: everything goes on when this process ends, until somebody calls `cleanLeftovers`. */
  readonly outlive?: boolean
  /** The simulator, and then each daemon, may take this long to be ready, ms. */
  readonly patience?: number
  /** Told what is being done, for a progress display. */
  readonly onProgress?: (doing: string) => void
}

/** The account, security group and vSwitches of conf/regions/two-nodes.yaml. */
const ENI_CONF = {
  version: '1',
  access_key: 'LTAIsim',
  access_secret: 'sim-secret',
  security_group: 'sg-sim',
  service_cidr: '172.16.0.0/16',
  vswitches: { 'cn-sim-h': ['vsw-sim-h'], 'cn-sim-i': ['vsw-sim-i'] },
  max_pool_size: 10,
  min_pool_size: 5,
}

export class Cluster {
  readonly prefix: string
  readonly directory: string
  readonly nodes: readonly Node[]
  readonly region: SimulatedRegion
  readonly #simulator: Simulator

  private constructor({ prefix, eniConf, nodeConf = {}, outlive = false }: ClusterOptions, simulator: Simulator) {
    this.prefix = prefix
    this.directory = directoryOf(prefix)
    this.region = simulator.region
    this.#simulator = simulator
    this.nodes = simulator.region.nodes.map(
      (node) =>
        new Node({
          node,
          directory: join(this.directory, node.name),
          region: simulator.region,
          eniConf: { ...ENI_CONF, ...eniConf, ...nodeConf[node.name] },
          outlive,
        }),
    )
  }

  /** Removes what an earlier one of this prefix left, starts the region and its daemons, waits until they serve. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { prefix, region = TWO_NODES, outlive = false, patience, onProgress = () => undefined } = options
    if (process.getuid?.() !== 0) throw new CommandError('network namespaces need root: run this as root')
    if (!existsSync(PLUGIN)) throw new CommandError(`${PLUGIN} is missing: run "make build"`)
    failIfOwned(prefix)
    await cleanLeftovers(prefix)
    const directory = directoryOf(prefix)
    mkdirSync(directory, { mode: 0o700 })
    claim(prefix)
    try {
      const regionFile = join(directory, 'region.yaml')
      copyFileSync(region, regionFile)
      onProgress('starting terway-sim: the cloud API and the VPC between the nodes')
      const simulator = await startSimulator({ regionFile, prefix, directory, outlive, patience })
      const cluster = new Cluster(options, simulator)
      onProgress(`starting terwayd on ${cluster.nodes.map(({ name }) => name).join(' and ')}`)
      for (const node of cluster.nodes) node.startDaemon()
      await Promise.all(cluster.nodes.map((node) => node.waitReady(patience)))
      return cluster
    } catch (error) {
      await remove(prefix)
      throw error
    }
  }

  /** URL of the simulator's API for this machine. */
  get simApi(): string {
    return this.region.api
  }

  /** The node of this name. */
  node(name: string): Node {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new CommandError(`no node ${name}; there are ${this.nodes.map((n) => n.name)}`)
    return found
  }

  /** The cloud keeps all connections and answers nothing, until `resumeCloud`; what nodes send to each other goes on. */
  pauseCloud(): void {
    this.#simulator.service.signal('SIGSTOP')
  }

  resumeCloud(): void {
    this.#simulator.service.signal('SIGCONT')
  }

  /** Makes a pod's namespace on the node; `add` gives it a network. */
  createPod(node: Node, name: string): Promise<Pod> {
    return Pod.create({ prefix: this.prefix, name, node })
  }

  /** Ends the daemons, then the simulator, and removes all that was made. The logs stay in .cache/logs/<prefix>/. */
  async stop(): Promise<void> {
    try {
      await Promise.all(this.nodes.map((node) => node.killDaemon('SIGTERM')))
      await this.#simulator.service.stop()
    } finally {
      await remove(this.prefix)
    }
  }
}

async function remove(prefix: string): Promise<void> {
  if (isWritable(ROOT)) keepLogs(prefix)
  await cleanLeftovers(prefix)
}

/** The guest of hack/vm only reads the tree. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function keepLogs(prefix: string): void {
  const directory = directoryOf(prefix)
  for (const log of globSync('**/*.log', { cwd: directory })) {
    const kept = join(ROOT, '.cache', 'logs', prefix, log)
    mkdirSync(dirname(kept), { recursive: true })
    copyFileSync(join(directory, log), kept)
  }
}
