/** A node with many pods: the daemon's own parts, a journal on tmpfs, and an ENI that leads to a router. */
import { addressAt, type Ip, type Ipv4, parseCidr, parseIp, splitCidr } from '../../inet/address.ts'
import { type Netns, warmThreadPool } from '../../netlink/netns.ts'
import { ip } from '../kernel/namespaces.ts'
import { type AddAnswer, ENI_KEY, ENI_MAC, PodsUnderTest } from '../kernel/pods-under-test.ts'

/** Room for 4,000 pods, and the node's own address behind them. */
const CIDR = parseCidr('10.9.0.0/20')
const OWN = addressAt(CIDR, 4_050n) as Ipv4
const TMPFS = '/dev/shm'

export interface Crowd {
  /** Of the names of its namespaces. */
  readonly prefix: string
  /** Pods that it can have. */
  readonly room: number
  /** `map` unless given. */
  readonly policyRoute?: 'map' | 'rules'
}

export class CrowdedNode implements AsyncDisposable {
  readonly node: PodsUnderTest
  readonly #router: Netns
  readonly #sandboxes = new Map<number, Netns>()

  private constructor({ prefix, room }: Crowd) {
    this.node = new PodsUnderTest(prefix, 'shared', { cidr: CIDR, addresses: room, under: TMPFS })
    this.#router = this.node.namespaces.create('router')
    ip(this.node.netns, 'link', 'set', 'vpc', 'netns', `${prefix}router`)
    ip(this.#router, 'link', 'set', 'vpc', 'up')
  }

  static async start(crowd: Crowd): Promise<CrowdedNode> {
    await warmThreadPool()
    const crowded = new CrowdedNode(crowd)
    const { policyRoute = 'map' } = crowd
    await crowded.node.start({ policyRoute, addresses: { ipv4: OWN } })
    const { length } = splitCidr(CIDR)
    ip(crowded.#router, 'address', 'add', `${crowded.gateway}/${length}`, 'dev', 'vpc')
    return crowded
  }

  /** The router's address. */
  get gateway(): Ip {
    const gateway = this.node.pool.readyEni(ENI_KEY)?.gateway
    if (gateway === undefined) throw new Error('the ENI of the node is not ready')
    return gateway
  }

  /** Gives the pods with these numbers their networks, one after the other. */
  async fill(from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) await this.add(i)
  }

  /** The namespace of a pod, made when it is asked for first. */
  sandbox(pod: number): Netns {
    const known = this.#sandboxes.get(pod)
    if (known !== undefined) return known
    const made = this.node.namespaces.create(`pod-${pod}`)
    this.#sandboxes.set(pod, made)
    return made
  }

  add(pod: number): Promise<AddAnswer> {
    return this.node.add({ ...callOf(pod), netns: this.sandbox(pod).path })
  }

  del(pod: number): Promise<void> {
    return this.node.del(callOf(pod))
  }

  check(pod: number): Promise<void> {
    return this.node.check({ ...callOf(pod), netns: this.sandbox(pod).path })
  }

  /** The router finds the way back to the pod, as the VPC does. */
  routeBack(answer: AddAnswer): void {
    const [{ address } = { address: '' }] = answer.ips
    const pod = parseIp(address.slice(0, address.indexOf('/')))
    ip(this.#router, 'neighbour', 'replace', pod, 'lladdr', ENI_MAC, 'dev', 'vpc', 'nud', 'permanent')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.end()
  }
}

const callOf = (pod: number) => ({ containerId: `container-${pod}`, pod: `pod-${pod}` })
