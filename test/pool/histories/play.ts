/** Plays a history to its end, and looks at everything on the way. */

import { BrokenInvariant } from '../virtual-node.ts'
import { PODS } from './arbitrary.ts'
import { type History, inOrder } from './history.ts'
import { canGrow, unsettled, waitsForPlace } from './settled.ts'
import { Stage } from './stage.ts'
import type { Tally } from './tally.ts'
import { Watch } from './watch.ts'

const MINUTE = 60_000
/** After a change it is given so much time, ms: a fixed address is kept for 5 minutes. */
const REST = 6 * MINUTE
/** It must be at rest by then, ms: a full vSwitch is left alone for 11 minutes. */
const LONGEST_REST = 60 * MINUTE
/** Nothing is to happen for so long, ms. */
const QUIET = 15 * MINUTE

interface Calls {
  readonly looks: number
  readonly tries: number
  readonly returns: number
}

/** A comparison with the cloud is two calls, every two minutes. Addresses go back as the memory of the demand fades. */
const NOTHING: Calls = { looks: 45, tries: 0, returns: 8 }
/** A burst that is due is prepared for, in portions. */
const FORESEEN: Calls = { looks: 60, tries: 12, returns: 8 }
/** What cannot be had is tried again every minute: an ENI is made, not attached, and deleted. */
const IN_VAIN: Calls = { looks: 160, tries: 60, returns: 40 }

/** @param tell hears all that happens, a line each. @throws BrokenInvariant, or whatever else the pool does not catch */
export async function play(history: History, tell?: (line: string) => void): Promise<Tally> {
  return await new Play(history, tell).run()
}

class Play {
  readonly #history: History
  readonly #stage: Stage
  readonly #watch: Watch

  constructor(history: History, tell?: (line: string) => void) {
    this.#history = history
    const stage = new Stage(history.scene, tell)
    this.#stage = stage
    const { region, node, neighbours } = stage
    this.#watch = new Watch({ region, node, neighbours, maxEnis: () => stage.maxEnis })
  }

  async run(): Promise<Tally> {
    const stage = this.#stage
    stage.start()
    for (const { at, ...what } of inOrder(this.#history.events)) {
      await this.#pass(at - stage.now)
      stage.happen(what)
    }
    await this.#pass(MINUTE)
    stage.calm()
    await this.#settle('after the trouble', REST)
    stage.node.excuseNoMore()
    await this.#beQuiet()
    for (const more of [0, 1, 2]) stage.kubelet.run(PODS + more, MINUTE)
    await this.#settle('with some pods more', 2 * MINUTE)
    stage.kubelet.endAll()
    await this.#settle('without pods', REST)
    stage.node.kill()
    this.#watch.lookAtRegion()
    stage.count('looks', this.#watch.looks)
    return stage.sumUp()
  }

  async #pass(milliseconds: number): Promise<void> {
    const look = () => {
      this.#stage.throwIfBroken()
      this.#watch.look()
      return false
    }
    await this.#stage.time.runUntil(look, Math.max(0, milliseconds))
    look()
  }

  async #settle(when: string, rest: number): Promise<void> {
    await this.#pass(rest)
    let wrong = unsettled(this.#stage)
    for (let waited = rest; wrong.length > 0 && waited < LONGEST_REST; waited += MINUTE) {
      await this.#pass(MINUTE)
      wrong = unsettled(this.#stage)
    }
    if (wrong.length > 0) throw new BrokenInvariant(`not at rest ${when}: ${wrong.join('; ')}`)
  }

  /** Whoever is at rest does not call the cloud, but to compare with it. @throws BrokenInvariant */
  async #beQuiet(): Promise<void> {
    const stage = this.#stage
    const before = new Map(stage.region.counts)
    const lacks = stage.kubelet.unserved.length > 0 || !canGrow(stage) || waitsForPlace(stage)
    await this.#pass(QUIET)
    const made = [...stage.region.counts].map(([action, count]) => [action, count - (before.get(action) ?? 0)] as const)
    const sum = (actions: RegExp) => made.reduce((all, [action, count]) => all + (actions.test(action) ? count : 0), 0)
    const most = lacks ? IN_VAIN : stage.limits.strategy === 'adaptive' ? FORESEEN : NOTHING
    const [looks, tries, returns] = [sum(/^Describe/), sum(/^(Create|Attach|Assign)/), sum(/^(Unassign|Detach|Delete)/)]
    if (looks <= most.looks && tries <= most.tries && returns <= most.returns) return
    throw new BrokenInvariant(`calls although nothing happens: ${made.map(([action, n]) => `${n} ${action}`).join()}`)
  }
}
