/** The same pods by each contender in turn, one at a time or many at once, and the bare start of Node beside them. */
import { createNamedNetns } from '../../netlink/netns.ts'
import { type Contender, contenders } from './contenders.ts'
import { BARE_NODE } from './exec/programs.ts'
import type { Run as Ended } from './exec/protocol.ts'
import { Starter } from './exec/starter.ts'
import { BenchNode, PREFIX } from './node/bench-node.ts'
import type { LoggedCall } from './node/daemon-log.ts'
import type { Sandbox } from './node/sandbox.ts'

export interface RoundResult {
  readonly node: readonly Ended[]
  readonly contenders: readonly RaceResult[]
  /** Terway's ADDs by the daemon's own clock. */
  readonly calls: readonly LoggedCall[]
}

/** Addresses: those of pods that have just left are being cleared of their connections. */
const SPARE = 50

interface RaceResult {
  readonly lines: string
  readonly add: readonly Ended[]
  readonly del: readonly Ended[]
}

/** Whether anybody runs beside Terway. */
type Field = 'alone' | 'with-peers'

interface Start {
  readonly starter: Starter
  readonly pods: number
  readonly field: Field
}

export class Race implements AsyncDisposable {
  readonly #node: BenchNode
  readonly #starter: Starter
  readonly #contenders: readonly [Contender, ...Contender[]]
  readonly #pods: number

  private constructor(node: BenchNode, { starter, pods, field }: Start) {
    this.#node = node
    this.#starter = starter
    const [terway, ...peers] = contenders(node)
    this.#contenders = field === 'alone' ? [terway] : [terway, ...peers]
    this.#pods = pods
  }

  /**
   * @param pods how many at once
   * Each contender has one more pod all the time: the first makes, and the last takes, what all of them share.
   */
  static async start(pods: number, field: Field): Promise<Race> {
    const node = await BenchNode.start(2 * pods + SPARE)
    try {
      // A namespace of its own, where the others' links are in nobody's way.
      const starter = new Starter(createNamedNetns(`${PREFIX}-peers`))
      const race = new Race(node, { starter, pods, field })
      for (const contender of race.#contenders) {
        await starter.one(contender.exec('ADD', node.pod(`${contender.name}-first`)))
      }
      return race
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
  }

  async round(): Promise<RoundResult> {
    using log = this.#node.log()
    const node = await this.#starter.atOnce(Array.from({ length: this.#pods }, () => BARE_NODE))
    const there: { readonly contender: Contender; readonly pods: readonly Sandbox[]; readonly add: Ended[] }[] = []
    for (const contender of this.#contenders) {
      const pods = Array.from({ length: this.#pods }, (_, i) => this.#node.pod(`${contender.name}-${i}`))
      there.push({ contender, pods, add: await this.#all('ADD', contender, pods) })
    }
    const results: RaceResult[] = []
    for (const { contender, pods, add } of there) {
      const del = await this.#all('DEL', contender, pods)
      results.push({ lines: contender.lines, add, del })
      // Terway answers before the kernel is done, and nobody else is to pay for that.
      if (contender === this.#contenders[0]) await this.#node.gone(...pods)
    }
    return { node, contenders: results, calls: log.take().calls.filter(({ verb }) => verb === 'ADD') }
  }

  #all(verb: 'ADD' | 'DEL', contender: Contender, pods: readonly Sandbox[]): Promise<Ended[]> {
    return this.#starter.atOnce(pods.map((pod) => contender.exec(verb, pod)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#starter[Symbol.asyncDispose]()
    await this.#node[Symbol.asyncDispose]()
  }
}
