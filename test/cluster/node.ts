/** One simulated node: its network namespace, its files and its daemon. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { Inspect } from '../../proto/contract.ts'
import type { InspectClient } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node__Output } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { VerifyReply__Output } from '../../proto/generated/terway/inspect/v1/VerifyReply.ts'
import { type CniAnswer, type CniCall, type CniVerb, callPlugin, conflistSchema } from './cni.ts'
import { DIST, netnsPath } from './directory.ts'
import { CommandError, type CommandResult, check, execute, Service, until } from './process.ts'
import type { SimulatedRegion } from './simulator.ts'

const NODE = join(import.meta.dirname, '..', '..', 'hack', 'node')
const TERWAYD = join(DIST, 'terwayd', 'terwayd')
const TERWAY_CLI = join(DIST, 'terway-cli')
/** For the first start, in which ENIs are made; ms. */
const READY_TIMEOUT = 30_000
const CALL_TIMEOUT = 10_000
/** In the namespace of the node. */
const METRICS = '127.0.0.1:9191'

export interface NodeOptions {
  readonly node: SimulatedRegion['nodes'][number]
  /** Everything of this node goes below it. */
  readonly directory: string
  readonly region: SimulatedRegion
  /** The content of the daemon's configuration file. */
  readonly eniConf: Readonly<Record<string, unknown>>
  /** True: the daemon goes on when this process ends. */
  readonly outlive: boolean
}

export class Node {
  readonly name: string
  readonly instanceId: string
  /** Address of the node itself. */
  readonly primaryIp: string
  /** All of them. */
  readonly ips: readonly string[]
  /** Name of the network namespace, as `ip netns` knows it. */
  readonly netns: string
  /** Everything of this node is below it. */
  readonly directory: string
  readonly socket: string
  readonly stateDir: string
  readonly cniConfDir: string
  /** Executables that the daemon takes for the runtime's. */
  readonly cniBinDir: string
  /** The operator's own keys, `10-terway.conf`; absent unless a test writes it. */
  readonly cniConfTemplate: string
  readonly logFile: string
  readonly #region: SimulatedRegion
  readonly #outlive: boolean
  #eniConf: Readonly<Record<string, unknown>>
  #daemon: Service | undefined
  #client: InspectClient | undefined

  constructor({ node, directory, region, eniConf, outlive }: NodeOptions) {
    this.name = node.name
    this.instanceId = node.instanceId
    this.primaryIp = node.primaryIp
    this.ips = [node.primaryIp, ...(node.primaryIpv6 === undefined ? [] : [node.primaryIpv6])]
    this.netns = node.netns
    this.directory = directory
    this.socket = join(directory, 'run', 'eni.socket')
    this.stateDir = join(directory, 'state')
    this.cniConfDir = join(directory, 'cni', 'net.d')
    this.cniBinDir = join(directory, 'cni', 'bin')
    this.cniConfTemplate = join(directory, '10-terway.conf')
    this.logFile = join(directory, 'terwayd.log')
    this.#region = region
    this.#outlive = outlive
    this.#eniConf = eniConf
    for (const made of [this.stateDir, this.cniConfDir, this.cniBinDir]) mkdirSync(made, { recursive: true })
    this.configure({})
  }

  /** Other values for keys of the configuration; the daemon has them from its next start on. */
  configure(changes: Readonly<Record<string, unknown>>): void {
    this.#eniConf = { ...this.#eniConf, ...changes }
    writeFileSync(this.#configFile, `${JSON.stringify(this.#eniConf, null, 2)}\n`, { mode: 0o600 })
  }

  get #configFile(): string {
    return join(this.directory, 'eni_conf')
  }

