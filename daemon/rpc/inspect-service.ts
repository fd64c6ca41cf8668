/** The Inspect service: what the daemon knows, for an operator's eyes. Changes nothing. */
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { NetworkPlan, Difference as PlanDifference } from '../../netlink/plan.ts'
import type { Address } from '../../proto/generated/terway/inspect/v1/Address.ts'
import type { Difference } from '../../proto/generated/terway/inspect/v1/Difference.ts'
import type { Eni } from '../../proto/generated/terway/inspect/v1/Eni.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { PodContext } from '../pod/context.ts'
import { type AddressRecord, addressesOf, type EniRecord, ownerOf } from '../pool/model.ts'
import type { Pool } from '../pool/pool.ts'

export interface InspectOptions {
  readonly nodeName: string
  readonly facts: NodeFacts
  readonly version: string
  /** ms since the epoch */
  readonly startedAt: number
  readonly pods: PodContext
  /** The plans of the node and its ENIs, by the name to report them under. */
  readonly nodePlans: () => readonly (readonly [owner: string, plan: NetworkPlan])[]
}

export function inspectService(options: InspectOptions): InspectHandlers {
  return {
    Show: (_, reply) => reply(null, showNode(options)),
    Verify: (_, reply) => {
      const plans = [...options.nodePlans(), ...podPlans(options.pods)]
      const found = options.pods.kernel.verifyAll(plans.map(([, plan]) => plan))
      const differences = plans.flatMap(([owner], index) => (found[index] ?? []).map((one) => toMessage(owner, one)))
      reply(null, { plans: plans.length, differences })
    },
  }
}

function podPlans({ endpoints }: PodContext): (readonly [string, NetworkPlan])[] {
  return endpoints
    .all()
    .flatMap(({ phase, plan, containerId, ifname }) =>
      phase === 'ready' && plan !== undefined ? [[ownerOf(containerId, ifname), plan] as const] : [],
    )
}

function toMessage(owner: string, { found = '', ...difference }: PlanDifference): Difference {
  return { owner, found, ...difference }
}

function showNode({ nodeName, facts, version, startedAt, pods }: InspectOptions): Node {
  const { pool, endpoints } = pods
  return {
    name: nodeName,
    instanceId: facts.instanceId,
    instanceType: facts.instanceType,
    regionId: facts.regionId,
    zoneId: facts.zoneId,
    vpcId: facts.vpcId,
    version,
    startedAt,
    enis: [...pool.state.enis.values()].map((eni) => showEni(pods, eni)),
    pool: showPool(pool),
    endpoints: endpoints.all().map((endpoint) => ({
      containerId: endpoint.containerId,
      ifname: endpoint.ifname,
      netns: endpoint.netns,
      namespace: endpoint.namespace,
      pod: endpoint.pod,
      ips: endpoint.ip === undefined ? [] : [endpoint.ip],
      eniId: endpoint.eniId ?? '',
      hostLink: endpoint.hostLink ?? '',
      phase: endpoint.phase,
      since: endpoint.since,
    })),
    problems: pool.problems,
  }
}

function showEni(pods: PodContext, eni: EniRecord): Eni {
  const { pool } = pods
  const ready = pool.readyEni(eni.key)
  const common = {
    vswitchId: eni.vSwitchId,
    vswitchCidr: eni.cidr,
    phase: eni.phase,
    capacity: pool.limits.addressesPerEni,
    link: ready?.link ?? '',
    ifindex: ready?.ifindex ?? 0,
    gateway: ready?.gateway ?? '',
    addresses: addressesOf(pool.state, eni.key).map((address) => showAddress(pods, address)),
  }
  return eni.phase === 'creating' ? common : { ...common, id: eni.id, mac: eni.mac, primaryIp: eni.primaryIp }
}

function showAddress({ endpoints }: PodContext, address: AddressRecord): Address {
  const { ip, primary, phase } = address
  if (address.phase === 'cooling') return { ip, primary, phase, coolingUntil: address.until }
  if (address.phase !== 'owned') return { ip, primary, phase }
  const owner = endpoints.all().find(({ containerId, ifname }) => ownerOf(containerId, ifname) === address.owner)
  if (owner === undefined) return { ip, primary, phase, pod: address.owner }
  return { ip, primary, phase, pod: `${owner.namespace}/${owner.pod}`, containerId: owner.containerId }
}

function showPool(pool: Pool): NonNullable<Node['pool']> {
  const addresses = [...pool.state.addresses.values()].filter(
    (address) => pool.state.enis.get(address.eni)?.phase === 'in-use' && address.phase !== 'unassigning',
  )
  const count = (phase: AddressRecord['phase']) => addresses.filter((address) => address.phase === phase).length
  return {
    total: addresses.length,
    allocated: count('owned'),
    available: count('warm'),
    cooling: count('cooling'),
    capacity: pool.limits.maxEnis * pool.limits.addressesPerEni,
    min: pool.limits.minFree,
    max: pool.limits.maxFree,
    waiting: pool.waiting,
  }
}
