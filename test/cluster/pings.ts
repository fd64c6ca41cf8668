/** Pings that go on until they are stopped, while something happens that they must not notice, or must get over. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CLUSTERS } from './directory.ts'
import { Service, until } from './process.ts'

/** One way a packet can go. */
export interface Way {
  /** For reports. */
  readonly what: string
  /** Path of the namespace to send from. */
  readonly from: string
  readonly to: string
}

/** A pod or a node. */
export interface End {
  readonly name: string
  readonly netnsPath: string
  readonly ips: readonly string[]
}

/** From each to each other one, in each family that both have. */
export function waysBetween(ends: readonly End[]): Way[] {
  return ends.flatMap((from) => ends.filter((to) => to !== from).flatMap((to) => waysFrom(from, to)))
}

/** To every address of the other end that is of a family of the first one's. */
export function waysFrom({ name, netnsPath, ips }: End, to: Pick<End, 'name' | 'ips'>): Way[] {
  const families = new Set(ips.map(familyOf))
  const reached = to.ips.filter((ip) => families.has(familyOf(ip)))
  return reached.map((ip) => ({ what: `${name} → ${to.name} (${familyOf(ip)})`, from: netnsPath, to: ip }))
}

const familyOf = (ip: string) => (ip.includes(':') ? 'IPv6' : 'IPv4')

export interface WayResult {
  readonly what: string
  readonly answered: number
  /** Requests since all ways were whole that have no answer, before the last that has one. */
  readonly lost: number
  /** Of those, the most one after the other. */
  readonly gap: number
}

/** ms between two requests. */
export const PING_INTERVAL = 10
/** Answers that show that a way is whole. */
const ENOUGH = 20

/** ping(8) tells each answer as it comes, with the number of its request. */
class Pinging {
  readonly #way: Way
  readonly #file: string
  readonly #service: Service
  /** Number of the last request that does not count. */
  #before = 0

  constructor(way: Way, file: string) {
    const { what, from, to } = way
    this.#way = way
    this.#file = file
    const argv = ['nsenter', `--net=${from}`, 'ping', '-n', `-i${PING_INTERVAL / 1000}`, to]
    this.#service = new Service({ name: `ping ${what}`, argv, logFile: `${file}.err`, stdoutFile: file })
  }

  /** Numbers of the requests that have been answered, in order. */
  #answered(): number[] {
    const numbers = readFileSync(this.#file, 'utf8').matchAll(/^\d+ bytes from .* icmp_seq=(\d+) /gm)
    const all = new Set([...numbers].map(([, number]) => Number(number)))
    return [...all].filter((number) => number > this.#before).sort((a, b) => a - b)
  }

  /** What comes from now on counts. */
  begin(): void {
    this.#before = this.#answered().at(-1) ?? 0
  }

  /** Resolves after some more answers. */
  async flows(): Promise<void> {
    const before = this.#answered().length
    const look = () => {
      this.#service.failIfEnded()
      return this.#answered().length >= before + ENOUGH ? true : undefined
    }
    await until(look, { what: `answers to "${this.#way.what}" (${this.#way.to} from ${this.#way.from})` })
  }

  async stop(): Promise<WayResult> {
    await this.#service.stop('SIGKILL')
    const answered = this.#answered()
    const gaps = answered.map((number, i) => number - (answered[i - 1] ?? this.#before) - 1)
    const lost = gaps.reduce((sum, gap) => sum + gap, 0)
    return { what: this.#way.what, answered: answered.length, lost, gap: Math.max(0, ...gaps) }
  }
}

export class Pings {
  readonly #directory = mkdtempSync(join(CLUSTERS, 'terway-pings-'))
  readonly #pings: readonly Pinging[]

  private constructor(ways: readonly Way[]) {
    this.#pings = ways.map((way, i) => new Pinging(way, join(this.#directory, String(i))))
  }

  /** Resolves once every way has answers. @throws CommandError when one has none */
  static async start(ways: readonly Way[]): Promise<Pings> {
    const pings = new Pings(ways)
    try {
      await pings.flow()
      for (const one of pings.#pings) one.begin()
      return pings
    } catch (error) {
      await pings.stop()
      throw error
    }
  }

  /** Resolves once every way has had some more answers. @throws CommandError when one has none */
  async flow(): Promise<void> {
    await Promise.all(this.#pings.map((one) => one.flows()))
  }

  async stop(): Promise<readonly WayResult[]> {
    try {
      return await Promise.all(this.#pings.map((one) => one.stop()))
    } finally {
      rmSync(this.#directory, { recursive: true, force: true })
    }
  }
}

/** Does something while pings go, and waits until all ways are whole after it. */
export async function pingWhile(ways: readonly Way[], act: () => Promise<void>): Promise<readonly WayResult[]> {
  const pings = await Pings.start(ways)
  try {
    await act()
    await pings.flow()
  } catch (error) {
    await pings.stop()
    throw error
  }
  return await pings.stop()
}
