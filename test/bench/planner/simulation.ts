/** A rival's model on a trace: its pods ask, and ask again as kubelet does. */
import { Random } from '../../e2e/random.ts'
import { type Call, type Holding, type ModelAddress, ModelCloud } from './model-cloud.ts'
import { KUBELET_RETRY } from './node.ts'
import { type Observations, score } from './score.ts'
import type { Strategy } from './strategy.ts'
import type { Arrival, Trace } from './trace.ts'
import { type Process, Signal, VirtualTime } from './virtual-time.ts'

export interface World {
  readonly time: VirtualTime
  readonly cloud: ModelCloud
  readonly random: Random
}

/** A CNI ADD under way. */
export class Request {
  readonly ended: Signal
  #address: ModelAddress | undefined
  #isOver = false

  constructor(time: VirtualTime) {
    this.ended = new Signal(time)
  }

  /** The pod's, held in the cloud's books; none as long as it is not over, and if it failed. */
  get address(): ModelAddress | undefined {
    return this.#address
  }

  get isOver(): boolean {
    return this.#isOver
  }

  end(address?: ModelAddress): void {
    this.#address = address
    this.#isOver = true
    this.ended.fire()
  }
}

export interface PoolModel {
  /** From the start to the end of the trace. */
  readonly processes: readonly Process[]
  /** CNI ADD. Its end is at `end` at the latest. */
  add(end: number): Request
  /** CNI DEL. */
  remove(address: ModelAddress): void
}

export interface Simulation {
  readonly observations: Observations
  readonly calls: readonly Call[]
  readonly holdings: readonly Holding[]
}

/** The node has no ENI for pods when the trace begins. */
export function simulate(trace: Trace, seed: number, build: (world: World) => PoolModel): Simulation {
  const time = new VirtualTime()
  const world: World = { time, cloud: new ModelCloud(time, trace.outages), random: new Random(seed) }
  const pool = build(world)
  const waits = trace.arrivals.map(({ at, until }) => Math.min(until, trace.horizon) - at)
  let served = 0
  const live = (arrival: Arrival, index: number) =>
    life(world, pool, arrival, () => {
      waits[index] = time.now - arrival.at
      served += 1
    })
  for (const process of pool.processes) time.start(process)
  trace.arrivals.forEach((arrival, index) => {
    time.at(arrival.at, () => time.start(live(arrival, index)))
  })
  time.run(trace.horizon)
  const { idle, enis, calls, holdings } = world.cloud
  const counts: Record<string, number> = {}
  for (const { name } of calls) counts[name] = (counts[name] ?? 0) + 1
  const unserved = trace.arrivals.length - served
  return { observations: { waits, unserved, idle, enis, calls: counts, horizon: trace.horizon }, calls, holdings }
}

/** The strategy whose numbers are those of the model. */
export function modelStrategy(name: string, remark: string, build: (world: World) => PoolModel): Strategy {
  return { name, remark, run: async (trace, seed) => score(simulate(trace, seed, build).observations) }
}

function* life(world: World, pool: PoolModel, { until }: Arrival, served: () => void): Process {
  const { time, random } = world
  while (time.now < until) {
    const request = pool.add(until)
    if (!request.isOver) yield request.ended
    const { address } = request
    if (address !== undefined) {
      served()
      yield until - time.now
      pool.remove(address)
      return
    }
    yield Math.min(until - time.now, Math.round(KUBELET_RETRY.pause * (1 + KUBELET_RETRY.jitter * random.next())))
  }
}
