/** A running `terway-sim`: the cloud's API, the metadata service and the network between the nodes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DIST } from './directory.ts'
import { Service, until } from './process.ts'

const TERWAY_SIM = join(DIST, 'terway-simulator', 'terway-sim')

const readySchema = z.object({
  ready: z.literal(true),
  /** URL of the API for this machine. */
  api: z.string(),
  /** The same for the nodes. */
  apiInVpc: z.string(),
  metadata: z.string(),
  vpcNetns: z.string(),
  nodes: z.array(
    z.object({
      ...{ name: z.string(), instanceId: z.string(), netns: z.string() },
      ...{ primaryIp: z.string(), primaryIpv6: z.string().optional() },
    }),
  ),
})

export type SimulatedRegion = z.infer<typeof readySchema>

export interface SimulatorOptions {
  readonly regionFile: string
  readonly prefix: string
  /** Its log and what it announces go here. */
  readonly directory: string
  /** True: it goes on when this process ends. */
  readonly outlive: boolean
  /** It may take this long to be ready, ms; 20 s unless given. */
  readonly patience?: number | undefined
}

export interface Simulator {
  readonly service: Service
  readonly region: SimulatedRegion
}

/** Starts it and waits until the region is there. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { regionFile, prefix, directory, outlive, patience } = options
  const stdoutFile = join(directory, 'terway-sim.ready')
  const logFile = join(directory, 'terway-sim.log')
  const service = new Service({
    name: 'terway-sim',
    argv: [TERWAY_SIM, 'run', '--region', regionFile, '--prefix', prefix, '--listen', '127.0.0.1:0'],
    ...{ logFile, stdoutFile, outlive },
  })
  const announced = await until(
    () => {
      service.failIfEnded()
      const text = readFileSync(stdoutFile, 'utf8')
      return text.includes('\n') ? text : undefined
    },
    { what: `terway-sim to be ready (log: ${logFile})`, ...(patience === undefined ? {} : { timeout: patience }) },
  )
  return { service, region: readySchema.parse(JSON.parse(announced)) }
}
