/** A pod's sandbox without a container runtime: a network namespace and the calls a runtime would make for it. */
import { randomBytes } from 'node:crypto'
import type { CniAnswer, CniCall, CniResult } from './cni.ts'
import { netnsPath } from './directory.ts'
import type { Node } from './node.ts'
import { CommandError, check } from './process.ts'

export interface PodOptions {
  readonly prefix: string
  readonly name: string
  readonly namespace?: string
  readonly node: Node
}

export class Pod {
  readonly name: string
  readonly namespace: string
  readonly node: Node
  /** As a runtime makes it: 64 hexadecimal digits. */
  readonly containerId = randomBytes(32).toString('hex')
  /** Name of the network namespace. */
  readonly netns: string
  #result: CniResult | undefined

  private constructor({ prefix, name, namespace = 'default', node }: PodOptions) {
    this.name = name
    this.namespace = namespace
    this.node = node
    this.netns = `${prefix}-pod-${this.containerId.slice(0, 12)}`
  }

  /** Makes the namespace; the pod has no network before `add`. */
  static async create(options: PodOptions): Promise<Pod> {
    const pod = new Pod(options)
    await check(['ip', 'netns', 'add', pod.netns])
    await check(['ip', '-n', pod.netns, 'link', 'set', 'lo', 'up'])
    return pod
  }

  get netnsPath(): string {
    return netnsPath(this.netns)
  }

  /** Its address, the IPv4 one of two, once added. */
  get ip(): string {
    const [address] = this.ips
    if (address === undefined) throw new CommandError(`pod ${this.name} has no address yet`)
    return address
  }

  /** All of them; none before it is added. */
  get ips(): readonly string[] {
    return this.#result?.ips.map(({ address }) => address.slice(0, address.indexOf('/'))) ?? []
  }

  /** What a runtime would fill in. */
  get call(): CniCall {
    const { containerId, namespace, name } = this
    return { containerId, netns: this.netnsPath, ifname: 'eth0', namespace, pod: name }
  }

  /**
   * @param extra more keys for the configuration, as in CniCall
   * @throws CommandError with the plugin's words when it refuses.
   */
  async add(extra: CniCall['extra'] = {}): Promise<CniAnswer> {
    const answer = await this.node.cni('ADD', { ...this.call, extra })
    this.#result = answer.result
    if (answer.result === undefined) throw refusal('ADD', this, answer)
    return answer
  }

  /** @throws CommandError with the plugin's words when it refuses. */
  async del(): Promise<CniAnswer> {
    const extra = this.#result === undefined ? {} : { extra: { prevResult: this.#result } }
    const answer = await this.node.cni('DEL', { ...this.call, ...extra })
    if (answer.status !== 0) throw refusal('DEL', this, answer)
    return answer
  }

  /** Removes the namespace. */
  async destroy(): Promise<void> {
    await check(['ip', 'netns', 'delete', this.netns])
  }
}

function refusal(verb: string, pod: Pod, { error, status, stderr }: CniAnswer): CommandError {
  const why =
    error === undefined ? `exit ${status}: ${stderr.trim()}` : `code ${error.code}: ${error.msg} ${error.details ?? ''}`
  return new CommandError(`${verb} of pod ${pod.namespace}/${pod.name} on ${pod.node.name}: ${why}`)
}
