/** Puts the parts together: the cloud, its API and metadata service, the fabric. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { parseIpv4 } from '../inet/address.ts'
import { listenTcpInNetns } from '../netlink/listener.ts'
import { warmThreadPool } from '../netlink/netns.ts'
import { Audit } from './api/audit.ts'
import { Control } from './api/control.ts'
import { Gateway } from './api/gateway.ts'
import { createApiServer } from './api/http-server.ts'
import { TemporaryKeys } from './api/temporary-keys.ts'
import { RegionClock } from './clock.ts'
import { Cloud } from './cloud/cloud.ts'
import { Engine } from './engine.ts'
import { Fabric } from './fabric/fabric.ts'
import { netnsPath } from './fabric/netns.ts'
import { Faults } from './faults/faults.ts'
import { close, type Listener, listen } from './listen.ts'
import { createMetadataServer, MetadataService } from './metadata/metadata-service.ts'
import { buildView } from './page/build-view.ts'
import { renderPage } from './page/page.ts'
import { podsOf } from './page/pods.ts'
import { plugsOf, routesOf } from './plugs.ts'
import type { Region } from './region/region.ts'

/** The metadata service has this address in every VPC; that of the API is in the same range of the cloud's services. */
const METADATA_IP = parseIpv4('100.100.100.200')
const API_IP = parseIpv4('100.100.80.10')
const HTTP_PORT = 80

export interface SimulatorOptions {
  readonly region: Region
  /** First part of the names of the fabric's namespaces; undefined: API only. */
  readonly fabricPrefix: string | undefined
  /** Where the API is served outside the VPC; port 0 lets the kernel choose. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly log: Logger
  /** How many seconds of the region pass in a real one; 1 where it is not given. */
  readonly speed?: number
}

/** What the simulator says of itself when it can be used. */
export interface Ready {
  readonly ready: true
  /** URL of the API and of the simulator's own endpoints, outside the VPC. */
  readonly api: string
  /** The rest is there only with a fabric. */
  readonly apiInVpc?: string
  readonly metadata?: string
  readonly vpcNetns?: string
  readonly nodes: readonly {
    readonly name: string
    readonly instanceId: string
    readonly netns?: string
    readonly primaryIp: string
    readonly primaryIpv6?: string
  }[]
}

export interface Simulator {
  readonly ready: Ready
  /** Closes every connection and removes every namespace. */
  stop(): Promise<void>
}

/**
 * Rejects with FabricError, CommandError, NetnsError or ListenError; everything that was made until then is removed.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  await warmThreadPool()
  const cleanups: Cleanup[] = []
  const stop = () => undoAll(cleanups)
  try {
    return { ready: await build(options, cleanups), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(options: SimulatorOptions, cleanups: Cleanup[]): Promise<Ready> {
  const { region, log, speed = 1 } = options
  const clock = new RegionClock(speed)
  const { now } = clock
  const faults = new Faults({ region, now })
  const cloud = new Cloud({ region, now, faults })
  const fabric = await startFabric(options)
  if (fabric !== undefined) cleanups.push(() => fabric.stop())
  const engine = new Engine({
    ...{ cloud, now, speed },
    follow: async () => await fabric?.sync(plugsOf(cloud), routesOf(cloud)),
    onError: (error) => log.error({ err: error }, 'the fabric does not follow the cloud'),
  })
  cleanups.push(() => engine.stop())
  await engine.changed()
  if (engine.failure !== undefined) throw engine.failure
  const home = await serve({ clock, faults, cloud, fabric, engine, log, listen: options.listen }, cleanups)
  // First of all: what still sleeps would answer long after its server has gone.
  cleanups.push(async () => clock.stop())
  return readyOf({ region, home, fabric })
}

interface Served {
  readonly clock: RegionClock
  readonly faults: Faults
  readonly cloud: Cloud
  readonly fabric: Fabric | undefined
  readonly engine: Engine
  readonly log: Logger
  readonly listen: SimulatorOptions['listen']
}

/** @returns the server outside the VPC. */
async function serve(served: Served, cleanups: Cleanup[]): Promise<Server> {
  const { clock, faults, cloud, fabric, engine, log } = served
  const { now, sleep, speed } = clock
  const audit = new Audit()
  const temporaryKeys = new TemporaryKeys(now)
  const onInternalError = (error: unknown) => log.error({ err: error }, 'a call failed')
  const gateway = new Gateway({
    ...{ cloud, audit, now, sleep, faults, temporaryKeys },
    wall: Date.now,
    changed: () => engine.changed(),
    onInternalError,
  })
  const open = async (server: Server, where: Listener): Promise<void> => {
    await listen(server, where)
    cleanups.push(() => close(server))
  }
  if (fabric !== undefined) {
    const inVpc = (host: string) => ({ fd: listenTcpInNetns(netnsPath(fabric.vpcNetns), { host, port: HTTP_PORT }) })
    const metadata = new MetadataService({ cloud, now, faults, temporaryKeys })
    await open(createMetadataServer(metadata), inVpc(METADATA_IP))
    await open(createApiServer({ gateway, cloud, onInternalError }), inVpc(API_IP))
  }
  const { actions } = gateway
  const control = new Control({
    ...{ cloud, audit, faults, actions, now, speed },
    failure: () => engine.failure,
    page: () => page(served, audit),
    ...(fabric === undefined ? {} : { fabric }),
  })
  const home = createApiServer({ gateway, cloud, control, onInternalError })
  await open(home, served.listen)
  return home
}

