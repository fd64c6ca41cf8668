/** Brings an ENI more addresses or prefixes; a repeated call with the same token brings the same ones. */
import type { Cidr, Ip } from '../../../inet/address.ts'
import type { AssignRecord, KnownEni } from '../model.ts'
import { arrivals } from './arrivals.ts'
import { type Equipped, growing } from './context.ts'

export async function assignAddresses(context: Equipped, eni: KnownEni, record: AssignRecord): Promise<void> {
  const { ips, prefixes } = await call(context, eni, record)
  // Given up, or gone with its ENI, while the call was on its way: the next comparison with the cloud finds them.
  if (!context.state.assigns.has(record.token)) return
  const changes = arrivals(context.state, { eni: eni.key, ips, prefixes }, context.clock.now())
  context.commit([...changes, { kind: 'drop-assign', token: record.token }])
}

interface Assigned {
  readonly ips: readonly Ip[]
  readonly prefixes: readonly Cidr[]
}

async function call(context: Equipped, { id }: KnownEni, { what, count, token }: AssignRecord): Promise<Assigned> {
  const { cloud } = context
  const options = growing(context)
  switch (what) {
    case 'ipv4':
      return { ips: await cloud.assignIps(id, count, token, options), prefixes: [] }
    case 'ipv6':
      return { ips: await cloud.assignIpv6s(id, count, token, options), prefixes: [] }
    case 'ipv4-prefix':
      return { ips: [], prefixes: await cloud.assignIpv4Prefixes(id, count, token, options) }
    case 'ipv6-prefix':
      return { ips: [], prefixes: await cloud.assignIpv6Prefixes(id, count, token, options) }
  }
}
