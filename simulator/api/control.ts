/** The simulator's own read-only endpoints, for tests and the curious. */

import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni, instanceOf } from '../cloud/eni.ts'
import type { LinkCounters } from '../fabric/fabric.ts'
import type { EniId, NodeName } from '../region/ids.ts'
import type { Audit } from './audit.ts'

/** What is known of the fabric; absent when the simulator runs without one. */
export interface FabricView {
  readonly vpcNetns: string
  netnsOf(node: NodeName): string
  counters(): Promise<ReadonlyMap<EniId, LinkCounters>>
}

export interface ControlOptions {
  readonly cloud: Cloud
  readonly audit: Audit
  /** Why the fabric is not as the cloud has it; undefined when it is. */
  readonly failure: () => unknown
  readonly fabric?: FabricView
}

export class Control {
  readonly #options: ControlOptions

  constructor(options: ControlOptions) {
    this.#options = options
  }

  /** @returns undefined when there is nothing at the path. Rejects when the fabric cannot be read. */
  async answer(path: string): Promise<object | undefined> {
    const { cloud, audit } = this.#options
    cloud.advance()
    switch (path) {
      case '/healthz':
        return { ok: true }
      case '/sim/state':
        return await this.#state()
      case '/sim/audit':
        return { calls: audit.entries }
      case '/sim/changes':
        return { changes: cloud.changes }
      default:
        return undefined
    }
  }

  async #state(): Promise<object> {
    const { cloud, fabric, failure } = this.#options
    const { region } = cloud
    const counters = await fabric?.counters()
    return {
      region: region.id,
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
        primaryIp: node.primaryIp,
        ...(fabric === undefined ? {} : { netns: fabric.netnsOf(node.name) }),
        enis: cloud.enisOf(node.instanceId).map((eni) => eni.id),
      })),
      enis: cloud.enis().map((eni) => eniState(eni, counters?.get(eni.id))),
    }
  }
}

function eniState(eni: Eni, counters: LinkCounters | undefined): object {
  const instanceId = instanceOf(eni)
  return {
    id: eni.id,
    mac: eni.mac,
    type: eni.type,
    status: eni.state.status,
    linked: eni.state.status === 'InUse' && eni.state.linked,
    ...(instanceId === undefined ? {} : { instanceId }),
    vSwitchId: eni.vSwitchId,
    primaryIp: eni.primaryIp,
    ips: addressesOf(eni),
    tags: Object.fromEntries(eni.tags),
    ...(counters === undefined ? {} : { counters }),
  }
}