async function page({ cloud, clock, engine, faults, fabric }: Served, audit: Audit): Promise<string> {
  cloud.advance()
  const namespaces =
    fabric === undefined ? [] : cloud.region.nodes.map(({ name }) => [name, fabric.netnsOf(name)] as const)
  const [counters, pods] = await Promise.all([
    fabric?.counters(),
    Promise.all(namespaces.map(async ([name, netns]) => [name, await podsOf(netns)] as const)),
  ])
  return renderPage(
    buildView({
      ...{ cloud, now: clock.now(), speed: clock.speed, failure: engine.failure },
      ...{ calls: audit.entries, faults: faults.list(), counters: counters ?? new Map(), pods: new Map(pods) },
    }),
  )
}

type Cleanup = () => Promise<void>

/** Last first; a failure does not keep the rest from being undone. Rejects with AggregateError. */
async function undoAll(cleanups: Cleanup[]): Promise<void> {
  const errors: unknown[] = []
  for (let undo = cleanups.pop(); undo !== undefined; undo = cleanups.pop()) {
    await undo().catch((error: unknown) => errors.push(error))
  }
  if (errors.length > 0) throw new AggregateError(errors, `the simulator did not stop cleanly: ${errors.join('; ')}`)
}

async function startFabric({ region, fabricPrefix }: SimulatorOptions): Promise<Fabric | undefined> {
  if (fabricPrefix === undefined) return undefined
  return await Fabric.start({
    prefix: fabricPrefix,
    nodes: region.nodes.map((node) => node.name),
    services: [METADATA_IP, API_IP],
    vSwitches: [...region.vSwitches.values()],
    routeTables: region.vpc.routeTables,
    securityGroups: region.securityGroups,
    mtu: region.mtu,
  })
}

interface Started {
  readonly region: Region
  readonly home: Server
  readonly fabric: Fabric | undefined
}

function readyOf({ region, home, fabric }: Started): Ready {
  const { address, family, port } = home.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    ready: true,
    api: `http://${host}:${port}`,
    ...(fabric === undefined
      ? {}
      : { apiInVpc: `http://${API_IP}`, metadata: `http://${METADATA_IP}`, vpcNetns: fabric.vpcNetns }),
    nodes: region.nodes.map((node) => ({
      name: node.name,
      instanceId: node.instanceId,
      ...(fabric === undefined ? {} : { netns: fabric.netnsOf(node.name) }),
      primaryIp: node.primaryIp,
      ...(node.primaryIpv6 === undefined ? {} : { primaryIpv6: node.primaryIpv6 }),
    })),
  }
}
