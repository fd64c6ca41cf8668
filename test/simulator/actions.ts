/** Actions of the API called by themselves: no signature, no lateness, and a clock that stands still until it is told. */
import type { Action, Answer } from '../../simulator/api/action.ts'
import { DESCRIBE_NETWORK_INTERFACE_ACTIONS } from '../../simulator/api/describe-network-interfaces.ts'
import { INSTANCE_TYPE_ACTIONS } from '../../simulator/api/instance-types.ts'
import { INSTANCE_ACTIONS } from '../../simulator/api/instances.ts'
import { IPV6_ADDRESS_ACTIONS } from '../../simulator/api/ipv6-addresses.ts'
import { NETWORK_INTERFACE_ACTIONS } from '../../simulator/api/network-interfaces.ts'
import { Parameters } from '../../simulator/api/parameters.ts'
import { PRIVATE_IP_ADDRESS_ACTIONS } from '../../simulator/api/private-ip-addresses.ts'
import { Cloud } from '../../simulator/cloud/cloud.ts'
import { ApiError } from '../../simulator/cloud/error.ts'
import type { CloudFaults } from '../../simulator/cloud/faults.ts'
import type { Region } from '../../simulator/region/region.ts'

const ACTIONS: Readonly<Record<string, Action>> = {
  ...NETWORK_INTERFACE_ACTIONS,
  ...DESCRIBE_NETWORK_INTERFACE_ACTIONS,
  ...PRIVATE_IP_ADDRESS_ACTIONS,
  ...IPV6_ADDRESS_ACTIONS,
  ...INSTANCE_ACTIONS,
  ...INSTANCE_TYPE_ACTIONS,
}

export type Query = Readonly<Record<string, string>>

/** Milliseconds since the epoch; no test looks at the date. */
const START = 1_000_000

export function testActions(region: Region, faults?: CloudFaults) {
  let time = START
  const now = () => time
  const cloud = new Cloud({ region, now, ...(faults === undefined ? {} : { faults }) })
  const pass = (milliseconds: number): void => {
    time += milliseconds
    cloud.advance()
  }
  /** @throws ApiError as the action does. */
  const call = (name: string, query: Query = {}): Answer => {
    const action = ACTIONS[name]
    if (action === undefined) throw new Error(`there is no action ${name}`)
    return action.handle(cloud, new Parameters(new Map(Object.entries(query))), { enis: cloud.enis(), now: time })
  }
  const codeOf = (name: string, query: Query = {}): string => codeThrownBy(() => call(name, query))
  return { cloud, now, pass, call, codeOf }
}

/** `OK`, or the code of the refusal; everything else is thrown on. */
export function codeThrownBy(call: () => unknown): string {
  try {
    call()
    return 'OK'
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}
