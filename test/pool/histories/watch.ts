/** What must be true all the time, looked at after everything that happens. */
import type { EniKey } from '../../../daemon/pool/model.ts'
import type { PoolState } from '../../../daemon/pool/tables.ts'
import { INTENT_TAG } from '../../../daemon/pool/tags.ts'
import { violations } from '../../simulator/violations.ts'
import { BrokenInvariant, type VirtualNode } from '../virtual-node.ts'
import type { VirtualRegion } from '../virtual-region.ts'
import type { Neighbours } from './neighbours.ts'

export interface WatchOptions {
  readonly region: VirtualRegion
  readonly node: VirtualNode
  readonly neighbours: Neighbours
  /** The most ENIs that were allowed lately: what was decided a moment ago may be carried out after a change. */
  readonly maxEnis: () => number
}

export class Watch {
  /** How often something was looked at. */
  looks = 0
  readonly #options: WatchOptions
  readonly #created = new Set<EniKey>()
  #cloudVersion = -1
  #written = ''

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** @throws BrokenInvariant */
  look(): void {
    const { region, node } = this.#options
    const { version } = region.cloud
    if (version !== this.#cloudVersion) {
      this.#cloudVersion = version
      this.#lookAtCloud()
    }
    const written = `${node.runs} ${node.journal.writes}`
    if (written === this.#written) return
    this.#written = written
    this.#lookAtJournal()
  }

  /** What the cloud itself allows, it sees to: it is looked at once, since that is not what is under test. */
  lookAtRegion(): void {
    const [wrong] = violations(this.#options.region.cloud, { freeIsTrue: true })
    if (wrong !== undefined) throw new BrokenInvariant(`the simulated cloud: ${wrong}`)
  }

  #lookAtCloud(): void {
    this.looks += 1
    this.#options.node.checkPods()
    this.#options.neighbours.check()
    this.#checkIntents()
  }

  /** What is asked for again, because nobody has heard the answer, is not made again. @throws BrokenInvariant */
  #checkIntents(): void {
    const intents = this.#options.neighbours.ours.flatMap(({ tags }) => tags.get(INTENT_TAG) ?? [])
    const twice = intents.find((intent, index) => intents.indexOf(intent) !== index)
    if (twice !== undefined) throw new BrokenInvariant(`there are two ENIs of the intent ${twice}`)
  }

  #lookAtJournal(): void {
    this.looks += 1
    const { node } = this.#options
    if (node.runs) checkSame(node.journal.state, node.pool.state)
    this.#checkCreations(node.journal.state)
  }

  #checkCreations({ enis }: PoolState): void {
    const fresh = [...enis.values()].filter(({ phase, key }) => phase === 'creating' && !this.#created.has(key))
    for (const { key } of fresh) this.#created.add(key)
    if (!fresh.some(({ role }) => role !== 'trunk')) return
    const { neighbours, maxEnis } = this.#options
    // What is deleted has no place on the instance, and may have been found a moment ago.
    const has = [...enis.values()].filter(({ phase, role }) => {
      return role !== 'trunk' && phase !== 'lost' && phase !== 'deleting'
    }).length
    if (has <= maxEnis()) return
    throw new BrokenInvariant(
      `${has} ENIs are asked for or there, ${maxEnis()} are allowed, ${neighbours.foreign} are not ours`,
    )
  }
}

/** What a restart would find is what the daemon goes by. @throws BrokenInvariant */
function checkSame(journal: PoolState, memory: PoolState): void {
  for (const table of ['enis', 'addresses', 'prefixes', 'assigns'] as const) {
    const [written, known]: readonly [ReadonlyMap<unknown, unknown>, ReadonlyMap<unknown, unknown>] = [
      journal[table],
      memory[table],
    ]
    const differs = written.size !== known.size || [...written].some(([key, record]) => known.get(key) !== record)
    if (differs) throw new BrokenInvariant(`the journal has other ${table} than the memory`)
  }
}
