/** The simulator's own endpoints, for tests and the curious. */

import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni } from '../cloud/eni.ts'
import type { LinkCounters } from '../fabric/fabric.ts'
import type { Faults } from '../faults/faults.ts'
import { FaultError, parseFault } from '../faults/parse.ts'
import type { EniId, NodeName } from '../region/ids.ts'
import type { Audit } from './audit.ts'
import { AuditQueryError, filterAudit, sumUp } from './audit-query.ts'

/** What is known of the fabric; absent when the simulator runs without one. */
export interface FabricView {
  readonly vpcNetns: string
  netnsOf(node: NodeName): string
  counters(): Promise<ReadonlyMap<EniId, LinkCounters>>
}

export interface ControlOptions {
  readonly cloud: Cloud
  readonly audit: Audit
  readonly faults: Faults
  /** Names of all actions of the API. */
  readonly actions: readonly string[]
  /** Milliseconds since the epoch, of the region's clock. */
  readonly now: () => number
  /** How many times as fast as real time that clock runs. */
  readonly speed: number
  /** Why the fabric is not as the cloud has it; undefined when it is. */
  readonly failure: () => unknown
  readonly fabric?: FabricView
  /** A page for people, as HTML. */
  readonly page?: () => Promise<string>
}

export interface ControlRequest {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly body: string
  /** What the caller would like to get (RFC 9110, section 12.5.1). */
  readonly accept: string
}

export type ControlAnswer =
  | { readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: number; readonly html: string }

type Handler = (request: ControlRequest) => ControlAnswer | Promise<ControlAnswer>

/** Of the body of a request, the part that is shown in an answer. */
const shown = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class Control {
  readonly #options: ControlOptions
  readonly #routes: ReadonlyMap<string, Readonly<Record<string, Handler>>>

  constructor(options: ControlOptions) {
    this.#options = options
    const { audit, faults } = options
    this.#routes = new Map<string, Record<string, Handler>>([
      ['/healthz', { GET: () => ok({ ok: true }) }],
      ['/state', { GET: async () => ok(await this.#state()) }],
      ['/changes', { GET: () => ok({ changes: this.#changes() }) }],
      ['/audit', { GET: ({ query }) => ok({ calls: filterAudit(audit, query) }) }],
      ['/audit/summary', { GET: ({ query }) => ok({ sums: sumUp(filterAudit(audit, query)) }) }],
      [
        '/faults',
        {
          GET: () => ok({ faults: faults.list() }),
          POST: ({ body }) => this.#addFault(body),
          DELETE: () => ok({ removed: faults.removeAll() }),
        },
      ],
    ])
  }

  /** @returns undefined when there is nothing at the path. Rejects when the fabric cannot be read. */
  async answer(request: ControlRequest): Promise<ControlAnswer | undefined> {
    const { page, cloud } = this.#options
    const { method, path, accept } = request
    if (path === '/') {
      return page !== undefined && method === 'GET' && accept.includes('text/html')
        ? { status: 200, html: await page() }
        : undefined
    }
    const route = this.#routes.get(path) ?? this.#faultRoute(path)
    if (route === undefined) return undefined
    const handler = route[method]
    if (handler === undefined) {
      const allowed = Object.keys(route).join(', ')
      return { ...refused(405, `${path} has ${allowed}, not ${method}.`), headers: { allow: allowed } }
    }
    cloud.advance()
    try {
      return await handler(request)
    } catch (error) {
      if (error instanceof FaultError || error instanceof AuditQueryError) return refused(400, error.message)
      throw error
    }
  }

  #faultRoute(path: string): Readonly<Record<string, Handler>> | undefined {
    const [, id] = /^\/faults\/([\w-]+)$/.exec(path) ?? []
    if (id === undefined) return undefined
    const { faults } = this.#options
    const missing = () => refused(404, `There is no fault ${id}.`)
    return {
      GET: () => {
        const fault = faults.list().find((candidate) => candidate.id === id)
        return fault === undefined ? missing() : ok(fault)
      },
      DELETE: () => (faults.remove(id) ? ok({ removed: 1 }) : missing()),
    }
  }

  #addFault(body: string): ControlAnswer {
    const { cloud, faults, actions } = this.#options
    let json: unknown
    try {
      json = JSON.parse(body)
    } catch (error) {
      throw new FaultError(`The body must be JSON: ${shown(error)}`)
    }
    return { status: 201, body: faults.add(parseFault(json, { region: cloud.region, actions })) }
  }

  /** Of ENIs and their addresses and tags, of routes, and of faults, in the order of time. */
  #changes(): readonly object[] {
    const { cloud, faults } = this.#options
    // In one millisecond, faults come before what they cause.
    const logs: readonly (readonly { readonly at: number }[])[] = [
      faults.changes,
      cloud.changes,
      cloud.routes.changes,
      cloud.instanceTags.changes,
      cloud.securityGroupTags.changes,
    ]
    return logs.flat().sort((a, b) => a.at - b.at)
  }

  async #state(): Promise<object> {
    const { cloud, fabric, failure, now, speed } = this.#options
    const { region } = cloud
    const counters = await fabric?.counters()
    return {
      region: region.id,
      clock: { now: new Date(now()).toISOString(), speed },
      vpc: region.vpc,
      ...(fabric === undefined ? {} : { vpcNetns: fabric.vpcNetns }),
      ...(failure() === undefined ? {} : { fabricFailure: String(failure()) }),
      vSwitches: [...region.vSwitches.values()].map((vSwitch) => ({
        ...vSwitch,
        availableIps: cloud.availableIps(vSwitch.id),
      })),
      instances: region.nodes.map((node) => ({
        name: node.name,
        instanceId: node.instanceId,
        instanceType: node.instanceType.id,
        status: node.status,
        primaryIp: node.primaryIp,
        ...(fabric === undefined ? {} : { netns: fabric.netnsOf(node.name) }),
        enis: cloud.enisOf(node.instanceId).map((eni) => eni.id),
      })),
      enis: cloud.enis().map((eni) => eniState(eni, counters?.get(eni.id))),
      routes: cloud.routes.entries(),
    }
  }
}

function ok(body: object): ControlAnswer {
  return { status: 200, body }
}

function refused(status: number, message: string): { readonly status: number; readonly body: object } {
  return { status, body: { Message: message } }
}

function eniState(eni: Eni, counters: LinkCounters | undefined): object {
  const { state } = eni
  return {
    id: eni.id,
    mac: eni.mac,
    type: eni.type,
    status: state.status,
    linked: state.status === 'InUse' && state.linked,
    ...('instanceId' in state ? { instanceId: state.instanceId, deviceIndex: state.deviceIndex } : {}),
    ...('trunkId' in state ? { trunkId: state.trunkId } : {}),
    vSwitchId: eni.vSwitchId,
    securityGroupIds: eni.securityGroupIds,
    primaryIp: eni.primaryIp,
    ips: addressesOf(eni),
    ipv6s: eni.ipv6s,
    ipv4Prefixes: eni.ipv4Prefixes,
    ipv6Prefixes: eni.ipv6Prefixes,
    tags: Object.fromEntries(eni.tags),
    ...(counters === undefined ? {} : { counters }),
  }
}