  get #conflistFile(): string {
    return join(this.cniConfDir, '10-terway.conflist')
  }

  /** Path of the network namespace. */
  get netnsPath(): string {
    return netnsPath(this.netns)
  }

  /** Of the daemon itself; undefined while none has been started. */
  get daemonPid(): number | undefined {
    return this.#daemon?.pid
  }

  /** Starts the daemon without waiting for it. */
  startDaemon(): void {
    if (this.#daemon?.running) throw new CommandError(`the daemon of ${this.name} runs already`)
    const { metadata, apiInVpc } = this.#region
    const endpoint = apiInVpc.replace(/^http:\/\//, '')
    this.#daemon = new Service({
      name: `terwayd of ${this.name}`,
      argv: [
        ...['nsenter', `--net=${this.netnsPath}`, TERWAYD],
        ...['--config', this.#configFile, '--node-name', this.name, '--socket', this.socket],
        ...['--state-dir', this.stateDir, '--cni-conf-dir', this.cniConfDir],
        ...['--cni-conf-template', this.cniConfTemplate, '--cni-bin-dir', this.cniBinDir],
        ...['--metadata-endpoint', metadata, '--metrics-listen', METRICS],
      ],
      env: {
        PATH: process.env.PATH ?? '',
        ECS_ENDPOINT: endpoint,
        VPC_ENDPOINT: endpoint,
        ALICLOUD_CLIENT_SCHEME: 'HTTP',
      },
      logFile: this.logFile,
      outlive: this.#outlive,
    })
  }

  /** Resolves once the daemon serves and the runtime has its configuration; with the ms waited. */
  async waitReady(timeout = READY_TIMEOUT): Promise<number> {
    const started = performance.now()
    await until(
      async () => {
        this.#daemon?.failIfEnded()
        return existsSync(this.#conflistFile) && (await this.#answers()) ? true : undefined
      },
      { what: `the daemon of ${this.name} to serve (log: ${this.logFile})`, timeout },
    )
    return performance.now() - started
  }

  async #answers(): Promise<boolean> {
    try {
      await this.show()
      return true
    } catch {
      return false // not yet; waitReady gives up in time
    }
  }

  /** Resolves to the daemon's exit status. */
  async killDaemon(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#client?.close()
    this.#client = undefined
    const status = await this.#daemon?.stop(signal)
    this.#daemon = undefined
    return status ?? null
  }

  /** Ends the daemon, starts another and waits until that serves. */
  async restartDaemon(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    await this.killDaemon(signal)
    this.startDaemon()
    await this.waitReady()
  }

  /** A client of the daemon; valid until the daemon is killed. */
  inspect(): InspectClient {
    // Reconnects at once and shares nothing with an earlier client, whose channel would still be backing off.
    this.#client ??= new Inspect(`unix://${this.socket}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 100,
    })
    return this.#client
  }

  show(): Promise<Node__Output> {
    const client = this.inspect()
    return new Promise((resolve, reject) => {
      client.Show({}, { deadline: Date.now() + CALL_TIMEOUT }, (error, reply) =>
        settle({ error, reply, resolve, reject }),
      )
    })
  }

  verify(): Promise<VerifyReply__Output> {
    const client = this.inspect()
    return new Promise((resolve, reject) => {
      client.Verify({}, { deadline: Date.now() + CALL_TIMEOUT }, (error, reply) =>
        settle({ error, reply, resolve, reject }),
      )
    })
  }

  /** The daemon's metrics, in the text format of Prometheus. */
  metrics(): Promise<string> {
    const script = `fetch('http://${METRICS}/metrics').then(async (reply) => console.log(await reply.text()))`
    return check(['nsenter', `--net=${this.netnsPath}`, NODE, '-e', script])
  }

  /** `terway-cli` with these arguments. */
  cli(...args: string[]): Promise<CommandResult> {
    return execute([TERWAY_CLI, ...args, '--socket', this.socket])
  }

  /** One call of the plugin, as a container runtime on this node makes it. */
  cni(verb: CniVerb, call: CniCall): Promise<CniAnswer> {
    const conflist = conflistSchema.parse(JSON.parse(readFileSync(this.#conflistFile, 'utf8')))
    return callPlugin({ ...call, verb, conflist, nodeNetns: this.netnsPath })
  }
}

interface Settlement<Reply> {
  readonly error: Error | null
  readonly reply: Reply | undefined
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

function settle<Reply>({ error, reply, resolve, reject }: Settlement<Reply>): void {
  if (error !== null) reject(error)
  else if (reply === undefined) reject(new CommandError('the daemon answered nothing'))
  else resolve(reply)
}
