/**
 * What a node's kernel holds of pods, made up: a file of what has come and gone. Like a link it outlives the daemon,
 * however that ended, and like a link it is there when the daemon has put it there, not a moment before.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Ip, parseIp } from '../../inet/address.ts'

const EVENT = z.discriminatedUnion('what', [
  z.object({
    what: z.literal('up'),
    /** ms since the epoch, of the region's clock */
    at: z.number(),
    pod: z.string(),
    /** Its sandbox. */
    container: z.string(),
    ips: z.array(z.string().transform(parseIp)),
  }),
  z.object({ what: z.literal('down'), at: z.number(), pod: z.string() }),
  /** Which of the scenario's stages the node is in; no link, but to be known by who goes on. */
  z.object({ what: z.literal('stage'), stage: z.int() }),
])
export type PodEvent = z.infer<typeof EVENT>
export type LivePod = Extract<PodEvent, { what: 'up' }>

export class PodLinks {
  readonly #file: string

  constructor(directory: string) {
    this.#file = join(directory, 'pods.jsonl')
  }

  note(event: PodEvent): void {
    appendFileSync(this.#file, `${JSON.stringify(event)}\n`)
  }

  get events(): readonly PodEvent[] {
    if (!existsSync(this.#file)) return []
    const lines = readFileSync(this.#file, 'utf8').trimEnd().split('\n')
    return lines.map((line) => EVENT.parse(JSON.parse(line)))
  }

  /** By name. */
  get live(): ReadonlyMap<string, LivePod> {
    const live = new Map<string, LivePod>()
    for (const event of this.events) {
      if (event.what === 'up') live.set(event.pod, event)
      if (event.what === 'down') live.delete(event.pod)
    }
    return live
  }

  /** The last one begun; 0 before the first. */
  get stage(): number {
    return this.events.findLast((event) => event.what === 'stage')?.stage ?? 0
  }
}

export function holdersOf(pods: ReadonlyMap<string, LivePod>): ReadonlyMap<Ip, string> {
  return new Map([...pods.values()].flatMap(({ pod, ips }) => ips.map((ip) => [ip, pod] as const)))
}
