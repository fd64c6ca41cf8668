/** Finds the link of an ENI that is attached, programs it where pods share it, and makes the ENI ready for pods. */
import { vSwitchGateway } from '../../../inet/address.ts'
import type { KnownEni } from '../model.ts'
import { trunkInUse } from '../trunk.ts'
import { type EniLink, EniStateError, type Equipped, podsOn, type ReadyEni } from './context.ts'

/** ms; a look takes a fraction of one. */
const LINK_POLL = 50

export async function bringUp(context: Equipped, record: KnownEni): Promise<void> {
  const { state, links } = context
  const place = record.role === 'member' ? onTrunk(context, record) : placeOf(await untilLink(context, record))
  if (state.enis.get(record.key)?.phase !== record.phase) return
  const { key, id, mac, role, vlanId } = record
  const vlan = vlanId === undefined ? {} : { vlanId }
  const ready = { key, id, mac, role, ...place, ...vlan, ...subnetOf(record) }
  links.program(ready)
  context.setReady(ready)
}

function placeOf({ name, ifindex }: EniLink): Pick<ReadyEni, 'link' | 'ifindex'> {
  return { link: name, ifindex }
}

function subnetOf({ cidr, cidr6 }: KnownEni): Pick<ReadyEni, 'cidr' | 'gateway' | 'cidr6' | 'gateway6'> {
  const ipv6 = cidr6 === undefined ? {} : { cidr6, gateway6: vSwitchGateway(cidr6) }
  return { cidr, gateway: vSwitchGateway(cidr), ...ipv6 }
}

/** Its link is in its pod then, not on the node. */
export function isInsidePod(context: Pick<Equipped, 'state'>, { role, key }: KnownEni): boolean {
  return role === 'exclusive' && podsOn(context, key) > 0
}

/** As soon as the guest has the link the cloud is done, whatever it was last seen to say. */
export async function signWhenLinked(context: Equipped, record: KnownEni, signal: AbortSignal): Promise<void> {
  while (context.links.find(record.mac) === undefined) await context.clock.sleep(LINK_POLL, signal)
  context.watch.sign(record.id)
}

/** A member's frames go through its trunk. */
function onTrunk(context: Equipped, { id, vlanId }: KnownEni): Pick<ReadyEni, 'link' | 'ifindex' | 'trunkGateways'> {
  const trunk = trunkInUse(context.state)
  const ready = trunk === undefined ? undefined : context.ready(trunk.key)
  if (ready === undefined) throw new EniStateError(`${id} cannot be used: the node's trunk ENI is not ready`)
  if (vlanId === undefined) throw new EniStateError(`${id} is attached to no trunk: the cloud names no VLAN id of it`)
  const { link, ifindex, gateway, gateway6 } = ready
  return { link, ifindex, trunkGateways: { gateway, ...(gateway6 === undefined ? {} : { gateway6 }) } }
}

async function untilLink(context: Equipped, record: KnownEni): Promise<EniLink> {
  const deadline = context.clock.now() + context.linkTimeout
  for (;;) {
    const link = context.links.find(record.mac)
    if (link !== undefined) return link
    if (context.clock.now() > deadline) {
      throw new EniStateError(`no link with MAC ${record.mac} appeared on this node for ${record.id}`)
    }
    await context.clock.sleep(LINK_POLL, context.signal)
  }
}
