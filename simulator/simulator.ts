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
import { Cloud } from './cloud/cloud.ts'
import { addressesOf } from './cloud/eni.ts'
import { Engine } from './engine.ts'
import { Fabric } from './fabric/fabric.ts'
import { netnsPath } from './fabric/netns.ts'
import type { Plug } from './fabric/plug.ts'
import { close, type Listener, listen } from './listen.ts'
import { createMetadataServer, MetadataService } from './metadata/metadata-service.ts'
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
  const { region, log } = options
  const now = startClock()
  const cloud = new Cloud({ region, now })
  const audit = new Audit()
  const fabric = await startFabric(options)
  if (fabric !== undefined) cleanups.push(() => fabric.stop())
  const engine = new Engine({
    cloud,
    now,
    follow: async () => await fabric?.sync(plugsOf(cloud)),
    onError: (error) => log.error({ err: error }, 'the fabric does not follow the cloud'),
  })
  cleanups.push(() => engine.stop())
  await engine.changed()
  if (engine.failure !== undefined) throw engine.failure
  const gateway = new Gateway({
    cloud,
    audit,
    now,
    changed: () => engine.changed(),
    onInternalError: (error) => log.error({ err: error }, 'a call failed'),
  })
  const serve = async (server: Server, where: Listener): Promise<void> => {
    await listen(server, where)
    cleanups.push(() => close(server))
  }
  if (fabric !== undefined) {
    const inVpc = (host: string) => ({ fd: listenTcpInNetns(netnsPath(fabric.vpcNetns), { host, port: HTTP_PORT }) })
    await serve(createMetadataServer(new MetadataService({ cloud, now })), inVpc(METADATA_IP))
    await serve(createApiServer({ gateway, cloud }), inVpc(API_IP))
  }
  const view = fabric === undefined ? {} : { fabric }
  const control = new Control({ cloud, audit, failure: () => engine.failure, ...view })
  const home = createApiServer({ gateway, cloud, control })
  await serve(home, options.listen)
  return readyOf({ region, home, fabric })
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

/** Wall-clock time that is never set back while the simulator runs. */
function startClock(): () => number {
  const epoch = Date.now() - performance.now()
  return () => Math.floor(epoch + performance.now())
}

async function startFabric({ region, fabricPrefix }: SimulatorOptions): Promise<Fabric | undefined> {
  if (fabricPrefix === undefined) return undefined
  return await Fabric.start({
    prefix: fabricPrefix,
    nodes: region.nodes.map((node) => node.name),
    services: [METADATA_IP, API_IP],
  })
}

/** The ENIs that guests have links of. */
function plugsOf(cloud: Cloud): Plug[] {
  return cloud.enis().flatMap((eni): Plug[] => {
    if (eni.state.status !== 'InUse' || !eni.state.linked) return []
    const node = cloud.nodeOf(eni.state.instanceId)
    const vSwitch = cloud.region.vSwitches.get(eni.vSwitchId)
    if (node === undefined || vSwitch === undefined) throw new Error(`${eni.id} is on an unknown node or vSwitch`)
    const kind = eni.type === 'Primary' ? 'primary' : 'secondary'
    return [{ eniId: eni.id, mac: eni.mac, node: node.name, kind, ips: addressesOf(eni), vSwitch }]
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
    })),
  }
}
