/** The kubelet and the container runtime of the node, as far as the pool hears of them: ADD and DEL, one at a time for a pod. */
import { KEEP_FOR } from '../../../daemon/pool/pool.ts'
import { BrokenInvariant, type VirtualNode } from '../virtual-node.ts'
import type { VirtualTime } from '../virtual-time.ts'

/** Between two tries, ms; longer and longer, as the kubelet's back-off. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

export interface KubeletOptions {
  readonly node: VirtualNode
  readonly time: VirtualTime
  /** What must never happen has. */
  readonly fail: (error: unknown) => void
}

export interface Counts {
  asked: number
  served: number
  refused: number
  deleted: number
}

/** The pod that is to run: another sandbox of it is the same pod, another uid is not. */
interface Sandbox {
  readonly uid: string
  /** How long the runtime waits for an ADD, ms. */
  readonly patience: number
}

interface Pod {
  readonly name: string
  wanted: Sandbox | undefined
  current: Sandbox | undefined
  isBusy: boolean
  interrupt: AbortController
}

export class Kubelet {
  readonly counts: Counts = { asked: 0, served: 0, refused: 0, deleted: 0 }
  readonly #options: KubeletOptions
  readonly #pods = new Map<number, Pod>()
  /** Breaks off calls that have no answer yet. */
  readonly #calls = new Set<() => void>()
  #uids = 0

  constructor(options: KubeletOptions) {
    this.#options = options
  }

  /** Pods that should have their network and have not. */
  get unserved(): readonly string[] {
    return [...this.#pods.values()].flatMap(({ name, wanted, current }) => {
      return wanted !== undefined && wanted !== current ? [name] : []
    })
  }

  run(number: number, patience: number): void {
    const pod = this.#podOf(number)
    this.#set(pod, { uid: pod.wanted?.uid ?? this.#newUid(), patience })
  }

  end(number: number): void {
    this.#set(this.#podOf(number), undefined)
  }

  recreate(number: number): void {
    const pod = this.#podOf(number)
    if (pod.wanted !== undefined) this.#set(pod, { uid: this.#newUid(), patience: pod.wanted.patience })
  }

  endAll(): void {
    for (const number of this.#pods.keys()) this.end(number)
  }

  /** The daemon is dead: calls to it have ended. */
  daemonDied(): void {
    for (const breakOff of [...this.#calls]) breakOff()
  }

  /** With the machine all sandboxes are gone, and what is to run is begun anew. */
  machineDied(): void {
    this.daemonDied()
    for (const pod of this.#pods.values()) {
      pod.current = undefined
      void this.#work(pod)
    }
  }

  #newUid(): string {
    return `uid-${++this.#uids}`
  }

  #podOf(number: number): Pod {
    const known = this.#pods.get(number)
    if (known !== undefined) return known
    const { name, interrupt } = { name: `p${number}`, interrupt: new AbortController() }
    const pod: Pod = { name, wanted: undefined, current: undefined, isBusy: false, interrupt }
    this.#pods.set(number, pod)
    return pod
  }

  #set(pod: Pod, wanted: Sandbox | undefined): void {
    pod.wanted = wanted
    pod.interrupt.abort(new Error('the pod is not wanted any more'))
    void this.#work(pod)
  }

  /** Never rejects. */
  async #work(pod: Pod): Promise<void> {
    if (pod.isBusy) return
    pod.isBusy = true
    try {
      for (let pause = FIRST_PAUSE; pod.wanted !== pod.current; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
        if (pod.current !== undefined) this.#delete(pod)
        if (pod.wanted === undefined || (await this.#add(pod, pod.wanted))) pause = FIRST_PAUSE
        else await this.#options.time.sleep(pause)
      }
    } catch (error) {
      this.#options.fail(error)
    } finally {
      pod.isBusy = false
    }
  }

  /** Also after an ADD that failed. */
  #delete(pod: Pod): void {
    this.counts.deleted += pod.current === undefined ? 0 : 1
    pod.current = undefined
    this.#options.node.remove(pod.name, keeps(pod) ? KEEP_FOR : 0)
  }

  /** @returns whether it has its network */
  async #add(pod: Pod, wanted: Sandbox): Promise<boolean> {
    const { node, time } = this.#options
    if (!node.serves) return false
    pod.interrupt = new AbortController()
    const { signal } = pod.interrupt
    const cancel = time.after(wanted.patience, () => pod.interrupt.abort(new Error('the runtime has given up')))
    const request = { uid: wanted.uid, keeps: keeps(pod), signal }
    this.counts.asked += 1
    try {
      const live = await this.#whileItLives(node.add(pod.name, request))
      if (live === undefined || signal.aborted) throw new Error('no answer')
      pod.current = wanted
      this.counts.served += 1
      return true
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error
      this.counts.refused += 1
      this.#delete(pod)
      return false
    } finally {
      cancel()
    }
  }

  /** A daemon that lives answers, also who has given up; one that is dead never does. */
  async #whileItLives<T>(answer: Promise<T>): Promise<T> {
    const { promise: noAnswer, reject } = Promise.withResolvers<never>()
    const breakOff = () => reject(new Error('the daemon has closed the connection'))
    this.#calls.add(breakOff)
    try {
      return await Promise.race([answer, noAnswer])
    } finally {
      this.#calls.delete(breakOff)
    }
  }
}

/** A pod of a StatefulSet. */
function keeps({ name }: Pod): boolean {
  return name.endsWith('0') || name.endsWith('5')
}
