/** The cloud as its fabric has to follow it: the links of guests, and the ways behind them. */
import type { Cloud } from './cloud/cloud.ts'
import { addressesOf, type Eni } from './cloud/eni.ts'
import type { NextHop } from './cloud/route-tables.ts'
import type { FabricRoute, Place, Plug } from './fabric/plug.ts'
import type { EniId } from './region/ids.ts'

/** The ENIs that guests have links of, or VLANs on such links. A node that is stopped has no guest. */
export function plugsOf(cloud: Cloud): Plug[] {
  const plugs = cloud.enis().flatMap((eni) => plugOf(eni, cloud) ?? [])
  const plugged = new Set(plugs.map(({ eniId }) => eniId))
  return plugs.filter((plug) => plug.kind !== 'member' || plugged.has(plug.trunk))
}

function plugOf(eni: Eni, cloud: Cloud): Plug | undefined {
  const { state, mac, ipv6s, ipv4Prefixes, ipv6Prefixes, securityGroupIds, sourceDestCheck } = eni
  const place = placeOf(eni)
  if (place === undefined || !('instanceId' in state)) return undefined
  const node = cloud.nodeOf(state.instanceId)
  const vSwitch = cloud.region.vSwitches.get(eni.vSwitchId)
  if (node === undefined || vSwitch === undefined) throw new Error(`${eni.id} is on an unknown node or vSwitch`)
  if (node.status === 'Stopped') return undefined
  const held = { ips: addressesOf(eni), ipv6s, ipv4Prefixes, ipv6Prefixes }
  return { eniId: eni.id, mac, node: node.name, ...place, ...held, securityGroupIds, sourceDestCheck, vSwitch }
}

/** Undefined when the guest has nothing of the ENI. */
function placeOf({ id, type, state }: Eni): Place | undefined {
  if (state.status !== 'InUse' || !state.linked) return undefined
  switch (type) {
    case 'Primary':
      return { kind: 'primary' }
    case 'Secondary':
      return { kind: 'secondary' }
    case 'Trunk':
      return { kind: 'trunk' }
    case 'Member':
      if (state.trunkId === undefined) throw new Error(`${id} is a member of no trunk`)
      return { kind: 'member', trunk: state.trunkId, vlan: state.deviceIndex }
    default:
      return type satisfies never
  }
}

/** The custom route entries that carry packets. */
export function routesOf(cloud: Cloud): FabricRoute[] {
  return cloud.routes.entries().flatMap(({ state, destination, routeTable, nextHop }): FabricRoute[] => {
    const eni = nextHopOf(cloud, nextHop)
    return state === 'Available' && eni !== undefined ? [{ destination, routeTable, eni }] : []
  })
}

/** An instance gets its packets through its primary ENI. */
function nextHopOf(cloud: Cloud, nextHop: NextHop): EniId | undefined {
  if ('eniId' in nextHop) return nextHop.eniId
  return cloud.enisOf(nextHop.instanceId).find(({ type }) => type === 'Primary')?.id
}
