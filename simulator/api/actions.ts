/** All actions of the API, by name. */
import { type Action, ECS, STS, VPC } from './action.ts'
import { DESCRIBE_NETWORK_INTERFACE_ACTIONS } from './describe-network-interfaces.ts'
import { INSTANCE_TYPE_ACTIONS } from './instance-types.ts'
import { INSTANCE_ACTIONS } from './instances.ts'
import { IPV6_ADDRESS_ACTIONS } from './ipv6-addresses.ts'
import { NETWORK_INTERFACE_ACTIONS } from './network-interfaces.ts'
import { PRIVATE_IP_ADDRESS_ACTIONS } from './private-ip-addresses.ts'
import { ROUTE_ENTRY_ACTIONS } from './route-entries.ts'
import { ROUTE_TABLE_ACTIONS } from './route-tables.ts'
import { SECURITY_GROUP_ACTIONS } from './security-groups.ts'
import { STS_ACTIONS } from './sts.ts'
import { TAG_ACTIONS } from './tags.ts'
import { VPC_ACTIONS } from './vpcs.ts'
import { VSWITCH_ACTIONS } from './vswitches.ts'

export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  Object.entries({
    ...NETWORK_INTERFACE_ACTIONS,
    ...DESCRIBE_NETWORK_INTERFACE_ACTIONS,
    ...PRIVATE_IP_ADDRESS_ACTIONS,
    ...IPV6_ADDRESS_ACTIONS,
    ...INSTANCE_ACTIONS,
    ...INSTANCE_TYPE_ACTIONS,
    ...VSWITCH_ACTIONS,
    ...VPC_ACTIONS,
    ...ROUTE_TABLE_ACTIONS,
    ...ROUTE_ENTRY_ACTIONS,
    ...SECURITY_GROUP_ACTIONS,
    ...TAG_ACTIONS,
    ...STS_ACTIONS,
  }),
)

/** How policies name the products. */
export const PRODUCTS: Readonly<Record<Action['version'], string>> = { [ECS]: 'ecs', [VPC]: 'vpc', [STS]: 'sts' }
